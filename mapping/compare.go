package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/rosterd/rosterd/identity"
)

// operand is one side of a comparison: one text, exact or not.
func (e *expression) operand(n node, blank bool) (out node, exact bool) {
	switch n.kind {
	case isCondition:
		return e.fail(n.at, "combine conditions with and, or, not", "a condition cannot be compared"), false
	case isList:
		return e.fail(n.at, `write "x" in values(person.NAME)`, "a list cannot be compared with a text"), false
	}
	exact, n.exact = n.exact, false
	return e.wantText(n, blank), exact
}

func (e *expression) equal(at int, negate bool, l, r node, pl place) node {
	l, lx := e.operand(l, pl.blank)
	r, rx := e.operand(r, pl.blank)
	if l.kind == isBad || r.kind == isBad {
		return bad
	}
	if l.literal != nil && r.literal != nil {
		return e.fail(at, "attributes are written person.NAME", "this compares two fixed texts")
	}
	if l.literal != nil {
		l, r = r, l
	}
	if l.key == r.key {
		return e.fail(at, `write "x" in quotes on one side`, "this compares a value with itself")
	}
	exact := lx || rx
	if r.literal != nil && !e.mayBe(l, *r.literal, r.at, exact) {
		return bad
	}
	a, b, op := l.fold, r.fold, "=="
	if exact {
		a, b, op = l.text, r.text, "==="
	}
	keys := []string{l.key, r.key}
	slices.Sort(keys)
	n := condNode(at, "("+op+" "+keys[0]+" "+keys[1]+")", func(s *scope) verdict {
		x, why := a(s)
		y, why2 := b(s)
		if why = heavier(why, why2); why != nil {
			return verdict{why: why}
		}
		return verdict{yes: x == y}
	})
	if r.literal != nil {
		n.is = &choiceOf{subject: l.key, at: at, allow: []string{identity.Fold(*r.literal)}, exact: exact}
	}
	if negate {
		return e.negate(n)
	}
	return n
}

// mayBe reports a text that nobody's value can be, since it is made by a function that
// never gives it.
func (e *expression) mayBe(n node, text string, at int, exact bool) bool {
	if n.made == nil {
		return true
	}
	gives := n.made(text)
	if exact && gives == text || !exact && (identity.Fold(gives) == identity.Fold(text) || identity.Fold(n.made(identity.Fold(text))) == identity.Fold(text)) {
		return true
	}
	hint := fmt.Sprintf("it gives %q, if that is what is meant", gives)
	if gives == "" {
		hint = "take it out"
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(n.key, "("), " ")
	e.fail(at, hint, "%s(…) never gives %q", name, text)
	return false
}

func (e *expression) in(at int, b *ast.BinaryNode, inner place) node {
	l, exact := e.operand(e.check(b.Left, inner), inner.blank)
	r := e.check(b.Right, inner)
	switch r.kind {
	case isBad:
		return bad
	case isAttribute:
		return e.fail(r.at, "write in values("+personName(r.attr.name)+")", "an attribute is not a list")
	case isText, isCondition:
		return e.fail(r.at, `write in ["one", "other"]`, "%s stands where a list is needed", r.kind)
	}
	if l.kind == isBad {
		return bad
	}
	if l.literal != nil && r.literals != nil {
		return e.fail(at, "attributes are written person.NAME", "this compares fixed texts")
	}
	if list, is := bare(b.Right).(*ast.ArrayNode); is && r.literals != nil {
		for _, x := range list.Nodes {
			if text, is := x.(*ast.StringNode); is && !e.mayBe(l, text.Value, e.at(x), exact) {
				return bad
			}
		}
	}
	op, value := "in", l.fold
	if exact {
		op, value = "in=", l.text
	}
	key := "(" + op + " " + l.key + " " + r.key + ")"
	if r.literals == nil {
		return condNode(at, key, func(s *scope) verdict {
			v, why := value(s)
			list, why2 := r.list(s)
			if why = heavier(why, why2); why != nil {
				return verdict{why: why}
			}
			for _, x := range list {
				if !exact {
					x = identity.Fold(x)
				}
				if x == v {
					return verdict{yes: true}
				}
			}
			return verdict{}
		})
	}
	folded := make([]string, len(r.literals))
	for i, x := range r.literals {
		folded[i] = identity.Fold(x)
	}
	set := folded
	if exact {
		set = r.literals
	}
	n := condNode(at, key, func(s *scope) verdict {
		v, why := value(s)
		if why != nil {
			return verdict{why: why}
		}
		return verdict{yes: slices.Contains(set, v)}
	})
	n.is = &choiceOf{subject: l.key, at: at, allow: folded, exact: exact}
	return n
}

// part is contains, startsWith and endsWith.
func (e *expression) part(at int, operator string, l, r node, pl place) node {
	l, lx := e.operand(l, pl.blank)
	r, rx := e.operand(r, pl.blank)
	if l.kind == isBad || r.kind == isBad {
		return bad
	}
	if l.literal != nil && r.literal != nil {
		return e.fail(at, "attributes are written person.NAME", "this compares two fixed texts")
	}
	exact := lx || rx
	if r.literal != nil && (*r.literal == "" || !exact && strings.TrimSpace(foldPart(*r.literal)) == "") {
		return e.fail(r.at, `person.NAME != "" asks whether there is a value`, "every text %s an empty one", operator)
	}
	test := strings.Contains
	switch operator {
	case "startsWith":
		test = strings.HasPrefix
	case "endsWith":
		test = strings.HasSuffix
	}
	value, piece, name := l.fold, foldedPart(r), operator
	if exact {
		value, piece, name = l.text, r.text, operator+"="
	}
	return condNode(at, "("+name+" "+l.key+" "+r.key+")", func(s *scope) verdict {
		x, why := value(s)
		y, why2 := piece(s)
		if why = heavier(why, why2); why != nil {
			return verdict{why: why}
		}
		if !exact {
			// Blanks at the edges of a value are not in it, and count as there:
			// contains " of " finds the word at either end too.
			switch operator {
			case "contains":
				x = " " + x + " "
			case "startsWith":
				x, y = x+" ", strings.TrimPrefix(y, " ")
			case "endsWith":
				x, y = " "+x, strings.TrimSuffix(y, " ")
			}
			if y == " " {
				y = ""
			}
		}
		return verdict{yes: y != "" && test(x, y)}
	})
}

// foldPart prepares a text to be looked for inside another. Blanks at its edges
// stay, as one.
func foldPart(s string) string {
	folded := identity.Fold("|" + s + "|")
	return folded[1 : len(folded)-1]
}

func foldedPart(n node) textFunc {
	if n.literal != nil {
		part := foldPart(*n.literal)
		return func(*scope) (string, *fault) { return part, nil }
	}
	return func(s *scope) (string, *fault) {
		v, why := n.text(s)
		if why != nil {
			return "", why
		}
		return foldPart(v), nil
	}
}
