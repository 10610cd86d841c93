package sync_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// failing makes every write fail in one way, and counts the attempts.
func (w *world) failing(class target.Class) *atomic.Int32 {
	var n atomic.Int32
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		n.Add(1)
		return memory.Fault{Err: &target.Error{Class: class, Err: errors.New("no"), Tip: "look at the wiki"}}
	}})
	return &n
}

// reopen is a restart, with no chance in it.
func (w *world) reopen() {
	w.t.Helper()
	w.restart()
	w.engine.Jitter = func() float64 { return 0.5 }
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 1000}
}

func (w *world) outage() (since, next time.Time, failures int) {
	w.t.Helper()
	all, err := w.engine.Store.Outages()
	if err != nil || len(all) > 1 {
		w.t.Fatalf("%d outages, %v", len(all), err)
	}
	if len(all) == 0 {
		return since, next, 0
	}
	return all[0].Since, all[0].Next, all[0].Failures
}

// A target whose writes fail in a row is left alone, over restarts too, until
// its next attempt; that is one change, the one of whoever leaves, and when it
// goes well the rest follows at once. Nothing is lost meanwhile.
func TestABrokenTargetIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("old", 40)
	w.synced()
	w.reopen()
	w.joinMany("new", 100)
	attempts := w.failing(target.Transient)
	r := w.sync()
	if n := attempts.Load(); n < 10 || n > 14 || r.Exit() != rostersync.ExitParked {
		t.Fatalf("%d attempts, exit %d", n, r.Exit())
	}
	began, next, _ := w.outage()
	if want := w.now.Add(-time.Second).Add(time.Minute); !next.Equal(want) {
		t.Errorf("next attempt %s, want %s", next, want)
	}
	w.reopen()
	attempts.Store(0)
	for range 3 {
		r := w.sync()
		if len(r.Down) != 1 || r.Exit() != rostersync.ExitParked {
			t.Fatalf("exit %d with %d targets down", r.Exit(), len(r.Down))
		}
		var alone *rostersync.LeftAloneError
		if !errors.As(r.Down[0].Err, &alone) || alone.Hint() == "" {
			t.Errorf("it is not said why: %v", r.Down[0].Err)
		}
	}
	if n := attempts.Load(); n != 0 {
		t.Fatalf("%d attempts while it was to be left alone", n)
	}
	// Each attempt that fails is one change, and doubles the wait.
	for i, wait := range []time.Duration{2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		_, next, _ = w.outage()
		w.now = next
		w.leave(ids[i])
		attempts.Store(0)
		at := w.now
		w.sync()
		if n := attempts.Load(); n != 1 {
			t.Fatalf("attempt %d: %d changes were tried", i, n)
		}
		since, next, failures := w.outage()
		if next.Sub(at) != wait || failures != i+2 || !since.Equal(began) {
			t.Errorf("attempt %d: %d failures since %s, next after %s, want %s", i, failures, since, next.Sub(at), wait)
		}
	}
	// It works again.
	_, next, _ = w.outage()
	w.now = next
	w.leave(ids[9])
	before := len(w.wiki.Writes())
	w.wiki.SetFaults(memory.Faults{})
	w.reopen()
	w.sync()
	if first := w.wiki.Writes()[before]; first.Verb != target.Disable {
		t.Errorf("the first attempt was %s %s, and somebody leaves", first.Verb, first.Name)
	}
	if _, _, failures := w.outage(); failures != 0 {
		t.Errorf("%d failures after it works again", failures)
	}
	// What was parked there waits no longer than the target did.
	w.sync()
	w.has("old0000", false)
	w.has("old0009", false)
	w.quiet()
	if n := w.enabled(); n != 40+100-4 {
		t.Errorf("%d accounts", n)
	}
}

// What was parked because the target failed is due when it works again, whatever
// its own next attempt was.
func TestWhatABrokenTargetParkedIsDueWithIt(t *testing.T) {
	w := newWorld(t)
	w.join("early")
	w.synced()
	w.reopen()
	w.joinMany("p", 20)
	w.failing(target.Transient)
	w.sync()
	w.wiki.SetFaults(memory.Faults{})
	if n, err := w.engine.Store.RetryTarget("", "test"); n != 1 || err != nil {
		t.Fatalf("%d to be retried, %v", n, err)
	}
	if r := w.sync(); r.Exit() != rostersync.ExitParked || r.Done[target.Create] == 0 {
		t.Fatalf("exit %d, %d made", r.Exit(), r.Done[target.Create])
	}
	w.synced() // a second later
	if n := w.enabled(); n != 21 {
		t.Errorf("%d accounts", n)
	}
}

// Refused credentials leave the target alone at once, and for longer: each
// attempt may lock them.
func TestRefusedCredentialsLeaveItAlone(t *testing.T) {
	w := newWorld(t)
	w.join("early")
	w.synced()
	w.reopen()
	looks := 0
	w.wiki.SetFaults(memory.Faults{Look: func([]target.Query) error {
		looks++
		return &target.Error{Class: target.Denied, Err: errors.New("invalid credentials")}
	}})
	w.join("late")
	w.sync()
	began := w.now
	for w.now.Before(began.Add(9 * time.Minute)) {
		w.sync()
		w.now = w.now.Add(time.Minute)
	}
	if looks != 1 {
		t.Errorf("%d attempts with credentials that were refused, in ten minutes", looks)
	}
	w.wiki.SetFaults(memory.Faults{})
	if n, err := w.engine.Store.RetryTarget("wiki", "test"); n != 1 || err != nil {
		t.Fatalf("%d to be retried, %v", n, err)
	}
	w.synced()
	w.has("late", true)
}

// A target that cannot be read for a moment is tried by each cycle; from the
// third time on it is left alone. One that nobody needs is tried too, so that it
// is known when it is back.
func TestATargetThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.join("early")
	w.synced()
	w.reopen()
	looks := 0
	w.wiki.SetFaults(memory.Faults{Look: func([]target.Query) error {
		looks++
		return errors.New("no route to host")
	}})
	w.join("late")
	w.sync()
	// A plan looks, and counts for nothing.
	w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
	if _, _, failures := w.outage(); failures != 1 {
		t.Errorf("%d failures after a sync and a plan", failures)
	}
	for range 4 {
		w.sync()
	}
	if looks != 4 {
		t.Errorf("%d attempts in five seconds, want 3 and that of the plan", looks)
	}
	if _, next, failures := w.outage(); failures != 3 || next.IsZero() {
		t.Errorf("%d failures, next attempt %s", failures, next)
	}
	w.wiki.SetFaults(memory.Faults{})
	w.now = w.now.Add(2 * time.Minute)
	w.synced()
	w.has("late", true)
	if _, _, failures := w.outage(); failures != 0 {
		t.Error("it is back, and still said to be away")
	}
}

// A target that refuses one change is not broken by it, also while it is tried:
// it answers.
func TestARefusalDoesNotBreakATargetThatIsTried(t *testing.T) {
	w := newWorld(t)
	w.join("early")
	w.synced()
	w.reopen()
	w.joinMany("p", 30)
	w.failing(target.Transient)
	w.sync()
	_, next, _ := w.outage()
	w.now = next.Add(time.Minute)
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, x memory.Write) memory.Fault {
		if slices.Contains([]string{"p0000", "p0001"}, x.Name) && x.Verb == target.Create {
			return memory.Fault{Err: &target.Error{Class: target.Refused, Err: errors.New("bad name")}}
		}
		return memory.Fault{}
	}})
	r := w.sync()
	if n := r.Done[target.Create]; n < 18 || len(r.Failed) > 2 {
		t.Errorf("%d made, %d failed", n, len(r.Failed))
	}
	if _, _, failures := w.outage(); failures != 0 {
		t.Error("a refusal keeps the target away")
	}
}

// Changes that are refused one after the other, each for a reason of its own, keep
// nobody else waiting (law 10): neither those of the same cycle, once one of it
// was taken, nor whoever leaves after it.
func TestBadApplesDoNotBreakATarget(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("old", 40)
	w.synced()
	w.reopen()
	bad := func(x memory.Write) bool { return x.Verb == target.Create && x.Name < "new" }
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, x memory.Write) memory.Fault {
		if bad(x) {
			return memory.Fault{Err: &target.Error{Class: target.Refused, Err: errors.New("bad name")}}
		}
		return memory.Fault{}
	}})
	w.leave(ids[0])
	w.joinMany("bad", 30)
	w.joinMany("new", 10)
	if r := w.sync(); r.Done[target.Create] != 10 || len(r.Failed) != 30 || r.Exit() != rostersync.ExitParked {
		t.Errorf("%d made, %d failed, exit %d", r.Done[target.Create], len(r.Failed), r.Exit())
	}
	// One that has taken nothing at all is not asked for everything.
	w.joinMany("baf", 30)
	if r := w.sync(); len(r.Failed) < 10 || len(r.Failed) > 13 {
		t.Errorf("%d changes were refused by a target that takes none", len(r.Failed))
	}
	if _, _, failures := w.outage(); failures != 0 {
		t.Error("a target that answers is left alone")
	}
	w.leave(ids[1])
	w.sync()
	w.has("old0001", false)
}

// A right that we may not write, of however many people, is one failure: the
// target is not left alone for it.
func TestAGroupThatIsNotOursToWriteDoesNotBreakATarget(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 40)
	w.synced()
	w.reopen()
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, x memory.Write) memory.Fault {
		if x.Verb == target.Grant && x.Entitlement == "Writers" {
			return memory.Fault{Err: &target.Error{Class: target.Denied, Err: errors.New("insufficient access")}}
		}
		return memory.Fault{}
	}})
	w.members("writers", logins("p", 40)...)
	w.sync()
	if _, _, failures := w.outage(); failures != 0 {
		t.Error("one group keeps the target away")
	}
	w.leave(ids[1])
	w.sync()
	w.has("p0001", false)
}

// A clock that ran ahead, and was put back, keeps no target away until then.
func TestAnOutageOfAClockThatRanAhead(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("old", 40)
	w.synced()
	w.reopen()
	w.failing(target.Transient)
	w.joinMany("new", 20)
	ahead := 30 * 24 * time.Hour
	w.now = w.now.Add(ahead)
	w.sync()
	if _, _, failures := w.outage(); failures != 1 {
		t.Fatalf("%d failures", failures)
	}
	w.now = w.now.Add(-ahead)
	w.wiki.SetFaults(memory.Faults{})
	w.leave(ids[1])
	w.sync()
	w.has("old0001", false)
}

// Who is offboarded by hand does not wait for the next attempt at a target that
// broke, unless that attempt may lock our own credentials.
func TestOffboardTriesATargetThatIsLeftAlone(t *testing.T) {
	for _, class := range []target.Class{target.Transient, target.Denied} {
		w := newWorld(t)
		w.joinMany("old", 40)
		w.synced()
		w.reopen()
		attempts := w.failing(class)
		w.joinMany("new", 20)
		w.sync()
		_, next, failures := w.outage()
		if failures != 1 {
			t.Fatalf("%d failures", failures)
		}
		offboard := func(login string) *rostersync.Report {
			r, err := w.engine.Offboard(t.Context(), ledger.Denial{Person: w.find(login), By: "admin", Reason: "x"}, rostersync.Request{Verb: "offboard", By: "admin"})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		attempts.Store(0)
		if r := offboard("old0001"); r.Exit() != rostersync.ExitParked {
			t.Errorf("exit %d of an offboard that failed", r.Exit())
		}
		if n := attempts.Load(); n != map[target.Class]int32{target.Transient: 1}[class] {
			t.Errorf("%s: %d attempts", class, n)
		}
		w.wiki.SetFaults(memory.Faults{})
		offboard("old0002")
		if w.account("old0002").Enabled != (class == target.Denied) {
			t.Errorf("%s: old0002 is enabled: %v", class, w.account("old0002").Enabled)
		}
		w.now = later(w.now, next).Add(2 * time.Hour)
		for range 3 {
			w.sync()
		}
		w.has("old0001", false)
		w.has("old0002", false)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
