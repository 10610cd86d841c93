package book

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/target"
)

// TestSnapshotsStand: whatever is written, what was taken out before stays as
// it was, and every account is found under its ID and name.
func TestSnapshotsStand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := New("name")
		names := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		rights := rapid.SampledFrom([]string{"x", "y", "z"})
		type snapshot struct {
			list []*target.Account
			text string
		}
		var taken []snapshot
		print := func(list []*target.Account) string {
			s := ""
			for _, a := range list {
				s += fmt.Sprintf("%+v\n", *a)
			}
			return s
		}
		for n := range rapid.IntRange(1, 40).Draw(t, "writes") {
			all := b.Accounts()
			taken = append(taken, snapshot{all, print(all)})
			var ref target.Ref
			if len(all) > 0 {
				ref.ID = all[rapid.IntRange(0, len(all)-1).Draw(t, "which")].ID
			}
			var err error
			switch rapid.IntRange(0, 6).Draw(t, "verb") {
			case 0:
				err = b.Create(target.NativeID(fmt.Sprint(n)), names.Draw(t, "name"), nil, "")
			case 1:
				_, err = b.Rename(ref, names.Draw(t, "name"))
			case 2:
				_, err = b.Entitle(ref, rights.Draw(t, "right"), true)
			case 3:
				_, err = b.Entitle(ref, rights.Draw(t, "right"), false)
			case 4:
				_, err = b.Update(ref, []target.Value{{Name: "mail", Values: rapid.SliceOf(rights).Draw(t, "values")}})
			case 5:
				_, err = b.Enable(ref, rapid.Bool().Draw(t, "enabled"))
			case 6:
				b.Delete(ref.ID)
			}
			if c := target.ClassOf(err); err != nil && c != target.Exists && c != target.Missing {
				t.Fatal(err)
			}
			for _, s := range taken {
				if got := print(s.list); got != s.text {
					t.Fatalf("a snapshot changed from\n%s to\n%s", s.text, got)
				}
			}
			seen := map[string]bool{}
			for _, a := range b.Accounts() {
				found, _ := b.Find(target.Query{Match: []target.Match{{Attribute: "name", Value: a.Name}}})
				if b.Get(a.ID) != a || len(found) != 1 || found[0] != a || seen[a.Name] {
					t.Fatalf("%q is found as %v and by name as %v", a.ID, b.Get(a.ID), found)
				}
				seen[a.Name] = true
			}
		}
	})
}
