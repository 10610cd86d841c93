package ldap_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/internal/servers"
)

// Whoever comes into a container that cannot be read ends the following, and not the
// reading: everything is read then, without a cursor, for as long as it is so. A server
// that shows somebody below a name that nobody has any more is the same (389 DS does
// after a second renaming).
func TestAContainerThatCannotBeReadEndsTheFollowing(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w := slapdWorld(t, servers.SlapdConfig{Sync: how})
		w.crowd(3, people)
		hidden := "ou=hidden," + people
		w.must(w.Add(hidden, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"hidden"}}))
		w.must(w.slapd.SetAccess(slices.Concat([]string{`to dn.base="` + hidden + `" by dn.exact="` + sync + `" none by * break`}, w.slapd.DefaultAccess())...))
		m := mirrorOf(t, w.open(nil, "sn", "title"))
		if m.cursor.IsZero() {
			t.Fatal("nothing is followed with an empty container that is hidden")
		}
		w.person("newcomer", hidden)
		_, err := m.follow(t.Context())
		if lost := (*directory.LostError)(nil); !errors.As(err, &lost) || !strings.Contains(lost.Err.Error(), hidden) || strings.Contains(lost.Why, hidden) {
			t.Fatalf("somebody is new in a container that is hidden: %v", err)
		}
		m.read()
		if m.id("uid=newcomer," + hidden); !m.cursor.IsZero() {
			t.Error("a listing with somebody in a container that is hidden has a cursor")
		}
		w.must(w.slapd.SetAccess(w.slapd.DefaultAccess()...))
		m.read()
		if m.same(); m.cursor.IsZero() {
			t.Error("nothing is followed, and nothing is hidden any more")
		}
	})
}
