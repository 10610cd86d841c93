package sync

import (
	"context"
	"fmt"
	"slices"
	gosync "sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
)

// turn orders one cycle and the lanes that come while it runs.
//
// A cycle of everybody holds main from begin to end, so that a second one waits.
// A cycle for named people takes main if it is free; if not it is a lane: it
// marks its people, waits for the turn, and has the state to itself until its
// writes are done. The running cycle shares the turn wherever what it knows of
// the state must not move, and lets go of it while it waits for the network: a
// lane gets in between two of its batches, and lets go of it in turn while it
// waits for a target to show what was done. Whoever waits is let in in the order
// of coming: neither starves the other.
type turn struct {
	main chan struct{}
	// using is held shared by each cycle that was let in, and alone by who
	// changes the engine.
	using   gosync.RWMutex
	reading gosync.Mutex // whoever fills the stage
	// state is shared by sections, and taken whole by a lane.
	state *semaphore.Weighted
	// promised is what the running cycle was let go and may not have recorded
	// yet. A lane counts it as spent: twice, where it is recorded, rather than
	// not at all.
	promises gosync.Mutex
	promised []ledger.Spend
	// before are the limits of the policy that governed before, until a cycle of
	// everybody was judged by them: what an edit frees is not done with it.
	before  atomic.Pointer[map[string]plan.Guard]
	waiting atomic.Int32 // lanes that wait for the turn
	lanes   atomic.Uint64
}

// whole is more shares of the turn than there can be sections.
const whole = 1 << 20

func (e *Engine) turnOf() *turn {
	e.init.Do(func() {
		if e.turns == nil {
			e.turns = &turn{main: make(chan struct{}, 1), state: semaphore.NewWeighted(whole)}
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
// for its turn as a cycle of everybody does, so that lanes go on entering the one
// that runs, and none begins on this engine any more.
//
// The next engine is made while no cycle is under way: the one that ran may have
// let another policy govern, and an engine made before would put the old one back.
// An error, that of the context or of the making, changes nothing.
func (e *Engine) Succeed(ctx context.Context, next func() (*Engine, error)) error {
	t := e.turnOf()
	select {
	case t.main <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for the running cycle: %w", context.Cause(ctx))
	}
	defer func() { <-t.main }()
	// What is left are lanes that outlived the cycle which they entered.
	t.using.Lock()
	defer t.using.Unlock()
	if e.retired.Load() {
		return ErrRetired
	}
	made, err := next()
	if err != nil {
		return err
	}
	made.turns = t
	e.retired.Store(true)
	e.Current().retired.Store(true)
	return nil
}

// enter makes the cycle the main one, or a lane, and returns how it leaves.
func (c *cycle) enter(ctx context.Context) (func(), error) {
	leave, err := c.queue(ctx)
	if err != nil {
		return nil, err
	}
	c.turn.using.RLock()
	if c.retired.Load() {
		c.turn.using.RUnlock()
		leave()
		return nil, ErrRetired
	}
	return func() {
		c.turn.using.RUnlock()
		leave()
	}, nil
}

func (c *cycle) queue(ctx context.Context) (func(), error) {
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
	share := int64(1)
	switch {
	case c.hasTurn:
		return func() {} // a lane has the turn for itself
	case c.lane:
		share = whole
		// A batch of the running cycle gives way to this too: with a rate it
		// lasts.
		c.turn.waiting.Add(1)
		defer c.turn.waiting.Add(-1)
	}
	// It is short and must be finished: nothing cancels the waiting for it.
	if err := c.turn.state.Acquire(context.Background(), share); err != nil {
		panic(err) // a context that does not end, and a share that there is
	}
	return func() { c.turn.state.Release(share) }
}

// alone gives a lane the turn, which it keeps until it gives it back. A stop, or
// the end of the context, ends the waiting.
func (c *cycle) alone(ctx context.Context) error {
	if !c.lane || c.hasTurn {
		return nil
	}
	c.turn.waiting.Add(1)
	defer c.turn.waiting.Add(-1)
	if err := c.turn.state.Acquire(ctx, whole); err != nil {
		return err
	}
	c.hasTurn = true
	// Another policy may have come into force while it waited.
	c.Engine = c.Engine.Current()
	return nil
}

func (c *cycle) giveBack() {
	if c.hasTurn {
		c.hasTurn = false
		c.turn.state.Release(whole)
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
