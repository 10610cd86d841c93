package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// Roles are the names of the roles, sorted.
func (p *Policy) Roles() []string { return slices.Clone(p.roleNames) }

// Lacks says why the person does not hold the role: the rule that is not met, who
// might have given it, and what stands against it. Empty for a role that is held, and
// for one that there is not.
func (p *Policy) Lacks(s Subject, role string) []Reason {
	i, known := slices.BinarySearch(p.roleNames, role)
	if !known {
		return nil
	}
	l := lack{p: p, sc: p.scope(s), x: p.excepts(s), seen: map[int]bool{}}
	l.held = p.hold(l.sc, l.x)
	l.of(i)
	return l.out
}

// lack collects what is not met.
type lack struct {
	p    *Policy
	sc   *scope
	x    *excepts
	held []holding
	seen map[int]bool
	out  []Reason
}

func (l *lack) say(r Reason, format string, args ...any) {
	r.Text = fmt.Sprintf(format, args...)
	l.out = append(l.out, r)
}

func (l *lack) name(i int) string { return l.p.roles[i].name }

func (l *lack) of(i int) {
	if l.seen[i] || l.held[i].yes {
		return
	}
	l.seen[i] = true
	r := &l.p.roles[i]
	given := r.own(l.sc).yes || len(l.x.granted(i)) > 0
	for _, s := range r.includedBy {
		given = given || l.held[s.role].yes
	}
	for _, denied := range l.x.denied(i) {
		l.out = append(l.out, denied)
	}
	if !given {
		l.out = append(l.out, l.x.past(i)...)
		l.own(r)
		for _, s := range r.includedBy {
			l.say(s.reason, "%s, which includes %s, is not held", l.name(s.role), r.name)
		}
	}
	if term := r.term; !term.holds(l.sc) {
		if l.sc.now.Before(term.from) {
			l.say(term.began, "nobody holds %s yet: %s", r.name, term.began.Text)
		} else {
			l.say(term.ends, "nobody holds %s any more: %s", r.name, term.ends.Text)
		}
	}
	for _, s := range r.requires {
		if !l.held[s.role].yes {
			l.say(s.reason, "%s requires %s, which is not held", r.name, l.name(s.role))
			l.of(s.role)
		}
	}
	for _, s := range r.excludedBy {
		switch h := &l.held[s.role]; {
		case h.yes:
			l.say(s.reason, "%s, which is held, excludes %s", l.name(s.role), r.name)
		case h.why != nil:
			l.say(s.reason, "%s excludes %s, and whether it is held is not known: %s", l.name(s.role), r.name, h.why.text)
		}
	}
}

// own says which of the role's own rules is not met.
func (l *lack) own(r *role) {
	if r.grouped {
		in := verdict{}
		var names []string
		for _, g := range r.groups {
			in = in.or(l.sc.groups[g.group].verdict)
			names = append(names, strings.TrimPrefix(g.reason.Text, "member of "))
		}
		switch {
		case in.why != nil:
			l.say(r.groups[0].reason, "not known: %s", in.why.text)
		case !in.yes:
			l.say(r.groups[0].reason, "not a member of %s", strings.Join(names, " or "))
		}
	}
	if r.when == nil {
		return
	}
	switch v := r.when.decide(l.sc); {
	case v.why != nil:
		l.say(r.because, "cannot be decided: %s: %s", r.when.source, v.why.text)
	case !v.yes:
		l.say(r.because, "not so: %s", r.when.because(l.sc))
	}
}
