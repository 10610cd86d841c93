package sync

import (
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// judge draws the plan and lets the guard split it into what may go and what is
// held. What is held is stored also by a dry run, so that what a plan showed
// can be approved.
func (c *cycle) judge() error {
	defer c.section()()
	c.step("judge", "")
	if err := c.leaveOutMoved(); err != nil {
		return err
	}
	book, err := c.book()
	if err != nil {
		return err
	}
	var rekeyed, dark, policy []ledger.Hold
	book.Holds, policy = c.withoutPolicy(book.Holds)
	if book.Holds, rekeyed, err = c.rekeyed(book.Holds); err != nil {
		return err
	}
	book.Holds, dark = apart(book.Holds)
	drawn, err := c.tellReferrers(plan.Make(c.input))
	if err != nil {
		return err
	}
	verdict := plan.Judge(drawn, book)
	if dark, err = c.dark(dark, verdict.Holds); err != nil {
		return err
	}
	ours := slices.Concat(rekeyed, dark)
	for i := range ours {
		if ours[i].ID == "" {
			ours[i].ID = fmt.Sprintf("h%d", verdict.NextFreeHold+i)
		}
	}
	c.report.Plan, c.report.Verdict = drawn, verdict
	c.report.Shown, c.report.ShownVerdict = c.shown(drawn, verdict)
	c.cleared = verdict.Cleared
	if err := c.describe(); err != nil {
		return err
	}
	holds := versioned(slices.Concat(verdict.Holds, ours, policy), c.input.Now)
	c.report.Holds = holds
	if err := c.nameHeld(); err != nil {
		return err
	}
	if err := c.Store.SaveHolds(holds); err != nil {
		return err
	}
	if err := c.resynced(); err != nil {
		return err
	}
	if c.ask.DryRun {
		return nil
	}
	if !c.lane {
		c.promise(c.report.Cleared())
	}
	if c.ask.People == nil && c.ask.OnlyTarget == "" {
		c.turn.before.Store(nil)
	}
	var links []ledger.Link
	var parked []ledger.Parked
	for _, s := range drawn.Subjects {
		if s.Link != nil {
			links = append(links, *s.Link)
		}
		if s.Park != nil {
			parked = append(parked, *s.Park)
		}
	}
	if err := c.Store.PutLinks(links); err != nil {
		return err
	}
	return c.Store.SaveParked(parked...)
}

// leaveOutMoved takes everybody out of the plan whom a lane has worked on since:
// what was desired and observed for them is old.
func (c *cycle) leaveOutMoved() error {
	moved, err := c.moved()
	if err != nil || len(moved) == 0 {
		return err
	}
	c.input.People = slices.DeleteFunc(c.input.People, func(p plan.Person) bool { return moved[p.Ordinal] })
	return nil
}

// book is what the guard must know besides the plan.
func (c *cycle) book() (plan.Book, error) {
	b, err := c.spent()
	if err != nil {
		return b, err
	}
	if b.Holds, err = c.Store.Holds(); err != nil {
		return b, err
	}
	if b.FirstFreeHold, err = c.Store.FirstFreeHold(); err != nil {
		return b, err
	}
	b.Now, b.Targets = c.input.Now, slices.Clone(c.input.Targets)
	limits := c.limitsBefore()
	for i, t := range b.Targets {
		if g, was := limits[t.Name]; was {
			b.Targets[i].Rules.Guard = g
		}
	}
	return b, nil
}

// limitsBefore are those by which a plan is judged that comes with another policy;
// nil: it comes with none.
func (c *cycle) limitsBefore() map[string]plan.Guard {
	if before := c.turn.before.Load(); before != nil {
		return *before
	}
	return c.limits
}

// spent is what was let go in the last window, and what of it came back.
func (c *cycle) spent() (plan.Book, error) {
	var b plan.Book
	spends, err := c.Store.Spends(c.Now().Add(-c.widest()))
	if err != nil {
		return b, err
	}
	b.Spends = append(spends, c.promised()...)
	b.Again, err = c.again(b.Spends)
	return b, err
}

// widest is the longest window of any target.
func (c *cycle) widest() time.Duration {
	widest := time.Duration(plan.DefaultRules().Guard.Window)
	for _, t := range c.Targets {
		widest = max(widest, time.Duration(t.Rules.Guard.Window))
	}
	for _, g := range c.limitsBefore() {
		widest = max(widest, time.Duration(g.Window))
	}
	return widest
}

// again finds who of those that lost something has it again.
func (c *cycle) again(spends []ledger.Spend) (map[plan.Regained]bool, error) {
	if len(spends) == 0 {
		return nil, nil
	}
	var who []identity.Ordinal
	for _, s := range spends {
		who = append(who, s.Person)
	}
	slices.Sort(who)
	all, err := c.Store.Links(slices.Compact(who)...)
	if err != nil {
		return nil, err
	}
	out := map[plan.Regained]bool{}
	for person, links := range all {
		for name, l := range links {
			if l.Phase != ledger.Open {
				continue
			}
			out[plan.Regained{Target: name, Person: person}] = true
			for _, g := range l.Granted {
				for _, r := range g.Roles {
					out[plan.Regained{Target: name, Role: r, Person: person}] = true
				}
			}
		}
	}
	return out, nil
}

// shown is the part of the plan that was asked for. The whole is drawn even
// for one person, since every hold is rebuilt by it.
func (c *cycle) shown(p plan.Plan, v plan.Verdict) (plan.Plan, plan.Verdict) {
	if c.ask.OnlyTarget == "" && c.ask.People == nil {
		return p, v
	}
	part, judged := p, v
	part.Subjects, judged.Subjects = nil, nil
	for i, s := range p.Subjects {
		if (c.ask.OnlyTarget == "" || c.ask.OnlyTarget == s.Target) && (c.ask.People == nil || c.ask.names(s.Person)) {
			part.Subjects = append(part.Subjects, s)
			judged.Subjects = append(judged.Subjects, v.Subjects[i])
		}
	}
	return part, judged
}

// versioned notes from when each hold has the version that it has, so that an
// approval of an earlier one can be told what has come since.
func versioned(holds []ledger.Hold, now time.Time) []ledger.Hold {
	for i, h := range holds {
		v := h.Version()
		if n := len(h.History); n == 0 || h.History[n-1].Version != v {
			holds[i].History = append(slices.Clip(h.History), ledger.Version{Version: v, At: now})
		}
	}
	return holds
}

// waves are the orders for one target that this request lets go.
func (c *cycle) waves(name string) [][]ledger.Order {
	var out [][]ledger.Order
	without := map[identity.Ordinal]bool{} // whose account is not made, linked or opened first
	for _, wave := range c.cleared.Waves(name) {
		var keep []ledger.Order
		for _, o := range wave {
			who := o.Change.Person
			if c.ask.allows(o) && !(without[who] && dependent(o)) {
				keep = append(keep, o)
				continue
			}
			c.open[who] = true
			if !c.ask.allows(o) {
				c.leave(o)
			} else {
				c.report.Skipped = append(c.report.Skipped, Skipped{Order: o, Why: "the account has to be made, linked or opened first"})
			}
			switch o.Change.Verb {
			case target.Create, target.Link, target.Enable:
				without[who] = true
			}
		}
		if len(keep) > 0 {
			out = append(out, keep)
		}
	}
	return out
}
