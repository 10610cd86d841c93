package sync

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// ruleRekeyed holds the relinking of people who came back under other IDs, more
// of them at once than is usual. It is a hold of a source, not of a target: an
// approval says that they are who they were.
const ruleRekeyed = "rekeyed"

// pair is somebody and the new entry that carries their key or DN.
type pair struct{ old, new identity.Person }

// rekeyed rebuilds the holds of the sources. It returns the others, which the
// guard rebuilds.
func (c *cycle) rekeyed(holds []ledger.Hold) (others, ours []ledger.Hold, err error) {
	for _, h := range holds {
		if h.Rule != ruleRekeyed {
			others = append(others, h)
		}
	}
	for i, s := range c.Sources {
		if c.report.Sources[i].Rekeyed == 0 {
			continue
		}
		pairs, err := c.pairs(s.Name())
		if err != nil {
			return nil, nil, err
		}
		if len(pairs) == 0 {
			continue
		}
		h := ledger.Hold{Target: "source " + s.Name(), Rule: ruleRekeyed, Opened: c.input.Now, Status: ledger.Waiting}
		for _, known := range holds {
			if known.Rule == ruleRekeyed && known.Target == h.Target {
				h = known
			}
		}
		keys := make([]ledger.Held, 0, len(pairs))
		for _, p := range pairs {
			keys = append(keys, ledger.Held{Key: p.key(h.Target), Person: p.old.Ordinal, Since: c.input.Now,
				Text: fmt.Sprintf("relink %s to the new entry %s", p.old.Login, p.new.DN)})
		}
		h = plan.Rebuilt(h, keys, c.input.Now)
		h.Text = fmt.Sprintf("%d people came back under other IDs at once: approve if they are who they were", len(pairs))
		ours = append(ours, h)
	}
	return others, ours, nil
}

// pairs finds who came back as whom: by rehire key, else by DN. Who came later
// has the higher ordinal.
func (e *Engine) pairs(source string) ([]pair, error) {
	var doubted []identity.Person
	err := e.Store.EachPerson(source, func(p identity.Person) error {
		if p.Doubt == identity.Rekeyed {
			doubted = append(doubted, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(doubted, func(a, b identity.Person) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	first := map[string]identity.Person{}
	var out []pair
	for _, p := range doubted {
		names := []string{"dn " + p.DN.Key()}
		if p.RehireKey != "" {
			names = []string{"key " + p.RehireKey, names[0]}
		}
		found := false
		for _, n := range names {
			if old, known := first[n]; known && !found {
				out, found = append(out, pair{old: old, new: p}), true
			}
		}
		for _, n := range names {
			if _, known := first[n]; !known {
				first[n] = p
			}
		}
	}
	return out, nil
}

func (p pair) key(of string) target.Key {
	return target.Change{Target: of, Person: p.old.Ordinal, Verb: target.Link, Account: target.NativeID(p.new.Key.ID)}.Key()
}

// relink does what was approved of such a hold. What the state refuses is no reason to
// do nothing at all: the hold is open again.
func (e *Engine) relink(h ledger.Hold) error {
	yes := approved(h)
	for _, s := range e.Sources {
		if "source "+s.Name() != h.Target {
			continue
		}
		pairs, err := e.pairs(s.Name())
		if err != nil {
			return err
		}
		for _, p := range pairs {
			if !yes[p.key(h.Target)] {
				continue
			}
			if err := e.Store.Relink(p.old.Ordinal, p.new.Ordinal, h.ApprovedBy); err != nil {
				return errors.Join(err, e.openAgain(h))
			}
		}
	}
	return nil
}
