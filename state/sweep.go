package state

import (
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// sweep is what a listing of IDs alone notes beside what every listing does.
type sweep struct {
	// at is where those known were shown.
	at map[identity.Ordinal][2]uint64
	// news: somebody was shown of whom the snapshot says less than there is to
	// know: new, or back.
	news bool
}

// OnlyIDs makes the stage one of a sweep, before the first Add: entries come with
// kind, ID and DN, and nothing else of them was read. False if there is no
// snapshot that such a listing could add to; the stage is then of no use.
func (g *Stage) OnlyIDs() bool {
	if len(g.known) == 0 || g.shownIn != g.covNum {
		return false
	}
	g.ids = &sweep{at: map[identity.Ordinal][2]uint64{}}
	return true
}

// sighted notes an entry of a sweep. Not read is not absent: the snapshot keeps
// what it has of those who are still there.
func (g *Stage) sighted(e *directory.Entry, dn [2]uint64) {
	if e.Kind == directory.Person {
		g.people++
	} else {
		g.groups++
	}
	i, old := g.byID[e.ID]
	if !old {
		g.fresh[e.ID] = struct{}{}
		g.ids.news = true
		return
	}
	k := &g.known[i]
	k.seen = true
	g.ids.at[k.ordinal] = dn
	g.ids.news = g.ids.news || !k.normal()
}

// Undecided says whether a sweep showed what only a whole read can decide:
// somebody who is new may be somebody else who is missed, under another ID, who is
// back or elsewhere is not as the snapshot has them, and of a group with somebody who
// is missed a second time it is not known who is in it now: many servers take whom
// they delete out of the groups, and tell nobody.
func (g *Stage) Undecided() (bool, error) {
	if g.ids == nil || g.ids.news {
		return g.ids != nil, nil
	}
	undecided := false
	err := g.s.view(func(tx *txn) error {
		for _, kind := range []directory.Kind{directory.Person, directory.Group} {
			if err := g.eachKnownIn(tx, kind, decodeLean, func(k *known, e *entry) error {
				if undecided || !k.seen && e.doubt != identity.SecondLook {
					return nil
				}
				dn, err := identity.ParseDN(e.dn)
				if err != nil {
					return fmt.Errorf("%w (%v)", ErrCorrupt, err)
				}
				if k.seen {
					undecided = dnHash(dn) != g.ids.at[k.ordinal]
				} else {
					undecided = isMember(tx, g.num, dn)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("compare a sweep of %s: %w", g.source, err)
	}
	return undecided, nil
}

// Shows says whether the listing showed one of those.
func (g *Stage) Shows(ids []identity.ID) bool {
	for _, id := range ids {
		if i, old := g.byID[id]; old && g.known[i].seen {
			return true
		}
	}
	return false
}

// Named are those out of scope whom groups name that the sweep showed. They are in no
// listing, so that it does not show whether they are still there.
func (g *Stage) Named() ([]directory.Named, error) {
	if g.ids == nil {
		return nil, nil
	}
	var out []directory.Named
	err := g.s.view(func(tx *txn) error {
		shown := map[identity.Ordinal]identity.ID{}
		for i := range g.known {
			if k := &g.known[i]; k.kind == directory.Group && k.seen {
				shown[k.ordinal] = k.id
			}
		}
		for i := range g.known {
			k := &g.known[i]
			if k.standing != identity.OutOfScope {
				continue
			}
			dn, err := dnOf(tx, k)
			if err != nil {
				return err
			}
			n := directory.Named{Known: directory.Known{Kind: k.kind, ID: k.id, DN: dn}}
			eachHolder(tx, g.num, dn, func(group identity.Ordinal) bool {
				if id, is := shown[group]; is {
					n.Groups = append(n.Groups, id)
				}
				return true
			})
			if len(n.Groups) > 0 {
				out = append(out, n)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list whom groups of %s name: %w", g.source, err)
	}
	return out, nil
}

// isMember says whether any group names this DN.
func isMember(tx *txn, source uint64, dn identity.DN) (is bool) {
	eachHolder(tx, source, dn, func(identity.Ordinal) bool { is = true; return false })
	return is
}

// eachHolder calls f for the groups that name this DN, until it says false.
func eachHolder(tx *txn, source uint64, dn identity.DN, f func(identity.Ordinal) bool) {
	h := nameHash(byDN, source, dn.Key())
	c := tx.Bucket(bMemberOf).Cursor()
	for k, _ := c.Seek(h[:]); k != nil && hasPrefix(k, h[:]); k, _ = c.Next() {
		if !f(identity.Ordinal(fromU64(k[len(h):]))) {
			return
		}
	}
}
