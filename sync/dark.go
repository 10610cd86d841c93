package sync

import (
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
		all, err := c.gone(s.Name(), alone)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			continue
		}
		keys, people := make([]ledger.Held, 0, len(all)), 0
		for _, d := range all {
			if d.who.Valid() {
				people++
			}
			keys = append(keys, ledger.Held{Key: d.key(h.Target), Person: d.who, Text: d.text + " vanished with all in its container: take it for gone", Since: c.input.Now})
		}
		h = plan.Rebuilt(h, keys, c.input.Now)
		h.Text = fmt.Sprintf("%d groups and %d people without an account vanished with all in their container: look at the rights of the bind identity, or approve if they are really gone",
			len(all)-people, people)
		out = append(out, h)
	}
	return out, nil
}

// vanished is what went with all in its container: somebody, or a group.
type vanished struct {
	who  identity.Ordinal
	id   identity.ID
	text string
}

func (v vanished) key(of string) target.Key {
	return target.Change{Target: of, Person: v.who, Verb: target.Disable, Account: target.NativeID(v.id)}.Key()
}

// gone lists what vanished so, as the state has it now.
func (e *Engine) gone(source string, people bool) ([]vanished, error) {
	var out []vanished
	groups, err := e.Store.DarkGroups(source)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		out = append(out, vanished{id: g.ID, text: "the group " + g.DN.String()})
	}
	if !people {
		return out, nil
	}
	err = e.Store.EachPerson(source, func(p identity.Person) error {
		if p.Doubt == identity.Blackout {
			out = append(out, vanished{who: p.Ordinal, id: p.Key.ID, text: p.DN.String()})
		}
		return nil
	})
	return out, err
}

// acceptDark does what an approval of such a hold says, of what it was shown for and
// of nothing else: where more has vanished since, it waits again with all of it.
func (e *Engine) acceptDark(h ledger.Hold) error {
	people := slices.ContainsFunc(h.Keys, func(k ledger.Held) bool { return k.Person.Valid() })
	yes := approved(h)
	for _, s := range e.Sources {
		if "source "+s.Name() != h.Target {
			continue
		}
		now, err := e.gone(s.Name(), people)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(now, func(v vanished) bool { return !yes[v.key(h.Target)] }) {
			return e.openAgain(h)
		}
		if err := e.Store.AcceptDark(s.Name(), h.ApprovedBy); err != nil {
			return err
		}
		if people {
			if err := e.Store.AcceptBlackout(s.Name(), h.ApprovedBy); err != nil {
				return err
			}
		}
	}
	return e.used(h)
}
