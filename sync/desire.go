package sync

import (
	"fmt"
	"iter"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// desire works out what each marked person should have, and puts beside it
// what the state knows of what they have.
func (c *cycle) desire() (err error) {
	c.input = plan.Input{Now: c.Now(), Full: c.ask.Full, Second: c.ask.again, Protected: c.ask.Protected}
	if c.known, err = c.knowledge(); err != nil {
		return err
	}
	g, err := c.gather(c.marked(), c.known.named, c.Policy.References())
	if err != nil {
		return err
	}
	c.input.People, c.refs = c.resolved(g), g.refs
	return c.facts()
}

// knowledge is what is looked up once for everybody.
type knowledge struct {
	pins    map[string][]ledger.Pin
	named   []identity.Ordinal
	denials map[identity.Ordinal]ledger.Denial
	parked  map[place]ledger.Parked
	waiting map[place]bool
	// meant and rivals are the texts of the policy's exceptions that mean somebody,
	// or somebody among others; decided are exceptions by hand.
	meant, rivals map[identity.Ordinal][]string
	decided       map[identity.Ordinal][]ledger.Exception
}

func (c *cycle) knowledge() (k knowledge, err error) {
	if k.pins, k.named, err = c.pins(); err != nil {
		return k, err
	}
	if k.denials, err = c.Store.Denials(); err != nil {
		return k, err
	}
	if k.parked, err = c.parked(); err != nil {
		return k, err
	}
	if k.waiting, err = c.waiting(); err != nil {
		return k, err
	}
	return k, c.exceptions(&k)
}

// peopleOf resolves the policy for people, and puts their links beside it.
func (c *cycle) peopleOf(who []identity.Ordinal) ([]plan.Person, error) {
	g, err := c.gather(who, c.known.named, c.Policy.References())
	if err != nil {
		return nil, err
	}
	return c.resolved(g), nil
}

// gathered is what the state knows of people, whatever the policy.
type gathered struct {
	people      []identity.Person
	memberships map[identity.Ordinal][]identity.Membership
	links       map[identity.Ordinal]map[string]ledger.Link
	// refs are those whom they name in the attributes of which the policy makes
	// references.
	refs map[identity.Ordinal][]mapping.Reference
}

// gather looks people up, which of the named groups they are in, and whom they name
// in those attributes.
func (c *cycle) gather(who, named []identity.Ordinal, refer []string) (g gathered, err error) {
	if g.people, err = c.Store.People(who...); err != nil {
		return g, err
	}
	if g.memberships, err = c.memberships(who, named); err != nil {
		return g, err
	}
	if g.refs, err = c.refer(g.people, refer); err != nil {
		return g, err
	}
	g.links, err = c.links(who)
	return g, err
}

func (c *cycle) resolved(g gathered) []plan.Person {
	links := g.links
	out := make([]plan.Person, 0, len(g.people))
	for _, p := range g.people {
		p = c.reading.beside(p)
		subject := c.subject(p, g.memberships[p.Ordinal])
		subject.References = g.refs[p.Ordinal]
		person := plan.Person{Person: p, Desired: c.Policy.Resolve(subject), Named: c.ask.Named && c.asked(p.Ordinal),
			Seen: map[string]plan.Seen{}}
		if d, denied := c.known.denials[p.Ordinal]; denied && !d.Over(c.input.Now) {
			person.Denial = &d
			if next := &person.Desired.Next; d.Until.Set() && (next.IsZero() || d.Until.At.Before(*next)) {
				*next = d.Until.At
			}
		}
		for _, t := range c.Targets {
			var s plan.Seen
			if l, linked := links[p.Ordinal][t.Name]; linked {
				if len(l.Taken) > 0 {
					l, s.Corrected = l.Unproved(), true
				}
				s.Link = &l
			}
			if k, is := c.known.parked[place{t.Name, p.Ordinal}]; is {
				s.Parked = &k
			}
			s.Waits = c.known.waiting[place{t.Name, p.Ordinal}]
			s.Released = c.ask.Released && c.asked(p.Ordinal)
			person.Seen[t.Name] = s
		}
		out = append(out, person)
	}
	return out
}

// subject is what the policy looks at of a person.
func (c *cycle) subject(p identity.Person, memberships []identity.Membership) mapping.Subject {
	return mapping.Subject{Person: p, Now: c.input.Now, Memberships: c.reading.memberships(p.Key, memberships), Pins: c.known.pins[p.Key.Source],
		Meant: c.known.meant[p.Ordinal], Rivals: c.known.rivals[p.Ordinal], Decided: c.known.decided[p.Ordinal]}
}

// asked says whether the request names the person.
func (c *cycle) asked(who identity.Ordinal) bool { return c.ask.names(who) }

// place is one person in one target.
type place struct {
	target string
	person identity.Ordinal
}

func (c *cycle) memberships(who, named []identity.Ordinal) (map[identity.Ordinal][]identity.Membership, error) {
	if len(who) == 0 || len(named) == 0 {
		return nil, nil
	}
	return c.Store.Memberships(who, named)
}

func (c *cycle) links(who []identity.Ordinal) (map[identity.Ordinal]map[string]ledger.Link, error) {
	if len(who) == 0 {
		return nil, nil
	}
	return c.Store.Links(who...)
}

func (c *cycle) parked() (map[place]ledger.Parked, error) {
	list, err := c.Store.Parked()
	if err != nil {
		return nil, err
	}
	out := make(map[place]ledger.Parked, len(list))
	for _, p := range list {
		// Of several failures of one account the one that waits longest speaks.
		if had, is := out[place{p.Target, p.Person}]; !is || p.Next.After(had.Next) {
			out[place{p.Target, p.Person}] = p
		}
	}
	return out, nil
}

// waiting finds who is in a hold of which target.
func (c *cycle) waiting() (map[place]bool, error) {
	holds, err := c.Store.Holds()
	if err != nil {
		return nil, err
	}
	out := map[place]bool{}
	for _, h := range holds {
		for _, k := range h.Keys {
			out[place{h.Target, k.Person}] = true
		}
	}
	return out, nil
}

// pins finds the groups that the policy names, by source, and notes those that
// are not where the policy says.
func (c *cycle) pins() (bySource map[string][]ledger.Pin, named []identity.Ordinal, err error) {
	bySource = map[string][]ledger.Pin{}
	for _, s := range c.Sources {
		pinned := c.Store.Pins
		if c.ask.traceless {
			pinned = c.Store.Pinned
		}
		pins, err := pinned(s.Name(), c.Policy.Groups())
		if err != nil {
			return nil, nil, err
		}
		if l := c.reading.by[s.Name()]; l != nil {
			pins = l.pins(pins)
		}
		bySource[s.Name()] = pins
		for _, p := range pins {
			// Who was in a group that is not there any more is not in it: the
			// policy then says that its roles are in doubt, and what their
			// loss would take is held.
			if p.Group.Valid() && p.Group < unnumbered && p.Status.Sound() {
				named = append(named, p.Group)
			}
			if p.Status != ledger.PinOK {
				c.report.Pins = append(c.report.Pins, p)
			}
		}
	}
	return bySource, named, nil
}

// facts gives the plan what it must know of sources and targets.
func (c *cycle) facts() error {
	for _, s := range c.Sources {
		f, err := c.Store.SourceFacts(s.Name())
		if err != nil {
			return err
		}
		c.report.Sources = append(c.report.Sources, f)
		c.input.Sources = append(c.input.Sources, plan.Source{Name: s.Name(), LastComplete: f.LastComplete, People: f.People, Peak: f.Peak,
			MinPeople: f.MinPeople, Blackouts: f.Blackouts, Unread: c.report.failed(s.Name())})
	}
	pauses, err := c.Store.Pauses(c.Now())
	if err != nil {
		return err
	}
	c.report.Pauses = pauses
	for _, t := range c.Targets {
		known, err := c.Store.Target(t.Name)
		if err != nil {
			return err
		}
		open, _, err := c.Store.LinkCount(t.Name)
		if err != nil {
			return err
		}
		c.input.Targets = append(c.input.Targets, plan.Target{Name: t.Name, Rules: t.Rules, Description: t.Describe(),
			New: !known.First, Restored: c.restoredHere(known), Paused: first(c.Frozen, pausedBy(pauses, t.Name)), Linked: open, Entitlements: c.Policy.Entitlements(t.Name),
			Owners: map[target.NativeID]identity.Ordinal{}})
	}
	return nil
}

// pausedBy is why nothing is written to the target; empty if something may be.
func pausedBy(pauses []ledger.Pause, name string) string {
	for _, p := range pauses {
		if p.Target == "" || p.Target == name {
			return fmt.Sprintf("by %s: %s", p.By, p.Reason)
		}
	}
	return ""
}

func (c *cycle) scope(name string) target.Scope {
	return ScopeOf(c.Policy, c.target(name))
}

// scopeWith is scope, and what changes were about: a policy that came into force since
// may not name it any more, and what is not asked for is not shown.
func (c *cycle) scopeWith(name string, changes iter.Seq[target.Change]) target.Scope {
	s := c.scope(name)
	for ch := range changes {
		if ch.Entitlement != "" {
			s.Entitlements = append(s.Entitlements, ch.Entitlement)
		}
		for _, v := range ch.Set {
			s.Attributes = append(s.Attributes, v.Name)
		}
	}
	slices.Sort(s.Entitlements)
	slices.Sort(s.Attributes)
	s.Entitlements, s.Attributes = slices.Compact(s.Entitlements), slices.Compact(s.Attributes)
	return s
}

// ScopeOf is what a target is asked for: what the policy computes and can name there,
// and the entitlements by which accounts are protected, whether a role gives them or
// not.
func ScopeOf(p *mapping.Policy, t Target) target.Scope {
	all := slices.Concat(p.Entitlements(t.Name), t.Rules.Entitlements())
	slices.Sort(all)
	return target.Scope{Attributes: p.AttributeNames(t.Name), Entitlements: slices.Compact(all)}
}

func (e *Engine) target(name string) Target {
	for _, t := range e.Targets {
		if t.Name == name {
			return t
		}
	}
	return Target{}
}
