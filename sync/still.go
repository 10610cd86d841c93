package sync

import (
	"github.com/rosterd/rosterd/sync/plan"
)

// still draws the plan of everybody who is marked from the state alone. Nothing
// is read, no target is looked at and nothing is kept, so it may be asked for
// while another cycle works: it shows what is left of it.
func (c *cycle) still() error {
	c.report.DryRun, c.report.Still = true, true
	err := c.lookRestored()
	if err != nil {
		return err
	}
	if c.marks, err = c.Store.Marks(); err != nil {
		return err
	}
	if c.ask.People != nil {
		if c.marks, err = c.onlyAsked(c.marks); err != nil {
			return err
		}
	}
	if err := c.desire(); err != nil {
		return err
	}
	if err := c.holders(); err != nil {
		return err
	}
	book, err := c.book()
	if err != nil {
		return err
	}
	stored := book.Holds
	book.Holds, _ = c.withoutPolicy(stored)
	if c.Next != nil {
		c.report.Policy = c.pending(stored)
	}
	c.report.Plan = plan.Make(c.input)
	c.report.Verdict = plan.Judge(c.report.Plan, book)
	c.report.Shown, c.report.ShownVerdict = c.shown(c.report.Plan, c.report.Verdict)
	c.report.Holds = stored
	c.report.Ended = c.Now()
	return c.describe()
}
