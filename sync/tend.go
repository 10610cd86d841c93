package sync

import (
	"context"
	"fmt"
)

// tend keeps the journal in its form once all else is done: months that are over
// become files, and in a resync those that are old enough go.
func (c *cycle) tend(ctx context.Context) error {
	if c.lane {
		return nil
	}
	closed, err := c.Store.CloseMonths(ctx)
	c.report.Closed = closed
	if err != nil {
		return fmt.Errorf("tend the state: %w", err)
	}
	if !c.ask.Full {
		return nil
	}
	if c.KeepJournal > 0 {
		if _, err := c.Store.DropMonths(c.Now().Add(-c.KeepJournal)); err != nil {
			return fmt.Errorf("tend the state: %w", err)
		}
	}
	return nil
}
