package sync

import (
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
)

// take collects the people to look at afresh.
func (c *cycle) take() error {
	if err := c.passOverEmptyGroups(); err != nil {
		return err
	}
	if err := c.approvedWhole(); err != nil {
		return err
	}
	// Everybody is the running cycle's; a lane that marked them would take them
	// from it.
	if !c.lane {
		if err := c.firstPolicy(); err != nil {
			return err
		}
	}
	if err := c.pinPeople(); err != nil {
		return err
	}
	if c.ask.Full && !c.lane {
		for _, s := range c.Sources {
			if _, err := c.Store.MarkEveryone(s.Name(), "resync"); err != nil {
				return err
			}
		}
	}
	marks, err := c.Store.Take(c.Now())
	if err != nil {
		return err
	}
	if c.ask.People != nil {
		if marks, err = c.onlyAsked(marks); err != nil {
			return err
		}
	}
	c.marks = marks
	return nil
}

// passOverEmptyGroups accepts that a group of the policy is gone, or another has
// its name, where nobody was in it: nobody loses anything, so there would be no
// hold by which to accept it, and whoever is in the new one would wait for ever.
func (c *cycle) passOverEmptyGroups() error {
	for _, s := range c.Sources {
		pins, err := c.Store.Pins(s.Name(), c.Policy.Groups())
		if err != nil {
			return err
		}
		for _, p := range pins {
			away := p.Status == ledger.PinMissing || p.Status == ledger.PinReplaced
			if !away || p.Members > 0 || p.Had >= ledger.EmptiedFrom {
				continue
			}
			if err := c.Store.AcceptPin(s.Name(), p.Written, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// approvedWhole ends the newness of a target whose first hold was approved whole
// by somebody who was then killed, or did not wait. So it does after a restore.
func (c *cycle) approvedWhole() error {
	holds, err := c.Store.Holds()
	if err != nil {
		return err
	}
	for _, h := range holds {
		if !plan.Rule(h.Rule).Whole() || h.Status != ledger.Approved || len(h.Approved) < len(h.Keys) {
			continue
		}
		if err := c.accept(h, h.ApprovedBy); err != nil {
			return err
		}
	}
	return nil
}

// onlyAsked keeps the people that were asked for, and those in open holds, which
// are rebuilt by the plan. A lane leaves these out: they are the running cycle's,
// which waits meanwhile, and a hold keeps whom a plan does not speak of.
func (c *cycle) onlyAsked(marks []ledger.Mark) ([]ledger.Mark, error) {
	holds, err := c.Store.Holds()
	if err != nil {
		return nil, err
	}
	keep := map[identity.Ordinal]bool{}
	for _, who := range c.ask.People {
		keep[who] = true
	}
	for _, h := range holds {
		if h.Target == policyTarget {
			continue // rebuilt from the snapshot, for everybody
		}
		for _, k := range h.Keys {
			if c.lane {
				break
			}
			keep[k.Person] = true
		}
	}
	return slices.DeleteFunc(marks, func(m ledger.Mark) bool { return !keep[m.Person] }), nil
}

func (c *cycle) marked() []identity.Ordinal {
	out := make([]identity.Ordinal, len(c.marks))
	for i, m := range c.marks {
		out[i] = m.Person
	}
	return out
}
