package mapping

import "slices"

// Conflicted is a conflict that a person is in.
type Conflicted struct {
	// Conflict is its name.
	Conflict string
	// Roles are those of the conflict that are held, sorted; two at least.
	Roles []string
	// Action is "report" or "hold".
	Action string
	// Where is file:line of the rule.
	Where string
}

type conflict struct {
	name, action, where string
	roles               []string // sorted
}

// Conflicts are the conflicts in which the person is by the roles held, sorted
// by name. Doubtful roles do not count.
func (p *Policy) Conflicts(d Desired) []Conflicted {
	var out []Conflicted
	for _, c := range p.conflicts {
		var both []string
		for _, h := range d.Roles {
			if slices.Contains(c.roles, h.Role) {
				both = append(both, h.Role)
			}
		}
		if len(both) > 1 {
			out = append(out, Conflicted{Conflict: c.name, Roles: both, Action: c.action, Where: c.where})
		}
	}
	return out
}

func (m *compiler) conflict(name string, c Conflict, roles []role) conflict {
	path := []string{"conflict", name, "roles"}
	out := conflict{
		name:   name,
		action: m.word([]string{"conflict", name, "action"}, c.Action, "report", "hold"),
		where:  m.reason("", path...).Where,
	}
	known := m.roles(path, c.Roles)
	for _, i := range known {
		out.roles = append(out.roles, roles[i].name)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(c.Roles)))) < 2 {
		m.fail(path, `write roles = ["one", "other"]`, "a conflict is between two roles at least")
	}
	for _, i := range known {
		for _, r := range roles[i].requires {
			if slices.Contains(known, r.role) {
				m.warn(path, "name roles that can be held one without the other", "whoever holds %s is in this conflict: it requires %s", roles[i].name, roles[r.role].name)
			}
		}
		for _, r := range roles[i].includedBy {
			if slices.Contains(known, r.role) {
				m.warn(path, "name roles that can be held one without the other", "whoever holds %s is in this conflict: it includes %s", roles[r.role].name, roles[i].name)
			}
		}
	}
	return out
}
