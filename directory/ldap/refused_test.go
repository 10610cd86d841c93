package ldap_test

import (
	"errors"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/servers"
)

// What is followed is the whole tree, and what is listed are the bases: a referral that
// comes elsewhere refuses the one each time, and not the other. Whoever left would stay
// until everything is read.
func TestAReferralElsewhereEndsTheFollowing(t *testing.T) {
	for _, engine := range []string{"syncrepl", "timestamp"} {
		t.Run(engine, func(t *testing.T) {
			w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncSessionLog})
			crowd := w.crowd(4, people)
			m := mirrorOf(t, w.open(func(c *ldap.Config) { c.Changes = engine }, "sn", "title"))
			if m.cursor.Engine != engine {
				t.Fatalf("it is followed by %q", m.cursor.Engine)
			}
			w.must(w.Add("ou=branch,"+suffix, map[string][]string{"objectClass": {"referral", "extensibleObject"}, "ou": {"branch"},
				"ref": {"ldap://other.example/ou=branch," + suffix}}))
			w.must(w.Set(crowd[0], "title", "Content manager"))
			_, err := m.follow(t.Context())
			if lost := (*directory.LostError)(nil); !errors.As(err, &lost) {
				t.Fatalf("a referral is in the tree: %v", err)
			}
			m.read()
			m.same()
			w.must(w.Delete(crowd[1]))
			if m.cursor.IsZero() {
				m.read()
			} else {
				m.must()
			}
			m.same()
		})
	}
}
