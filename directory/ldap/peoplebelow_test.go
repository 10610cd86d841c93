package ldap_test

import (
	"testing"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/servers"
)

// Somebody with others below them comes into scope, leaves it and comes back: the
// server tells of them alone.
func TestPeopleBelowPeople(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w := slapdWorld(t, servers.SlapdConfig{Sync: how})
		w.crowd(3, people)
		elsewhere := "ou=elsewhere," + suffix
		manager := w.person("manager", elsewhere)
		w.person("aide", manager)
		m := mirrorOf(t, w.open(func(c *ldap.Config) { c.People.Filter = "(&(objectClass=inetOrgPerson)(!(employeeType=guest)))" }, "sn", "title"))
		there := "uid=manager," + people
		for _, step := range []struct{ from, to string }{{manager, there}, {there, manager}, {manager, there}, {there, "uid=boss," + people}, {"uid=boss," + people, "uid=boss," + elsewhere}, {"uid=boss," + elsewhere, there}} {
			w.must(w.Move(step.from, step.to))
			if f := m.must(); f.Sweep != "" {
				t.Errorf("a sweep because %q", f.Sweep)
			}
			m.same()
		}
		// Out of the filter, to another name, and elsewhere with whoever is below.
		w.must(w.Set(there, "employeeType", "guest"))
		w.must(w.Move(there, "uid=boss,"+people))
		m.must()
		m.same()
		w.must(w.Move("uid=boss,"+people, manager))
		m.must()
		m.same()
	})
}
