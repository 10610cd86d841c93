package ldap_test

import (
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
)

// A manager is a link: it goes with whom it leads to, without a change of who has it,
// and is back with them. Whoever has the name next is nobody's manager for it, whether
// the first was read or not.
func TestTheNameOfAManager(t *testing.T) {
	for _, c := range followers {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f := embedded(t, c.user, func(d *ldapd.Directory) { d.AD.RecycleBin = true })
			boss, ghost := f.person("Boss", adPeople), f.add("CN=Ghost,"+adPeople, "contact")
			writers := []string{f.person("Writer One", adPeople), f.person("Writer Two", adPeople), f.person("Writer Three", adStaff)}
			for i, named := range []string{boss, ghost, writers[0]} {
				f.set(writers[i], "manager", named)
			}
			f.delete(f.person("Gone Before", adLeft))
			told := c.user != "reader"
			id := f.ldapd.GUID(boss)
			m := mirrorOf(t, f.open(nil, "title", "manager"))
			gone := func(dn string) {
				f.delete(dn)
				if m.must(); told && dn != ghost {
					m.same()
				}
				if !told {
					m.sweep()
				}
			}
			gone(boss)
			f.must(f.ldapd.Undelete(id, boss))
			m.must()
			m.same()
			gone(boss)
			f.person("Boss", adPeople)
			m.must()
			gone(ghost)
			f.person("Ghost", adPeople)
			m.must()
			m.same()
			// It costs nothing where nobody refers to who comes or goes.
			f.person("Stranger", adPeople)
			m.must()
			if len(m.told) != 2 { // they, and the group of everybody
				t.Errorf("told: %q", m.told)
			}
			f.move(f.move(f.person("Other", adLeft), "CN=Ghost,"+adLeft), "CN=Unnamed,"+adPeople)
			m.must()
			m.same()
		})
	}
}
