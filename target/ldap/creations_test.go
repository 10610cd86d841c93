package ldap

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

func creations(n int) []target.Creation {
	out := make([]target.Creation, n)
	for i := range out {
		out[i] = target.Creation{Name: fmt.Sprintf("writer%d", i), Set: person("Writer of the site"), Mark: fmt.Sprintf("mark %d", i)}
	}
	return out
}

// createAll makes them and returns what was told, by position.
func createAll(t *testing.T, tg *Target, list []target.Creation) map[int]target.Created {
	t.Helper()
	told := map[int]target.Created{}
	tg.CreateAll(t.Context(), list, func(i int, c target.Created) bool {
		if _, twice := told[i]; twice {
			t.Errorf("%d was told twice", i)
		}
		told[i] = c
		return true
	})
	return told
}

// Few requests: three searches for a hundred accounts where the server does not
// show what it added, two where it does, and an add for each.
func TestManyAccountsTakeFewRequests(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute, "Writers")
	tg := e.target(t)
	e.faults().ResetCounts()
	told := createAll(t, tg, creations(300))
	for i := range 300 {
		if c, ok := told[i]; !ok || c.Err != nil {
			t.Fatalf("%d: told %v, %v", i, ok, c.Err)
		}
	}
	searches, adds := e.faults().Count(ldapd.OpSearch), e.faults().Count(ldapd.OpAdd)
	// One more for the root entry of the connection.
	if adds != 300 || searches > 3*3+1 || e.faults().Count(ldapd.OpModify) != 0 {
		t.Errorf("%d adds and %d searches for 300 accounts", adds, searches)
	}
	e.faults().ResetCounts()
	for i, c := range createAll(t, tg, creations(300)) {
		if target.ClassOf(c.Err) != target.Exists {
			t.Fatalf("%d, the second time: %v", i, c.Err)
		}
	}
	if n := e.faults().Count(ldapd.OpAdd); n != 0 {
		t.Errorf("%d adds of names that are taken", n)
	}
}

// What groups say of somebody who had the name before is not inherited, by any
// of many, and nobody else loses anything.
func TestManyInheritNothing(t *testing.T) {
	for _, style := range []string{entries.StyleMember, entries.StyleUniqueMember, entries.StyleMemberUID} {
		t.Run(style, func(t *testing.T) {
			e := embed(t, style, byAttribute, "Writers", "Publishers")
			member := func(name string) string {
				if style == entries.StyleMemberUID {
					return name
				}
				return "uid=" + name + "," + inAccounts
			}
			e.setMembers(t, "Writers", member("writer3"), member("other"), member("WRITER17"))
			e.setMembers(t, "Publishers", member("writer3"))
			tg := e.target(t)
			for i, c := range createAll(t, tg, creations(40)) {
				if c.Err != nil || c.Account.ID == "" {
					t.Fatalf("%d: %+v", i, c)
				}
			}
			for _, a := range e.read(t) {
				if len(a.Entitlements) > 0 {
					t.Errorf("%s was made and holds %q", a.Name, a.Entitlements)
				}
			}
			if !slices.Contains(e.members(t, "Writers"), member("other")) {
				t.Error("somebody else lost a membership")
			}
		})
	}
}

// A name is taken by a closed account too, and by one further down.
func TestManyMeetNamesElsewhere(t *testing.T) {
	e := embed(t, entries.StyleMember, byMove)
	tg := e.target(t)
	if err := tg.Disable(t.Context(), mustCreate(t, tg, "writer4")); err != nil {
		t.Fatal(err)
	}
	e.put(t, "uid=Writer9,ou=sub,"+inAccounts, map[string][]string{"uid": {"Writer9"}, "cn": {"x"}, "sn": {"x"}})
	for i, c := range createAll(t, tg, creations(20)) {
		want := target.Class(0)
		if i == 4 || i == 9 {
			want = target.Exists
		}
		if target.ClassOf(c.Err) != want {
			t.Errorf("%d: %v", i, c.Err)
		}
	}
	if n := len(e.read(t)); n != 20 {
		t.Errorf("%d accounts", n)
	}
}

// Law 7: the connection breaks in the middle. Who was answered is made, who left
// is in doubt, and who was not told has not left. This server does not show what it
// adds, so who was added is in doubt too until they are found.
func TestLaw07ManyAndTheServerBreaks(t *testing.T) {
	for name, c := range map[string]struct {
		fault  ldapd.Fault
		doubts bool
	}{
		"hangs up":              {ldapd.Fault{Op: ldapd.OpAdd, Skip: 40, Times: 1, Do: ldapd.Drop}, true},
		"adds, and hangs up":    {ldapd.Fault{Op: ldapd.OpAdd, Skip: 40, Times: 1, Do: ldapd.Drop, Applied: true}, true},
		"searches for no names": {ldapd.Fault{Op: ldapd.OpSearch, Base: inAccounts, Times: 5, Do: ldapd.Drop}, false},
		"searches for no group": {ldapd.Fault{Op: ldapd.OpSearch, Base: inGroups, Times: 5, Do: ldapd.Drop}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := embed(t, entries.StyleMember, byAttribute, "Writers")
			tg := e.target(t)
			e.faults().Add(c.fault)
			told := createAll(t, tg, creations(300))
			there := map[string]bool{}
			for _, a := range e.read(t) {
				there[a.Name] = true
			}
			doubts, failed := 0, 0
			for i, n := range creations(300) {
				got, was := told[i]
				switch class := target.ClassOf(got.Err); {
				case !was:
					if there[n.Name] {
						t.Errorf("%s was not told and is there", n.Name)
					}
				case got.Err == nil && !there[n.Name]:
					t.Errorf("%s was told as made and is not there", n.Name)
				case class == target.InDoubt:
					doubts++
				case class == target.Transient:
					if failed++; there[n.Name] {
						t.Errorf("%s was told as not done and is there", n.Name)
					}
				case got.Err != nil:
					t.Errorf("%s: %v", n.Name, got.Err)
				}
			}
			if (doubts > 0) != c.doubts || doubts > 100 || (failed == 1) != !c.doubts {
				t.Errorf("%d in doubt, %d failed, %d told", doubts, failed, len(told))
			}
			// What is left can be made on a new connection.
			e.faults().Clear()
			for i, got := range createAll(t, tg, creations(300)) {
				if got.Err != nil && target.ClassOf(got.Err) != target.Exists {
					t.Fatalf("%d: %v", i, got.Err)
				}
			}
			if n := len(e.read(t)); n != 300 {
				t.Errorf("%d accounts in the end", n)
			}
		})
	}
}

// Each has its own error: the name that is taken in between, the value that the
// server refuses, the base that is not there.
func TestEachOfManyHasItsError(t *testing.T) {
	e := embed(t, entries.StyleMember, byAttribute)
	tg := e.target(t)
	e.faults().Add(ldapd.Fault{Op: ldapd.OpAdd, Base: "uid=writer5," + inAccounts, Code: ldapd.EntryAlreadyExists})
	e.faults().Add(ldapd.Fault{Op: ldapd.OpAdd, Base: "uid=writer7," + inAccounts, Code: ldapd.ConstraintViolation})
	e.faults().Add(ldapd.Fault{Op: ldapd.OpAdd, Base: "uid=writer9," + inAccounts, Code: ldapd.NoSuchObject})
	want := map[int]target.Class{5: target.Exists, 7: target.Refused, 9: target.Denied}
	for i, c := range createAll(t, tg, creations(50)) {
		if target.ClassOf(c.Err) != want[i] {
			t.Errorf("%d: %v", i, c.Err)
		}
	}
}
