package sync

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
)

// referLater finds who refers to accounts that changed in this cycle, and was not
// looked at in it: at the cost of those accounts, however many others are marked.
func (c *cycle) referLater() error {
	if len(c.Policy.References()) == 0 || len(c.orders) == 0 {
		return nil
	}
	var touched []identity.Ordinal
	for _, orders := range c.orders {
		for _, o := range orders {
			touched = append(touched, o.Change.Person)
		}
	}
	for _, s := range c.report.Plan.Subjects {
		if s.Link != nil {
			touched = append(touched, s.Person)
		}
	}
	slices.Sort(touched)
	by, err := c.Store.Referrers(slices.Compact(touched)...)
	if err != nil {
		return err
	}
	taken := make(map[identity.Ordinal]bool, len(c.marks))
	for _, m := range c.marks {
		taken[m.Person] = true
	}
	var others []identity.Ordinal
	for _, list := range by {
		others = append(others, slices.DeleteFunc(list, func(o identity.Ordinal) bool { return taken[o] })...)
	}
	slices.Sort(others)
	others, err = c.Store.MarkedFor(state.ReferReason, slices.Compact(others)...)
	c.report.Referring = append(c.report.Referring, others...)
	return err
}

// tellReferrers puts beside the accounts that the plan moves who refers to them: those
// are written in a second pass, of which nothing else of the plan tells.
func (c *cycle) tellReferrers(p plan.Plan) (plan.Plan, error) {
	for _, t := range c.input.Targets {
		attributes := c.Policy.ReferencesIn(t.Name)
		if len(attributes) == 0 {
			continue
		}
		by, err := c.referrersIn(t.Name, p.Moved(t))
		if err != nil {
			return p, err
		}
		p = p.WithReferrers(t, attributes, by)
	}
	return p, nil
}

// referrersIn are the logins of those who refer to the people and have an account in
// the target.
func (c *cycle) referrersIn(name string, who []identity.Ordinal) (plan.Referrers, error) {
	by, err := c.Store.Referrers(who...)
	if err != nil || len(by) == 0 {
		return nil, err
	}
	out := plan.Referrers{}
	for _, o := range slices.Sorted(maps.Keys(by)) {
		links, err := c.links(by[o])
		if err != nil {
			return nil, err
		}
		others := slices.DeleteFunc(by[o], func(r identity.Ordinal) bool {
			l, linked := links[r][name]
			return !linked || l.Phase != ledger.Open || r == o
		})
		if len(others) == 0 {
			continue
		}
		people, err := c.Store.People(others...)
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			out[o] = append(out[o], cmp.Or(p.Login, p.Name, p.DN.String()))
		}
		slices.Sort(out[o])
	}
	return out, nil
}
