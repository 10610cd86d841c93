package sync

import (
	"cmp"
	"context"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// readBoth reads the sources as either policy would, so that what changed in them
// since the snapshot is no difference of the two. Where they read alike, one listing
// does for both. It is held in memory, and nothing of it is kept.
func (c *cycle) readBoth(ctx context.Context, other *Engine) (here, there reading, err error) {
	here.by, there.by = map[string]*listed{}, map[string]*listed{}
	for _, s := range other.Sources {
		mine := c.sourceOf(s.Name())
		c.step("read", s.Name())
		if there.by[s.Name()], err = c.listing(ctx, s.Source, true); err != nil {
			return here, there, err
		}
		switch {
		case mine == nil:
		case mine == s.Source:
			// One of them walks through the groups of its own policy.
			here.by[s.Name()] = there.by[s.Name()].again()
		default:
			if here.by[s.Name()], err = c.listing(ctx, mine, true); err != nil {
				return here, there, err
			}
		}
	}
	return here, there, nil
}

// again is the same listing, for another policy to walk through.
func (l *listed) again() *listed {
	out := *l
	out.belongs, out.told = nil, nil
	return &out
}

// newcomers are people whom the snapshot does not know: by the other policy they
// would be read, or have come since.
func (d *comparison) newcomers(here, there reading, q *question) error {
	q.outside = map[identity.Ordinal]string{}
	next := unnumbered + 1<<40
	for _, s := range d.next.Sources {
		known := map[identity.ID]bool{}
		mine, other := here.by[s.Name()], there.by[s.Name()]
		err := d.Store.EachPerson(s.Name(), func(p identity.Person) error {
			known[p.Key.ID] = true
			if mine != nil && mine.ids[p.Key.ID] && !other.ids[p.Key.ID] {
				q.outside[p.Ordinal] = loginOf(p)
			}
			return nil
		})
		if err != nil {
			return err
		}
		var fresh []directory.Entry
		for id, e := range other.entries {
			if !known[id] {
				fresh = append(fresh, e)
			}
		}
		slices.SortFunc(fresh, func(a, b directory.Entry) int { return cmp.Compare(a.ID, b.ID) })
		for chunk := range slices.Chunk(fresh, impactChunk) {
			g := gathered{}
			for _, e := range chunk {
				next++
				g.people = append(g.people, asSeen(identity.Person{Ordinal: next, Key: identity.Key{Source: s.Name(), ID: e.ID}, Standing: identity.Active, Since: d.plan.Now}, e))
			}
			d.chunk(g, q.look)
		}
	}
	return nil
}
