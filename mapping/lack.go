package mapping

import (
	"fmt"
	"strings"
)

// lacks says why the person does not hold a role: the rule that failed, whoever
// might have given it, and what stands against it.
func (p *Policy) lacks(s Subject, i int) string {
	sc := p.scope(s)
	held := p.hold(sc)
	var out []string
	p.lack(held, sc, i, &out, map[int]bool{})
	return strings.Join(out, "; ")
}

func (p *Policy) lack(held []holding, sc *scope, i int, out *[]string, seen map[int]bool) {
	r := &p.roles[i]
	if seen[i] || held[i].yes {
		return
	}
	seen[i] = true
	say := func(reason Reason, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if reason.Where != "" {
			text += " (" + reason.Where + ")"
		}
		*out = append(*out, text)
	}
	given := held[i].own != nil
	for _, s := range r.includedBy {
		given = given || held[s.role].yes
	}
	if !given {
		p.unmet(r, sc, say)
		for _, s := range r.includedBy {
			say(s.reason, "%s, which includes %s, is not held", p.roles[s.role].name, r.name)
		}
	}
	for _, s := range r.requires {
		if !held[s.role].yes {
			say(s.reason, "%s requires %s, which is not held", r.name, p.roles[s.role].name)
			p.lack(held, sc, s.role, out, seen)
		}
	}
	for _, s := range r.excludedBy {
		if held[s.role].yes {
			say(s.reason, "%s, which is held, excludes %s", p.roles[s.role].name, r.name)
		}
	}
}

// unmet says which of the role's own rules does not hold.
func (p *Policy) unmet(r *role, sc *scope, say func(Reason, string, ...any)) {
	if r.grouped {
		in := false
		var names []string
		for _, g := range r.groups {
			in = in || sc.groups[g.group].yes
			names = append(names, strings.TrimPrefix(g.reason.Text, "member of "))
		}
		if !in {
			say(r.groups[0].reason, "not a member of %s", strings.Join(names, " or "))
		}
	}
	if r.when != nil && !r.when.decide(sc).yes {
		say(r.because, "not so: %s", r.when.because(sc))
	}
}
