package sync

import (
	"context"
	"fmt"
	"time"
)

// tend keeps the state in its form once all else is done: months of the journal
// that are over become files; in a resync, who left long ago is forgotten, and
// spends and months that are old enough go.
func (c *cycle) tend(ctx context.Context) error {
	if c.lane {
		return nil
	}
	closed, err := c.Store.CloseMonths(ctx)
	c.report.Closed = closed
	if err != nil {
		return fmt.Errorf("tend the state: %w", err)
	}
	today, err := c.today()
	if err != nil {
		return fmt.Errorf("tend the state: %w", err)
	}
	if err := c.forgetLeavers(ctx, today); err != nil {
		return fmt.Errorf("tend the state: %w", err)
	}
	if !c.ask.Full {
		return nil
	}
	if err := c.Store.DropExceptions(today.Add(-exceptionsKept)); err != nil {
		return fmt.Errorf("tend the state: %w", err)
	}
	if err := c.Store.DropSpends(today.Add(-max(leap, c.widest()))); err != nil {
		return fmt.Errorf("tend the state: %w", err)
	}
	for _, t := range c.Targets {
		// A year also where names are not made unique: they may be one day.
		if err := c.Store.DropGiven(t.Name, today.Add(-max(year, c.Policy.Reserve(t.Name)))); err != nil {
			return fmt.Errorf("tend the state: %w", err)
		}
	}
	if c.KeepJournal > 0 {
		if _, err := c.Store.DropMonths(today.Add(-c.KeepJournal)); err != nil {
			return fmt.Errorf("tend the state: %w", err)
		}
	}
	return nil
}

// exceptionsKept is how long an exception by hand that is over is remembered: until
// then a clock that is set back, and whoever asks why a right went, find it.
const exceptionsKept = 90 * 24 * time.Hour

// leap is how much later than the one before a resync may be, for its instant to
// be believed at once.
const leap = 31 * 24 * time.Hour

const year = 365 * 24 * time.Hour

// today is the instant by which a resync judges what is old. What goes does not
// come back, so a clock that runs far ahead erases nothing: a resync that is much
// later than the one before judges by that one's instant.
func (c *cycle) today() (time.Time, error) {
	now := c.Now()
	if !c.ask.Full {
		return now, nil
	}
	last, err := c.Store.LastRun("tend")
	if err != nil {
		return now, err
	}
	if err := c.Store.SetLastRun(now, "tend"); err != nil {
		return now, err
	}
	if now.Sub(last) > leap {
		return last, nil
	}
	return now, nil
}
