package sync_test

import (
	"fmt"
	"testing"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// crowd is a world of many people who all have their account, and are settled. The
// links are written as a cycle would have left them: making the accounts would
// take minutes.
func crowd(t *testing.T, n int) *world {
	t.Helper()
	w := newWorld(t)
	logins := make([]string, n)
	for i := range logins {
		logins[i] = fmt.Sprintf("w%06d", i)
		w.join(logins[i])
	}
	w.members("writers", logins...)
	targets := w.engine.Targets
	w.engine.Targets = nil
	w.sync()
	w.engine.Targets = targets
	var links []ledger.Link
	for i, o := range must(w.engine.Store.Ordinals("corp")) {
		links = append(links, ledger.Link{Person: o, Target: "wiki", Account: target.NativeID(fmt.Sprint("a", i)), Name: logins[i], Phase: ledger.Open,
			Granted: []ledger.Granted{{Entitlement: "Writers", Roles: []string{"writer"}}}})
	}
	if err := w.engine.Store.PutLinks(links); err != nil {
		t.Fatal(err)
	}
	return w
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// scheduled is a cycle as the service runs it, and what it cost.
func (w *world) scheduled() (*rostersync.Report, state.Work) {
	w.t.Helper()
	before := w.engine.Store.Work()
	r := w.cycle(rostersync.Request{Verb: "changes", Scheduled: true})
	if err := w.engine.Store.NoteLastRun(w.now, "changes"); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.engine.Status(10); err != nil {
		w.t.Fatal(err)
	}
	return r, w.engine.Store.Work().Less(before)
}

func TestTheCycleInWhichNothingChanged(t *testing.T) {
	var small, large state.Work
	for n, cost := range map[int]*state.Work{1000: &small, 8000: &large} {
		w := crowd(t, n)
		w.engine.Sources = nil // around the read
		var r *rostersync.Report
		r, *cost = w.scheduled()
		if r.Exit() != 0 || cost.Commits != 0 || cost.Written != 0 {
			t.Errorf("%d people: exit %d, %+v\n%s", n, r.Exit(), *cost, text(r))
		}
	}
	if small != large {
		t.Errorf("the work depends on the number of people: %+v, and %+v", small, large)
	}
}
