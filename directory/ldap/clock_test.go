package ldap_test

import (
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/ldapd"
)

// A clock was years ahead once, and left a time of then in an entry; and the clock of
// the server is behind ours, by more than is looked back. What changes is seen.
func TestATimeInTheFutureBesideAClockThatIsBehind(t *testing.T) {
	b := newBeset(t, way{name: "timestamp", kind: ldapd.Generic, engine: "timestamp"})
	b.server.Faults().HideAttribute(b.syncDN(), "entryCSN")
	b.crowd()
	b.ahead.Add(int64(5 * 365 * 24 * time.Hour))
	b.person("early", besetPeople)
	b.ahead.Store(0)
	b.set("cn=writer1,"+besetPeople, "title", "Content manager")
	m := mirrorOf(t, b.open(func(c *ldap.Config) { c.Now = func() time.Time { return b.now().Add(2 * time.Hour) } }))
	for range 2 {
		b.ahead.Add(int64(time.Minute))
		b.set("cn=writer2,"+besetPeople, "title", "Content manager at "+b.now().String())
		if f := m.must(); f.Nothing {
			t.Error("something changed, and nothing is told")
		}
		m.same()
	}
}
