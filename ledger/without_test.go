package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rosterd/rosterd/target"
)

// What is taken back is what After noted, but for what is safer believed.
func TestWithoutTakesBackWhatAfterNoted(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	link := Link{Person: 1, Target: "wiki", Account: "7", Name: "writer1", Called: "writer1", Phase: Open, PhaseSince: at,
		Written: map[string]Digest{"mail": DigestOf([]string{"a"}), "title": DigestOf([]string{"b"})},
		Granted: []Granted{{Entitlement: "A", Roles: []string{"r"}}, {Entitlement: "C", Roles: []string{"r"}}}}
	closed := link
	closed.Phase, closed.Cause = Closed, "gone"
	for name, c := range map[string]struct {
		before, want Link
		order        Order
	}{
		"enable": {closed, func() Link { l := closed; l.Cause = ""; return l }(), Order{Change: target.Change{Verb: target.Enable}}},
		"rename": {link, link, Order{Change: target.Change{Verb: target.Rename, Name: "new", OldName: "writer1"}}},
		"update": {link, func() Link { l := link; l.Written = map[string]Digest{"title": link.Written["title"]}; return l }(),
			Order{Change: target.Change{Verb: target.Update, Set: []target.Value{{Name: "mail", Values: []string{"x"}}}}}},
		"revoke": {link, link, Order{Change: target.Change{Verb: target.Revoke, Entitlement: "C"}, Roles: []string{"r"}}},
		"delete": {closed, func() Link { l := closed; l.Written, l.Granted = nil, nil; return l }(),
			Order{Change: target.Change{Verb: target.Delete}, Situation: "gone"}},
		"create": {Link{}, Link{Person: 1, Target: "wiki", Owner: Created, Name: "writer1", Called: "writer1", Phase: Deleted, PhaseSince: at},
			Order{Change: target.Change{Verb: target.Create, Person: 1, Target: "wiki", Name: "writer1"}}},
	} {
		got := c.before.After(c.order, Outcome{Done: true}, at).Without(c.order)
		got.PhaseSince, c.want.PhaseSince = at, at
		if len(got.Written) == 0 {
			got.Written = c.want.Written
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
	given := link.After(Order{Change: target.Change{Verb: target.Grant, Entitlement: "B"}}, Outcome{Done: true}, at)
	if d := cmp.Diff(given, given.Without(Order{Change: target.Change{Verb: target.Grant, Entitlement: "B"}})); d != "" {
		t.Errorf("a grant is forgotten: %s", d)
	}
}
