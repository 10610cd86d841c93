package mapping

import "slices"

// What must be so for a condition to be true is kept beside it, so that one that
// never can be is found when the file is read. It is less than all that must be
// so: what is not understood is left out.

// choiceOf is what a condition says of one text: that it is one of allow, or,
// if not, that it is none of them. All are prepared for comparison.
type choiceOf struct {
	subject string
	at      int
	allow   []string
	not     bool
	exact   bool
	// whole: the subject is a condition, and what is said is that it is true.
	whole bool
}

// branch is one side of an `or`: what has to be so for it to be true.
type branch struct {
	at     int
	claims []*choiceOf
	either [][]branch
}

// itself is the claim that a condition is true.
func (n node) itself() *choiceOf {
	return &choiceOf{subject: "?" + n.key, at: n.at, allow: []string{"true"}, whole: true}
}

// claims all have to hold for the condition to be true.
func (n node) claims() []*choiceOf {
	out := slices.Clone(n.must)
	if n.is != nil {
		out = append(out, n.is)
	}
	if n.inner == nil {
		out = append(out, n.itself())
	}
	return out
}

// branches are the sides of an `or`, or the condition alone.
func (n node) branches() []branch {
	if n.sides != nil {
		return n.sides
	}
	return []branch{{at: n.at, claims: n.claims(), either: n.either}}
}

func (e *expression) negate(x node) node {
	if x.inner != nil {
		again := *x.inner
		n := condNode(x.at, "(not "+x.key+")", func(s *scope) verdict { return x.cond(s).not() })
		n.is, n.must, n.either, n.sides = again.is, append(slices.Clone(again.must), again.itself()), again.either, again.sides
		return n
	}
	n := condNode(x.at, "(not "+x.key+")", func(s *scope) verdict { return x.cond(s).not() })
	n.inner = &x
	false_ := x.itself()
	false_.not = true
	n.must = []*choiceOf{false_}
	// What exact() refuses may still fold to the same text.
	if x.is != nil && !x.is.exact {
		c := *x.is
		c.not = !c.not
		n.is = &c
	}
	switch {
	case x.or:
		for _, side := range x.parts {
			opposite := e.negate(side)
			n.must = append(n.must, opposite.claims()...)
			n.either = append(n.either, opposite.either...)
		}
	case x.parts != nil:
		for _, side := range x.parts {
			n.sides = append(n.sides, e.negate(side).branches()...)
		}
		n.either = [][]branch{n.sides}
	}
	return n
}

// both is what a and b say together.
func (n *node) both(a, b node) {
	n.parts = []node{a, b}
	n.must = append(a.claims(), b.claims()...)
	n.either = append(slices.Clone(a.either), b.either...)
}

// eitherOf is what a or b says.
func (n *node) eitherOf(a, b node) {
	n.parts, n.or = []node{a, b}, true
	n.sides = append(slices.Clone(a.branches()), b.branches()...)
	n.either = [][]branch{n.sides}
	if x, y := a.is, b.is; x != nil && y != nil && !x.not && !y.not && x.subject == y.subject {
		n.is = &choiceOf{subject: x.subject, at: n.at, allow: append(slices.Clone(x.allow), y.allow...), exact: x.exact || y.exact}
	}
}

// never says that a claim meets what it cannot stand beside.
func (c *choiceOf) never(others []*choiceOf) string {
	if c.whole {
		return "it asks for something and its opposite"
	}
	left := slices.Clone(c.allow)
	for _, d := range others {
		left = slices.DeleteFunc(left, func(v string) bool { return slices.Contains(d.allow, v) == d.not })
		switch {
		case len(left) > 0:
		case d.not:
			return c.subject + " cannot be " + orList(c.allow) + " and be none of it"
		default:
			return c.subject + " cannot be " + orList(c.allow) + " and " + orList(d.allow) + " at once"
		}
	}
	return c.subject + " cannot be all that is asked"
}

func orList(values []string) string {
	var b []byte
	for i, v := range values {
		if i == 3 && len(values) > 4 {
			return string(append(b, " or another"...))
		}
		if i > 0 {
			b = append(b, " or "...)
		}
		b = appendQuoted(b, v)
	}
	return string(b)
}

// contradiction says which claim cannot hold beside the others, the first; "" if
// all may.
func contradiction(claims []*choiceOf) string {
	about := map[string][]*choiceOf{}
	for _, c := range claims {
		about[c.subject] = append(about[c.subject], c)
	}
	for _, c := range claims {
		others := about[c.subject]
		if c.not || len(others) < 2 {
			continue
		}
		left := slices.Clone(c.allow)
		for _, d := range others {
			left = slices.DeleteFunc(left, func(v string) bool { return slices.Contains(d.allow, v) == d.not })
		}
		if len(left) == 0 {
			return c.never(others)
		}
	}
	return ""
}

// unsatisfiable says why not all of this can be so; "" if it may be.
func unsatisfiable(claims []*choiceOf, either [][]branch) string {
	if why := contradiction(claims); why != "" {
		return why
	}
	for _, branches := range either {
		why := ""
		for _, b := range branches {
			if why = unsatisfiable(slices.Concat(claims, b.claims), b.either); why == "" {
				break
			}
		}
		if why != "" {
			return why
		}
	}
	return ""
}

// deadBranch is a side of an `or` that is never true where it stands.
type deadBranch struct {
	at  int
	why string
}

// deadBranches finds them in a condition that can be true.
func deadBranches(claims []*choiceOf, either [][]branch) (out []deadBranch) {
	for _, branches := range either {
		for _, b := range branches {
			all := slices.Concat(claims, b.claims)
			if why := unsatisfiable(all, b.either); why != "" {
				out = append(out, deadBranch{b.at, why})
				continue
			}
			out = append(out, deadBranches(all, b.either)...)
		}
	}
	return out
}
