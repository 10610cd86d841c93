package sync

import (
	"context"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/sync/plan"
)

// impactChunk is how many people are looked at together: a state of a million is
// not held in memory twice for the sake of one edit.
const impactChunk = 10_000

// impact is what a pending policy would do, and what the guard must know to
// judge it by the limits in force.
type impact struct {
	plan plan.Plan
	book plan.Book
}

// impact resolves both policies over everybody in the snapshot. Nothing is read
// for it but what listNext read.
func (c *cycle) impact(read reading) (impact, error) {
	var out impact
	force, next := c.side(c.Engine), c.side(c.Next)
	next.reading = read
	for _, s := range []*cycle{force, next} {
		if err := s.prepare(); err != nil {
			return out, err
		}
	}
	// A target that is new, or whose state was restored, is held as a whole until
	// its plan is approved, whatever the policy, and one that is not in force has
	// no limits yet.
	judged := slices.DeleteFunc(slices.Clone(force.input.Targets), func(t plan.Target) bool {
		return t.New && t.Rules.Guard.First != "apply" || t.Restored != "" || !slices.ContainsFunc(next.input.Targets, func(n plan.Target) bool { return n.Name == t.Name })
	})
	only := func(list []plan.Target) []plan.Target {
		return slices.DeleteFunc(list, func(t plan.Target) bool {
			return !slices.ContainsFunc(judged, func(j plan.Target) bool { return j.Name == t.Name })
		})
	}
	force.input.Targets, next.input.Targets = only(force.input.Targets), only(next.input.Targets)
	out.plan.Now = c.Now()
	var all []identity.Ordinal
	for _, s := range c.Next.Sources {
		list, err := c.Store.Ordinals(s.Name())
		if err != nil {
			return out, err
		}
		all = append(all, list...)
	}
	for who := range slices.Chunk(all, impactChunk) {
		for _, s := range []*cycle{force, next} {
			var err error
			if s.input.People, err = s.peopleOf(who); err != nil {
				return out, err
			}
		}
		if c.Frozen != "" {
			force.input.People = nil // what it would do is not known
		}
		out.plan.Subjects = append(out.plan.Subjects, plan.Impact(force.input, next.input).Subjects...)
	}
	var err error
	if err = c.countHolders(judged); err != nil {
		return out, err
	}
	if out.book, err = c.spent(); err != nil {
		return out, err
	}
	out.book.Now, out.book.Targets = out.plan.Now, judged
	return out, nil
}

// side is a cycle that only thinks, under one of the two policies.
func (c *cycle) side(e *Engine) *cycle {
	if e.turns == nil {
		e.turns = c.turn
	}
	s := e.begin(Request{Verb: c.ask.Verb, DryRun: true})
	s.turn, s.lane = c.turn, true // it has no turn of its own, and takes none
	return s
}

// prepare gathers what peopleOf needs, and the facts of sources and targets.
func (c *cycle) prepare() (err error) {
	c.input = plan.Input{Now: c.Now(), Assumed: true}
	if c.known, err = c.knowledge(); err != nil {
		return err
	}
	// Back-off and holds say nothing of what a policy would do.
	c.known.parked, c.known.waiting = nil, nil
	return c.facts()
}

// listNext reads the source as the pending policy would, where that is another
// way, and finds who would not be listed any more, and who is in its groups then.
func (c *cycle) listNext(ctx context.Context) (reading, error) {
	out := reading{by: map[string]*listed{}}
	for _, s := range c.Next.Sources {
		here := c.sourceOf(s.Name())
		if here == nil || here == s.Source {
			continue
		}
		seen := c.newListed(s.Name())
		proof, err := s.Read(ctx, seen)
		if err != nil {
			return out, err
		}
		if !proof.Valid() || proof.Source() != s.Name() || proof.People() != seen.people {
			return out, errUnlisted
		}
		if seen.people == 0 {
			return out, fmt.Errorf("read source %s: %w", s.Name(), errNobody)
		}
		if c.judged == nil {
			c.judged = map[string]int{}
		}
		c.judged[s.Name()], out.by[s.Name()] = seen.people, seen
		err = c.Store.EachPerson(s.Name(), func(p identity.Person) error {
			there := p.Standing == identity.Active || p.Standing == identity.Disabled
			if there && !seen.ids[p.Key.ID] {
				if out.outside == nil {
					out.outside = map[identity.ID]bool{}
				}
				out.outside[p.Key.ID] = true
			}
			return nil
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// unreadFor says whether a source that the engine reads as this cycle does could
// not be read in it. One that it reads in another way was read by listNext.
func (c *cycle) unreadFor(e *Engine) bool {
	for _, s := range e.Sources {
		if c.report.failed(s.Name()) && c.sourceOf(s.Name()) == s.Source {
			return true
		}
	}
	return false
}
