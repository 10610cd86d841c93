package sync

import (
	"reflect"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// referAsSeen resolves references once more where an account was seen under another name
// than the links say: somebody moved it, and the target may have followed in the accounts
// that refer to it. To write the old name back, and the new one in the second pass, would
// be two changes that nobody wants.
func (c *cycle) referAsSeen() error {
	attributes := c.Policy.References()
	if len(attributes) == 0 {
		return nil
	}
	places := map[string]bool{}
	for _, t := range c.input.Targets {
		if t.Down != "" || !t.Description.References {
			continue
		}
		if err := c.seenUnder(t); err != nil {
			return err
		}
	}
	for at := range c.seenAs {
		places[at.target] = true
	}
	if len(places) == 0 {
		return nil
	}
	var people []identity.Person
	for i := range c.input.People {
		// Whoever was not looked at is in step with what was known before: the second
		// pass looks at them.
		if p := &c.input.People[i]; len(c.refs[p.Ordinal]) > 0 && observedIn(p, places) {
			people = append(people, p.Person)
		}
	}
	now, err := c.refer(people, attributes)
	if err != nil {
		return err
	}
	var other []identity.Ordinal
	for _, p := range people {
		if !reflect.DeepEqual(now[p.Ordinal], c.refs[p.Ordinal]) {
			other = append(other, p.Ordinal)
			c.refs[p.Ordinal] = now[p.Ordinal]
		}
	}
	return c.desireAgain(other)
}

// seenUnder notes the accounts of a target that were seen under another name than their
// links say.
func (c *cycle) seenUnder(t plan.Target) error {
	seen := map[identity.Ordinal]target.Account{}
	note := func(a target.Account) {
		if who, owned := t.Owners[a.ID]; owned && a.Reference != "" {
			seen[who] = a
		}
	}
	for _, a := range t.Accounts {
		note(a)
	}
	known := make(map[identity.Ordinal]bool, len(c.input.People))
	check := func(who identity.Ordinal, account target.NativeID, reference string) {
		if a, is := seen[who]; is && a.ID == account && a.Reference != reference {
			if c.seenAs == nil {
				c.seenAs = map[place]string{}
			}
			c.seenAs[place{t.Name, who}] = a.Reference
		}
	}
	for i := range c.input.People {
		p := &c.input.People[i]
		s := p.Seen[t.Name]
		if s.Observed != nil {
			for _, a := range s.Observed.Accounts {
				note(a)
			}
		}
		if known[p.Ordinal] = true; s.Link != nil {
			check(p.Ordinal, s.Link.Account, s.Link.Reference)
		}
	}
	var others []identity.Ordinal // who were listed, and are not worked on
	for who := range seen {
		if !known[who] {
			others = append(others, who)
		}
	}
	links, err := c.links(others)
	for who, l := range links {
		check(who, l[t.Name].Account, l[t.Name].Reference)
	}
	return err
}

// observedIn says whether somebody was looked at in all of those targets.
func observedIn(p *plan.Person, places map[string]bool) bool {
	for name := range places {
		if p.Seen[name].Observed == nil {
			return false
		}
	}
	return true
}

// desireAgain works out afresh what people should have. What was seen of them stays.
func (c *cycle) desireAgain(who []identity.Ordinal) error {
	if len(who) == 0 {
		return nil
	}
	afresh, err := c.peopleOf(who)
	if err != nil {
		return err
	}
	desired := make(map[identity.Ordinal]int, len(afresh))
	for i := range afresh {
		desired[afresh[i].Ordinal] = i
	}
	for i := range c.input.People {
		if at, is := desired[c.input.People[i].Ordinal]; is {
			c.input.People[i].Desired = afresh[at].Desired
		}
	}
	return nil
}
