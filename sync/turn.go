package sync

import (
	"context"
	"fmt"
	"slices"
	gosync "sync"
	"sync/atomic"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// turn orders one cycle and the lanes that come while it runs.
//
// A cycle of everybody holds main from begin to end, so that a second one waits.
// A cycle for named people takes main if it is free; if not it is a lane: it
// marks its people, waits for the turn, and has the state to itself until it has
// settled. The running cycle shares the turn wherever what it knows of the state
// must not move, and lets go of it while it waits for the network: a lane gets
// in between two of its batches. A lane that waits keeps new sections from
// beginning, and the sections that waited while a lane worked come before the
// next lane: neither starves the other.
type turn struct {
	main chan struct{}
	// using is held shared by each cycle, and alone by who changes the engine.
	using   gosync.RWMutex
	reading gosync.Mutex // whoever fills the stage
	state   gosync.RWMutex
	// promised is what the running cycle was let go and may not have recorded
	// yet. A lane counts it as spent: twice, where it is recorded, rather than
	// not at all.
	promises gosync.Mutex
	promised []ledger.Spend
	waiting  atomic.Int32 // lanes that wait for the turn
	lanes    atomic.Uint64
}

func (e *Engine) turnOf() *turn {
	e.init.Do(func() {
		if e.turns == nil {
			e.turns = &turn{main: make(chan struct{}, 1)}
		}
	})
	return e.turns
}

// ErrRetired: another engine took this one's place while somebody still had it.
var ErrRetired error = &retiredError{}

type retiredError struct{}

func (*retiredError) Error() string { return "the configuration was taken anew in the meantime" }

// Hint says what to do.
func (*retiredError) Hint() string { return "nothing was done; type the command again" }

// Succeed lets another engine on the same state take this one's place: it waits
// for the cycles that are under way, and none begins on this one any more. It
// must be called before the next one is used.
func (e *Engine) Succeed(next *Engine) {
	t := e.turnOf()
	t.using.Lock()
	defer t.using.Unlock()
	next.turns = t
	e.retired.Store(true)
}

// enter makes the cycle the main one, or a lane, and returns how it leaves.
func (c *cycle) enter(ctx context.Context) (func(), error) {
	main := c.turn.main
	leave := func() {
		c.promise(nil)
		<-main
	}
	select {
	case main <- struct{}{}:
		return leave, nil
	default:
	}
	if c.ask.People != nil && !c.ask.Alone {
		c.lane = true
		c.report.Cycle += fmt.Sprintf("-%d", c.turn.lanes.Add(1))
		return func() {}, nil
	}
	ctx, done := c.ask.untilStopped(ctx)
	defer done()
	select {
	case main <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the running cycle: %w", context.Cause(ctx))
	}
}

// Busy says whether a cycle of everybody is under way.
func (e *Engine) Busy() bool { return len(e.turnOf().main) > 0 }

// section begins a part in which the state must not move under the cycle, and
// returns its end. Sections do not nest.
func (c *cycle) section() func() {
	if c.lane {
		return func() {} // a lane has the turn for itself
	}
	c.turn.state.RLock()
	return c.turn.state.RUnlock
}

// alone gives a lane the turn, which it keeps until it gives it back.
func (c *cycle) alone() {
	if !c.lane || c.hasTurn {
		return
	}
	c.turn.waiting.Add(1)
	c.turn.state.Lock()
	c.turn.waiting.Add(-1)
	c.hasTurn = true
}

func (c *cycle) giveBack() {
	if c.hasTurn {
		c.hasTurn = false
		c.turn.state.Unlock()
	}
}

// promise notes what the running cycle is let go, or takes it back at its end.
func (c *cycle) promise(orders []ledger.Order) {
	c.turn.promises.Lock()
	defer c.turn.promises.Unlock()
	c.turn.promised = nil
	for _, o := range orders {
		c.turn.promised = append(c.turn.promised, o.Spends...)
	}
}

// promised is what a lane must count beside what is recorded.
func (c *cycle) promised() []ledger.Spend {
	if !c.lane {
		return nil
	}
	c.turn.promises.Lock()
	defer c.turn.promises.Unlock()
	return slices.Clone(c.turn.promised)
}

// yields says whether a lane waits for the running cycle to end its section.
func (c *cycle) yields() bool { return !c.lane && c.turn.waiting.Load() > 0 }

// moved finds who was marked again since this cycle took its marks: a lane has
// worked on them, or the directory said more. They are left out of the rest.
func (c *cycle) moved() (map[identity.Ordinal]bool, error) {
	who, err := c.Store.Moved(c.marks)
	if err != nil || len(who) == 0 {
		return nil, err
	}
	c.shared.Lock()
	defer c.shared.Unlock()
	out := make(map[identity.Ordinal]bool, len(who))
	for _, p := range who {
		out[p] = true
		c.open[p] = true
	}
	return out, nil
}
