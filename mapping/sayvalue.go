package mapping

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// value says a text, or a list of them.
func (s *speech) value(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return spoken(n.Value)
	case *ast.MemberNode:
		owner, isName := n.Node.(*ast.IdentifierNode)
		name, isText := n.Property.(*ast.StringNode)
		if isName && isText && owner.Value == "person" {
			return name.Value
		}
	case *ast.ConditionalNode:
		return s.value(n.Exp1) + " if " + s.condition(n.Cond, withAnd) + ", else " + s.value(n.Exp2)
	case *ast.BinaryNode:
		switch n.Operator {
		case "??":
			if fixed, is := n.Right.(*ast.StringNode); is && fixed.Value == "" {
				return s.value(n.Left) + ", if there is one"
			}
			return s.value(n.Left) + ", or else " + s.value(n.Right)
		case "+":
			return s.value(n.Left) + " followed by " + s.value(n.Right)
		}
	case *ast.CallNode, *ast.BuiltinNode:
		if name, args := called(n); name != "" {
			return s.function(name, args)
		}
	}
	return s.none()
}

// function says what a function makes of its first argument.
func (s *speech) function(name string, args []ast.Node) string {
	if len(args) != max(1, arity[name]) {
		return s.none()
	}
	x := func(i int) string { return s.value(args[i]) }
	switch name {
	case "lower":
		return x(0) + " in lower case"
	case "upper":
		return x(0) + " in upper case"
	case "trim":
		return x(0) + " without outer blanks"
	case "translit":
		return x(0) + " in plain letters"
	case "slug":
		return x(0) + " as it fits an address"
	case "values":
		return "all values of " + x(0)
	case "account":
		return "the account of whom " + x(0) + " names"
	case "lookup":
		return "what the table " + x(0) + " has for " + x(1)
	case "replace":
		return x(0) + " with " + x(2) + " for " + x(1)
	case "join":
		return x(0) + " joined by " + x(1)
	case "split":
		return "the parts of " + x(0) + " between " + x(1)
	case "first":
		if inner, parts := called(args[0]); inner == "split" && len(parts) == 2 {
			return "the part of " + s.value(parts[0]) + " before " + s.value(parts[1])
		}
		return "the first value of " + x(0)
	}
	return s.none()
}

// needed says whether a value is missing where an attribute in it is.
func needed(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.MemberNode:
		return true
	case *ast.BinaryNode:
		if n.Operator == "??" {
			return needed(n.Right)
		}
		return needed(n.Left) || needed(n.Right)
	case *ast.UnaryNode:
		return needed(n.Node)
	case *ast.ArrayNode:
		return slices.ContainsFunc(n.Nodes, needed)
	case *ast.ConditionalNode:
		return needed(n.Cond) || needed(n.Exp1) || needed(n.Exp2)
	}
	_, args := called(n)
	return slices.ContainsFunc(args, needed)
}

// calendar says what is asked of a date. A date that there is not is a day that does
// not come: nobody is past it.
func (s *speech) calendar(name string, dates, shift []ast.Node) string {
	moved := ""
	if len(shift) == 1 {
		by, is := shift[0].(*ast.StringNode)
		if !is {
			return s.none()
		}
		moved = " " + strings.TrimPrefix(by.Value, "-") + " later"
		if strings.HasPrefix(by.Value, "-") {
			moved = " " + strings.TrimPrefix(by.Value, "-") + " earlier"
		}
	}
	var said []string
	for _, d := range dates {
		x := s.value(d)
		if _, fixed := d.(*ast.StringNode); !fixed {
			x = "the day " + x
		}
		said = append(said, x+moved)
	}
	switch name {
	case "after":
		return said[0] + " has come"
	case "before":
		return said[0] + " is not over"
	}
	return said[0] + " has come and " + said[1] + " is not over"
}
