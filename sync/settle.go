package sync

import (
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
)

// settle takes away the marks of everybody for whom each target has a result.
func (c *cycle) settle() error {
	defer c.section()()
	c.step("settle", "")
	if _, err := c.moved(); err != nil {
		return err
	}
	// What is kept without being in a hold (taken, ambiguous, protected, or
	// waiting for what is in one) stays before everybody's eyes until somebody
	// mends or decides it. What waits for a read is done after it, though the
	// read has nothing new to say.
	for i, s := range c.report.Plan.Subjects {
		if s.Held != "" || s.Postponed || c.report.Verdict.Subjects[i].Withheld {
			c.open[s.Person] = true
		}
		if c.report.Verdict.Subjects[i].Following {
			c.open[s.Person] = true
			c.behind(&s, c.report.Verdict.Subjects[i])
		}
	}
	refers, err := c.referAgain()
	if err != nil {
		return err
	}
	var settled, open []ledger.Mark
	for _, m := range c.marks {
		m.Refers, m.RefersKept = refers[m.Person].Refers, refers[m.Person].RefersKept
		if c.open[m.Person] {
			open = append(open, m)
		} else {
			settled = append(settled, m)
		}
	}
	next := make(map[identity.Ordinal]time.Time)
	for _, p := range c.input.People {
		if !p.Desired.Next.IsZero() {
			next[p.Ordinal] = p.Desired.Next
		}
	}
	for i := range settled {
		settled[i].Next = next[settled[i].Person]
	}
	if err := c.graces(); err != nil {
		return err
	}
	if _, err := c.Store.Settle(settled); err != nil {
		return err
	}
	if err := c.Store.Refer(open); err != nil {
		return err
	}
	if err := c.referLater(); err != nil {
		return err
	}
	if err := c.together(); err != nil {
		return err
	}
	if err := c.noteKept(); err != nil {
		return err
	}
	if err := c.unpark(); err != nil {
		return err
	}
	if err := c.agreesWithTheWorld(); err != nil {
		return err
	}
	for _, t := range c.input.Targets {
		if t.Listed {
			if err := c.noteStrays(t.Name, c.report.Plan.Strays[t.Name]); err != nil {
				return err
			}
		}
	}
	if err := c.passOverVacant(); err != nil {
		return err
	}
	return c.noLongerNew()
}

// noLongerNew ends the first plan of a target that needs no approval, once all
// of it is done.
func (c *cycle) noLongerNew() error {
	left := map[string]bool{}
	for i, s := range c.report.Plan.Subjects {
		v := c.report.Verdict.Subjects[i]
		if v.Parked || v.Stage == plan.Held || c.open[s.Person] || s.Look != nil {
			left[s.Target] = true
		}
	}
	for _, f := range c.report.Failed {
		left[f.Order.Change.Target] = true
	}
	for _, t := range c.input.Targets {
		if !t.New || t.Rules.Guard.First != "apply" || t.Down != "" || left[t.Name] || len(c.orders[t.Name]) == 0 {
			continue
		}
		known, err := c.Store.Target(t.Name)
		if err != nil {
			return err
		}
		known.First = true
		if err := c.Store.SaveTarget(known); err != nil {
			return err
		}
	}
	return nil
}

// unpark forgets earlier failures of everybody for whom a target now has a
// better result.
func (c *cycle) unpark() error {
	failing := map[place]bool{}
	for _, f := range c.report.Failed {
		failing[place{f.Order.Change.Target, f.Order.Change.Person}] = true
	}
	for _, u := range c.report.Unverified {
		failing[place{u.Target, u.Person}] = true
	}
	for i, s := range c.report.Plan.Subjects {
		if c.report.Verdict.Subjects[i].Parked {
			failing[place{s.Target, s.Person}] = true
		}
	}
	looked := map[place]bool{}
	for _, s := range c.report.Plan.Subjects {
		looked[place{s.Target, s.Person}] = true
	}
	parked, err := c.Store.Parked()
	if err != nil {
		return err
	}
	for _, p := range parked {
		at := place{p.Target, p.Person}
		if looked[at] && !failing[at] && !c.open[p.Person] {
			if err := c.Store.Unpark(p.Target, p.Person, p.Subject); err != nil {
				return err
			}
		}
	}
	return nil
}
