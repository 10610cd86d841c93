package mapping

import (
	"maps"
	"slices"

	"github.com/rosterd/rosterd/ledger"
)

// Conflicted is a conflict that a person is in.
type Conflicted struct {
	// Conflict is its name.
	Conflict string
	// Roles are those of the conflict that are held, sorted; two at least, or one
	// where another one is in doubt.
	Roles []string
	// Doubtful are those of which it is in doubt whether they are held.
	Doubtful []string
	// Excepted are the exceptions by which it is let be.
	Excepted []Reason
	// Action is "report" or "hold".
	Action string
	// Where is file:line of the rule.
	Where string
}

type conflict struct {
	name, action, where string
	roles               []string // sorted
}

// Apart is a conflict of which somebody holds a role.
type Apart struct {
	Conflict string
	// Roles are all of the conflict.
	Roles []string
}

// apart are the conflicts of which a role is held, and that no exception lets be.
func (p *Policy) apart(d Desired) (out []Apart) {
	for _, c := range p.conflicts {
		if slices.ContainsFunc(d.Roles, func(h Held) bool { return slices.Contains(c.roles, h.Role) }) && len(d.excepted(c.name)) == 0 {
			out = append(out, Apart{c.name, c.roles})
		}
	}
	return out
}

// excepted are the exceptions in force by which a conflict is let be.
func (d *Desired) excepted(conflict string) (out []Reason) {
	for _, e := range d.Exceptions {
		if e.Kind == ledger.Except && e.Conflict == conflict && e.Term == ledger.InForce && e.Idle == "" {
			out = append(out, Reason{Rule: e.Called(), Where: e.Where, Text: e.Why() + ", " + e.End()})
		}
	}
	return out
}

// Conflicts are the conflicts in which the person is by the roles held, sorted
// by name.
func (p *Policy) Conflicts(d Desired) []Conflicted {
	var out []Conflicted
	for _, c := range p.conflicts {
		var both []string
		for _, h := range d.Roles {
			if slices.Contains(c.roles, h.Role) {
				both = append(both, h.Role)
			}
		}
		var doubtful []string
		for _, x := range d.Doubts {
			if slices.Contains(c.roles, x.Role) {
				doubtful = append(doubtful, x.Role)
			}
		}
		if len(both) > 0 && len(both)+len(doubtful) > 1 {
			out = append(out, Conflicted{Conflict: c.name, Roles: both, Doubtful: doubtful, Excepted: d.excepted(c.name), Action: c.action, Where: c.where})
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
	for _, who := range slices.Sorted(maps.Keys(c.Except)) {
		x := c.Except[who]
		e := exception{role: -1, Exception: ledger.Exception{Kind: ledger.Except, Name: who, Written: x.Person, Conflict: name, Reason: x.Reason, Ticket: x.Ticket}}
		m.except(&e, func(key ...string) []string { return append([]string{"conflict", name, "except", who}, key...) }, "", x.Until)
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
