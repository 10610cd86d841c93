// Package graph walks up through groups: from what holds a person directly to
// the groups that somebody asks about. It is pure; where the edges come from
// is the caller's.
package graph

import (
	"cmp"
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// Walk finds shortest ways up. It remembers what it found for a group, so one
// Walk serves many people; it must not be used for two states of the edges,
// nor by two goroutines.
type Walk struct {
	parents func(identity.Ordinal) ([]identity.Ordinal, error)
	named   map[identity.Ordinal]bool
	memo    map[identity.Ordinal][]Way
	up      map[identity.Ordinal][]identity.Ordinal
}

// Way leads from a group up to a named one: the first step is where it begins,
// the last the named group.
type Way []identity.Ordinal

// New makes a walk. Parents returns the groups that hold a group directly, in
// any order; named are those that are looked for.
func New(parents func(identity.Ordinal) ([]identity.Ordinal, error), named []identity.Ordinal) *Walk {
	w := &Walk{parents: parents, named: make(map[identity.Ordinal]bool, len(named)), memo: map[identity.Ordinal][]Way{},
		up: map[identity.Ordinal][]identity.Ordinal{}}
	for _, n := range named {
		w.named[n] = true
	}
	return w
}

// From returns, for each named group that is reached from one of the direct
// groups, a shortest way, sorted by the named group. Among several shortest
// ways it is the one whose steps have the smallest ordinals, the first step
// counting first. Cycles do no harm. The caller must not change the ways.
func (w *Walk) From(direct []identity.Ordinal) ([]Way, error) {
	best := map[identity.Ordinal]Way{}
	for _, d := range sorted(direct) {
		ways, err := w.ways(d)
		if err != nil {
			return nil, err
		}
		for _, way := range ways {
			end := way[len(way)-1]
			if old, ok := best[end]; !ok || len(way) < len(old) || len(way) == len(old) && slices.Compare(way, old) < 0 {
				best[end] = way
			}
		}
	}
	out := make([]Way, 0, len(best))
	for _, way := range best {
		out = append(out, way)
	}
	slices.SortFunc(out, func(a, b Way) int { return cmp.Compare(a[len(a)-1], b[len(b)-1]) })
	return out, nil
}

// ways goes up from one group in breadth.
func (w *Walk) ways(from identity.Ordinal) ([]Way, error) {
	if ways, ok := w.memo[from]; ok {
		return ways, nil
	}
	ways := []Way{}
	// Level by level; those of a level stand in the order of their ways, so
	// whoever reaches a group first has the smallest way to it.
	cameFrom := map[identity.Ordinal]identity.Ordinal{from: 0}
	for level := []identity.Ordinal{from}; len(level) > 0; {
		var higher []identity.Ordinal
		for _, g := range level {
			if w.named[g] {
				ways = append(ways, back(cameFrom, g))
			}
			up, err := w.above(g)
			if err != nil {
				return nil, err
			}
			for _, p := range up {
				if _, seen := cameFrom[p]; !seen {
					cameFrom[p] = g
					higher = append(higher, p)
				}
			}
		}
		level = higher
	}
	w.memo[from] = ways
	return ways, nil
}

func (w *Walk) above(g identity.Ordinal) ([]identity.Ordinal, error) {
	if up, ok := w.up[g]; ok {
		return up, nil
	}
	up, err := w.parents(g)
	if err != nil {
		return nil, err
	}
	up = sorted(up)
	w.up[g] = up
	return up, nil
}

func back(cameFrom map[identity.Ordinal]identity.Ordinal, g identity.Ordinal) Way {
	var way Way
	for ; g != 0; g = cameFrom[g] {
		way = append(way, g)
	}
	slices.Reverse(way)
	return way
}

func sorted(list []identity.Ordinal) []identity.Ordinal {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}
