package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// role is a compiled role.
type role struct {
	name string
	// groups of which one suffices; grouped tells "no groups given" from none.
	groups  []roleGroup
	grouped bool
	when    *condition
	because Reason // of when, or of birthright
	// birthright: everybody holds it by its own rules.
	birthright bool
	term       term
	// includedBy are the roles that give this one.
	includedBy []roleStep
	requires   []roleStep
	// excludedBy are the roles beside which nobody has this one.
	excludedBy []roleStep
}

// roleGroup is one group of a role: its place in a scope and the reason.
type roleGroup struct {
	group  int
	key    string // of its DN
	reason Reason
}

// roleStep is another role that bears on this one.
type roleStep struct {
	role   int
	reason Reason
}

func (m *compiler) role(name string, c Role) role {
	r := role{name: name, grouped: len(c.Groups) > 0}
	path := func(key string) []string { return []string{"role", name, key} }
	if strings.TrimSpace(name) == "" {
		m.fail([]string{"role", name}, "", "a role needs a name")
	}
	if c.Groups != nil && len(c.Groups) == 0 {
		m.fail(path("groups"), "leave it out, or name a group", "the list is empty: nobody is a member")
	}
	for _, written := range slices.Compact(slices.Sorted(slices.Values(c.Groups))) {
		dn, err := identity.ParseDN(written)
		if err != nil || dn.IsZero() {
			m.fail(path("groups"), `write the whole name: "cn=writers,ou=groups,dc=corp,dc=example"`, "%s", notDN(err))
			continue
		}
		r.groups = append(r.groups, roleGroup{
			group: m.names.group(written), key: dn.Key(),
			reason: m.reason("member of "+dn.RDN()[0].Value, path("groups")...),
		})
	}
	if c.When != "" {
		r.when = m.condition(c.When, "", path("when"))
		r.because = m.reason("", path("when")...)
	}
	if r.birthright = c.Birthright; r.birthright {
		r.because = m.reason("everybody in the source has it", path("birthright")...)
		if c.Groups != nil || c.When != "" {
			m.fail(path("birthright"), "leave out groups and when, or birthright", "everybody has the role %q already", name)
		}
	}
	r.term = m.term(c.From, c.Until, path)
	m.owners(c, path)
	for _, i := range m.roles(path("requires"), c.Requires) {
		text := fmt.Sprintf("role %s, which %s requires, is held too", m.roleNames[i], name)
		r.requires = append(r.requires, roleStep{i, m.reason(text, path("requires")...)})
	}
	return r
}

// owners checks who answers for the role.
func (m *compiler) owners(c Role, path func(string) []string) {
	if c.Owner != "" && len(c.Owners) > 0 {
		m.fail(path("owner"), "name all of them under owners", "there are owner and owners")
	}
	if c.Owners != nil && len(c.Owners) == 0 {
		m.fail(path("owners"), "leave it out, or name somebody", "the list is empty: nobody answers for the role")
	}
	for _, o := range c.Owners {
		if strings.TrimSpace(o) == "" {
			m.fail(path("owners"), "name a person, a role or a mailbox", "an owner needs a name")
		}
	}
}

// AnswersFor are the owners, sorted, however they were written.
func (r Role) AnswersFor() []string {
	out := slices.Clone(r.Owners)
	if r.Owner != "" {
		out = append(out, r.Owner)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// includes tells each role who includes it, and reports the roles that nobody
// could ever hold.
func (m *compiler) includes(roles []role) {
	for i, name := range m.roleNames {
		path := []string{"role", name, "includes"}
		for _, j := range m.roles(path, m.config.Roles[name].Includes) {
			text := fmt.Sprintf("role %s includes %s", name, m.roleNames[j])
			roles[j].includedBy = append(roles[j].includedBy, roleStep{i, m.reason(text, path...)})
		}
	}
	for i, r := range roles {
		c := m.config.Roles[r.name]
		granted := false
		for _, g := range m.config.Grants {
			granted = granted || g.Role == r.name
		}
		if c.Groups == nil && c.When == "" && !c.Birthright && len(r.includedBy) == 0 && !granted {
			m.fail([]string{"role", m.roleNames[i]}, "give it groups, when or birthright, or let another role include it, or a [grant.NAME] give it",
				"nobody can ever hold the role %q", r.name)
		}
	}
}

// sort puts roles behind those on which they depend, and reports the cycles.
func (m *compiler) sort(roles []role) []int {
	const (
		open = 1
		done = 2
	)
	state := make([]int, len(roles))
	var order, stack []int
	var visit func(i int)
	visit = func(i int) {
		state[i] = open
		stack = append(stack, i)
		for _, j := range roles[i].dependsOn() {
			switch state[j] {
			case 0:
				visit(j)
			case open:
				m.cycle(roles, stack[slices.Index(stack, j):])
			}
		}
		stack = stack[:len(stack)-1]
		state[i] = done
		order = append(order, i)
	}
	for i := range roles {
		if state[i] == 0 {
			visit(i)
		}
	}
	return order
}

func (r *role) dependsOn() (out []int) {
	for _, s := range r.requires {
		out = append(out, s.role)
	}
	for _, s := range r.includedBy {
		out = append(out, s.role)
	}
	for _, s := range r.excludedBy {
		out = append(out, s.role)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// cycle reports a chain of roles whose last depends on its first.
func (m *compiler) cycle(roles []role, chain []int) {
	var steps []string
	path := []string{"role", roles[chain[0]].name}
	for k, i := range chain {
		next := chain[(k+1)%len(chain)]
		name, other := roles[i].name, roles[next].name
		step, at := name+" requires "+other, []string{"role", name, "requires"}
		leads := func(s roleStep) bool { return s.role == next }
		switch {
		case slices.ContainsFunc(roles[i].requires, leads):
		case slices.ContainsFunc(roles[i].includedBy, leads):
			step, at = other+" includes "+name, []string{"role", other, "includes"}
		default:
			step, at = other+" excludes "+name, []string{"role", other, "excludes"}
		}
		steps = append(steps, step)
		if k == 0 {
			path = at
		}
	}
	m.fail(path, "take one of them out", "roles go round in a circle: %s", strings.Join(steps, ", "))
}
