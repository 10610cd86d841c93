package sync

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// ruleDark holds what a blackout left in doubt that no target knows of: groups, and
// people without an account. Nothing is taken from anybody by it, so no plan draws it;
// but without a decision the doubt would never end, and IDs would be listed in every
// cycle. It is a hold of a source: an approval says that they are really gone.
const ruleDark = "gone-dark"

// apart takes the holds of this rule out: the guard knows nothing of them.
func apart(holds []ledger.Hold) (others, dark []ledger.Hold) {
	for _, h := range holds {
		if h.Rule == ruleDark {
			dark = append(dark, h)
		} else {
			others = append(others, h)
		}
	}
	return others, dark
}

// dark rebuilds these holds. People are in one only where no hold of a target is
// about a blackout: to approve that says the same of everybody.
func (c *cycle) dark(known, held []ledger.Hold) ([]ledger.Hold, error) {
	alone := !slices.ContainsFunc(held, func(h ledger.Hold) bool { return h.Rule == plan.RuleBlackout.String() && len(h.Keys) > 0 })
	var out []ledger.Hold
	for i, s := range c.Sources {
		if len(c.report.Sources[i].Blackouts) == 0 {
			continue
		}
		h := ledger.Hold{Target: "source " + s.Name(), Rule: ruleDark, Opened: c.input.Now, Status: ledger.Waiting}
		for _, k := range known {
			if k.Target == h.Target {
				h = k
			}
		}
		since := map[target.Key]ledger.Held{}
		for _, k := range h.Keys {
			since[k.Key] = k
		}
		h.Keys = nil
		keep := func(who identity.Ordinal, id identity.ID, text string) {
			k := ledger.Held{Key: target.Change{Target: h.Target, Person: who, Verb: target.Disable, Account: target.NativeID(id)}.Key(),
				Person: who, Text: text + " vanished with all in its container: take it for gone", Since: c.input.Now}
			if was, held := since[k.Key]; held {
				k.Since = was.Since
			}
			h.Keys = append(h.Keys, k)
		}
		groups, err := c.Store.DarkGroups(s.Name())
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			keep(0, g.ID, "the group "+g.DN.String())
		}
		people := 0
		if alone {
			if err := c.Store.EachPerson(s.Name(), func(p identity.Person) error {
				if p.Doubt == identity.Blackout {
					people++
					keep(p.Ordinal, p.Key.ID, p.DN.String())
				}
				return nil
			}); err != nil {
				return nil, err
			}
		}
		if len(h.Keys) == 0 {
			continue
		}
		slices.SortFunc(h.Keys, func(a, b ledger.Held) int { return slices.Compare(a.Key[:], b.Key[:]) })
		h.Text = fmt.Sprintf("%d groups and %d people without an account vanished with all in their container: look at the rights of the bind identity, or approve if they are really gone",
			len(groups), people)
		out = append(out, h)
	}
	return out, nil
}

// acceptDark does what an approval of such a hold says.
func (e *Engine) acceptDark(h ledger.Hold, by string) error {
	var errs []error
	for _, s := range e.Sources {
		if "source "+s.Name() != h.Target {
			continue
		}
		errs = append(errs, e.Store.AcceptDark(s.Name(), by))
		if slices.ContainsFunc(h.Keys, func(k ledger.Held) bool { return k.Person.Valid() }) {
			errs = append(errs, e.Store.AcceptBlackout(s.Name(), by))
		}
	}
	return errors.Join(errs...)
}
