package sync_test

import (
	"errors"
	gosync "sync"
	"testing"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// Law 7: an intent is on disk before its write leaves, also where the next batch
// goes on disk while one is at the target; and no more than that is in doubt at a
// time: the batch whose outcomes go on disk, the one at the target, and the next.
func TestLaw07IntentsAreAheadOfWrites(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 10_000}
	w.joinMany("p", 1300)
	var mu gosync.Mutex
	most, checked := 0, 0
	w.wiki.SetFaults(memory.Faults{Write: func(n int, write memory.Write) memory.Fault {
		if n%100 != 1 && n%400 > 3 {
			return memory.Fault{}
		}
		doubts, err := w.engine.Store.InDoubt()
		if err != nil {
			t.Error(err)
		}
		known := false
		for _, in := range doubts {
			known = known || in.Order().Change.Name == write.Name
		}
		if !known {
			t.Errorf("write %d, of %s, left without an intent on disk", n, write.Name)
		}
		mu.Lock()
		defer mu.Unlock()
		most, checked = max(most, len(doubts)), checked+1
		return memory.Fault{}
	}})
	r := w.sync()
	if r.Exit() != 0 || r.Done[target.Create] != 1300 || checked < 15 {
		t.Fatalf("exit %d, %d made, %d looked at", r.Exit(), r.Done[target.Create], checked)
	}
	if most <= 400 || most > 1200 {
		t.Errorf("%d were in doubt at most: the next batch did not go on disk meanwhile, or too much did", most)
	}
	w.wiki.SetFaults(memory.Faults{})
	w.quiet()
	w.createdOnce()
}

// A target that breaks is noted once, however many batches were under way.
func TestAnOutageIsNotedOnce(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 10_000}
	w.joinMany("p", 1300)
	w.wiki.SetFaults(memory.Faults{Write: func(n int, _ memory.Write) memory.Fault {
		if n < 600 {
			return memory.Fault{}
		}
		return memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("it broke")}}
	}})
	if r := w.sync(); r.Exit() != rostersync.ExitParked || len(r.Down) != 1 {
		t.Fatalf("exit %d, %d down", r.Exit(), len(r.Down))
	}
	if _, _, failures := w.outage(); failures != 1 {
		t.Errorf("the outage was noted %d times", failures)
	}
	doubts, err := w.engine.Store.InDoubt()
	if err != nil || len(doubts) != 0 {
		t.Errorf("%d are in doubt, %v: those that were not sent are not", len(doubts), err)
	}
}
