package sync

import "github.com/rosterd/rosterd/ledger"

// graces makes the end of each grace a due date, at which the person is looked
// at afresh: nothing else happens to somebody who left.
func (c *cycle) graces() error {
	var due []ledger.Due
	for _, s := range c.report.Plan.Subjects {
		grace, ever := c.target(s.Target).Rules.Leaver.Grace(s.Situation)
		at := s.Retained
		if at.IsZero() {
			// Closed in this cycle, or found closed.
			at = c.Now().Add(grace)
			ever = ever && (len(s.Changes) > 0 || s.Link != nil)
		}
		if ever {
			due = append(due, ledger.Due{Person: s.Person, At: at, Reason: "end of grace"})
		}
	}
	return c.Store.AddDue(due)
}
