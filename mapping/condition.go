package mapping

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rosterd/rosterd/internal/secret"
)

// condition is a compiled `when` or `disabled`.
type condition struct {
	source string
	key    string
	cond   condFunc
	shown  []shown
	// claims and either are what has to be so for it to be true; dead are parts
	// that never are.
	claims []*choiceOf
	either [][]branch
	dead   []deadBranch
}

// shown is an attribute whose values a reason tells.
type shown struct {
	slot int
	name string
	// secret: the values may be one, and are not said.
	secret bool
}

// compileCondition reads an expression that is true or false. It returns nil
// if it reported a mistake.
func compileCondition(n *names, source, noGroups string, report func(at int, message, hint string)) *condition {
	e := &expression{names: n, source: source, report: report, noGroups: noGroups}
	x := e.wantCondition(e.parse(place{blank: true, rising: true}),
		`compare it with something: person.NAME == "x"`)
	if x.static != nil && !*x.static {
		e.fail(x.at, "take it out, or say of whom it is true", "this can never be true")
	}
	if x.kind == isCondition && x.static == nil && !e.failed {
		if why := unsatisfiable(x.claims(), x.either); why != "" {
			e.fail(x.at, "take it out, or say of whom it is true", "this can never be true: %s", why)
		}
	}
	if e.failed {
		return nil
	}
	c := &condition{source: strings.ReplaceAll(strings.TrimSpace(source), "\n", " "), key: x.key, cond: x.cond}
	if x.static == nil {
		c.claims, c.either = x.claims(), x.either
		c.dead = deadBranches(c.claims, c.either)
	}
	for _, u := range e.used {
		u.secret = secret.Attribute(u.name)
		c.shown = append(c.shown, u)
	}
	return c
}

// decide evaluates the condition. Whatever goes wrong makes it unknown.
func (c *condition) decide(s *scope) (v verdict) {
	defer func() {
		if r := recover(); r != nil {
			v = verdict{why: &fault{faultValue, fmt.Sprintf("evaluate %s: %v", c.source, r)}}
		}
	}()
	return c.cond(s)
}

// because is the condition with the values that it was decided on.
func (c *condition) because(s *scope) string {
	var room [256]byte
	b := append(room[:0], c.source...)
	for i, a := range c.shown {
		sep := ", "
		if i == 0 {
			sep = " ("
		}
		b = append(append(append(b, sep...), a.name...), " = "...)
		values := s.slots[a.slot].values
		if a.secret && len(values) > 0 {
			b = append(b, secret.Redacted...)
			continue
		}
		b = appendValues(b, values)
	}
	if len(c.shown) > 0 {
		b = append(b, ')')
	}
	return string(b)
}

// appendValues writes values short enough to be read.
func appendValues(b []byte, values []string) []byte {
	const most, longest = 4, 60
	if len(values) == 0 {
		return append(b, "nothing"...)
	}
	for i, v := range values {
		if i > 0 {
			b = append(b, ", "...)
		}
		if i == most {
			return fmt.Appendf(b, "and %d more", len(values)-most)
		}
		if len(v) > longest {
			cut := longest
			for cut > 0 && !utf8.RuneStart(v[cut]) {
				cut--
			}
			v = v[:cut] + "…"
		}
		b = appendQuoted(b, v)
	}
	return b
}

// appendQuoted is strconv.AppendQuote, quick for what needs no escape.
func appendQuoted(b []byte, v string) []byte {
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return fmt.Appendf(b, "%q", v)
		}
	}
	return append(append(append(b, '"'), v...), '"')
}
