package ldap_test

import (
	"fmt"
	"strings"
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
// whoever has that name next, by whatever road, is in no group for it, and nobody in
// their group is.
func TestTheNameOfAMemberWhoWasNeverRead(t *testing.T) {
	for name, next := range map[string]func(f *forest, ghost string){
		"somebody new":           func(f *forest, _ string) { f.person("Ghost", adPeople) },
		"a new group":            func(f *forest, _ string) { f.group("Ghosts", "CN=Writer One,"+adPeople) },
		"somebody renamed":       func(f *forest, ghost string) { f.move("CN=Writer Two,"+adStaff, ghost) },
		"somebody who comes in":  func(f *forest, ghost string) { f.move("CN=Stranger,"+adLeft, ghost) },
		"a group renamed":        func(f *forest, _ string) { f.move("CN=Staff,"+adGroups, "CN=Ghosts,"+adGroups) },
		"by a container renamed": func(f *forest, ghost string) { f.move("OU=North,"+adStaff, "OU=South,"+adStaff) },
	} {
		for _, c := range followers {
			t.Run(name+", "+c.engine+" as "+c.user, func(t *testing.T) {
				f := embedded(t, c.user, nil)
				one := f.person("Writer One", adPeople)
				f.person("Stranger", adLeft)
				f.group("Staff", f.person("Writer Two", adStaff))
				f.add("OU=North,"+adStaff, "organizationalUnit")
				south := f.add("OU=South,"+adStaff, "organizationalUnit")
				f.person("Other Ghost", "OU=North,"+adStaff)
				ghosts := []string{f.add("CN=Ghost,"+adPeople, "contact"), f.add("CN=Other Ghost,"+south, "contact"), f.add("CN=Ghosts,"+adGroups, "contact")}
				f.group("Editors", f.group("Writers", append(ghosts, one)...))
				m := mirrorOf(t, f.open(engineOf(c.engine)))
				for _, dn := range append(ghosts, south) {
					f.delete(dn)
				}
				m.must()
				next(f, ghosts[0])
				m.must()
				if strings.Contains(strings.Join(m.told, "; "), "lost") {
					t.Errorf("everything was read")
				}
				// Other names are nobody's still.
				m.living = true
				m.same()
			})
		}
	}
}

// Somebody leaves the filter, the next listing keeps nothing of a container in which
// nobody is, and they come back: whither the container is moved then is theirs again.
func TestTheContainerOfWhoCameBack(t *testing.T) {
	for _, c := range followers {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f := embedded(t, c.user, nil)
			north := f.add("OU=North,"+adStaff, "organizationalUnit")
			alone := f.person("Writer One", north)
			f.person("Writer Two", adStaff)
			f.delete(f.person("Gone Before", adLeft))
			m := mirrorOf(t, f.open(func(c *ldap.Config) { c.People.Filter = "(&(objectClass=user)(!(title=guest)))" }, "title"))
			f.set(alone, "title", "guest")
			m.must()
			for id, e := range m.entries {
				if e.Kind == directory.Container && e.DN.Equal(identity.MustDN(north)) {
					delete(m.entries, id) // as a listing does
				}
			}
			f.set(alone, "title", "Writer")
			m.must()
			m.same()
			f.move(north, "OU=North,"+adLeft)
			m.must()
			if len(m.out) != 1 {
				t.Errorf("out of scope are %v", m.out)
			}
			m.same()
		})
	}
}
