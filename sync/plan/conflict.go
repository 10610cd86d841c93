package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// InConflict is somebody who holds roles together that a conflict parts.
type InConflict struct {
	Person identity.Ordinal
	Login  string
	mapping.Conflicted
}

// Together are the conflicts that a person is in, whatever they are given. Who left,
// or is offboarded, has nothing.
func Together(p *Person) (out []mapping.Conflicted) {
	if p.Denial != nil || p.Desired.Standing.Left() || p.Desired.Standing == identity.NotYet {
		return nil
	}
	for _, k := range p.Desired.Conflicts {
		if len(k.Roles) > 1 {
			out = append(out, k)
		}
	}
	return out
}

// conflicts are everybody's, by login.
func conflicts(people []Person) (out []InConflict) {
	for i := range people {
		if len(people[i].Desired.Conflicts) == 0 {
			continue
		}
		for _, k := range Together(&people[i]) {
			out = append(out, InConflict{people[i].Ordinal, called(&people[i]), k})
		}
	}
	slices.SortStableFunc(out, func(a, b InConflict) int { return strings.Compare(a.Login, b.Login) })
	return out
}

// conflict notes what would come by a role which the policy does not want beside
// another one, and holds it where the policy says so, whichever of the roles came
// first. What some other role gives as well is nobody's conflict. A role in doubt may
// be held, and so is enough to hold what another one gives.
func (m *matter) conflict(c *Planned) {
	roles := m.comesBy(c)
	if len(roles) == 0 {
		return
	}
	for _, k := range m.p.Desired.Conflicts {
		if len(k.Excepted) > 0 || !within(roles, k.Roles) {
			continue
		}
		text := fmt.Sprintf("%s are held together", strings.Join(k.Roles, " and "))
		if len(k.Roles) == 1 {
			if k.Action != hold {
				continue
			}
			text = fmt.Sprintf("%s is held, and it is in doubt whether %s is", k.Roles[0], strings.Join(k.Doubtful, " or "))
		}
		m.note("%s, against conflict.%s (%s)", text, k.Conflict, k.Where)
		if k.Action == hold && c.Rule == "" {
			c.Rule, c.Text = RuleConflict, "rights of roles that exclude each other would be given"
		}
	}
}

// comesBy are the roles by which a change gives something; none if it gives nothing,
// or somebody asked for it by name.
func (m *matter) comesBy(c *Planned) []string {
	switch c.Change.Verb {
	case target.Grant:
		return c.Roles
	case target.Create, target.Link, target.Enable:
		if m.want != nil && !c.asked {
			return m.want.Roles
		}
	}
	return nil
}

func within(roles, all []string) bool {
	return len(roles) > 0 && !slices.ContainsFunc(roles, func(r string) bool { return !slices.Contains(all, r) })
}

// settleApart lets what comes by a role wait for what goes of another one that a
// conflict parts from it, in whichever target: the old right goes first, and where
// taking it is held, so is the new one. Under assumptions nothing is written, and so
// nothing has to wait for another target.
func settleApart(people []Person, subjects []Subject, assumed bool) {
	apart := map[identity.Ordinal]*Person{}
	for i := range people {
		if len(people[i].Desired.Apart) > 0 {
			apart[people[i].Ordinal] = &people[i]
		}
	}
	if len(apart) == 0 {
		return
	}
	of := map[identity.Ordinal][]*Subject{}
	for i := range subjects {
		if s := &subjects[i]; apart[s.Person] != nil && len(s.Changes) > 0 {
			of[s.Person] = append(of[s.Person], s)
		}
	}
	for who, list := range of {
		p := apart[who]
		for _, s := range list {
			waits := false
			for i := range s.Changes {
				c := &s.Changes[i]
				roles := c.Roles
				if c.Change.Verb == target.Create || c.Change.Verb == target.Link || c.Change.Verb == target.Enable {
					if w := wanted(p.Desired.Accounts, s.Target); w != nil {
						roles = w.Roles
					}
				} else if c.Change.Verb != target.Grant {
					continue
				}
				for _, k := range p.Desired.Apart {
					if within(roles, k.Roles) {
						waits = waitFor(c, k, p, list) || waits
						if !assumed {
							c.Behind = cmp.Or(c.Behind, p.elsewhere(k, s.Target, list))
						}
					}
				}
			}
			if waits {
				s.Changes = behind(s.Changes)
			}
		}
	}
}

// waitFor puts the revocations of other roles of a conflict before a change.
func waitFor(c *Planned, k mapping.Apart, p *Person, list []*Subject) (waits bool) {
	holds := func(role string) bool {
		return slices.ContainsFunc(p.Desired.Roles, func(h mapping.Held) bool { return h.Role == role })
	}
	for _, s := range list {
		for _, o := range s.Changes {
			if o.Change.Verb != target.Revoke || slices.Contains(c.After, o.Key) {
				continue
			}
			if slices.ContainsFunc(o.Roles, func(r string) bool { return slices.Contains(k.Roles, r) && !holds(r) }) {
				c.After = append(c.After, o.Key)
				waits = true
			}
		}
	}
	return waits
}

// elsewhere is a right in another target that a role of a conflict gave which is not
// held any more: it is to be taken, or cannot be now. One that another role gives there
// as well is to stay, and nobody's conflict.
func (p *Person) elsewhere(k mapping.Apart, here string, list []*Subject) string {
	lost := func(role string) bool {
		return slices.Contains(k.Roles, role) && !slices.ContainsFunc(p.Desired.Roles, func(h mapping.Held) bool { return h.Role == role })
	}
	for _, s := range list {
		for _, o := range s.Changes {
			if s.Target != here && o.Change.Verb == target.Revoke && slices.ContainsFunc(o.Roles, lost) {
				return "waits for: " + Words(o.Change) + " in " + s.Target
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Seen)) {
		l := p.Seen[name].Link
		if name == here || l == nil || l.Phase != ledger.Open {
			continue
		}
		for _, g := range l.Granted {
			if slices.ContainsFunc(g.Roles, lost) && !slices.ContainsFunc(g.Roles, func(r string) bool {
				return slices.ContainsFunc(p.Desired.Roles, func(h mapping.Held) bool { return h.Role == r })
			}) {
				return "waits for: " + g.Entitlement + " in " + name + ", which is not taken yet"
			}
		}
	}
	return ""
}

// Text says who holds what together, and whether that is let be.
func (c InConflict) Text() string {
	text := fmt.Sprintf("%s holds %s, against conflict.%s", c.Login, strings.Join(c.Roles, " and "), c.Conflict)
	if c.Where != "" {
		text += " (" + c.Where + ")"
	}
	for _, r := range c.Excepted {
		text += "; excepted: " + r.Text
	}
	return text
}
