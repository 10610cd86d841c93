package sync_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// Somebody for whom nothing is done, and of whom no hold tells, stands in the status
// until it is mended: whatever cycles run meanwhile, for others alone too.
func TestKeptStandsInTheStatus(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Protect = []string{"account:p0002"}
	ids := w.joinMany("p", 10)
	w.sync()
	kept := func() string {
		t.Helper()
		st, err := w.engine.Status(1)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(st.Targets[0].Kept)
	}
	if got := kept(); got != "[]" {
		t.Fatal(got)
	}
	left := w.person("p0002")
	w.leave(ids[2])
	w.sync()
	want := fmt.Sprint([]rostersync.Kept{{Why: rostersync.LeaverKept, People: []identity.Ordinal{left}}})
	if got := kept(); got != want {
		t.Fatalf("kept %s, want %s", got, want)
	}
	w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.person("p0003")}, Named: true})
	w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
	w.sync()
	w.wiki.SetFaults(memory.Faults{Look: func([]target.Query) error { return errors.New("it is down") }})
	if r := w.sync(); len(r.Down) == 0 {
		t.Fatalf("the target is not down\n%s", text(r))
	}
	w.wiki.SetFaults(memory.Faults{})
	if got := kept(); got != want {
		t.Errorf("kept %s after cycles that changed nothing, want %s", got, want)
	}
	x, err := w.engine.Explain(left)
	if err != nil || x.Kept["wiki"] != rostersync.LeaverKept {
		t.Errorf("%v: explained with %v", err, x.Kept)
	}
	known := must(w.engine.Store.Target("wiki"))
	known.Kept[rostersync.LeaverKept] = append(known.Kept[rostersync.LeaverKept], 4711) // was forgotten
	if err := w.engine.Store.SaveTarget(known); err != nil {
		t.Fatal(err)
	}
	if got := kept(); got != want {
		t.Errorf("kept %s, one of whom is nobody", got)
	}
	w.cycle(rostersync.Request{Verb: "sync", Protected: true})
	if got := kept(); got != "[]" {
		t.Errorf("kept %s though the account was closed", got)
	}
}

// A lane has looked at its own people alone, and says nothing of others.
func TestKeptBesideALane(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Protect = []string{"account:p0002"}
	ids := w.joinMany("p", 10)
	w.sync()
	w.leave(ids[2])
	w.sync()
	w.allow(1000)
	w.joinMany("more", 200)
	reached := w.slow(time.Millisecond, 20)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.person("p0003")}, Named: true})
	st, err := w.engine.Status(1)
	if err != nil || len(st.Targets[0].Kept) != 1 {
		t.Errorf("%v: after a lane %v are kept", err, st.Targets[0].Kept)
	}
	if end := <-main; end.err != nil || end.report.Exit() != rostersync.ExitHeld {
		t.Errorf("%v: %s", end.err, text(end.report))
	}
}
