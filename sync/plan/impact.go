package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// Impact is what another policy would do that the one in force does not: of the
// plan that next draws, the changes whose keys are not in the one that force
// draws. What comes from the source is in both, and drops out. Both inputs must
// be Assumed, so that no target is asked.
//
// Changes that a rule of their own holds at any count are left out: they meet it
// whatever the policy. A change of an account that the policy in force leaves
// alone is held by RulePolicy, however few there are.
func Impact(force, next Input) Plan {
	known := map[target.Key]bool{}
	guarded := leftAlone(force)
	for _, s := range Make(force).Subjects {
		for _, c := range s.Changes {
			known[c.Key] = true
		}
		if s.Situation == Ignored {
			guarded[place{s.Target, s.Person}] = true
		}
	}
	out := Make(next)
	out.Orphans = nil
	subjects := out.Subjects[:0]
	for _, s := range out.Subjects {
		s.Changes = slices.DeleteFunc(s.Changes, func(c Planned) bool { return known[c.Key] || c.Rule != "" })
		if len(s.Changes) == 0 {
			continue
		}
		if guarded[place{s.Target, s.Person}] {
			for i := range s.Changes {
				s.Changes[i].Rule, s.Changes[i].Text = RulePolicy, "what the policy in force leaves alone would be changed"
			}
		}
		subjects = append(subjects, s)
	}
	out.Subjects = subjects
	return out
}

// leftAlone finds whose accounts the rules protect, whether or not there is
// anything to do about them.
func leftAlone(in Input) map[place]bool {
	out := map[place]bool{}
	for _, t := range in.Targets {
		g := newGuards(t.Rules)
		for i := range in.People {
			l := in.People[i].Seen[t.Name].Link
			if l == nil {
				continue
			}
			held := make([]string, 0, len(l.Granted))
			for _, e := range l.Granted {
				held = append(held, e.Entitlement)
			}
			if g.breakGlass(l.Name, held) != "" || g.protected(l.Name, held) != "" {
				out[place{t.Name, in.People[i].Ordinal}] = true
			}
		}
	}
	return out
}

// JudgeImpact says which limits an impact is beyond, in words; none: it is
// within all of them, and gives are the rights that it gives, which count against
// the edits that follow. In the plan of a day nobody gets a right but by the
// directory, while an edit may give it to all, at once or in slices.
func JudgeImpact(p Plan, b Book) (beyond []string, gives []ledger.Spend) {
	b.Holds, b.edit = nil, true
	b.Targets = slices.Clone(b.Targets)
	for i := range b.Targets {
		b.Targets[i].Paused = ""
	}
	v := Judge(p, b)
	for _, h := range v.Holds {
		beyond = append(beyond, h.Target+": "+h.Text)
	}
	for _, t := range b.Targets {
		for _, wave := range v.Cleared.Waves(t.Name) {
			for _, o := range wave {
				if o.Change.Verb == target.Grant {
					gives = append(gives, o.Spends...)
				}
			}
		}
	}
	return beyond, gives
}

// Line is what an impact does to many people alike.
type Line struct {
	Target string `json:"target"`
	// What is the change without the person: "revoke Writers".
	What string `json:"what"`
	// Roles are those that gave, or give, the right.
	Roles []string `json:"roles,omitempty"`
	// People are called by their logins, sorted.
	People []string `json:"people"`
}

// Lines sums up a plan, by target and by what is done, worst first.
func Lines(p Plan) []Line {
	type kind struct {
		target string
		verb   target.Verb
		what   string
	}
	people, roles := map[kind][]string{}, map[kind][]string{}
	for _, s := range p.Subjects {
		for _, c := range s.Changes {
			k := kind{s.Target, c.Change.Verb, c.Change.Verb.String()}
			switch c.Change.Verb {
			case target.Grant, target.Revoke:
				k.what += " " + c.Change.Entitlement
			case target.Update:
				k.what += " " + c.Change.Set[0].Name
			}
			people[k] = append(people[k], s.Login)
			roles[k] = append(roles[k], c.Roles...)
		}
	}
	worst := map[target.Verb]int{target.Delete: 1, target.Disable: 2, target.Revoke: 3, target.Rename: 4, target.Update: 5, target.Grant: 6}
	kinds := slices.SortedFunc(maps.Keys(people), func(a, b kind) int {
		rank := func(v target.Verb) int { return cmp.Or(worst[v], 9) }
		return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(rank(a.verb), rank(b.verb)), cmp.Compare(a.what, b.what))
	})
	out := make([]Line, 0, len(kinds))
	for _, k := range kinds {
		slices.Sort(people[k])
		slices.Sort(roles[k])
		out = append(out, Line{k.target, k.what, slices.Compact(roles[k]), slices.Compact(people[k])})
	}
	return out
}

// Held lists the changes of a plan as a hold keeps them.
func (p Plan) Held() []ledger.Held {
	var out []ledger.Held
	for _, s := range p.Subjects {
		for _, c := range s.Changes {
			out = append(out, ledger.Held{Key: c.Key, Person: s.Person, Text: Words(c.Change) + " in " + s.Target, Since: p.Now})
		}
	}
	return out
}

// assume takes the account to be as it was last left: what was written stands
// there, what was given is held. Where there is none of ours, there is none.
func (m *matter) assume() {
	m.looked = true
	m.seen.Observed = &target.Observation{}
	l := m.link
	if l == nil || l.Account == "" {
		return
	}
	a := target.Account{ID: l.Account, Name: l.Name, Enabled: l.Phase == ledger.Open, Attributes: map[string][]string{}}
	for _, g := range l.Granted {
		a.Entitlements = append(a.Entitlements, g.Entitlement)
	}
	if m.want != nil {
		for _, w := range m.want.Attributes {
			if wroteExactly(*l, w) {
				a.Attributes[w.Name] = w.Values
			}
		}
	}
	m.account = &a
}

// Affects are the people of a plan, sorted.
func (p Plan) Affects() []identity.Ordinal {
	out := make([]identity.Ordinal, 0, len(p.Subjects))
	for _, s := range p.Subjects {
		out = append(out, s.Person)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
