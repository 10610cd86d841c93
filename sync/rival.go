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
			if err := c.rivalsIn(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
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
	for at := 0; at < len(wants); at += lookChunk {
		chunk := wants[at:min(at+lookChunk, len(wants))]
		queries := make([]target.Query, len(chunk))
		for i, w := range chunk {
			queries[i] = w.query
		}
		answers, err := c.target(t.Name).Look(ctx, c.scope(t.Name), queries)
		if err != nil {
			return err
		}
		for i, w := range chunk {
			for _, p := range people {
				if p.Ordinal != w.person {
					continue
				}
				s := p.Seen[t.Name]
				s.Observed = &answers[i]
				p.Seen[t.Name] = s
				c.input.People = append(c.input.People, p)
			}
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
