package sync_test

import (
	"context"
	"errors"
	"testing"
	"time"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// began is what a cycle in another goroutine comes to.
type began struct {
	report *rostersync.Report
	err    error
}

// beginCycle runs a cycle in another goroutine.
func (w *world) beginCycle(ask rostersync.Request) <-chan began {
	out := make(chan began, 1)
	go func() {
		r, err := w.engine.Cycle(context.Background(), ask)
		out <- began{r, err}
	}()
	return out
}

// reaches waits until the apply has come as far as was asked for.
func (w *world) reaches(main <-chan began, reached <-chan struct{}) {
	w.t.Helper()
	select {
	case <-reached:
	case end := <-main:
		w.t.Fatalf("the cycle ended before: %v\n%s", end.err, text(end.report))
	}
}

// slow makes each write take a while, and says after how many it is told.
func (w *world) slow(each time.Duration, after int) <-chan struct{} {
	reached := make(chan struct{})
	after += len(w.wiki.Writes())
	w.wiki.SetFaults(memory.Faults{Write: func(n int, _ memory.Write) memory.Fault {
		if n == after {
			close(reached)
		}
		time.Sleep(each)
		return memory.Fault{}
	}})
	return reached
}

func (w *world) find(login string) identity.Ordinal {
	w.t.Helper()
	found, err := w.engine.Store.FindPerson(login)
	if err != nil || len(found) != 1 {
		w.t.Fatalf("find %s: %d found, %v", login, len(found), err)
	}
	return found[0].Ordinal
}

// Somebody who is named does not wait for the end of a long apply, and nothing
// of it is lost or done twice.
func TestALaneInALongApply(t *testing.T) {
	for _, verb := range []string{"sync", "offboard"} {
		w := newWorld(t)
		w.join("early")
		w.synced()
		w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 1000}
		ids := w.joinMany("p", 600)
		reached := w.slow(20*time.Millisecond, 40)
		main := w.beginCycle(rostersync.Request{Verb: "sync"})
		w.reaches(main, reached)
		w.leave(ids[599])
		late, early := w.find("p0599"), w.find("early")
		var r *rostersync.Report
		var err error
		if verb == "sync" {
			w.set(w.source.At("uid=early,"+people), "employeeType", "former")
			r, err = w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync", People: []identity.Ordinal{early, late}, Named: true})
		} else {
			r, err = w.engine.Offboard(t.Context(), ledger.Denial{Person: early, Reason: "left", By: "test", At: w.now}, rostersync.Request{Verb: "offboard"})
		}
		if err != nil || r.Exit() != 0 {
			t.Fatalf("%s in the middle: exit %d, %v\n%s", verb, r.Exit(), err, text(r))
		}
		w.has("early", false)
		select {
		case <-main:
			t.Fatalf("%s: the long apply ended before what entered it", verb)
		default:
		}
		w.wiki.SetFaults(memory.Faults{}) // it need not be long any more
		end := <-main
		if end.err != nil || end.report.Exit() != 0 && end.report.Exit() != rostersync.ExitParked || len(end.report.Failed) > 0 {
			t.Fatalf("the long apply: exit %d, %v\n%s", end.report.Exit(), end.err, text(end.report))
		}
		w.wiki.SetFaults(memory.Faults{})
		w.now = w.now.Add(time.Minute)
		if verb == "sync" && w.account("p0599") != nil {
			t.Errorf("somebody who left in the middle got an account")
		}
		w.synced()
		w.createdOnce()
	}
}

// createdOnce: no account was made twice, and nothing is in doubt.
func (w *world) createdOnce() {
	w.t.Helper()
	made := map[string]int{}
	for _, x := range w.wiki.Writes() {
		if x.Verb == target.Create {
			made[x.Name]++
		}
	}
	for name, times := range made {
		if times != 1 {
			w.t.Errorf("law 7: %s was created %d times", name, times)
		}
	}
	if doubts, err := w.engine.Store.InDoubt(); err != nil || len(doubts) > 0 {
		w.t.Errorf("%d in doubt, %v", len(doubts), err)
	}
}

// An approval enters a running apply too, and the cycle that it entered neither
// holds its changes again nor does them a second time.
func TestAnApprovalEntersALongApply(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("old", 40)
	w.synced()
	w.leave(ids[:20]...)
	w.sync()
	hold := w.onlyHold()
	w.joinMany("new", 40)
	reached := w.slow(5*time.Millisecond, 8)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	r, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: hold.ID, Version: hold.Version(), By: "test"}, rostersync.Request{Verb: "approve"})
	if err != nil || r.Done[target.Disable] != 20 {
		t.Fatalf("%d disabled, %v\n%s", r.Done[target.Disable], err, text(r))
	}
	end := <-main
	if end.err != nil || end.report.Done[target.Disable] != 0 {
		t.Fatalf("the apply that was entered disabled %d, %v", end.report.Done[target.Disable], end.err)
	}
	w.wiki.SetFaults(memory.Faults{})
	w.now = w.now.Add(time.Minute)
	w.sync()
	w.quiet()
	if n := w.enabled(); n != 60 {
		t.Errorf("%d enabled, want 60", n)
	}
}

// While the directory is still being read there is no stage to read into: the
// lane works from what is known, and the read goes on beside it.
func TestALaneInALongRead(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 20)
	w.synced()
	w.source.SetFaults(source.Hang(5))
	ctx, cancel := context.WithCancel(t.Context())
	main := make(chan began, 1)
	go func() {
		r, err := w.engine.Cycle(ctx, rostersync.Request{Verb: "sync"})
		main <- began{r, err}
	}()
	time.Sleep(20 * time.Millisecond)
	who := w.find("p0003")
	r, err := w.engine.Offboard(t.Context(), ledger.Denial{Person: who, Reason: "left", By: "test", At: w.now}, rostersync.Request{Verb: "offboard"})
	if err != nil || r.Exit() != 0 {
		t.Fatalf("exit %d, %v\n%s", r.Exit(), err, text(r))
	}
	w.has("p0003", false)
	cancel()
	if end := <-main; !errors.Is(end.err, context.Canceled) {
		t.Fatalf("the read that was entered: %v", end.err)
	}
	w.source.SetFaults(source.Faults{})
	w.now = w.now.Add(time.Minute)
	w.synced()
}

// A second cycle of everybody waits for the first; a stop ends the waiting.
func TestCyclesOfEverybodyComeOneByOne(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 100)
	reached := w.slow(2*time.Millisecond, 1)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	stop := make(chan struct{})
	time.AfterFunc(10*time.Millisecond, func() { close(stop) })
	if _, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync", Stop: stop}); !errors.Is(err, rostersync.ErrStopped) {
		t.Fatalf("a stop while it waits: %v", err)
	}
	second := w.beginCycle(rostersync.Request{Verb: "sync", Full: true})
	a, b := <-main, <-second
	if a.err != nil || b.err != nil || a.report.Exit() != 0 || b.report.Exit() != 0 {
		t.Fatalf("%v %v", a.err, b.err)
	}
	w.createdOnce()
}

// What looks never waits, and keeps nothing.
func TestStillPlan(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 200)
	reached := w.slow(3*time.Millisecond, 20)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	began := time.Now()
	r, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "plan", Still: true, DryRun: true})
	if err != nil || time.Since(began) > time.Second {
		t.Fatalf("%v after %s", err, time.Since(began))
	}
	if r.Exit() != rostersync.ExitPending || len(r.Plan.Subjects) == 0 {
		t.Errorf("exit %d with %d subjects: it shows nothing of what is left", r.Exit(), len(r.Plan.Subjects))
	}
	if end := <-main; end.err != nil || end.report.Exit() != 0 {
		t.Fatalf("exit %d, %v", end.report.Exit(), end.err)
	}
	w.wiki.SetFaults(memory.Faults{})
	w.quiet()
}
