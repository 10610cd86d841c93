package sync

import (
	"context"
	"fmt"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// nameRounds is how often a plan may ask for names: each time for twice as many.
const nameRounds = 16

// names tells the plan which names are free, where it asks: what the target shows
// under them, and who had them. It asks again until it knows enough.
func (c *cycle) names(ctx context.Context) error {
	if !c.Policy.Unique() {
		return nil
	}
	for range nameRounds {
		asked := map[string][]string{}
		for _, s := range plan.Make(c.input).Subjects {
			asked[s.Target] = append(asked[s.Target], s.Names...)
		}
		none := true
		for i := range c.input.Targets {
			t := &c.input.Targets[i]
			if len(asked[t.Name]) == 0 {
				continue
			}
			none = false
			if err := c.namesIn(ctx, t, asked[t.Name]); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				c.breaks(t, err)
			}
		}
		if none {
			return nil
		}
	}
	return nil
}

// namesIn asks one target, and the state.
func (c *cycle) namesIn(ctx context.Context, t *plan.Target, names []string) error {
	given, err := c.Store.Given(t.Name, names...)
	if err != nil {
		return err
	}
	if t.Names == nil {
		t.Names = map[string]plan.Name{}
	}
	member := c.target(t.Name)
	for at := 0; at < len(names); at += lookChunk {
		chunk := names[at:min(at+lookChunk, len(names))]
		queries := make([]target.Query, len(chunk))
		for i, n := range chunk {
			queries[i] = target.Query{Alike: true, Match: []target.Match{{Attribute: t.Description.NameAttribute, Value: n}}}
		}
		answers, err := c.lookEach(ctx, member, queries)
		if err != nil {
			return fmt.Errorf("look for %d names in %s: %w", len(chunk), t.Name, err)
		}
		for i, n := range chunk {
			known := plan.Name{Given: given[at+i], There: len(answers[i].Accounts) > 0 || !answers[i].Read.Valid()}
			for _, a := range answers[i].Accounts {
				if known.Owner, _, err = c.Store.LinkOwner(t.Name, a.ID); err != nil {
					return err
				}
			}
			t.Names[n] = known
		}
	}
	return nil
}

// lookEach looks for names. One that the target refuses to look for is not to be had
// there, and keeps nobody else from theirs.
func (c *cycle) lookEach(ctx context.Context, t Target, queries []target.Query) ([]target.Observation, error) {
	answers, err := t.Look(ctx, c.scope(t.Name), queries)
	switch {
	case err == nil && len(answers) != len(queries):
		return nil, fmt.Errorf("%d answers", len(answers))
	case err == nil || target.ClassOf(err) != target.Refused:
		return answers, err
	case len(queries) == 1:
		return make([]target.Observation, 1), nil // not read, so that it counts as taken
	}
	half := len(queries) / 2
	first, err := c.lookEach(ctx, t, queries[:half])
	if err != nil {
		return nil, err
	}
	rest, err := c.lookEach(ctx, t, queries[half:])
	return append(first, rest...), err
}

// stillFree leaves out who would get a name that somebody else was given since the
// plan was drawn: a lane may have been quicker.
func (a *applier) stillFree(orders []ledger.Order) ([]ledger.Order, error) {
	if !a.Policy.UniqueIn(a.target.Name) {
		return orders, nil
	}
	out := orders[:0]
	mine := map[string]identity.Ordinal{}
	for _, o := range orders {
		ch := o.Change
		if ch.Verb != target.Create && ch.Verb != target.Rename {
			out = append(out, o)
			continue
		}
		given, err := a.Store.Given(a.target.Name, ch.Name)
		if err != nil {
			return nil, err
		}
		folded := identity.Fold(ch.Name)
		other, twice := mine[folded]
		if g := given[0]; twice && other != ch.Person || g.Released.IsZero() && g.Person.Valid() && g.Person != ch.Person {
			why := "the name " + ch.Name + " was given to somebody else meanwhile"
			a.mu.Lock()
			a.blocked[ch.Person] = why
			a.mu.Unlock()
			a.skip(o, why)
			continue
		}
		mine[folded] = ch.Person
		out = append(out, o)
	}
	return out, nil
}
