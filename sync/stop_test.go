package sync_test

import (
	"context"
	"errors"
	"testing"
	"time"

	source "github.com/rosterd/rosterd/directory/memory"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target/memory"
)

// A stop while a source is read ends the read: nothing there must be finished,
// and whoever asked for it waits a minute and a half before he kills.
func TestAStopEndsTheRead(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 20)
	w.source.SetFaults(source.Hang(5))
	stop := make(chan struct{})
	time.AfterFunc(20*time.Millisecond, func() { close(stop) })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := w.engine.Cycle(ctx, rostersync.Request{Verb: "sync", Stop: stop})
	if !errors.Is(err, rostersync.ErrStopped) || r.Exit() != rostersync.ExitParked {
		t.Fatalf("ended with %v and %d", err, r.Exit())
	}
	if n := len(w.wiki.Writes()); n != 0 {
		t.Fatalf("%d writes", n)
	}
	w.source.SetFaults(source.Faults{})
	w.synced()
	w.quiet()
}

// A stop in the middle of a batch finishes what is running and begins no more;
// what was not sent has not failed, and waits for nothing but the next cycle.
func TestAStopBeginsNoMoreWrites(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 100)
	stop := make(chan struct{})
	w.wiki.SetFaults(memory.Faults{Write: func(n int, _ memory.Write) memory.Fault {
		if n == 3 {
			close(stop)
		}
		return memory.Fault{}
	}})
	r := w.cycle(rostersync.Request{Verb: "sync", Stop: stop})
	if n := len(w.wiki.Writes()); n < 3 || n > 20 {
		t.Errorf("%d writes after a stop at the third", n)
	}
	if !r.Stopped || r.Exit() != rostersync.ExitParked || len(r.Failed) != 0 || len(r.Parked) != 0 {
		t.Errorf("stopped %v, exit %d, %d failed, %d parked\n%s", r.Stopped, r.Exit(), len(r.Failed), len(r.Parked), text(r))
	}
	if doubts, err := w.engine.Store.InDoubt(); err != nil || len(doubts) != 0 {
		t.Errorf("%d in doubt, %v", len(doubts), err)
	}
	w.wiki.SetFaults(memory.Faults{})
	w.synced()
	if n := w.enabled(); n != 100 {
		t.Errorf("%d accounts", n)
	}
	w.quiet()
}

// Law 7: whatever a cancelled context cuts off is looked at, not forgotten.
func TestLaw07AnAbortConverges(t *testing.T) {
	for _, at := range []int{1, 7, 50} {
		w := newWorld(t)
		w.joinMany("p", 60)
		ctx, cancel := context.WithCancel(t.Context())
		w.wiki.SetFaults(memory.Faults{Write: func(n int, _ memory.Write) memory.Fault {
			if n == at {
				cancel()
			}
			return memory.Fault{}
		}})
		if r, err := w.engine.Cycle(ctx, rostersync.Request{Verb: "sync"}); !errors.Is(err, context.Canceled) || r.Exit() != rostersync.ExitFailed {
			t.Fatalf("ended with %v and %d", err, r.Exit())
		}
		cancel()
		w.wiki.SetFaults(memory.Faults{})
		w.now = w.now.Add(24 * time.Hour) // past every back-off
		w.sync()
		w.synced()
		if n := w.enabled(); n != 60 {
			t.Errorf("at %d: %d accounts", at, n)
		}
		w.quiet()
	}
}

// A stop that comes with the last write of a cycle leaves its second pass to the next
// one. What was written is told: it is no cycle that was stopped before.
func TestAStopBetweenTheTwoPasses(t *testing.T) {
	w := referring(t, boss)
	w.under("a", "b")
	w.under("b")
	stop := make(chan struct{})
	w.wiki.SetFaults(memory.Faults{Write: func(n int, _ memory.Write) memory.Fault {
		if n == 2 {
			close(stop)
		}
		return memory.Fault{}
	}})
	r, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync", Stop: stop})
	if err != nil || !r.Stopped || r.Then != nil || r.Exit() != rostersync.ExitParked || len(r.Carried) != 2 {
		t.Fatalf("ended with %v, stopped %v, exit %d, %d done\n%s", err, r.Stopped, r.Exit(), len(r.Carried), text(r))
	}
	w.wiki.SetFaults(memory.Faults{})
	w.wantBoss("a", "")
	w.settles()
	w.wantBoss("a", "b")
}
