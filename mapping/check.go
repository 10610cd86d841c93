package mapping

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/rosterd/rosterd/identity"
)

// check turns a parsed tree into a node, and reports what may not stand in it.
func (e *expression) check(tree ast.Node, pl place) node {
	at := e.at(tree)
	switch n := tree.(type) {
	case *ast.StringNode:
		if len(n.Value) > maxText {
			return e.fail(at, "", "the text is too long")
		}
		return literalNode(at, n.Value)
	case *ast.BoolNode:
		return staticNode(at, n.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		return e.fail(at, `attributes are texts: write "`+tree.String()+`"`, "a number cannot stand here")
	case *ast.NilNode:
		return e.fail(at, "an absent attribute is caught with ??", "nil cannot stand here")
	case *ast.IdentifierNode:
		if n.Value == "person" {
			return e.fail(at, "name an attribute: person.mail", "person alone is not a value")
		}
		hint := "attributes are written person.NAME, texts in quotes"
		if strings.EqualFold(n.Value, "person") {
			hint = didYouMean(n.Value, []string{"person"})
		}
		if n.Value == "number" {
			hint = `${number} stands in the names to try when the first is taken: { from = "…", otherwise = "…${number}" }`
		}
		return e.fail(at, hint, "unknown name %q", n.Value)
	case *ast.MemberNode:
		return e.member(n)
	case *ast.ArrayNode:
		return e.array(n, pl)
	case *ast.UnaryNode:
		return e.unary(n, pl)
	case *ast.BinaryNode:
		return e.binary(n, pl)
	case *ast.ConditionalNode:
		return e.choice(n, pl)
	case *ast.CallNode:
		switch callee := n.Callee.(type) {
		case *ast.IdentifierNode:
			if callee.Value == "account" {
				return e.account(at, n)
			}
			return e.call(at, callee.Value, n.Arguments, pl)
		case *ast.MemberNode:
			if name, ok := callee.Property.(*ast.StringNode); ok {
				return e.fail(at, "write "+name.Value+"("+callee.Node.String()+")", "a value has no methods")
			}
		}
	case *ast.BuiltinNode:
		return e.call(at, n.Name, n.Arguments, pl)
	case *ast.ChainNode:
		return e.fail(at, "write person.NAME; an absent attribute is caught with ??", "?. cannot stand here")
	}
	return e.fail(at, "a rule is made of comparisons, and, or, not, and the functions of the policy page", "this cannot stand in a rule")
}

func (e *expression) member(n *ast.MemberNode) node {
	owner, ok := n.Node.(*ast.IdentifierNode)
	if !ok {
		return e.fail(e.at(n), "first(…) takes the first of several values", "only person has attributes")
	}
	at := e.at(owner)
	if owner.Value != "person" {
		return e.fail(at, "attributes are written person.NAME", "unknown name %q", owner.Value)
	}
	name, ok := n.Property.(*ast.StringNode)
	if !ok {
		return e.fail(e.at(n), "write person.NAME", "an attribute is named literally, so that it is known what must be read")
	}
	if !identity.ValidType(name.Value) {
		return e.fail(e.at(name), "", "%q is not the name of an attribute", name.Value)
	}
	lower := strings.ToLower(name.Value)
	slot := e.names.attribute(lower)
	e.names.ask("person", lower, func(message, hint string) { e.report(at, message, hint) })
	if !slices.ContainsFunc(e.used, func(u shown) bool { return u.slot == slot }) {
		e.used = append(e.used, shown{slot: slot, name: name.Value})
	}
	return node{kind: isAttribute, at: at, attr: newAttribute(slot, name.Value), key: "person." + lower}
}

func (e *expression) array(n *ast.ArrayNode, pl place) node {
	at := e.at(n)
	if len(n.Nodes) == 0 {
		return e.fail(at, `write in ["one", "other"]; person.NAME == "" asks for no value`, "the list is empty: nothing is ever in it")
	}
	parts, keys, ok := make([]node, len(n.Nodes)), make([]string, len(n.Nodes)), true
	for i, x := range n.Nodes {
		parts[i] = e.wantText(e.check(x, place{blank: pl.blank}), pl.blank)
		keys[i] = parts[i].key
		ok = ok && parts[i].kind != isBad
	}
	if !ok {
		return bad
	}
	var literals []string
	if !slices.ContainsFunc(parts, func(p node) bool { return p.literal == nil }) {
		for _, p := range parts {
			literals = append(literals, *p.literal)
		}
		slices.Sort(keys)
	}
	out := listNode(at, "["+strings.Join(keys, " ")+"]", func(s *scope) ([]string, *fault) {
		out := make([]string, len(parts))
		for i := range parts {
			v, why := parts[i].text(s)
			if why != nil {
				return nil, why
			}
			out[i] = v
		}
		return out, nil
	})
	out.literals = literals
	return out
}

func (e *expression) unary(n *ast.UnaryNode, pl place) node {
	at := e.at(n)
	if n.Operator != "not" && n.Operator != "!" {
		return e.fail(at, "", "the operator %s cannot stand in a rule", n.Operator)
	}
	x := e.wantCondition(e.check(n.Node, place{blank: pl.blank}),
		`"not" binds tighter than a comparison: write not (person.x == "y")`)
	if x.kind == isBad {
		return bad
	}
	if x.static != nil {
		return staticNode(at, !*x.static)
	}
	return e.negate(x)
}

func (e *expression) binary(n *ast.BinaryNode, pl place) node {
	at := e.at(n)
	inner := place{blank: pl.blank}
	switch n.Operator {
	case "and", "&&", "or", "||":
		return e.junction(n, pl)
	case "==", "!=":
		return e.equal(at, n.Operator == "!=", e.check(n.Left, inner), e.check(n.Right, inner), pl)
	case "in":
		return e.in(at, n, inner)
	case "contains", "startsWith", "endsWith":
		return e.part(at, n.Operator, e.check(n.Left, inner), e.check(n.Right, inner), pl)
	case "+":
		a := e.wantText(e.check(n.Left, inner), pl.blank)
		b := e.wantText(e.check(n.Right, inner), pl.blank)
		return e.plus(at, a, b)
	case "??":
		return e.otherwise(at, e.check(n.Left, place{}), e.check(n.Right, inner))
	}
	hint := ""
	switch n.Operator {
	case "matches":
		hint = "contains, startsWith and endsWith look for a part"
	case "<", ">", "<=", ">=":
		hint = "attributes are texts, compared with ==, != and in; dates are asked with before(…) and after(…)"
	case "-":
		hint = `an attribute with a dash in its name is written person["a-b"]`
	}
	return e.fail(at, hint, "the operator %s cannot stand in a rule", n.Operator)
}

func (e *expression) junction(n *ast.BinaryNode, pl place) node {
	at := e.at(n)
	a := e.wantCondition(e.check(n.Left, pl), "compare it with something")
	b := e.wantCondition(e.check(n.Right, pl), "compare it with something")
	if a.kind == isBad || b.kind == isBad {
		return bad
	}
	// One order, however they are written: what is told of two faults, and when a
	// date is looked at, must not depend on it.
	if a.static != nil || b.static == nil && b.key < a.key {
		a, b = b, a
	}
	keys := []string{a.key, b.key}
	if n.Operator == "and" || n.Operator == "&&" {
		if b.static != nil {
			if *b.static {
				return a
			}
			return staticNode(at, false)
		}
		out := condNode(at, "(and "+keys[0]+" "+keys[1]+")", func(s *scope) verdict {
			v := a.cond(s)
			if v.no() {
				return v
			}
			return v.and(b.cond(s))
		})
		out.both(a, b)
		if never := unsatisfiable(out.must, out.either); never != "" {
			hint := `one value is compared with several: in ["a", "b"] is true for any of them`
			if !strings.Contains(never, "cannot be") {
				hint = "take one of the two out"
			}
			return e.fail(at, hint, "this can never be true: %s", never)
		}
		return out
	}
	if b.static != nil {
		if !*b.static {
			return a
		}
		return staticNode(at, true)
	}
	out := condNode(at, "(or "+keys[0]+" "+keys[1]+")", func(s *scope) verdict {
		v := a.cond(s)
		if v.yes {
			return v
		}
		return v.or(b.cond(s))
	})
	out.eitherOf(a, b)
	return out
}

// choice is cond ? a : b.
func (e *expression) choice(n *ast.ConditionalNode, pl place) node {
	at, inner := e.at(n.Exp1), place{blank: pl.blank} // the parser places the whole at its end
	if !n.Ternary {
		return e.fail(at, "write condition ? one : other", "if cannot stand in a rule")
	}
	c := e.wantCondition(e.check(n.Cond, inner), "compare it with something")
	a, b := e.check(n.Exp1, inner).asText(pl.blank), e.check(n.Exp2, inner).asText(pl.blank)
	if c.kind == isBad || a.kind == isBad || b.kind == isBad {
		return bad
	}
	if a.exact || b.exact {
		return e.fail(at, `write exact(person.NAME) == "x"`, exactAlone)
	}
	if a.kind != b.kind {
		return e.fail(at, "", "one side is %s, the other %s", a.kind, b.kind)
	}
	key := "(? " + c.key + " " + a.key + " " + b.key + ")"
	switch a.kind {
	case isText:
		return textNode(at, key, func(s *scope) (string, *fault) {
			switch v := c.cond(s); {
			case v.why != nil:
				return "", v.why
			case v.yes:
				return a.text(s)
			}
			return b.text(s)
		})
	case isList:
		return listNode(at, key, func(s *scope) ([]string, *fault) {
			switch v := c.cond(s); {
			case v.why != nil:
				return nil, v.why
			case v.yes:
				return a.list(s)
			}
			return b.list(s)
		})
	}
	return condNode(at, key, func(s *scope) verdict {
		switch v := c.cond(s); {
		case v.why != nil:
			return v
		case v.yes:
			return a.cond(s)
		}
		return b.cond(s)
	})
}

const exactAlone = "exact(…) only stands on one side of a comparison"

// wantText is the node as one text, or a reported mistake.
func (e *expression) wantText(n node, blank bool) node {
	switch n = n.asText(blank); n.kind {
	case isText:
		if n.exact {
			return e.fail(n.at, `write exact(person.NAME) == "x"`, exactAlone)
		}
		return n
	case isList:
		return e.fail(n.at, `first(…) takes one, join(…, ", ") makes one text of them`, "a list stands where one text is needed")
	case isCondition:
		return e.fail(n.at, `condition ? "one" : "other" makes a text of it`, "a condition stands where a text is needed")
	}
	return n
}

func (e *expression) wantCondition(n node, hint string) node {
	if n.kind != isBad && n.kind != isCondition {
		return e.fail(n.at, hint, "%s stands where a condition is needed", n.kind)
	}
	return n
}
