package sync_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// A lane is about its own people: it does not plan for who waits in a hold, and
// answers nobody else's doubts, while the running cycle waits for it.
func TestALaneIsAboutItsOwnPeople(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 1000}
	ids := w.joinMany("old", 40)
	w.synced()
	w.leave(ids[:20]...)
	w.sync()
	hold := w.onlyHold()
	w.join("lost")
	w.wiki.SetFaults(loseNext(target.Create))
	w.sync()
	w.joinMany("new", 300)
	reached := w.slow(time.Millisecond, 20)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	asked := 0
	faults := memory.Faults{Look: func(q []target.Query) error {
		asked += len(q)
		return nil
	}}
	faults.Write = func(int, memory.Write) memory.Fault {
		time.Sleep(time.Millisecond)
		return memory.Fault{}
	}
	w.wiki.SetFaults(faults)
	who := w.find("old0030")
	w.set(ids[30], "sn", "Renamed")
	r, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync", People: []identity.Ordinal{who}})
	if err != nil || r.Done[target.Update] != 1 {
		t.Fatalf("%d updated, %v\n%s", r.Done[target.Update], err, text(r))
	}
	for _, s := range r.Plan.Subjects {
		if s.Person != who {
			t.Fatalf("the lane planned for %s", s.Person)
		}
	}
	if asked > 2 {
		t.Errorf("the lane looked at %d accounts for one person", asked)
	}
	if after := w.onlyHold(); after.Version() != hold.Version() {
		t.Errorf("the hold had %d changes and has %d", len(hold.Keys), len(after.Keys))
	}
	if got := r.Login(hold.Keys[0].Person); !strings.HasPrefix(got, "old") {
		t.Errorf("the report calls somebody in the hold %q", got)
	}
	if r.Exit() != rostersync.ExitHeld {
		t.Errorf("exit %d, and twenty changes wait for a decision", r.Exit())
	}
	if end := <-main; end.err != nil {
		t.Fatal(end.err)
	}
}

// Nor does it answer the doubts of others.
func TestALaneAnswersItsOwnDoubts(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 1000}
	w.join("early")
	w.synced()
	w.joinMany("p", 300)
	// The answer to one of the running cycle's writes is lost before the lane
	// comes.
	reached := make(chan struct{})
	w.wiki.SetFaults(memory.Faults{Write: func(n int, _ memory.Write) memory.Fault {
		time.Sleep(time.Millisecond)
		switch n {
		case 3:
			return memory.Fault{Applied: true, Err: &target.Error{Class: target.InDoubt, Err: errors.New("lost")}}
		case 20:
			close(reached)
		}
		return memory.Fault{}
	}})
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	r, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.find("early")}})
	if err != nil || r.Recovered != 0 {
		t.Errorf("the lane answered %d doubts of others, %v", r.Recovered, err)
	}
	if end := <-main; end.err != nil {
		t.Fatal(end.err)
	}
	w.wiki.SetFaults(memory.Faults{})
	if r := w.sync(); r.Recovered != 1 {
		t.Errorf("%d answered, want 1", r.Recovered)
	}
	w.createdOnce()
}

// Whoever waits for the turn can be stopped, and nothing of it is left behind.
func TestALaneThatWaitsCanBeStopped(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 1000}
	w.join("early")
	w.synced()
	w.joinMany("p", 40)
	release, reached := make(chan struct{}), make(chan struct{})
	w.wiki.SetFaults(memory.Faults{Write: func(n int, _ memory.Write) memory.Fault {
		if n == 5 {
			close(reached)
			return memory.Fault{Wait: release}
		}
		return memory.Fault{}
	}})
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	stop := make(chan struct{})
	lane := w.beginCycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.find("early")}, Stop: stop})
	select {
	case end := <-lane:
		t.Fatalf("the lane did not wait: %v", end.err)
	case <-time.After(50 * time.Millisecond):
	}
	close(stop)
	select {
	case end := <-lane:
		if !errors.Is(end.err, rostersync.ErrStopped) {
			t.Errorf("stopped: %v", end.err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a stop does not end the waiting")
	}
	close(release)
	if end := <-main; end.err != nil || end.report.Done[target.Create] != 40 {
		t.Fatalf("the cycle made %d accounts, %v", end.report.Done[target.Create], end.err)
	}
	w.wiki.SetFaults(memory.Faults{})
	w.synced()
}

// While a lane waits for a target to show what it did, the running cycle goes on.
func TestALaneDoesNotKeepTheTurnWhileItVerifies(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 1000}
	ids := w.joinMany("early", 2)
	w.synced()
	// The clock stands still: the lane reads back until it sees what it did.
	w.engine.Targets[0].VerifyWithin = time.Hour
	shy := &liar{Target: w.wiki}
	w.engine.Targets[0].Target = shy
	w.joinMany("p", 300)
	reached := w.slow(time.Millisecond, 10)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	shy.hide.Store(true)
	w.set(ids[0], "sn", "Changed")
	lane := w.beginCycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.find("early0000")}})
	w.until("the lane has written", func() bool { return w.wrote(target.Update) })
	before := len(w.wiki.Writes())
	w.until("the running cycle goes on", func() bool { return len(w.wiki.Writes()) > before+20 })
	select {
	case end := <-lane:
		t.Fatalf("the lane ended before: %v", end.err)
	default:
	}
	shy.hide.Store(false)
	if end := <-lane; end.err != nil || end.report.Verified != 1 || len(end.report.Unverified) > 0 {
		t.Fatalf("the lane: %d verified, %v", end.report.Verified, end.err)
	}
	if end := <-main; end.err != nil || end.report.Done[target.Create] != 300 {
		t.Fatalf("the cycle made %d accounts, %v", end.report.Done[target.Create], end.err)
	}
	w.engine.Targets[0].VerifyWithin = 0
	w.wiki.SetFaults(memory.Faults{})
	w.synced()
}

// wrote says whether a change of the kind was made since the first.
func (w *world) wrote(verb target.Verb) bool {
	return slices.ContainsFunc(w.wiki.Writes(), func(x memory.Write) bool { return x.Verb == verb })
}

func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for began := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			w.t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// Another engine takes its turn after the cycle that runs, as a second cycle
// would; lanes go on entering meanwhile, and giving up changes nothing.
func TestAReloadWaitsAndNobodyBehindIt(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 1000}
	w.join("early")
	w.synced()
	w.joinMany("p", 300)
	reached := w.slow(time.Millisecond, 10)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	next := &rostersync.Engine{Store: w.engine.Store, Sources: w.engine.Sources, Targets: w.engine.Targets, Policy: w.engine.Policy, Now: w.engine.Now}
	made := func() (*rostersync.Engine, error) {
		if len(w.wiki.Accounts()) < 301 {
			t.Error("the engine that follows was made while a cycle might still let another policy govern")
		}
		return next, nil
	}
	brief, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := w.engine.Succeed(brief, made); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("it did not wait for the running cycle: %v", err)
	}
	succeeded := make(chan error, 1)
	go func() { succeeded <- w.engine.Succeed(context.Background(), made) }()
	// One more that waits for the cycle must not lock out who succeeds it.
	second := w.beginCycle(rostersync.Request{Verb: "sync"})
	time.Sleep(20 * time.Millisecond)
	r, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.find("early")}})
	if err != nil || r.Exit() != 0 {
		t.Errorf("a lane while a reload waits: %v", err)
	}
	select {
	case err := <-succeeded:
		t.Errorf("it took the place of a cycle that still runs: %v", err)
	default:
	}
	if end := <-main; end.err != nil {
		t.Fatal(end.err)
	}
	if err := <-succeeded; err != nil {
		t.Fatal(err)
	}
	if end := <-second; end.err != nil && !errors.Is(end.err, rostersync.ErrRetired) {
		t.Errorf("who waited: %v", end.err)
	}
	if _, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync"}); !errors.Is(err, rostersync.ErrRetired) {
		t.Errorf("a cycle on the old engine: %v", err)
	}
	// Who found the old one before it was replaced cannot replace it again: two
	// engines would work side by side.
	if err := w.engine.Succeed(t.Context(), made); !errors.Is(err, rostersync.ErrRetired) {
		t.Errorf("it was replaced twice: %v", err)
	}
	w.wiki.SetFaults(memory.Faults{})
	w.engine = next
	w.sync()
	w.createdOnce()
}
