package sync

import (
	"context"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state"
)

// Forget erases a person's data: from the state, and from what the journal says
// of them. It waits for the running cycle, and everybody waits for it. Stop ends
// the waiting.
func (e *Engine) Forget(ctx context.Context, who identity.Ordinal, reason string, ask Request) (state.Forgotten, error) {
	wait, end := ask.untilStopped(ctx)
	defer end()
	t := e.turnOf()
	select {
	case t.main <- struct{}{}:
	case <-wait.Done():
		return state.Forgotten{}, fmt.Errorf("wait for the running cycle: %w", context.Cause(wait))
	}
	defer func() { <-t.main }()
	// What is left are lanes that outlived the cycle which they entered.
	t.using.Lock()
	defer t.using.Unlock()
	if e.retired.Load() {
		return state.Forgotten{}, ErrRetired
	}
	return e.Store.Forget(ctx, []identity.Ordinal{who}, ask.By, reason)
}

// forgetAtOnce is how many people one resync forgets at most: the state is
// written anew once for all of them.
const forgetAtOnce = 1000

// forgetLeavers erases people who left longer ago than they are remembered. What
// a forgetting that was cut short has left is done first, in every cycle.
func (c *cycle) forgetLeavers(ctx context.Context, today time.Time) error {
	if reading := &c.turn.reading; reading.TryLock() {
		defer reading.Unlock()
	} else {
		return nil // somebody's listing knows them still: another time
	}
	// Lanes wait meanwhile.
	if err := c.turn.state.Acquire(ctx, whole); err != nil {
		return err
	}
	defer c.turn.state.Release(whole)
	if _, err := c.Store.FinishForget(ctx); err != nil {
		return err
	}
	if !c.ask.Full || c.KeepLeavers <= 0 {
		return nil
	}
	who, err := c.Store.Leavers(today.Add(-c.KeepLeavers), forgetAtOnce)
	if err != nil || len(who) == 0 {
		return err
	}
	c.step("forget", "")
	f, err := c.Store.Forget(ctx, who, "", fmt.Sprintf("gone for longer than they are remembered (keep_leavers), cycle %s", c.report.Cycle))
	c.report.Forgotten, c.report.StillNamed = len(f.People), f.Left
	return err
}
