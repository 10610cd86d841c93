package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	gosync "sync"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// Cycle is one run of the engine:
//
//	read ▶ seal ▶ take ▶ desire ▶ observe ▶ plan ▶ judge ▶ apply ▶ verify ▶ settle
//
// A source that could not be read does not end it: the cycle goes on from the
// last sealed snapshot, in which nobody's standing has changed but by a date, and
// the report says so. The error returned is of the state or the context, and then
// nothing more was done than the journal tells.
func (e *Engine) Cycle(ctx context.Context, ask Request) (*Report, error) {
	c := e.begin(ask)
	if ask.Still {
		return c.report, c.still()
	}
	report, err := c.enterAndRun(ctx)
	if err != nil || report == nil || report.Stopped {
		return report, err
	}
	again, is := ask.second(report)
	if !is {
		return report, nil
	}
	if ask.stopped() {
		report.Stopped = true // the next cycle does the rest
		return report, nil
	}
	report.Then, err = e.Cycle(ctx, again)
	switch {
	case errors.Is(err, ErrRetired):
		return report, nil // the marks are there for whoever came after it
	case errors.Is(err, ErrStopped):
		report.Then, report.Stopped = nil, true // that nothing was written is true of the second pass alone
		return report, nil
	}
	return report, err
}

func (c *cycle) enterAndRun(ctx context.Context) (*Report, error) {
	ask := c.ask
	leave, err := c.enter(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ask.Verb, err)
	}
	defer leave()
	c.Engine = c.Engine.Current() // another cycle may have taken a policy meanwhile
	if err := c.run(ctx); err != nil {
		return c.report, c.end(fmt.Errorf("%s: %w", ask.Verb, err))
	}
	return c.report, c.end(nil)
}

func (c *cycle) run(ctx context.Context) error {
	defer c.giveBack()
	if c.ask.first != nil {
		if err := c.ask.first(); err != nil {
			return err
		}
	}
	if err := c.decided(ctx); err != nil {
		return err
	}
	if c.ask.adopt != nil {
		return c.adopting(ctx)
	}
	if err := c.look(ctx); err != nil || c.ask.PolicyOnly {
		return err
	}
	if err := c.judge(); err != nil {
		return err
	}
	if c.ask.DryRun {
		return ctx.Err()
	}
	if err := c.review(); err != nil {
		return err
	}
	if err := c.apply(ctx); err != nil {
		return err
	}
	// A target may take its time to show what was done: nobody waits for that.
	c.giveBack()
	if err := c.verify(ctx); err != nil {
		return err
	}
	if err := c.settle(); err != nil {
		return err
	}
	return c.tend(ctx)
}

// look is all that comes before the plan. There is nothing in it that must be
// finished, so a stop ends it at once.
func (c *cycle) look(ctx context.Context) error {
	ctx, end := c.ask.untilStopped(ctx)
	defer end()
	err := func() error {
		if err := c.afterRestore(); err != nil {
			return err
		}
		if err := c.Store.Mark(c.ask.Verb, c.ask.People...); err != nil {
			return err
		}
		if err := c.readAndSeal(ctx); err != nil {
			return err
		}
		if err := c.takePolicy(ctx); err != nil || c.ask.PolicyOnly {
			return err
		}
		if err := c.takeAndDesire(); err != nil {
			return err
		}
		return c.observe(ctx)
	}()
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), ErrStopped) {
		return ErrStopped
	}
	return err
}

func (c *cycle) takeAndDesire() error {
	defer c.section()()
	c.step("take", "")
	if err := c.take(); err != nil {
		return err
	}
	c.step("desire", "")
	return c.desire()
}

// cycle is what the steps hand on to one another.
type cycle struct {
	*Engine
	ask    Request
	report *Report
	// lane: another cycle is under way, and this one works in a gap of it.
	lane, hasTurn bool
	turn          *turn

	marks   []ledger.Mark
	input   plan.Input
	cleared plan.Cleared
	// restored is set while the state may be older than what was done with it.
	restored *state.Restored
	// orders are those that were done, by target, in the order of their waves.
	orders map[string][]ledger.Order
	// listed are the accounts of the targets that were listed.
	listed map[string][]target.Account
	// down are the targets that could not be read.
	down map[string]error
	// outages are the targets that failed before.
	outages map[string]ledger.Outage
	// shared guards what follows and the report while targets are worked on
	// side by side.
	shared gosync.Mutex
	// open are people for whom some target has no result yet.
	open map[identity.Ordinal]bool
	// known is what people are looked at with.
	known knowledge
	// limits are those of the policy in force, where this plan shows another one.
	limits map[string]plan.Guard
	// judged is how many people an approved policy reads, by source.
	judged map[string]int
	// refs are those whom the people of this cycle name, as they were resolved.
	refs map[identity.Ordinal][]mapping.Reference
	// seenAs is by what others refer to accounts, where it was seen to be another than
	// the links say.
	seenAs map[place]string
	// reading is how the policy of this plan would read, where it is another one.
	reading reading
}

func (e *Engine) begin(ask Request) *cycle {
	e = e.Current()
	now := e.Now()
	slices.Sort(ask.People)
	return &cycle{Engine: e, ask: ask, turn: e.turnOf(),
		orders: map[string][]ledger.Order{}, open: map[identity.Ordinal]bool{}, down: map[string]error{}, listed: map[string][]target.Account{},
		report: &Report{Cycle: cycleID(now), Verb: ask.Verb, By: ask.By, Began: now, DryRun: ask.DryRun,
			Done: map[target.Verb]int{}}}
}
