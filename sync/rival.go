package sync

import (
	"context"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// rivals brings into a cycle for named people whoever else may find the account that
// one of them would take over: of two who match one account none gets it, whoever was
// named. They have no account yet, and so are marked; nothing is done for them.
func (c *cycle) rivals(ctx context.Context) error {
	if c.ask.People == nil {
		return nil
	}
	for i := range c.input.Targets {
		if t := &c.input.Targets[i]; t.Down == "" {
			if err := c.rivalsIn(ctx, t); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				c.breaks(t, err)
				c.unsee(t.Name)
			}
		}
	}
	return nil
}

// unsee takes back what was seen in a target: it is not enough to act on.
func (c *cycle) unsee(name string) {
	for _, p := range c.input.People {
		s := p.Seen[name]
		s.Observed = nil
		p.Seen[name] = s
	}
}

func (c *cycle) rivalsIn(ctx context.Context, t *plan.Target) error {
	taken := map[target.NativeID]target.Account{}
	for _, s := range plan.Make(c.input).Subjects {
		for _, ch := range s.Changes {
			if a, seen := c.accountSeen(t.Name, s.Person, ch.Change.Account); seen && ch.Change.Verb == target.Link && s.Target == t.Name {
				taken[a.ID] = a
			}
		}
	}
	if len(taken) == 0 {
		return nil
	}
	here := make(map[identity.Ordinal]bool, len(c.input.People))
	for _, p := range c.input.People {
		here[p.Ordinal] = true
	}
	marks, err := c.Store.Marks()
	if err != nil {
		return err
	}
	var others []identity.Ordinal
	for _, m := range marks {
		if !here[m.Person] {
			others = append(others, m.Person)
		}
	}
	for chunk := range slices.Chunk(others, impactChunk) {
		people, err := c.peopleOf(chunk)
		if err != nil {
			return err
		}
		if err := c.addRivals(ctx, t, people, taken); err != nil {
			return err
		}
	}
	return nil
}

// addRivals adds those whom a look shows one of the accounts.
func (c *cycle) addRivals(ctx context.Context, t *plan.Target, people []plan.Person, taken map[target.NativeID]target.Account) error {
	alone := c.input
	alone.People, alone.Targets = people, []plan.Target{*t}
	var wants []want
	for _, w := range c.wanted(plan.Make(alone))[t.Name] {
		if slices.ContainsFunc(w.query.Match, func(m target.Match) bool { return mayFind(m, taken, t.Description) }) {
			wants = append(wants, w)
		}
	}
	seen, err := see(ctx, c.looker(c.target(t.Name), c.scope(t.Name), "observe"), wants)
	if err != nil {
		return err
	}
	for _, p := range people {
		if o, is := seen[p.Ordinal]; is {
			s := p.Seen[t.Name]
			s.Observed = &o
			p.Seen[t.Name] = s
			c.input.People = append(c.input.People, p)
		}
	}
	return nil
}

// mayFind says whether the match finds one of the accounts.
func mayFind(m target.Match, accounts map[target.NativeID]target.Account, d target.Description) bool {
	for _, a := range accounts {
		values := a.Attributes[m.Attribute]
		if m.Attribute == d.NameAttribute {
			values = []string{a.Name}
		}
		if slices.ContainsFunc(values, func(v string) bool { return d.Equal(m.Attribute, []string{v}, []string{m.Value}) }) {
			return true
		}
	}
	return false
}

// accountSeen is an account that was shown for a person.
func (c *cycle) accountSeen(name string, who identity.Ordinal, id target.NativeID) (target.Account, bool) {
	for _, p := range c.input.People {
		if o := p.Seen[name].Observed; p.Ordinal == who && o != nil {
			for _, a := range o.Accounts {
				if a.ID == id {
					return a, true
				}
			}
		}
	}
	return target.Account{}, false
}
