package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// names gives person attributes and groups their places in a scope while a
// configuration is compiled.
type names struct {
	tables     map[string]table
	zone       *time.Location // of dates that say none
	dated      bool           // there are dates, so that the zone matters
	attributes []string       // lower case, in the order of their slots
	slots      map[string]int
	groups     []string // as written
	groupIndex map[string]int
	// within are the bounds of what is compiled now; nil: none. open are attributes
	// that are named without bounds, asked what was named within some.
	within *Bounds
	open   map[string]bool
	asked  []asked
	// references are the attributes that account(…) asks.
	references []string
}

func newNames() *names {
	return &names{zone: time.UTC, slots: map[string]int{}, groupIndex: map[string]int{}, open: map[string]bool{}}
}

func (n *names) attribute(lower string) int {
	if n.within == nil {
		n.open[lower] = true
	}
	i, ok := n.slots[lower]
	if !ok {
		i = len(n.attributes)
		n.slots[lower], n.attributes = i, append(n.attributes, lower)
	}
	return i
}

func (n *names) group(written string) int {
	i, ok := n.groupIndex[written]
	if !ok {
		i = len(n.groups)
		n.groupIndex[written], n.groups = i, append(n.groups, written)
	}
	return i
}

// expression compiles one expression.
type expression struct {
	names  *names
	source string
	// report takes the byte in source.
	report func(at int, message, hint string)
	failed bool
	// used are the slots named, in the order in which they stand.
	used []shown
	// noGroups says why inGroup may not stand in this expression at all.
	noGroups string
	// refers: account(…) may stand here, if it is top, the whole expression.
	refers bool
	top    ast.Node
}

// place says what holds where an expression stands.
type place struct {
	// blank: an absent attribute is the empty text, not a fault.
	blank bool
	// rising: the whole can only become true, never false, if this does.
	rising bool
}

func (e *expression) fail(at int, hint, format string, args ...any) node {
	e.failed = true
	e.report(at, fmt.Sprintf(format, args...), hint)
	return bad
}

// parse reads the source with the parser of expr-lang and hands its tree to
// check. Whatever the parser does with hostile input ends here.
func (e *expression) parse(pl place) (out node) {
	defer func() {
		if r := recover(); r != nil {
			out = e.fail(0, "", "cannot read the expression: %v", r)
		}
	}()
	switch {
	case len(e.source) > maxSource:
		return e.fail(0, "split the rule", "the expression is longer than %d bytes", maxSource)
	case !utf8.ValidString(e.source):
		return e.fail(0, "", "the expression is not UTF-8")
	}
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	for name := range config.Builtins {
		config.Disabled[name] = true
	}
	tree, err := parser.ParseWithConfig(e.source, config)
	if err != nil {
		var at *file.Error
		if errors.As(err, &at) {
			return e.unread(e.byteAt(at.From), at.Message)
		}
		return e.fail(0, "", "cannot read the expression: %v", err)
	}
	e.top = tree.Node
	return e.check(tree.Node, pl)
}

// unread says in our words what the parser stumbled over.
func (e *expression) unread(at int, message string) node {
	switch message {
	case "unexpected token EOF":
		return e.fail(len(e.source), "something is missing at its end: a value, or a bracket that closes", "the expression ends too early")
	case "literal not terminated":
		return e.fail(at, "close the text with the quote that opens it", "a quote is not closed")
	case "compilation failed: expression exceeds maximum allowed nodes":
		return e.fail(min(at, len(e.source)), "split the rule", "the expression has more than %d parts", maxNodes)
	case `unexpected token Operator("=")`:
		return e.fail(at, "== compares", "a single = cannot stand in a rule")
	}
	return e.fail(at, "", "cannot read the expression: %s", message)
}

// byteAt turns the parser's count of runes into one of bytes.
func (e *expression) byteAt(runes int) int {
	for i := range e.source {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(e.source)
}

func (e *expression) at(n ast.Node) int { return e.byteAt(n.Location().From) }

// personName is how an attribute is written in an expression.
func personName(attribute string) string {
	for i, r := range attribute {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return "person[" + strconv.Quote(attribute) + "]"
		}
	}
	return "person." + attribute
}

func quoteKey(s string) string { return strconv.Quote(s) }
