package state

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// TestLinksAreCounted counts the links after each change, and beside it by
// looking at all of them.
func TestLinksAreCounted(t *testing.T) {
	dir, runs := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		k := &kit{tester: t, path: filepath.Join(dir, fmt.Sprint(runs), "s.db"), clock: newClock(), loose: true}
		k.open()
		k.s.db.NoSync = true
		defer k.close()
		roles := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"employee", "writer", "", "ä"}), 0, 3, rapid.ID)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			l := ledger.Link{Person: identity.Ordinal(rapid.IntRange(1, 4).Draw(t, "who")), Target: rapid.SampledFrom([]string{"wiki", "wik", "dir"}).Draw(t, "target"),
				Phase: rapid.SampledFrom([]ledger.Phase{ledger.Open, ledger.Closed, ledger.Deleted}).Draw(t, "phase")}
			l.Account = target.NativeID(l.Person.String())
			for _, e := range []string{"A", "B"} {
				l.Granted = append(l.Granted, ledger.Granted{Entitlement: e, Roles: roles.Draw(t, e)})
			}
			if rapid.IntRange(0, 9).Draw(t, "forget") == 0 {
				ok(t, k.s.ForgetTarget(l.Target, "admin"))
			} else {
				ok(t, k.s.PutLinks([]ledger.Link{l}))
			}
			for _, name := range []string{"wiki", "wik", "dir"} {
				open, all, holders := 0, 0, map[string]int{}
				for _, links := range must2(k.s.Links()) {
					l, linked := links[name]
					if !linked || l.Phase == ledger.Deleted {
						continue
					}
					if all++; l.Phase == ledger.Open {
						open++
						held := map[string]bool{}
						for _, g := range l.Granted {
							for _, r := range g.Roles {
								held[r] = true
							}
						}
						for r := range held {
							holders[r]++
						}
					}
				}
				gotOpen, gotAll, err := k.s.LinkCount(name)
				ok(t, err)
				if got := must2(k.s.Holders(name)); gotOpen != open || gotAll != all || !maps.Equal(got, holders) {
					t.Fatalf("%s: %d open of %d, holders %v; counted %d of %d, %v", name, open, all, holders, gotOpen, gotAll, got)
				}
			}
		}
	})
}

func TestAWrongTallyIsFound(t *testing.T) {
	k := newKit(t)
	k.loose = true
	ok(t, k.s.PutLinks([]ledger.Link{{Person: 1, Target: "wiki", Account: "a", Phase: ledger.Open}}))
	for want, edit := range map[string]func(*txn) error{
		"2 are counted as open links of wiki, and there are 1": func(tx *txn) error { return tx.Bucket(bTally).Put(tallyKey("wiki", tallyOpen, ""), u64(2)) },
		"1 open links of wiki are not counted":                 func(tx *txn) error { return tx.Bucket(bTally).Delete(tallyKey("wiki", tallyOpen, "")) },
		"1 are counted as links of dir, and there are 0":       func(tx *txn) error { return tx.Bucket(bTally).Put(tallyKey("dir", tallyAll, ""), u64(1)) },
	} {
		ok(t, k.s.update(edit))
		c := must2(k.s.Check(context.Background()))
		if !strings.Contains(strings.Join(c.Problems, "\n"), want) {
			t.Errorf("no problem says %q: %v", want, c.Problems)
		}
		ok(t, k.s.update(func(tx *txn) error {
			if err := tx.Bucket(bTally).Delete(tallyKey("dir", tallyAll, "")); err != nil {
				return err
			}
			return tx.Bucket(bTally).Put(tallyKey("wiki", tallyOpen, ""), u64(1))
		}))
	}
}
