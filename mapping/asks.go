package mapping

import (
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/rosterd/rosterd/identity"
)

// Asked is an attribute that the policy compares with texts that are written out, or
// looks up in a table, and nowhere in another way: a value that is none of them is
// one that nobody thought of.
type Asked struct {
	// Attribute is in lower case.
	Attribute string
	known     map[string]bool
}

// Knows says whether a rule names the value.
func (a Asked) Knows(value string) bool { return a.known[identity.Fold(value)] }

// Asks are those attributes, sorted. One that a rule also searches, or compares with
// what is not written out, is left out: any value may meet that.
func (p *Policy) Asks() []Asked {
	c := p.config
	q := asks{tables: c.Tables, known: map[string]map[string]bool{}, open: map[string]bool{}}
	for _, r := range c.Roles {
		q.condition(r.When)
	}
	for _, s := range c.Sources {
		q.condition(s.Disabled)
	}
	for _, t := range c.Targets {
		for _, a := range t.Attributes {
			pieces, _ := cutTemplate(a.From, func(int, string, string) {})
			for _, piece := range pieces {
				if piece.expression {
					q.look(tree(piece.text), false)
				}
			}
		}
	}
	var out []Asked
	for _, name := range slices.Sorted(maps.Keys(q.known)) {
		if !q.open[name] {
			out = append(out, Asked{name, q.known[name]})
		}
	}
	return out
}

type asks struct {
	tables map[string]map[string]string
	known  map[string]map[string]bool // attribute → folded values
	open   map[string]bool
}

func (q *asks) condition(source string) {
	if source != "" {
		q.look(tree(source), true)
	}
}

// names says that a rule knows the value of the attribute.
func (q *asks) names(attribute, value string) {
	if q.known[attribute] == nil {
		q.known[attribute] = map[string]bool{}
	}
	q.known[attribute][identity.Fold(value)] = true
}

// look goes through a rule. In a condition an attribute that stands anywhere else than
// beside written texts may be any; in a value only what is looked up counts.
func (q *asks) look(n ast.Node, rule bool) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		if q.compared(n) {
			return
		}
		q.look(n.Left, rule)
		q.look(n.Right, rule)
	case *ast.UnaryNode:
		q.look(n.Node, rule)
	case *ast.ConditionalNode:
		q.look(n.Cond, rule)
		q.look(n.Exp1, rule)
		q.look(n.Exp2, rule)
	case *ast.ArrayNode:
		for _, x := range n.Nodes {
			q.look(x, rule)
		}
	case *ast.MemberNode:
		if name := personal(n); name != "" && rule {
			q.open[name] = true
		}
	case *ast.CallNode, *ast.BuiltinNode:
		name, args := called(n)
		if name == "lookup" && len(args) == 2 {
			table, isText := args[0].(*ast.StringNode)
			if attribute := personal(bare(args[1])); isText && attribute != "" {
				for word := range q.tables[table.Value] {
					q.names(attribute, word)
				}
				return
			}
		}
		for _, x := range args {
			q.look(x, rule)
		}
	}
}

// compared takes in a comparison of an attribute with texts that are written out.
func (q *asks) compared(n *ast.BinaryNode) bool {
	left, right := bare(n.Left), bare(n.Right)
	switch n.Operator {
	case "==", "!=":
		if _, fixed := left.(*ast.StringNode); fixed {
			left, right = right, left
		}
		text, fixed := right.(*ast.StringNode)
		if name := personal(left); fixed && name != "" {
			q.names(name, text.Value)
			return true
		}
	case "in", "not in":
		if name := personal(left); name != "" {
			list, is := right.(*ast.ArrayNode)
			if !is {
				return false
			}
			for _, x := range list.Nodes {
				text, fixed := x.(*ast.StringNode)
				if !fixed {
					return false
				}
				q.names(name, text.Value)
			}
			return true
		}
		text, fixed := left.(*ast.StringNode)
		if name := personal(right); fixed && name != "" {
			q.names(name, text.Value)
			return true
		}
	}
	return false
}

// bare is an attribute without what does not change which of its values is meant.
func bare(n ast.Node) ast.Node {
	for {
		name, args := called(n)
		if len(args) != 1 || !slices.Contains([]string{"exact", "values", "first", "trim", "lower", "upper"}, name) {
			return n
		}
		n = args[0]
	}
}

// personal is the attribute that a node is, in lower case; "" if it is none.
func personal(n ast.Node) string {
	m, is := n.(*ast.MemberNode)
	if !is {
		return ""
	}
	owner, isName := m.Node.(*ast.IdentifierNode)
	name, isText := m.Property.(*ast.StringNode)
	if !isName || !isText || owner.Value != "person" {
		return ""
	}
	return strings.ToLower(name.Value)
}

// Twice is an entitlement that a role gives though one that it includes gives it
// already: taking it from one of them takes it from nobody.
type Twice struct {
	Target, Entitlement, Role, Included string
	// Where is file:line of what the role gives.
	Where string
}

// Twice are those, sorted by target, role and entitlement.
func (p *Policy) Twice() (out []Twice) {
	for i := range p.targets {
		t := &p.targets[i]
		var here []Twice
		for k := range t.entitlements {
			e := &t.entitlements[k]
			for _, s := range e.from {
				for _, other := range e.from {
					if other.role != s.role && p.gives(s.role, other.role, map[int]bool{}) {
						here = append(here, Twice{t.name, e.name, p.roleNames[s.role], p.roleNames[other.role], s.reason.Where})
					}
				}
			}
		}
		slices.SortStableFunc(here, func(a, b Twice) int { return strings.Compare(a.Role, b.Role) })
		out = append(out, here...)
	}
	return out
}

// gives says whether the role includes the other one, itself or by others.
func (p *Policy) gives(role, other int, seen map[int]bool) bool {
	if seen[other] {
		return false
	}
	seen[other] = true
	for _, s := range p.roles[other].includedBy {
		if s.role == role || p.gives(role, s.role, seen) {
			return true
		}
	}
	return false
}
