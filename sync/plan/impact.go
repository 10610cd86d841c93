package plan

import (
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// Impact is what another policy would do that the one in force does not, but for
// the changes that a rule of their own holds at any count: they meet it whatever
// the policy. It is what a pending policy is judged by.
func Impact(force, next Input) Plan { return Difference(force, next).Judged() }

// Difference is what another policy would do that the one in force does not: of
// the plan that next draws, the changes whose keys are not in the one that force
// draws, and whoever it would leave undecided. What comes from the source is in
// both, and drops out. Both inputs must be Assumed, so that no target is asked.
//
// A change of an account that the policy in force leaves alone is held by
// RulePolicy, however few there are.
func Difference(force, next Input) Plan {
	known, stuck := map[target.Key]bool{}, map[place]string{}
	guarded := leftAlone(force)
	for _, s := range Make(force).Subjects {
		for _, c := range s.Changes {
			known[c.Key] = true
		}
		if why := s.undecided(); why != "" {
			stuck[place{s.Target, s.Person}] = why
		}
		if s.Situation == Ignored {
			guarded[place{s.Target, s.Person}] = true
		}
	}
	out := Make(next)
	out.Orphans, out.Conflicts = nil, nil
	subjects := out.Subjects[:0]
	for _, s := range out.Subjects {
		s.Changes = slices.DeleteFunc(s.Changes, func(c Planned) bool { return known[c.Key] })
		if why := s.undecided(); why == stuck[place{s.Target, s.Person}] {
			s.Park, s.Held = nil, ""
		}
		if len(s.Changes) == 0 && s.undecided() == "" {
			continue
		}
		if guarded[place{s.Target, s.Person}] {
			for i := range s.Changes {
				if s.Changes[i].Rule == "" {
					s.Changes[i].Rule, s.Changes[i].Text = RulePolicy, "what the policy in force leaves alone would be changed"
				}
			}
		}
		subjects = append(subjects, s)
	}
	out.Subjects = subjects
	return out
}

// Judged is the part of a difference that a policy is judged by.
func (p Plan) Judged() Plan {
	return p.part(func(c Planned) bool { return c.Rule == "" || c.Rule == RulePolicy }, true)
}

// Ruled is the part that a rule of its own holds, whatever the policy.
func (p Plan) Ruled() Plan {
	return p.part(func(c Planned) bool { return c.Rule != "" && c.Rule != RulePolicy }, false)
}

// part has the changes that the function takes, and whoever is left undecided if
// they are wanted.
func (p Plan) part(take func(Planned) bool, undecided bool) Plan {
	var subjects []Subject
	for _, s := range p.Subjects {
		var changes []Planned
		for _, c := range s.Changes {
			if take(c) {
				changes = append(changes, c)
			}
		}
		s.Changes = changes
		if len(changes) > 0 || undecided && s.undecided() != "" {
			subjects = append(subjects, s)
		}
	}
	p.Subjects = subjects
	return p
}

// undecided says why nothing is done of what the subject may need; empty: it is
// decided.
func (s Subject) undecided() string {
	switch {
	case s.Park != nil:
		return "park: " + s.Park.Error
	case s.Held != "":
		return "hold: " + s.Held
	}
	return ""
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
			if values := left(*l, w); len(values) > 0 {
				a.Attributes[w.Name] = values
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
