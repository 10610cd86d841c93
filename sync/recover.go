package sync

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/target"
)

// recoverDoubts answers the intents that have no outcome: whoever wrote them
// was killed, or never heard the target's answer. The target is looked at, and
// what it shows is the outcome. One that cannot be looked at stays in doubt,
// and nothing else is planned for that account. A lane answers those of its own
// people: the others are the running cycle's, which waits meanwhile.
func (c *cycle) recoverDoubts(ctx context.Context) error {
	doubts, err := c.Store.InDoubt()
	if err != nil || len(doubts) == 0 {
		return err
	}
	byTarget := map[string][]state.Intent{}
	for _, in := range doubts {
		if c.lane && !c.asked(in.Order().Change.Person) {
			continue
		}
		name := in.Order().Change.Target
		byTarget[name] = append(byTarget[name], in)
	}
	for _, t := range c.Targets {
		if err := c.recoverOne(ctx, t, byTarget[t.Name]); err != nil {
			return err
		}
	}
	return nil
}

func (c *cycle) recoverOne(ctx context.Context, t Target, doubts []state.Intent) error {
	if len(doubts) == 0 {
		return nil
	}
	if c.down[t.Name] != nil {
		c.stayInDoubt(t.Name, doubts)
		return nil
	}
	// Another system at the same address shows nothing of what was done.
	if err := c.sameSystem(ctx, t); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.down[t.Name] = err
		c.stayInDoubt(t.Name, doubts)
		return nil
	}
	doubts, err := c.resumeMoves(ctx, t, doubts)
	if err != nil || len(doubts) == 0 {
		return err
	}
	links := map[identity.Ordinal]ledger.Link{}
	given := make([]string, len(doubts))
	for i, in := range doubts {
		given[i] = in.Order().Change.Entitlement
	}
	spelt, err := c.respelt(ctx, t, slices.DeleteFunc(given, func(e string) bool { return e == "" }))
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.down[t.Name] = err
		c.stayInDoubt(t.Name, doubts)
		return nil
	}
	ask := c.doubtLook(ctx, t, doubts, spelt)
	for at := 0; at < len(doubts); at += lookChunk {
		chunk := doubts[at:min(at+lookChunk, len(doubts))]
		queries := make([]target.Query, len(chunk))
		for i, in := range chunk {
			queries[i] = doubtQuery(in.Order().Change, t.Describe())
		}
		answers, err := ask(ctx, queries)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.down[t.Name] = fmt.Errorf("see what became of %d changes: %w", len(chunk), err)
			c.stayInDoubt(t.Name, doubts[at:])
			return nil
		}
		if err := c.answer(ctx, t, chunk, answers, links, spelt); err != nil {
			return err
		}
	}
	return nil
}

// doubtLook is how to look at accounts in doubt. Where many were to be made, as in the
// batches of a first provisioning, one listing finds those that were; where there is no
// listing, looks do. What is known by its ID is asked for: a listing may show what was
// wished, and not what was done.
func (c *cycle) doubtLook(ctx context.Context, t Target, doubts []state.Intent, spelt map[string]string) looker {
	made := 0
	scope := c.scopeWith(t.Name, func(yield func(target.Change) bool) {
		for _, in := range doubts {
			if !yield(named(in.Order(), spelt).Change) {
				return
			}
		}
	})
	for _, in := range doubts {
		if in.Order().Change.Account == "" {
			made++
		}
	}
	ask := c.looker(t, scope, "recover")
	if made < listFrom {
		return ask
	}
	listing, err := target.Collect(ctx, t, scope)
	if err != nil {
		return ask
	}
	return ask.from(listing, func(int, target.Account) bool { return true })
}

// answer records what the looks say of each intent, in the order in which the
// intents were made, and makes the links as they now stand known to the plan.
func (c *cycle) answer(ctx context.Context, t Target, chunk []state.Intent, answers []target.Observation, links map[identity.Ordinal]ledger.Link, spelt map[string]string) error {
	stuck, err := c.resumeMade(ctx, t, chunk, answers)
	if err != nil {
		return err
	}
	results := make([]state.Result, 0, len(chunk))
	for i, in := range chunk {
		o := in.Order()
		if stuck[o.Change.Person] {
			c.stayInDoubt(t.Name, []state.Intent{in})
			continue
		}
		out := settleDoubt(named(o, spelt), answers[i], t.Describe())
		l, known := links[o.Change.Person]
		if !known {
			all, err := c.Store.Links(o.Change.Person)
			if err != nil {
				return err
			}
			l = all[o.Change.Person][t.Name]
		}
		l = l.After(o, out, c.Now())
		if out.Done {
			mine, err := c.mayBelongTo(l)
			if err != nil {
				return err
			}
			if !mine {
				out = missed()
			}
		}
		r := state.Result{Intent: in, Outcome: out}
		if out.Done {
			if resumes(t, o.Change) {
				l.Reference = "" // it is looked at once more: some of what it held may be lost
			}
			links[o.Change.Person] = l
			r.Link = &l
			c.setLink(t.Name, o.Change.Person, l)
		}
		results = append(results, r)
		c.report.Recovered++
	}
	return c.Store.Record(results)
}

// named is the order as the policy writes its entitlement now.
func named(o ledger.Order, spelt map[string]string) ledger.Order {
	o.Change.Entitlement = cmp.Or(spelt[o.Change.Entitlement], o.Change.Entitlement)
	return o
}

// mayBelongTo says whether a link may be kept: it is somebody's, and nobody
// else has the account.
func (c *cycle) mayBelongTo(l ledger.Link) (bool, error) {
	if !l.Person.Valid() {
		return false, nil
	}
	owner, owned, err := c.Store.LinkOwner(l.Target, l.Account)
	return !owned || owner == l.Person, err
}

func missed() ledger.Outcome {
	return ledger.Outcome{Err: "not done: the target does not show it", Class: target.Transient}
}

// doubtQuery asks for the account that an intent was about.
func doubtQuery(ch target.Change, d target.Description) target.Query {
	if ch.Account != "" {
		return target.Query{ID: ch.Account}
	}
	return target.Query{Match: []target.Match{{Attribute: d.NameAttribute, Value: ch.Name}}}
}

// settleDoubt reads from an observation whether a change was made.
func settleDoubt(o ledger.Order, seen target.Observation, d target.Description) ledger.Outcome {
	ch := o.Change
	if ch.Verb == target.SetPassword {
		// No target shows a password, and whether it was handed over nobody knows: another
		// one is set.
		return ledger.Outcome{Err: "not known to be handed over", Class: target.Transient}
	}
	if ch.Verb == target.Delete {
		if len(seen.Accounts) == 0 {
			return ledger.Outcome{Done: true, Verified: true}
		}
		return missed()
	}
	if len(seen.Accounts) != 1 {
		return missed()
	}
	a := seen.Accounts[0]
	if ch.Verb == target.Create && !claims(o, a, d) {
		return missed()
	}
	if ch.Verb == target.Link && d.Marks && a.Mark != o.Mark || !shows(ch, a, d) {
		return missed()
	}
	return ledger.Outcome{Done: true, Verified: true, Account: target.Ref{ID: a.ID, Name: a.Name}}
}

// claims says whether a create may take what it finds for its own work: under
// the mark that it put there, or, where the target keeps no marks, only if
// nothing was there before and it is as it was to be made.
func claims(o ledger.Order, a target.Account, d target.Description) bool {
	if d.Marks {
		return o.Mark != "" && a.Mark == o.Mark
	}
	for _, v := range o.Change.Set {
		if !d.Equal(v.Name, a.Attributes[v.Name], v.Values) {
			return false
		}
	}
	return o.Nothing
}

// shows says whether an account is as a change makes it.
func shows(ch target.Change, a target.Account, d target.Description) bool {
	switch ch.Verb {
	case target.Create:
		return d.EqualName(a.Name, ch.Name)
	case target.Link:
		return a.ID == ch.Account
	case target.Rename:
		return d.EqualName(a.Name, ch.Name)
	case target.Enable:
		return a.Enabled
	case target.Disable:
		return !a.Enabled
	case target.SetPassword:
		return true // no target shows it, and it was handed over
	case target.Grant:
		return slices.Contains(a.Entitlements, ch.Entitlement)
	case target.Revoke:
		return !slices.Contains(a.Entitlements, ch.Entitlement) && !slices.Contains(a.Unseen, ch.Entitlement)
	case target.Update:
		for _, v := range ch.Set {
			if !v.Shown(a.Attributes[v.Name], d) {
				return false
			}
		}
		return true
	}
	return false
}

func (c *cycle) stayInDoubt(name string, doubts []state.Intent) {
	for _, in := range doubts {
		who := in.Order().Change.Person
		c.open[who] = true
		for _, p := range c.input.People {
			if p.Ordinal == who {
				s := p.Seen[name]
				s.InDoubt = true
				p.Seen[name] = s
			}
		}
	}
	c.report.InDoubt += len(doubts)
}

func (c *cycle) setLink(name string, who identity.Ordinal, l ledger.Link) {
	for _, p := range c.input.People {
		if p.Ordinal == who {
			s := p.Seen[name]
			s.Link = &l
			p.Seen[name] = s
		}
	}
}
