package ldap_test

import (
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
)

// A service account is a member of groups, and nobody by the filter: nothing tells of
// it. When its container is renamed a server that keeps names true renames it in the
// groups, too; when it is deleted, it is taken out of those that have others. Somebody
// who comes to its name is in no group by what was known of it.
func TestMembersThatAreNobody(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w := slapdWorld(t, servers.SlapdConfig{Sync: how, Overlays: []string{"memberof", "refint"}})
		sales, market := "ou=sales,"+people, "ou=market,"+people
		w.must(w.Add(sales, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"sales"}}))
		robot := func(container string) string { return "uid=robot," + container }
		w.must(w.Add(robot(sales), map[string][]string{"objectClass": {"account"}, "uid": {"robot"}}))
		seller := w.person("seller", sales)
		w.group("robots", robot(sales))
		w.group("sellers", robot(sales), seller)
		m := mirrorOf(t, w.open(nil, "sn"))
		then := func(name string) {
			t.Helper()
			if f := m.must(); f.Sweep != "" {
				m.sweep()
			}
			if m.same(); t.Failed() {
				t.Fatalf("after: %s", name)
			}
		}
		w.must(w.Move(sales, market))
		then("their container was renamed")
		w.must(w.Delete(robot(market)))
		m.must()
		w.person("robot", market)
		then("somebody has the name")
	})
}

// The same of a domain, whose links follow whatever they lead to.
func TestMembersOfADomainThatAreNobody(t *testing.T) {
	for _, c := range followers {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f := embedded(t, c.user, nil)
			sales := f.add("OU=Sales,"+adPeople, "organizationalUnit")
			seller := f.person("Seller", sales)
			f.group("Sellers", f.add("CN=Robot,"+sales, "contact"), seller)
			m := mirrorOf(t, f.open(engineOf(c.engine)))
			f.move(sales, "OU=Market,"+adPeople)
			m.must()
			m.same()
		})
	}
}
