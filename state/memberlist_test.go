package state

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
)

// chunks checks the form of a group's members, and returns how many values it has.
func chunks(t tester, tx *txn, group identity.Ordinal) int {
	t.Helper()
	var froms []uint64
	var lists [][]string
	prefix := ordKey(group)
	c := tx.Bucket(bMembers).Cursor()
	for k, v := c.Seek(prefix); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
		refs, err := decodeRefs(stMembers, v)
		ok(t, err)
		froms, lists = append(froms, fromU64(k[8:])), append(lists, refs)
	}
	for i, list := range lists {
		if i == 0 && froms[0] != 0 || len(list) > memberChunk || len(list) == 0 && i > 0 {
			t.Fatalf("chunk %d of %d begins at %d and has %d members", i, len(lists), froms[i], len(list))
		}
		for n, r := range list {
			at := place(r)
			if at.at < froms[i] || i+1 < len(froms) && at.at >= froms[i+1] || n > 0 && byPlace(place(list[n-1]), at) >= 0 {
				t.Fatalf("member %d of chunk %d stands at the wrong place", n, i)
			}
		}
	}
	return len(lists)
}

func TestMembersAreEditedAsASet(t *testing.T) {
	k := newKit(t)
	k.loose = true
	k.s.db.NoSync = true
	group := identity.Ordinal(1)
	rapid.Check(t, func(t *rapid.T) {
		group += 3
		has := map[string]bool{}
		var first []string
		for i := range rapid.SampledFrom([]int{0, 1, memberFill, memberFill + 1, 1500}).Draw(t, "at first") {
			first = append(first, fmt.Sprint("d", i))
			has[first[i]] = true
		}
		ok(t, k.s.update(func(tx *txn) error {
			for _, other := range []identity.Ordinal{group - 1, group + 1} { // neighbours are left alone
				if err := putRefs(tx, other, []string{"dx"}); err != nil {
					return err
				}
			}
			return putRefs(tx, group, first)
		}))
		for range rapid.IntRange(1, 5).Draw(t, "edits") {
			from, n := rapid.IntRange(0, 1600).Draw(t, "from"), rapid.SampledFrom([]int{1, 5, 600, 1600}).Draw(t, "n")
			sign := rapid.SampledFrom([]string{"+", "-", "both"}).Draw(t, "sign")
			var diff, want []string
			for i := from; i < from+n; i++ {
				ref, gains := fmt.Sprint("d", i), sign == "+" || sign == "both" && i%2 == 0
				if gains {
					diff = append(diff, "-"+ref, "+"+ref) // the later word counts
				} else {
					diff = append(diff, "-"+ref)
				}
				if gains != has[ref] {
					want = append(want, diff[len(diff)-1])
				}
				has[ref] = gains
			}
			var got []string
			ok(t, k.s.update(func(tx *txn) (err error) {
				got, err = editRefs(tx, group, diff)
				return err
			}))
			slices.Sort(got)
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Fatalf("%d changed, and not %d", len(got), len(want))
			}
			var list []string
			for ref, is := range has {
				if is {
					list = append(list, ref)
				}
			}
			slices.Sort(list)
			ok(t, k.s.view(func(tx *txn) error {
				refs, err := groupRefs(tx, group)
				if !slices.Equal(refs, list) {
					t.Fatalf("%d members, and not %d", len(refs), len(list))
				}
				if n := chunks(t, tx, group); n > 1+len(list) {
					t.Fatalf("%d members in %d chunks", len(list), n)
				}
				for _, other := range []identity.Ordinal{group - 1, group + 1} {
					if refs, _ := groupRefs(tx, other); !slices.Equal(refs, []string{"dx"}) {
						t.Fatal("a neighbour changed:", refs)
					}
				}
				return err
			}))
		}
	})
}

// TestOneMemberMoreIsOneChunk counts what one edit reads and writes: no more in a
// large group than in a small one.
func TestOneMemberMoreIsOneChunk(t *testing.T) {
	k := newKit(t)
	k.loose = true
	for group, n := range map[identity.Ordinal]int{1: 2000, 2: 50_000} {
		var refs []string
		for i := range n {
			refs = append(refs, fmt.Sprintf("duid=writer%06d,%s", i, people))
		}
		ok(t, k.s.update(func(tx *txn) error { return putRefs(tx, group, refs) }))
		for i, edit := range []string{"+duid=one more," + people, "-" + refs[n/2], "+" + refs[0], "-duid=nobody"} {
			before := k.s.Work()
			ok(t, k.s.update(func(tx *txn) error {
				_, err := editRefs(tx, group, []string{edit})
				return err
			}))
			w := k.s.Work().Less(before)
			if w.Read > 8 || w.ReadBytes > 4*memberChunk*80 || w.Written > 1 || w.WrittenBytes > memberChunk*80 {
				t.Errorf("%s in a group of %d: %+v", edit, n, w)
			}
			if changes := i < 2; changes != (w.Commits == 1) {
				t.Errorf("%s in a group of %d: %d commits", edit, n, w.Commits)
			}
		}
	}
}
