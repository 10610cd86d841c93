package sync_test

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/mapping"
)

// Roles that exclude each other: the later right waits for a decision, the
// earlier one stays, and where the file says report nothing waits.
func TestConflictingRoles(t *testing.T) {
	for _, c := range []struct {
		action string
		exit   int
		gets   []string
	}{{"hold", 4, []string{"Writers"}}, {"report", 0, []string{"Publishers", "Writers"}}} {
		w := newWorld(t)
		w.config.Roles["manager"] = mapping.Role{Groups: []string{"cn=managers," + groups}}
		w.config.Targets["wiki"].Entitlements["manager"] = []string{"Publishers"}
		w.config.Conflicts = map[string]mapping.Conflict{"four-eyes": {Roles: []string{"manager", "writer"}, Action: c.action}}
		w.engine.Policy = w.compile()
		w.joinMany("p", 20)
		w.members("writers", "p0001", "p0002")
		w.synced()
		w.members("managers", "p0001", "p0003")
		r := w.sync()
		if r.Exit() != c.exit || !strings.Contains(text(r), "conflict.four-eyes") {
			t.Errorf("%s: exit %d, want %d, and a word of the conflict\n%s", c.action, r.Exit(), c.exit, text(r))
		}
		w.has("p0001", true, c.gets...)
		w.has("p0003", true, "Publishers")
		if c.action == "hold" {
			if _, err := w.approve(w.onlyHold()); err != nil {
				t.Fatal(err)
			}
			w.has("p0001", true, "Publishers", "Writers")
			w.quiet()
		}
	}
}
