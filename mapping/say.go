package mapping

import (
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"

	"github.com/rosterd/rosterd/identity"
)

// Say puts a condition into plain words: `person.l in ["Vienna", "Graz"]` is "l is
// Vienna or Graz". It is false for what has no short way of saying; the expression
// itself is shown then. What it says is never more or less than the condition.
func Say(condition string) (string, bool) {
	tree := tree(condition)
	if tree == nil {
		return "", false
	}
	s := speech{ok: true}
	text := s.condition(tree, 0)
	return text, s.ok
}

// Part is a piece of a value in words: a fixed text, or what stands in ${…}.
type Part struct {
	Text string
	// Made is set for what comes from the person. Plain is set where Text is the
	// expression itself, since it has no short way of saying.
	Made, Plain bool
	// Needed: without what it is made of there is no value, and the account waits.
	Needed bool
}

// SayValue puts a value into words, piece by piece.
func SayValue(value string) []Part {
	pieces, ok := cutTemplate(value, func(int, string, string) {})
	if !ok {
		return []Part{{Text: value, Plain: true}}
	}
	var out []Part
	for _, p := range pieces {
		if !p.expression {
			out = append(out, Part{Text: p.text})
			continue
		}
		s := speech{ok: true}
		text, need := "", true
		if t := tree(p.text); t != nil {
			text, need = s.value(t), needed(t)
		}
		if text == "" || !s.ok {
			out = append(out, Part{Text: strings.TrimSpace(p.text), Made: true, Plain: true, Needed: need})
			continue
		}
		out = append(out, Part{Text: text, Made: true, Needed: need})
	}
	return out
}

// tree parses an expression that was checked before; nil if it cannot.
func tree(source string) (out ast.Node) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	for name := range config.Builtins {
		config.Disabled[name] = true
	}
	if len(source) > maxSource {
		return nil
	}
	t, err := parser.ParseWithConfig(source, config)
	if err != nil {
		return nil
	}
	return t.Node
}

// speech is one expression on its way into words; ok goes when there are none.
type speech struct{ ok bool }

func (s *speech) none() string {
	s.ok = false
	return ""
}

// How tightly the words of a condition hold together.
const (
	loose = iota
	withOr
	withAnd
)

func (s *speech) condition(n ast.Node, around int) string {
	switch n := n.(type) {
	case *ast.BoolNode:
		if n.Value {
			return "always"
		}
		return "never"
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return s.negated(n.Node)
		}
	case *ast.BinaryNode:
		return s.binary(n, around)
	case *ast.ConditionalNode:
		return "if " + s.condition(n.Cond, withAnd) + ": " + s.condition(n.Exp1, withAnd) + ", else: " + s.condition(n.Exp2, withAnd)
	case *ast.CallNode:
		if name, args := called(n); name != "" {
			return s.test(name, args)
		}
	}
	return s.none()
}

// negated says the opposite, in one word where there is one.
func (s *speech) negated(n ast.Node) string {
	if b, is := n.(*ast.BinaryNode); is {
		opposite := map[string]string{"==": "!=", "!=": "==", "in": "not in", "contains": "not contains", "startsWith": "not startsWith", "endsWith": "not endsWith"}
		if op, has := opposite[b.Operator]; has {
			return s.compare(op, b.Left, b.Right)
		}
	}
	if u, is := n.(*ast.UnaryNode); is && (u.Operator == "not" || u.Operator == "!") {
		return s.condition(u.Node, withAnd)
	}
	return "not (" + s.condition(n, loose) + ")"
}

func (s *speech) binary(n *ast.BinaryNode, around int) string {
	switch n.Operator {
	case "and", "&&":
		return s.both(s.condition(n.Left, withAnd)+" and "+s.condition(n.Right, withAnd), around == withOr)
	case "or", "||":
		return s.both(s.condition(n.Left, withOr)+" or "+s.condition(n.Right, withOr), around == withAnd)
	}
	return s.compare(n.Operator, n.Left, n.Right)
}

func (s *speech) both(text string, brackets bool) string {
	if brackets {
		return "(" + text + ")"
	}
	return text
}

// compare says two sides and what is asked of them.
func (s *speech) compare(op string, left, right ast.Node) string {
	if _, fixed := left.(*ast.StringNode); fixed && (op == "==" || op == "!=") {
		left, right = right, left
	}
	if list, is := right.(*ast.ArrayNode); is && (op == "in" || op == "not in") {
		var names []string
		for _, x := range list.Nodes {
			names = append(names, s.value(x))
		}
		switch {
		case op == "in":
			return s.subject(left) + " is " + enumerate(names, "or")
		case len(names) == 1:
			return s.subject(left) + " is not " + names[0]
		default:
			return s.subject(left) + " is neither " + enumerate(names, "nor")
		}
	}
	if op == "in" || op == "not in" {
		if name, args := called(right); name == "values" && len(args) == 1 {
			if op == "in" {
				return "one of the values of " + s.value(args[0]) + " is " + s.value(left)
			}
			return "none of the values of " + s.value(args[0]) + " is " + s.value(left)
		}
		return s.none()
	}
	exactly := ""
	if name, args := called(left); name == "exact" && len(args) == 1 {
		left, exactly = args[0], "exactly "
	}
	if name, args := called(right); name == "exact" && len(args) == 1 {
		right, exactly = args[0], "exactly "
	}
	fixed, _ := right.(*ast.StringNode)
	empty := fixed != nil && fixed.Value == ""
	switch op {
	case "==":
		if empty {
			return s.subject(left) + " is empty"
		}
		return s.subject(left) + " is " + exactly + s.value(right)
	case "!=":
		if empty {
			return s.subject(left) + " is not empty"
		}
		return s.subject(left) + " is not " + exactly + s.value(right)
	}
	words := map[string]string{
		"contains": "contains", "not contains": "does not contain", "startsWith": "begins with", "not startsWith": "does not begin with",
		"endsWith": "ends with", "not endsWith": "does not end with",
	}
	if verb, has := words[op]; has {
		return s.subject(left) + " " + verb + " " + exactly + s.value(right)
	}
	return s.none()
}

func (s *speech) subject(n ast.Node) string { return s.value(n) }

// test is a function that is true or false.
func (s *speech) test(name string, args []ast.Node) string {
	if count, is := calendarArgs[name]; is && (len(args) == count || len(args) == count+1) {
		return s.calendar(name, args[:count], args[count:])
	}
	if name == "inGroup" && len(args) == 1 {
		if text, is := args[0].(*ast.StringNode); is {
			if dn, err := identity.ParseDN(text.Value); err == nil && !dn.IsZero() {
				return "in the group " + spoken(dn.RDN()[0].Value)
			}
		}
	}
	return s.none()
}

// called is the name and the arguments of a call; "" if it is none.
func called(n ast.Node) (string, []ast.Node) {
	switch n := n.(type) {
	case *ast.CallNode:
		if name, is := n.Callee.(*ast.IdentifierNode); is {
			return name.Value, n.Arguments
		}
	case *ast.BuiltinNode:
		return n.Name, n.Arguments
	}
	return "", nil
}

// spoken is a fixed text, in quotes where it would not be seen as one.
func spoken(text string) string {
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.@", r) {
			return "“" + text + "”"
		}
	}
	if text == "" {
		return "nothing"
	}
	return text
}

func enumerate(names []string, word string) string {
	switch n := len(names); n {
	case 0:
		return "nothing"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " " + word + " " + names[n-1]
	}
}
