package sync

import (
	"context"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/directory"
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
	d := c.compare(c.Next, reading{}, read)
	if err := d.prepare(); err != nil {
		return impact{}, err
	}
	d.restrict()
	if err := d.everybody(nil); err != nil {
		return impact{}, err
	}
	return d.impact()
}

// comparison is of two policies over the same people.
type comparison struct {
	*cycle
	force, next *cycle
	// judged are the targets in which the difference is judged. One that is new, or
	// whose state was restored, is held as a whole until its plan is approved,
	// whatever the policy, and one that is not in force has no limits yet.
	judged []plan.Target
	plan   plan.Plan
}

// compare begins a comparison with the policy of another engine, and with how
// either would read.
func (c *cycle) compare(other *Engine, here, there reading) *comparison {
	d := &comparison{cycle: c, force: c.side(c.Engine), next: c.side(other)}
	d.force.reading, d.next.reading = here, there
	d.plan.Now = c.Now()
	return d
}

func (d *comparison) prepare() error {
	for _, s := range []*cycle{d.force, d.next} {
		if err := s.prepare(); err != nil {
			return err
		}
	}
	d.judged = slices.DeleteFunc(slices.Clone(d.force.input.Targets), func(t plan.Target) bool {
		return t.New && t.Rules.Guard.First != "apply" || t.Restored != "" || !slices.ContainsFunc(d.next.input.Targets, func(n plan.Target) bool { return n.Name == t.Name })
	})
	return nil
}

func (d *comparison) isJudged(target string) bool {
	return slices.ContainsFunc(d.judged, func(t plan.Target) bool { return t.Name == target })
}

// restrict leaves out where nothing is judged.
func (d *comparison) restrict() {
	only := func(list []plan.Target) []plan.Target {
		return slices.DeleteFunc(list, func(t plan.Target) bool { return !d.isJudged(t.Name) })
	}
	d.force.input.Targets, d.next.input.Targets = only(d.force.input.Targets), only(d.next.input.Targets)
}

// everybody compares what either policy gives each person of the snapshot, in
// chunks, and lets somebody look at both.
func (d *comparison) everybody(look func(force, next plan.Input)) error {
	// Each chunk is looked up once, so that what another cycle does in between is
	// no difference.
	named := slices.Compact(slices.Sorted(slices.Values(slices.Concat(d.force.known.named, d.next.known.named))))
	refer := slices.Compact(slices.Sorted(slices.Values(slices.Concat(d.force.Policy.References(), d.next.Policy.References()))))
	var all []identity.Ordinal
	for _, s := range d.next.Sources {
		list, err := d.Store.Ordinals(s.Name())
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	for i := 0; i < len(all); i += impactChunk {
		who := all[i:min(i+impactChunk, len(all))]
		d.progress("compare", "", i, len(all))
		g, err := d.gather(who, named, refer)
		if err != nil {
			return err
		}
		d.chunk(g, look)
	}
	return nil
}

func (d *comparison) chunk(g gathered, look func(force, next plan.Input)) {
	d.force.input.People, d.next.input.People = d.force.resolved(g), d.next.resolved(g)
	if d.Frozen != "" {
		d.force.input.People = nil // what it would do is not known
	}
	d.plan.Subjects = append(d.plan.Subjects, plan.Difference(d.force.input, d.next.input).Subjects...)
	if look != nil {
		look(d.force.input, d.next.input)
	}
}

// impact is the part of the difference that is judged, and what it is judged by.
func (d *comparison) impact() (out impact, err error) {
	out.plan = d.plan.Judged()
	out.plan.Subjects = slices.DeleteFunc(out.plan.Subjects, func(s plan.Subject) bool { return !d.isJudged(s.Target) })
	if err = d.countHolders(d.judged); err != nil {
		return out, err
	}
	if out.book, err = d.spent(); err != nil {
		return out, err
	}
	out.book.Now, out.book.Targets = out.plan.Now, d.judged
	return out, nil
}

// side is a cycle that only thinks, under one of the two policies.
func (c *cycle) side(e *Engine) *cycle {
	if e.turns == nil {
		e.turns = c.turn
	}
	s := e.begin(Request{Verb: c.ask.Verb, DryRun: true, traceless: c.ask.traceless})
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
		seen, err := c.listing(ctx, s.Source, false)
		if err != nil {
			return out, err
		}
		if c.judged == nil {
			c.judged = map[string]int{}
		}
		c.judged[s.Name()], out.by[s.Name()] = seen.people, seen
		err = c.Store.EachPerson(s.Name(), func(p identity.Person) error {
			there := p.Standing == identity.Active || p.Standing == identity.Disabled
			if there && !seen.ids[p.Key.ID] {
				out.leave(p.Key.ID)
			}
			return nil
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// listing reads a source without the snapshot hearing of it. What is seen of people
// is kept whole if that is wanted.
func (c *cycle) listing(ctx context.Context, s directory.Source, whole bool) (*listed, error) {
	seen := c.newListed(s.Name())
	if whole {
		seen.entries = map[identity.ID]directory.Entry{}
	}
	proof, err := s.Read(ctx, seen)
	if err != nil {
		return nil, err
	}
	if !proof.Valid() || proof.Source() != s.Name() || proof.People() != seen.people {
		return nil, errUnlisted
	}
	if seen.people == 0 {
		return nil, fmt.Errorf("read source %s: %w", s.Name(), errNobody)
	}
	return seen, nil
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
