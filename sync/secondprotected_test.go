package sync_test

import (
	"testing"

	rostersync "github.com/rosterd/rosterd/sync"
)

// What a protected account refers to takes a second pass: --protected is of both.
func TestTheSecondPassOfProtectedAccounts(t *testing.T) {
	w := referring(t, boss)
	id := w.under("a", "b")
	w.under("b")
	w.settles()
	w.engine.Targets[0].Rules.Protect = []string{"account:a"}
	w.set(w.join("late"), "employeeType", "guest") // who has no account
	w.reports(id, "late")
	w.sync()
	w.wantBoss("a", "b")
	if r := w.cycle(rostersync.Request{Verb: "sync", Protected: true}); r.Then == nil {
		t.Errorf("it took no second pass\n%s", text(r))
	}
	w.wantBoss("a", "")
}
