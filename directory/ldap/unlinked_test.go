package ldap_test

import (
	"fmt"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/servers"
)

// It costs a look-up for a hundred, and a question for each who is not found.
func TestWhatUnlinkedCosts(t *testing.T) {
	f := embedded(t, "reader", nil)
	var left []string
	for i := range 250 {
		left = append(left, f.person(fmt.Sprintf("Writer %03d", i), adLeft))
	}
	writers := f.group("Writers", left...)
	f.person("Writer One", adPeople)
	there, _ := sourcetest.Read(t, f.open(func(c *ldap.Config) { c.People.Bases = []string{adLeft} }))
	var named []directory.Named
	for _, dn := range left {
		e := there.Get(t, dn)
		named = append(named, directory.Named{Known: directory.Known{Kind: e.Kind, ID: e.ID, DN: e.DN}, Groups: []identity.ID{there.Get(t, writers).ID}})
	}
	source := f.open(engineOf("usn"))
	asked := func(want bool) int {
		t.Helper()
		f.server.Faults().ResetCounts()
		is, err := source.Unlinked(t.Context(), named)
		if err != nil || is != want {
			t.Errorf("unlinked: %t, %v", is, err)
		}
		return f.server.Faults().Count(ldapd.OpSearch)
	}
	if n := asked(false); n != 0 {
		t.Errorf("%d searches of a server that nobody listed", n)
	}
	sourcetest.Read(t, source)
	few := named[:1]
	all := named
	named = few
	one := asked(false)
	named = all
	if n := asked(false); n != one+2 {
		t.Errorf("%d searches for one, %d for 250", one, n)
	}
	f.delete(left[249])
	if n := asked(true); n != one+4 { // there are two bases of groups
		t.Errorf("%d searches for one, %d for 250 of whom one was deleted", one, n)
	}
}

// Where members are values, the server keeps them, or changes the group: nobody looks.
func TestNothingIsUnlinkedOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncPlain})
	crowd := w.crowd(2, people)
	source := w.open(nil)
	stage, _ := sourcetest.Read(t, source)
	e := stage.Get(t, crowd[0])
	is, err := source.Unlinked(t.Context(), []directory.Named{{Known: directory.Known{Kind: e.Kind, ID: "11111111-2222-3333-4444-555555555555", DN: e.DN}, Groups: []identity.ID{e.ID}}})
	if is || err != nil {
		t.Errorf("unlinked: %t, %v", is, err)
	}
}

// A member who was never read is deleted, and the group is known to name them yet:
// whoever is made under that name is in no group for it.
func TestTheNameOfAMemberWhoWasNeverRead(t *testing.T) {
	for _, c := range followers {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f := embedded(t, c.user, nil)
			one := f.person("Writer One", adPeople)
			ghost := f.add("CN=Ghost,"+adPeople, "contact")
			f.group("Writers", ghost, one)
			m := mirrorOf(t, f.open(engineOf(c.engine)))
			f.delete(ghost)
			m.must()
			f.person("Ghost", adPeople)
			m.must()
			m.same()
		})
	}
}
