package sync_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// A lane that enters the first apply of all takes nobody from it but whom it is
// about: everybody is marked for the policy once, by the cycle that brings it.
func TestALaneInTheFirstApply(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 400)
	reached := w.slow(time.Millisecond, 20)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	if _, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync", Full: true, People: []identity.Ordinal{w.find("p0399")}}); err != nil {
		t.Fatal(err)
	}
	end := <-main
	if end.err != nil || len(end.report.Skipped) > 5 || end.report.Done[target.Create] < 395 {
		t.Fatalf("%d created and %d left out, %v", end.report.Done[target.Create], len(end.report.Skipped), end.err)
	}
	w.wiki.SetFaults(memory.Faults{})
	w.now = w.now.Add(time.Minute)
	w.synced()
	w.createdOnce()
}

// What the running cycle was let go counts for a lane as spent, though it is not
// done yet: together they do not pass the limit.
func TestALaneDoesNotSpendTheLimitTwice(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 60)
	w.synced()
	w.engine.Targets[0].Concurrency = 1
	w.leave(ids[:5]...)
	w.joinMany("q", 40)
	reached := w.slow(5*time.Millisecond, 1)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	w.leave(ids[5:8]...)
	var who []identity.Ordinal
	for _, login := range []string{"p0005", "p0006", "p0007"} {
		who = append(who, w.find(login))
	}
	r, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync", People: who})
	if err != nil || r.Exit() != rostersync.ExitHeld || r.Done[target.Disable] != 0 {
		t.Errorf("the lane disabled %d, exit %d, %v", r.Done[target.Disable], r.Exit(), err)
	}
	if end := <-main; end.err != nil || end.report.Done[target.Disable] != 5 {
		t.Errorf("the cycle disabled %d, %v", end.report.Done[target.Disable], end.err)
	}
}

// A pause in the middle of an apply ends the writes there; what was left is done
// when it is over.
func TestAPauseEndsARunningApply(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 1000)
	reached := w.slow(10*time.Millisecond, 20)
	main := w.beginCycle(rostersync.Request{Verb: "sync"})
	w.reaches(main, reached)
	if err := w.engine.Store.Pause(ledger.Pause{Target: "wiki", Reason: "upgrade", By: "test", At: w.now}); err != nil {
		t.Fatal(err)
	}
	then := len(w.wiki.Writes()) // how long the disk took to keep the pause is not ours
	end := <-main
	if n := len(w.wiki.Writes()); end.err != nil || n-then > 40 || n > 900 || end.report.Exit() != rostersync.ExitParked {
		t.Fatalf("%d writes, %d of them after the pause, exit %d, %v", n, n-then, end.report.Exit(), end.err)
	}
	w.wiki.SetFaults(memory.Faults{})
	before := len(w.wiki.Writes())
	if w.sync(); len(w.wiki.Writes()) != before {
		t.Error("it wrote while it was paused")
	}
	if _, err := w.engine.Store.Resume("wiki", "test", ""); err != nil {
		t.Fatal(err)
	}
	w.synced()
	w.createdOnce()
	if n := w.enabled(); n != 1000 {
		t.Errorf("%d accounts", n)
	}
}

// A target that refuses our credentials is left alone at once, not after the
// batch: each attempt may lock them.
func TestRefusedCredentialsEndTheBatch(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 200)
	var attempts atomic.Int32
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		attempts.Add(1)
		return memory.Fault{Err: &target.Error{Class: target.Denied, Err: errors.New("wrong password")}}
	}})
	r := w.sync()
	if n := attempts.Load(); n > 10 {
		t.Errorf("%d attempts with credentials that were refused", n)
	}
	if len(r.Down) != 1 || r.Exit() != rostersync.ExitParked {
		t.Errorf("%d targets are said to be down, exit %d", len(r.Down), r.Exit())
	}
	w.wiki.SetFaults(memory.Faults{})
	w.now = w.now.Add(12 * time.Hour)
	w.synced()
	if n := w.enabled(); n != 200 {
		t.Errorf("%d accounts", n)
	}
}

// What a signal kept from being sent has not failed: its approval lasts no longer
// for it.
func TestAStopDoesNotLengthenAnApproval(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 100)
	w.synced()
	w.leave(ids[:60]...)
	w.sync()
	hold := w.onlyHold()
	stop := make(chan struct{})
	reached := w.slow(time.Millisecond, 3)
	go func() {
		<-reached
		close(stop)
	}()
	decided := w.now
	if _, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: hold.ID, Version: hold.Version(), By: "test"}, rostersync.Request{Verb: "approve", Stop: stop}); err != nil && !errors.Is(err, rostersync.ErrStopped) {
		t.Fatal(err)
	}
	after, err := w.engine.Hold(hold.ID)
	if err != nil || len(after.Approved) == 0 || after.Expires.After(decided.Add(24*time.Hour)) {
		t.Errorf("%d approved until %s, decided %s, %v", len(after.Approved), after.Expires, decided, err)
	}
}
