package mapping

import "slices"

// What nobody can ever reach is found here: a role that no one can hold, a right
// that none of its holders has an account for, a conflict that cannot be. It is
// found by what must be so for a role to be held (needs), which is less than all
// that must be so: a rule that is called dead is dead, one that is not may be.

// needs is what has to be so for a role to be held.
type needs struct {
	roles  []int // held too, the role itself among them
	claims []*choiceOf
	either [][]branch
}

// needs collects them through what the role requires, and, where a role is the
// only way to another, through that.
func (m *compiler) needs(roles []role, i int) (out needs) {
	seen := make([]bool, len(roles))
	var visit func(i int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		out.roles = append(out.roles, i)
		r := &roles[i]
		c := m.config.Roles[r.name]
		own := c.Groups != nil || c.When != "" || c.Birthright
		switch {
		case len(r.includedBy) == 0 && r.when != nil:
			out.claims = append(out.claims, r.when.claims...)
			out.either = append(out.either, r.when.either...)
		case !own && len(r.includedBy) == 1:
			visit(r.includedBy[0].role)
		}
		for _, s := range r.requires {
			visit(s.role)
		}
	}
	visit(i)
	slices.Sort(out.roles)
	return out
}

func (n needs) and(o needs) needs {
	return needs{
		roles:  slices.Compact(slices.Sorted(slices.Values(slices.Concat(n.roles, o.roles)))),
		claims: slices.Concat(n.claims, o.claims), either: slices.Concat(n.either, o.either),
	}
}

// never says in words why not all of it can be so; "" if it may be. Only rules:
// it is the conditions that stand against each other, and a right that is given
// by name goes round them.
func (n needs) never(roles []role) (why string, onlyRules bool) {
	if why = n.apart(roles); why != "" {
		return why, false
	}
	return unsatisfiable(n.claims, n.either), true
}

// apart says which of the roles are never held together, whoever gives them.
func (n needs) apart(roles []role) string {
	for _, i := range n.roles {
		for _, s := range roles[i].excludedBy {
			if slices.Contains(n.roles, s.role) {
				return roles[s.role].name + " excludes " + roles[i].name
			}
		}
	}
	// Nobody holds two roles whose times do not meet.
	for k, i := range n.roles {
		for _, j := range n.roles[k+1:] {
			a, b := roles[i].term, roles[j].term
			if a.over(b) || b.over(a) {
				return roles[i].name + " and " + roles[j].name + " are never held on the same day"
			}
		}
	}
	return ""
}

// over says whether a term is over before another begins.
func (t term) over(o term) bool {
	return !t.until.IsZero() && !o.from.IsZero() && !t.until.After(o.from)
}

// reach reports what nobody can reach. What follows from another report is not
// said again.
func (m *compiler) reach(p *Policy) {
	roles := p.roles
	all, dead := make([]needs, len(roles)), make([]bool, len(roles))
	for _, i := range p.order {
		all[i] = m.needs(roles, i)
		for _, j := range all[i].roles {
			dead[i] = dead[i] || dead[j]
		}
		// Of a role that excludes itself, or what requires it, it is told there.
		dead[i] = dead[i] || slices.ContainsFunc(roles[i].excludedBy, func(x roleStep) bool { return x.role == i })
		for _, s := range roles[i].requires {
			dead[i] = dead[i] || slices.ContainsFunc(roles[i].excludedBy, func(x roleStep) bool { return x.role == s.role })
		}
		if dead[i] {
			continue
		}
		why, onlyRules := all[i].never(roles)
		if dead[i] = why != ""; !dead[i] {
			continue
		}
		path := []string{"role", roles[i].name}
		if len(roles[i].requires) > 0 {
			path = append(path, "requires")
		}
		if onlyRules {
			m.warn(path, "mend one of the conditions", "no rule can ever give the role %q: beside what it requires, %s", roles[i].name, why)
		} else {
			m.fail(path, "take one of the rules out, or the role", "nobody can ever hold the role %q: %s", roles[i].name, why)
		}
	}
	alone := func(i, j int) string {
		if dead[i] || dead[j] {
			return ""
		}
		why, _ := all[i].and(all[j]).never(roles)
		return why
	}
	pairs := map[[2]string]string{}
	for _, k := range p.conflicts {
		m.conflictReach(k, pairs, alone)
	}
	m.rightReach(p, alone)
}

// conflictReach warns of a conflict between roles that nobody can hold together,
// or that are in one already.
func (m *compiler) conflictReach(k conflict, pairs map[[2]string]string, alone func(i, j int) string) {
	for x, a := range k.roles {
		for _, b := range k.roles[x+1:] {
			if other := pairs[[2]string{a, b}]; other != "" {
				m.warn([]string{"conflict", k.name, "roles"}, "take one of them out of one of the two", "%q and %q are in conflict.%s already", a, b, other)
			}
			pairs[[2]string{a, b}] = k.name
			if why := alone(m.index[a], m.index[b]); why != "" {
				m.warn([]string{"conflict", k.name, "roles"}, "leave the conflict out, or mend the rules of the roles",
					"nobody can ever hold %q and %q together: %s", a, b, why)
			}
		}
	}
}

// rightReach warns of rights whose holders can have no account to hold them in.
func (m *compiler) rightReach(p *Policy, alone func(i, j int) string) {
	for _, t := range p.targets {
		told := map[int]bool{}
		for _, e := range t.entitlements {
			for _, from := range e.from {
				if told[from.role] {
					continue
				}
				told[from.role] = true
				why := ""
				for _, f := range t.accounts {
					if why = alone(from.role, f.role); why == "" {
						break
					}
				}
				if why != "" {
					m.warn([]string{"target", t.name, "entitlements", m.roleNames[from.role]}, "name the role under account.for, or take the line out",
						"nobody who holds %q can have an account here: %s", m.roleNames[from.role], why)
				}
			}
		}
	}
}
