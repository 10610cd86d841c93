package sync

import (
	"context"
	"fmt"
)

// tend keeps the state in its form once all else is done: months of the journal
// that are over become files; in a resync, who left long ago is forgotten, and
// months that are old enough go.
func (c *cycle) tend(ctx context.Context) error {
	if c.lane {
		return nil
	}
	closed, err := c.Store.CloseMonths(ctx)
	c.report.Closed = closed
	if err != nil {
		return fmt.Errorf("tend the state: %w", err)
	}
	if err := c.forgetLeavers(ctx); err != nil {
		return fmt.Errorf("tend the state: %w", err)
	}
	if c.ask.Full && c.KeepJournal > 0 {
		if _, err := c.Store.DropMonths(c.Now().Add(-c.KeepJournal)); err != nil {
			return fmt.Errorf("tend the state: %w", err)
		}
	}
	return nil
}
