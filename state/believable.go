package state

import (
	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// atLeast is how many entries a law about shares needs before it speaks.
const atLeast = 5

// believable says whether a right was lost rather than data.
func (g *Stage) believable() error {
	people, groups := 0, 0
	for i := range g.known {
		if k := &g.known[i]; k.settled() {
			continue
		} else if k.kind == directory.Person {
			people++
		} else {
			groups++
		}
	}
	if g.people == 0 && people >= atLeast {
		return &NobodyError{Source: g.source, Known: people}
	}
	if err := g.attributesLost(people); err != nil {
		return err
	}
	if g.emptied < atLeast {
		return nil
	}
	had, seen := 0, 0
	err := g.eachKnown(directory.Group, func(k *known, e *entry) error {
		if e.members > 0 {
			had++
			if k.seen {
				seen++
			}
		}
		return nil
	})
	if err == nil && had*2 >= groups && nineInTen(g.emptied, seen) {
		err = &LostCoverageError{Source: g.source, Attribute: "members of groups", Had: seen, Lack: g.emptied}
	}
	return err
}

func nineInTen(n, of int) bool { return of >= atLeast && n*10 >= of*9 }

func (g *Stage) attributesLost(people int) error {
	suspects := map[string]*[2]int{} // had, had and seen
	for name, n := range g.lost {
		if n >= atLeast {
			suspects[name] = &[2]int{}
		}
	}
	if len(suspects) == 0 {
		return nil
	}
	byCoverage := map[uint64][]*[2]int{}
	err := g.s.view(func(tx *txn) error {
		w := &words{tx: tx}
		return g.eachKnownIn(tx, directory.Person, decodeEntry, func(k *known, e *entry) error {
			counters, ok := byCoverage[e.coverage]
			if !ok {
				c, err := w.coverage(e.coverage)
				if err != nil {
					return err
				}
				for _, name := range c.Names() {
					counters = append(counters, suspects[name])
				}
				byCoverage[e.coverage] = counters
			}
			for _, a := range e.attributes {
				if a.name < len(counters) && counters[a.name] != nil {
					counters[a.name][0]++
					if k.seen {
						counters[a.name][1]++
					}
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	var worst *LostCoverageError
	for name, n := range suspects {
		if n[0]*2 >= people && nineInTen(g.lost[name], n[1]) && (worst == nil || name < worst.Attribute) {
			worst = &LostCoverageError{Source: g.source, Attribute: name, Had: n[1], Lack: g.lost[name]}
		}
	}
	if worst != nil {
		return worst
	}
	return nil
}

// eachKnown calls f for the entries of one kind that were thought to be there.
func (g *Stage) eachKnown(kind directory.Kind, f func(*known, *entry) error) error {
	return g.s.view(func(tx *txn) error { return g.eachKnownIn(tx, kind, decodeLean, f) })
}

func (g *Stage) eachKnownIn(tx *txn, kind directory.Kind, decode func([]byte) (entry, error), f func(*known, *entry) error) error {
	bucket := bPeople
	if kind == directory.Group {
		bucket = bGroups
	}
	byOrdinal := make(map[identity.Ordinal]*known, len(g.known))
	for i := range g.known {
		if k := &g.known[i]; k.kind == kind && !k.settled() {
			byOrdinal[k.ordinal] = k
		}
	}
	return tx.Bucket(bucket).ForEach(func(key, v []byte) error {
		k := byOrdinal[identity.Ordinal(fromU64(key))]
		if k == nil {
			return nil
		}
		e, err := decode(v)
		if err != nil {
			return err
		}
		return f(k, &e)
	})
}
