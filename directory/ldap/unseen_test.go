package ldap_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/servers"
)

// People are hidden from us and groups of the same container are not: that groups
// are seen proves nothing of people.
func TestGroupsInSightProveNothingOfPeople(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w := slapdWorld(t, servers.SlapdConfig{Sync: how})
		crowd := w.crowd(6, people)
		w.must(w.Add("cn=staff,"+people, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {"staff"}, "member": {crowd[0]}}))
		m := mirrorOf(t, w.open(func(c *ldap.Config) { c.Groups.Bases = []string{suffix} }, "sn", "title"))
		w.must(w.slapd.SetAccess(append([]string{`to dn.subtree="` + people + `" filter=(objectClass=inetOrgPerson) by dn.exact="` + sync + `" none by * break`}, w.slapd.DefaultAccess()...)...))
		for i, dn := range crowd {
			w.must(w.Set(dn, "title", fmt.Sprintf("Content writer %d", i)))
		}
		f := m.must()
		if len(m.gone) != 0 || len(m.out) != 0 {
			t.Fatalf("gone %v, left %v", m.gone, m.out)
		}
		if f.Sweep == "" {
			t.Error("they are not seen any more, and nobody looks")
		}
		if len(f.Unseen) != len(crowd) {
			t.Errorf("%d of %d are said to have changed unseen", len(f.Unseen), len(crowd))
		}
	})
}

// A server that lists by pages and limits any other search is read whole when more
// changed than it tells at once.
func TestMoreChangedThanTheServerTells(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncSessionLog, Users: []servers.User{{DN: sync, Password: "sync",
		Limits: "size.soft=40 size.hard=40 size.prtotal=unlimited time=unlimited"}}})
	crowd := w.crowd(60, people)
	m := mirrorOf(t, w.open(func(c *ldap.Config) { c.PageSize = 20 }, "sn", "title"))
	if m.cursor.Engine != "syncrepl" {
		t.Fatalf("the engine is %q", m.cursor.Engine)
	}
	for _, dn := range crowd {
		w.must(w.Set(dn, "title", "Content manager"))
	}
	_, err := m.follow(t.Context())
	if lost := (*directory.LostError)(nil); !errors.As(err, &lost) {
		t.Fatalf("60 changed, of which the server tells 40: %v", err)
	}
	m.must()
	m.same()
}

// What is taken for the login, or for the name of a group, is another attribute
// that was read before: all are read anew.
func TestAnotherAttributeIsTheLogin(t *testing.T) {
	w, m, _ := syncWorld(t, servers.SlapdConfig{Sync: servers.SyncSessionLog}, 3)
	for name, change := range map[string]func(*ldap.Config){
		"login":         func(c *ldap.Config) { c.Person.Login = "mail" },
		"mail":          func(c *ldap.Config) { c.Person.Mail = "uid" },
		"name":          func(c *ldap.Config) { c.Person.Name = "sn" },
		"key":           func(c *ldap.Config) { c.Person.Key = "title" },
		"name of group": func(c *ldap.Config) { c.Groups.Name = "description" },
	} {
		other := &mirror{t: t, source: w.open(change, "sn", "title", "uid", "mail", "cn", "employeeNumber"), cursor: mirrorOf(t, w.open(nil, "sn", "title", "uid", "mail", "cn", "employeeNumber")).cursor, known: m.known}
		_, err := other.follow(t.Context())
		if lost := (*directory.LostError)(nil); !errors.As(err, &lost) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// The attribute that the filter asks for is hidden from us: whoever changes after
// that is not in the filter any more, and not out of scope either.
func TestTheFilterIsBlind(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w := slapdWorld(t, servers.SlapdConfig{Sync: how})
		crowd := w.crowd(12, people)
		for _, dn := range crowd {
			w.must(w.Set(dn, "employeeType", "staff"))
		}
		m := mirrorOf(t, w.open(func(c *ldap.Config) { c.People.Filter = "(&(objectClass=inetOrgPerson)(employeeType=staff))" }, "sn", "title"))
		w.must(w.slapd.SetAccess(append([]string{`to dn.subtree="` + people + `" attrs=employeeType by dn.exact="` + sync + `" none by * break`}, w.slapd.DefaultAccess()...)...))
		for _, dn := range crowd[:2] {
			w.must(w.Set(dn, "title", "Content manager"))
		}
		if f := m.must(); len(m.gone)+len(m.out) > 0 || f.Sweep == "" || len(f.Unseen) != 2 {
			t.Errorf("gone %v, left %v, a sweep because %q of %v", m.gone, m.out, f.Sweep, f.Unseen)
		}
		// Whoever leaves the filter beside others who are in it does leave.
		w.must(w.slapd.SetAccess(w.slapd.DefaultAccess()...))
		w.must(w.Set(crowd[2], "employeeType", "guest"))
		if f := m.must(); len(m.out) != 1 || f.Sweep != "" {
			t.Errorf("left %v, a sweep because %q", m.out, f.Sweep)
		}
		// So does the only one of a container.
		alone := "ou=alone," + people
		w.must(w.Add(alone, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"alone"}}))
		w.must(w.Move(crowd[3], "uid=writer0003,"+alone))
		m.must()
		w.must(w.Set("uid=writer0003,"+alone, "employeeType", "guest"))
		if f := m.must(); len(m.out) != 2 || f.Sweep != "" {
			t.Errorf("left %v, a sweep because %q", m.out, f.Sweep)
		}
	})
}

// Who we are is made sure of before anything is told over a connection that was kept;
// to learn that nothing changed nobody asks.
func TestWhoWeAreIsConfirmedBeforeAnythingIsTold(t *testing.T) {
	w := ldapdWorld(t)
	crowd := w.crowd(3, people)
	m := mirrorOf(t, w.open(nil, "title"))
	m.must()
	m.must()
	w.ldapd.Faults().Add(ldapd.Fault{Op: ldapd.OpExtended, Do: ldapd.Answer, Code: ldapd.Busy})
	if f := m.must(); !f.Nothing {
		t.Fatalf("told: %v", m.told)
	}
	w.must(w.Set(crowd[0], "title", "Content writer"))
	if _, err := m.follow(t.Context()); err == nil || m.opened {
		t.Errorf("told without knowing who we are: %v, %v", err, m.told)
	}
	w.ldapd.Faults().Clear()
	if f := m.must(); f.Nothing || len(m.told) != 1 {
		t.Errorf("told: %v", m.told)
	}
}

// Who is found by ID is in scope only if the filter finds them there as well; a filter
// that asks for what is hidden finds nobody, and that is not said to be in scope either.
func TestWhoWouldBeListed(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncPlain})
	crowd := w.crowd(3, people)
	for _, dn := range crowd {
		w.must(w.Set(dn, "employeeType", "staff"))
	}
	staff := func(c *ldap.Config) { c.People.Filter = "(&(objectClass=inetOrgPerson)(employeeType=staff))" }
	stage, _ := sourcetest.Read(t, w.open(staff))
	var known []directory.Known
	for _, dn := range crowd {
		e := stage.Get(t, dn)
		known = append(known, directory.Known{Kind: e.Kind, ID: e.ID, DN: e.DN})
	}
	listed := func(want ...bool) {
		t.Helper()
		found, err := w.open(staff).Find(t.Context(), known)
		w.must(err)
		for i, f := range found {
			if !f.Found || f.Listed != want[i] {
				t.Errorf("%s: found %t, listed %t", known[i].DN, f.Found, f.Listed)
			}
		}
	}
	listed(true, true, true)
	w.must(w.Set(crowd[0], "employeeType", "guest"))
	w.must(w.Move(crowd[1], "uid=writer0001,"+sourcetest.Elsewhere))
	listed(false, false, true)
	known[2].Kind = directory.Group
	listed(false, false, false)
	known[2].Kind = directory.Person
	w.must(w.slapd.SetAccess(append([]string{`to dn.subtree="` + people + `" attrs=employeeType by dn.exact="` + sync + `" none by * break`}, w.slapd.DefaultAccess()...)...))
	listed(false, false, false)
}
