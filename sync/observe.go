package sync

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// observe looks at the accounts that a first draft of the plan wants to touch,
// and in a full cycle at all of them. A target that cannot be read is down:
// nothing is planned for it.
func (c *cycle) observe(ctx context.Context) error {
	c.step("observe", "")
	if err := c.leaveAlone(); err != nil {
		return err
	}
	if err := c.recoverInTurn(ctx); err != nil {
		return err
	}
	wanted := c.wanted(plan.Make(c.input))
	observed := make([]map[identity.Ordinal]target.Observation, len(c.input.Targets))
	spelt := make([]map[string]string, len(c.input.Targets))
	answered := map[string]bool{}
	group, gctx := errgroup.WithContext(ctx)
	for i := range c.input.Targets {
		group.Go(func() error {
			t := &c.input.Targets[i]
			c.shared.Lock()
			err := c.down[t.Name]
			c.shared.Unlock()
			if err == nil {
				observed[i], spelt[i], err = c.observeOne(gctx, t, wanted[t.Name])
			}
			if gctx.Err() != nil {
				return gctx.Err()
			}
			c.shared.Lock()
			defer c.shared.Unlock()
			if err != nil {
				t.Down, t.DownUntil = err.Error(), c.outages[t.Name].Next
				c.down[t.Name] = err
			}
			answered[t.Name] = observed[i] != nil
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := c.noteReads(answered); err != nil {
		return err
	}
	for i, t := range c.input.Targets {
		if t.Down != "" {
			c.report.Down = append(c.report.Down, Down{Target: t.Name, Err: c.down[t.Name]})
			for _, want := range wanted[t.Name] {
				c.open[want.person] = true
			}
			continue
		}
		c.respell(t.Name, spelt[i])
		if err := c.attach(t, observed[i]); err != nil {
			return err
		}
		if err := c.readMarks(&c.input.Targets[i], c.seen(t.Name, observed[i])); err != nil {
			return err
		}
		if err := c.strangers(c.input.Targets[i], observed[i]); err != nil {
			return err
		}
	}
	if err := c.referAsSeen(); err != nil {
		return err
	}
	if err := c.rivals(ctx); err != nil {
		return err
	}
	if err := c.names(ctx); err != nil {
		return err
	}
	return c.holders()
}

// recoverInTurn keeps a lane from answering the same doubts side by side.
func (c *cycle) recoverInTurn(ctx context.Context) error {
	defer c.section()()
	return c.recoverDoubts(ctx)
}

// want is a look that a person needs in a target.
type want struct {
	person identity.Ordinal
	query  target.Query
}

func (c *cycle) wanted(draft plan.Plan) map[string][]want {
	out := map[string][]want{}
	for _, s := range draft.Subjects {
		if s.Look != nil {
			out[s.Target] = append(out[s.Target], want{s.Person, *s.Look})
		}
	}
	return out
}

// observeOne answers the looks of one target, by a listing where that is
// cheaper or asked for, and says which entitlements have other names than they had.
func (c *cycle) observeOne(ctx context.Context, t *plan.Target, wants []want) (seen map[identity.Ordinal]target.Observation, spelt map[string]string, err error) {
	// One that failed is tried also where nobody needs it.
	_, ill := c.outages[t.Name]
	if len(wants) == 0 && !c.ask.Full && !ill {
		return nil, nil, nil
	}
	member := c.target(t.Name)
	if err := c.sameSystem(ctx, member); err != nil {
		return nil, nil, err
	}
	if spelt, err = c.respelt(ctx, member, c.givenTo(*t, wants)); err != nil {
		return nil, nil, err
	}
	fresh, err := c.fresh(t, wants)
	if err != nil {
		return nil, nil, err
	}
	ask := c.looker(member, c.scope(t.Name), "observe")
	if c.ask.Full || len(wants) >= listFrom || fresh {
		listing, err := target.Collect(ctx, c.counting("observe", member), c.scope(t.Name))
		if err != nil {
			return nil, nil, fmt.Errorf("list %s: %w", t.Name, err)
		}
		ask = ask.from(listing, c.otherwise(*t, wants, spelt))
		if c.ask.Full {
			t.Accounts, t.Listed = listing.Accounts(), true
		}
		c.shared.Lock()
		c.listed[t.Name] = listing.Accounts()
		c.shared.Unlock()
	}
	seen, err = see(ctx, ask, wants)
	return seen, spelt, err
}

// otherwise says of the accounts in which people have a link whether they are not open
// or closed as that says, or lack what we gave: nobody is taken for done, or left alone,
// by a listing that lags behind what we wrote. Nor is one for done whom somebody else
// had disabled, and may have enabled since.
func (c *cycle) otherwise(t plan.Target, wants []want, spelt map[string]string) func(int, target.Account) bool {
	links := make(map[identity.Ordinal]*ledger.Link, len(wants))
	for _, p := range c.input.People {
		links[p.Ordinal] = p.Seen[t.Name].Link
	}
	return func(i int, a target.Account) bool {
		l := links[wants[i].person]
		if l == nil || l.Account != a.ID {
			return false
		}
		return t.Description.CanDisable && (l.Phase == ledger.ClosedElsewhere || a.Enabled != (l.Phase == ledger.Open)) ||
			slices.ContainsFunc(l.Granted, func(g ledger.Granted) bool {
				return !slices.Contains(a.Entitlements, cmp.Or(spelt[g.Entitlement], g.Entitlement))
			})
	}
}

// see looks at what people need to have looked at.
func see(ctx context.Context, ask looker, wants []want) (map[identity.Ordinal]target.Observation, error) {
	queries := make([]target.Query, len(wants))
	for i, w := range wants {
		queries[i] = w.query
	}
	answers, err := ask(ctx, queries)
	if err != nil {
		return nil, err
	}
	out := make(map[identity.Ordinal]target.Observation, len(wants))
	for i, w := range wants {
		out[w.person] = answers[i]
	}
	return out, nil
}

// fresh says whether it is not known yet that the marks there are those of this state:
// one that was lost must give nobody a second account.
func (c *cycle) fresh(t *plan.Target, wants []want) (bool, error) {
	if len(wants) == 0 || !t.New && t.Linked > 0 || !t.Description.Marks || c.lane {
		return false, nil
	}
	known, err := c.Store.Target(t.Name)
	return !known.Listed, err
}

// seen are the accounts of a target that were listed or looked at.
func (c *cycle) seen(name string, observed map[identity.Ordinal]target.Observation) [][]target.Account {
	if all, is := c.listed[name]; is {
		return [][]target.Account{all}
	}
	out := make([][]target.Account, 0, len(observed))
	for _, o := range observed {
		out = append(out, o.Accounts)
	}
	return out
}

// sameSystem refuses a target that is another system than the one the links
// are of.
func (c *cycle) sameSystem(ctx context.Context, t Target) error {
	now, err := t.Identity(ctx)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", t.Name, err)
	}
	known, err := c.Store.Target(t.Name)
	if err != nil {
		return err
	}
	if known.Identity == "" {
		known.Name, known.Identity = t.Name, now
		return c.Store.SaveTarget(known)
	}
	if known.Identity != now {
		return &ForeignError{Target: t.Name, Known: known.Identity, Found: now}
	}
	return nil
}

// attach puts the observations beside the people, and says whose the accounts
// are.
func (c *cycle) attach(t plan.Target, observed map[identity.Ordinal]target.Observation) error {
	for _, p := range c.input.People {
		o, looked := observed[p.Ordinal]
		if !looked {
			continue
		}
		s := p.Seen[t.Name]
		s.Observed = &o
		p.Seen[t.Name] = s
		for _, a := range o.Accounts {
			owner, owned, err := c.Store.LinkOwner(t.Name, a.ID)
			if err != nil {
				return err
			}
			if owned {
				t.Owners[a.ID] = owner
			}
		}
	}
	for _, a := range t.Accounts {
		owner, owned, err := c.Store.LinkOwner(t.Name, a.ID)
		if err != nil {
			return err
		}
		if owned {
			t.Owners[a.ID] = owner
		}
	}
	return nil
}

// holders says who holds each role in each target, which the guard's percentages
// rest on.
func (c *cycle) holders() error {
	if !changes(plan.Make(c.input)) {
		return nil
	}
	return c.countHolders(c.input.Targets)
}

func (e *Engine) countHolders(targets []plan.Target) (err error) {
	for i := range targets {
		if targets[i].Holders, err = e.Store.Holders(targets[i].Name); err != nil {
			return err
		}
	}
	return nil
}

func changes(p plan.Plan) bool {
	for _, s := range p.Subjects {
		if len(s.Changes) > 0 || s.Look != nil {
			return true
		}
	}
	return false
}
