package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// respelt finds out which of the entitlements that were given the policy names no more,
// and has by another name: an edit that writes a group in another way takes it from
// nobody. It is asked only where there are some.
func (c *cycle) respelt(ctx context.Context, t Target, given []string) (map[string]string, error) {
	namer, can := t.Target.(target.Namer)
	named := c.Policy.Entitlements(t.Name)
	given = slices.DeleteFunc(given, func(e string) bool { return slices.Contains(named, e) })
	slices.Sort(given)
	if given = slices.Compact(given); !can || len(given) == 0 {
		return nil, nil
	}
	called, err := namer.Called(ctx, slices.Concat(given, named))
	if err != nil {
		return nil, fmt.Errorf("find what %s calls %s: %w", t.Name, strings.Join(given, ", "), err)
	}
	now := make(map[string]string, len(named))
	for _, e := range named {
		if id, there := called[e]; there {
			now[id] = e
		}
	}
	out := map[string]string{}
	for _, e := range given {
		if id, there := called[e]; there && now[id] != "" {
			out[e] = now[id]
		}
	}
	return out, nil
}

// givenTo are the entitlements that the people of the looks were given.
func (c *cycle) givenTo(t plan.Target, wants []want) (out []string) {
	who := make(map[identity.Ordinal]bool, len(wants))
	for _, w := range wants {
		who[w.person] = true
	}
	for _, p := range c.input.People {
		if l := p.Seen[t.Name].Link; l != nil && who[p.Ordinal] {
			for _, g := range l.Granted {
				out = append(out, g.Entitlement)
			}
		}
	}
	return out
}

// respell writes what people were given as the policy does.
func (c *cycle) respell(name string, spelt map[string]string) {
	if len(spelt) == 0 {
		return
	}
	for _, p := range c.input.People {
		s := p.Seen[name]
		if s.Link == nil || !slices.ContainsFunc(s.Link.Granted, func(g ledger.Granted) bool { return spelt[g.Entitlement] != "" }) {
			continue
		}
		l := s.Link.Respelt(spelt)
		s.Link, s.Corrected = &l, true
		p.Seen[name] = s
	}
}
