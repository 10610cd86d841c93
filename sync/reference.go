package sync

import (
	"reflect"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
)

// refer finds out whom the people name in those attributes, and what the targets
// call the accounts of these, by the links as they are now.
func (c *cycle) refer(people []identity.Person, attributes []string) (map[identity.Ordinal][]mapping.Reference, error) {
	if len(attributes) == 0 {
		return nil, nil
	}
	type asked struct {
		who     identity.Ordinal
		written string
	}
	asks, dns := map[string][]asked{}, map[string][]identity.DN{}
	for _, p := range people {
		for _, written := range namedBy(p, attributes) {
			if dn, err := identity.ParseDN(written); err == nil && !dn.IsZero() {
				asks[p.Key.Source] = append(asks[p.Key.Source], asked{p.Ordinal, written})
				dns[p.Key.Source] = append(dns[p.Key.Source], dn)
			}
		}
	}
	out := map[identity.Ordinal][]mapping.Reference{}
	for source := range asks {
		meant, err := c.Store.Referred(source, dns[source])
		if err != nil {
			return nil, err
		}
		var others []identity.Ordinal
		for _, m := range meant {
			if m.Person.Valid() {
				others = append(others, m.Person)
			}
		}
		slices.Sort(others)
		links, err := c.links(slices.Compact(others))
		if err != nil {
			return nil, err
		}
		for i, a := range asks[source] {
			r := mapping.Reference{Written: a.written, Known: meant[i].Known, Someone: meant[i].Person.Valid(), Accounts: c.called(links[meant[i].Person])}
			switch {
			case !r.Known:
				r.Why = "several people are called so"
			case !r.Someone && !c.places(source, dns[source][i]):
				r.Known, r.Why = false, "nobody is read there from "+source
			case !r.Someone:
				r.Why = "nobody is called so"
			}
			out[a.who] = append(out[a.who], r)
		}
	}
	return out, nil
}

// places says whether the source reads people where the name stands.
func (c *cycle) places(source string, dn identity.DN) bool {
	for _, s := range c.Sources {
		if s.Name() == source {
			p, is := s.Source.(directory.Placer)
			return !is || p.Places(dn)
		}
	}
	return true
}

// called is by what others refer to somebody's accounts, by target.
func (c *cycle) called(links map[string]ledger.Link) map[string]string {
	var out map[string]string
	for _, t := range c.Targets {
		l, linked := links[t.Name]
		if !linked || l.Phase == ledger.Deleted || l.Account == "" {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		if out[t.Name] = string(l.Account); t.Describe().References {
			out[t.Name] = l.Reference
			if seen, is := c.seenAs[place{t.Name, l.Person}]; is {
				out[t.Name] = seen
			}
		}
	}
	return out
}

// referTo keeps by what others refer to accounts that were just written. Where a write
// is in doubt it stays what it was before that: whoever ends it has to know.
func (c *cycle) referTo(v Verified) error {
	if len(v.refers) == 0 {
		return nil
	}
	doubts, err := c.Store.InDoubt()
	if err != nil {
		return err
	}
	var links []ledger.Link
	for _, a := range v.refers {
		who, is, err := c.Store.LinkOwner(v.target, a.ID)
		if err != nil {
			return err
		} else if !is || slices.ContainsFunc(doubts, func(in state.Intent) bool {
			ch := in.Order().Change
			return ch.Target == v.target && ch.Person == who
		}) {
			continue
		}
		all, err := c.Store.Links(who)
		if err != nil {
			return err
		}
		l := all[who][v.target]
		l.Reference = a.Reference
		links = append(links, l)
	}
	if len(links) == 0 {
		return nil
	}
	return c.Store.PutLinks(links)
}

// namedBy are the values by which a person names others, each once.
func namedBy(p identity.Person, attributes []string) []string {
	var out []string
	for _, name := range attributes {
		values, _ := p.Attributes.Get(name)
		out = append(out, values...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// referAgain leaves the marks of those whose references mean something else by now:
// the account of whom they name came, moved or went in this cycle, and the next one
// writes it. Of everybody else it notes whom they name.
func (c *cycle) referAgain() (map[identity.Ordinal]ledger.Mark, error) {
	attributes := c.Policy.References()
	if len(attributes) == 0 {
		return nil, nil
	}
	people := make([]identity.Person, len(c.input.People))
	for i := range c.input.People {
		people[i] = c.input.People[i].Person
	}
	now, err := c.refer(people, attributes)
	if err != nil {
		return nil, err
	}
	later := map[identity.Ordinal]bool{}
	for _, s := range c.report.Plan.Subjects {
		if s.Later {
			later[s.Person] = true
		}
	}
	names := make(map[identity.Ordinal]ledger.Mark, len(people))
	for _, p := range people {
		if later[p.Ordinal] || !reflect.DeepEqual(now[p.Ordinal], c.refs[p.Ordinal]) {
			c.open[p.Ordinal] = true
			c.report.Referring = append(c.report.Referring, p.Ordinal)
		}
		m := ledger.Mark{RefersKept: slices.ContainsFunc(attributes, func(name string) bool {
			_, is := p.Attributes.Get(name)
			return is == identity.NotRead
		})}
		for _, written := range namedBy(p, attributes) {
			if dn, err := identity.ParseDN(written); err == nil && !dn.IsZero() {
				m.Refers = append(m.Refers, dn)
			}
		}
		names[p.Ordinal] = m
	}
	return names, nil
}
