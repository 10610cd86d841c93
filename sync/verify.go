package sync

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// verify reads back what was done. A target that disagrees is asked again for a
// while; what it still does not show is parked as unverified.
func (c *cycle) verify(ctx context.Context) error {
	group, gctx := errgroup.WithContext(ctx)
	for _, t := range c.Targets {
		orders := c.orders[t.Name]
		if len(orders) == 0 || !t.Describe().ReadBack {
			continue
		}
		group.Go(func() error {
			c.step("verify", t.Name)
			return c.verifyOne(gctx, t, orders)
		})
	}
	return group.Wait()
}

// Verified says of which people in a target everything that was done was read
// back. Only reading back makes one.
type Verified struct {
	target string
	people []identity.Ordinal
	// refers are accounts that others refer to by another name than before.
	refers []target.Account
}

func (c *cycle) verifyOne(ctx context.Context, t Target, orders []ledger.Order) error {
	left, err := c.readUntil(ctx, t, orders, c.keep)
	if err != nil || len(left.who) == 0 {
		return err
	}
	return c.unverified(t, left.who, left.missing, left.cause)
}

// unseen are those whose account does not show all that was done, as far as it could be
// read; cause is why it could not.
type unseen struct {
	who     []identity.Ordinal
	missing map[identity.Ordinal][]ledger.Order
	cause   error
}

// readUntil reads back what was done until the target shows it, or may take no longer, and
// tells whose account agrees.
func (c *cycle) readUntil(ctx context.Context, t Target, orders []ledger.Order, agree func(Verified) error) (unseen, error) {
	done := map[identity.Ordinal][]ledger.Order{}
	var left unseen
	for _, o := range orders {
		if done[o.Change.Person] == nil {
			left.who = append(left.who, o.Change.Person)
		}
		done[o.Change.Person] = append(done[o.Change.Person], o)
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 50*time.Millisecond, 5*time.Second
	until := c.Now().Add(t.VerifyWithin)
	for {
		var agreed Verified
		agreed, left.missing, left.cause = c.readBack(ctx, t, left.who, done)
		if ctx.Err() != nil {
			return left, ctx.Err()
		}
		if left.cause == nil {
			if err := agree(agreed); err != nil {
				return left, err
			}
			left.who = left.who[:0]
			for p := range left.missing {
				left.who = append(left.who, p)
			}
		}
		if len(left.who) == 0 {
			return left, nil
		}
		pause := wait.NextBackOff()
		if c.ask.stopped() || !c.Now().Add(pause).Before(until) {
			return left, nil
		}
		select {
		case <-ctx.Done():
			return left, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// readBack looks at the accounts and compares them with what was done.
func (c *cycle) readBack(ctx context.Context, t Target, who []identity.Ordinal, done map[identity.Ordinal][]ledger.Order) (Verified, map[identity.Ordinal][]ledger.Order, error) {
	links, err := c.Store.Links(who...)
	if err != nil {
		return Verified{}, nil, err
	}
	agreed := Verified{target: t.Name}
	disagreed := map[identity.Ordinal][]ledger.Order{}
	scope := c.scopeWith(t.Name, func(yield func(target.Change) bool) {
		for _, p := range who {
			for _, o := range done[p] {
				if !yield(o.Change) {
					return
				}
			}
		}
	})
	ask, err := c.reader(ctx, t, scope, who, done)
	if err != nil {
		return Verified{}, nil, fmt.Errorf("read back %s: %w", t.Name, err)
	}
	wants := make([]want, len(who))
	for i, p := range who {
		wants[i] = want{p, target.Query{ID: links[p][t.Name].Account}}
	}
	seen, err := see(ctx, ask, wants)
	if err != nil {
		return Verified{}, nil, fmt.Errorf("read back %s: %w", t.Name, err)
	}
	for _, p := range who {
		if missing := disagreement(done[p], seen[p], t.Describe()); len(missing) > 0 {
			disagreed[p] = missing
			continue
		}
		agreed.people = append(agreed.people, p)
		if a := seen[p].Accounts; len(a) == 1 && t.Describe().References && a[0].Reference != links[p][t.Name].Reference {
			agreed.refers = append(agreed.refers, a[0])
		}
	}
	return agreed, disagreed, nil
}

// reader is how to read back: by a listing where that is cheaper. A listing may lag
// behind, or show what was wished once and is not so: whoever loses something is asked
// for, and so is whom it shows otherwise than they were left.
func (c *cycle) reader(ctx context.Context, t Target, scope target.Scope, who []identity.Ordinal, done map[identity.Ordinal][]ledger.Order) (looker, error) {
	ask := c.looker(t, scope, "verify")
	gain := 0
	for _, p := range who {
		if !loses(done[p]) {
			gain++
		}
	}
	if gain < listFrom {
		return ask, nil
	}
	listing, err := target.Collect(ctx, c.counting("verify", t), scope)
	if err != nil {
		return nil, err
	}
	return ask.from(listing, func(i int, a target.Account) bool {
		orders := done[who[i]]
		return loses(orders) || len(missingIn([]target.Account{a}, orders, t.Describe())) > 0
	}), nil
}

// loses says whether somebody loses the use of their account, or a right. One that was
// deleted is not listed, and so asked for.
func loses(orders []ledger.Order) bool {
	return slices.ContainsFunc(orders, func(o ledger.Order) bool {
		return o.Change.Verb == target.Disable || o.Change.Verb == target.Revoke
	})
}

// disagreement returns the orders that the account does not show; of several
// changes to the same thing the last one counts.
func disagreement(done []ledger.Order, seen target.Observation, d target.Description) []ledger.Order {
	if !seen.Read.Valid() {
		return done
	}
	return missingIn(seen.Accounts, done, d)
}

// missingIn returns the orders that the accounts do not show.
func missingIn(seen []target.Account, done []ledger.Order, d target.Description) []ledger.Order {
	var out []ledger.Order
	for i, o := range done {
		if superseded(o.Change, done[i+1:]) {
			continue
		}
		switch {
		case o.Change.Verb == target.Delete && len(seen) == 0:
		case len(seen) != 1, !shows(o.Change, seen[0], d), o.Change.Verb == target.Link && d.Marks && seen[0].Mark != o.Mark:
			out = append(out, o)
		}
	}
	return out
}

func superseded(ch target.Change, later []ledger.Order) bool {
	for _, o := range later {
		if o.Change.Verb == target.Delete || o.Change.Verb == target.Rename && ch.Verb == target.Create {
			return true
		}
	}
	return false
}

func (c *cycle) keep(v Verified) error {
	if len(v.people) == 0 {
		return nil
	}
	defer c.section()()
	c.shared.Lock()
	c.report.Verified += len(v.people)
	c.shared.Unlock()
	if err := c.referTo(v); err != nil {
		return err
	}
	return c.Store.VerifyLinks(c.report.Cycle, v.target, v.people, c.Now())
}

// unverified parks what was done and could not be read back, and takes from the
// links what the target does not show: it is not done, and so what the next
// attempt finds is not somebody else's drift.
func (c *cycle) unverified(t Target, who []identity.Ordinal, missing map[identity.Ordinal][]ledger.Order, cause error) error {
	text := "done, and the target does not show it"
	if cause != nil {
		text = cause.Error()
	}
	defer c.section()()
	// What a lane did since may be why the target shows something else: the
	// next cycle looks at them.
	moved, err := c.moved()
	if err != nil {
		return err
	}
	who = slices.DeleteFunc(who, func(p identity.Ordinal) bool { return moved[p] })
	for p := range moved {
		if len(missing[p]) > 0 {
			if err := c.Store.Mark("not read back", p); err != nil {
				return err
			}
		}
	}
	all, err := c.Store.Links(who...)
	if err != nil {
		return err
	}
	before := map[identity.Ordinal]*ledger.Parked{}
	for _, p := range c.input.People {
		before[p.Ordinal] = p.Seen[t.Name].Parked
	}
	var links []ledger.Link
	parked := make([]ledger.Parked, 0, len(who))
	for _, p := range who {
		k := ledger.Parked{Target: t.Name, Person: p, Subject: "read back what was done", Class: plan.Unverified,
			Error: text, Hint: "look at the account in the target, then: rosterd sync --full", Attempts: 1, Since: c.Now()}
		if len(missing[p]) > 0 {
			k.Subject = "verify " + plan.Words(missing[p][0].Change)
			l := all[p][t.Name]
			for _, o := range slices.Backward(missing[p]) {
				l = l.Without(o)
			}
			links = append(links, l)
		}
		if b := before[p]; b != nil && b.Class == plan.Unverified {
			k.Attempts, k.Since = b.Attempts+1, b.Since
		}
		k.Next = c.Now().Add(c.parkedFor(k.Attempts))
		parked = append(parked, k)
	}
	c.shared.Lock()
	c.report.Unverified = append(c.report.Unverified, parked...)
	c.shared.Unlock()
	return c.Store.Unverified(c.report.Cycle, t.Name, links, parked)
}
