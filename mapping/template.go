package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// template is a compiled value: a text with ${…} expressions in it.
type template struct {
	source string
	key    string
	parts  []textFunc
	fixed  []bool // which of the parts are a fixed text
	// list is set instead of parts where the value is one expression that
	// gives a list.
	list listFunc
	// refers: the values name people, whose accounts are meant.
	refers bool
}

// compileTemplate reads a value. It returns nil if it reported a mistake; a
// warning does not count as one.
func compileTemplate(n *names, source string, report func(at int, message, hint string, warning bool)) *template {
	return compilePieces(n, source, false, report)
}

// numberKey is ${number} in the key of a value.
const numberKey = "${#}"

// compileNumbered reads a value in which ${number} may stand. It gives numberMark
// there.
func compileNumbered(n *names, source string, report func(at int, message, hint string, warning bool)) *template {
	return compilePieces(n, source, true, report)
}

func compilePieces(n *names, source string, numbered bool, report func(at int, message, hint string, warning bool)) *template {
	t := &template{source: source, key: "\"\""}
	if !utf8.ValidString(source) || len(source) > maxText {
		report(0, "the value is not UTF-8, or too long", "", false)
		return nil
	}
	pieces, ok := cutTemplate(source, func(at int, message, hint string) { report(at, message, hint, false) })
	if !ok {
		return nil
	}
	var keys []string
	for _, p := range pieces {
		if !p.expression {
			text := p.text
			keys = append(keys, strconv.Quote(text))
			t.parts, t.fixed = append(t.parts, func(*scope) (string, *fault) { return text, nil }), append(t.fixed, true)
			continue
		}
		if numbered && strings.TrimSpace(p.text) == "number" {
			keys = append(keys, numberKey)
			t.parts, t.fixed = append(t.parts, func(*scope) (string, *fault) { return numberMark, nil }), append(t.fixed, false)
			continue
		}
		e := &expression{
			names: n, source: p.text, noGroups: "in a value",
			report: func(at int, message, hint string) { report(p.at+at, message, hint, false) },
			refers: !numbered && len(pieces) == 1,
		}
		x := e.parse(place{})
		switch {
		case x.kind == isList && len(pieces) == 1:
			t.list, t.refers = x.list, strings.HasPrefix(x.key, "(account ")
		default:
			x = e.wantText(x, false)
			t.parts, t.fixed = append(t.parts, x.text), append(t.fixed, false)
		}
		if ok = ok && !e.failed; ok {
			keys = append(keys, "${"+x.key+"}")
		}
	}
	if !ok {
		return nil
	}
	if len(pieces) == 1 && !pieces[0].expression && strings.HasPrefix(source, "person.") {
		report(0, "the value is a fixed text", "write ${"+strings.TrimSpace(source)+"} for the attribute", true)
	}
	t.key = strings.Join(keys, " ")
	return t
}

type piece struct {
	text       string
	at         int // byte in the value
	expression bool
}

// cutTemplate splits a value into fixed texts and expressions. "$${" stands
// for "${".
func cutTemplate(source string, fail func(at int, message, hint string)) (out []piece, ok bool) {
	text := func(s string) {
		if n := len(out); n > 0 && !out[n-1].expression {
			out[n-1].text += s
		} else if s != "" {
			out = append(out, piece{text: s})
		}
	}
	for i := 0; i < len(source); {
		next := strings.Index(source[i:], "${")
		if next < 0 {
			text(source[i:])
			break
		}
		open := i + next
		if open > i && source[open-1] == '$' {
			text(source[i:open-1] + "${")
			i = open + 2
			continue
		}
		text(source[i:open])
		end := closing(source, open+2)
		if end < 0 {
			fail(open, "${ without its }", "$${ stands for ${ itself")
			return nil, false
		}
		if strings.TrimSpace(source[open+2:end]) == "" {
			fail(open, "${} is empty", "write ${person.NAME}")
			return nil, false
		}
		out = append(out, piece{text: source[open+2 : end], at: open + 2, expression: true})
		i = end + 1
	}
	return out, true
}

// closing is where the brace stands that ends the expression, or -1. Braces in
// quotes do not count.
func closing(source string, i int) int {
	depth := 0
	for ; i < len(source); i++ {
		switch c := source[i]; c {
		case '"', '\'', '`':
			for i++; i < len(source) && source[i] != c; i++ {
				if source[i] == '\\' && c != '`' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// values computes the value: sorted, without blank ones and repetitions. A
// single one is put into room.
func (t *template) values(s *scope, room []string) (out []string, why *fault) {
	defer func() {
		if r := recover(); r != nil {
			out, why = nil, &fault{faultValue, fmt.Sprintf("evaluate %s: %v", t.source, r)}
		}
	}()
	if t.list != nil {
		list, why := t.list(s)
		if why != nil {
			return nil, why
		}
		for _, v := range list {
			if strings.TrimSpace(v) != "" {
				out = append(out, v)
			}
		}
		slices.Sort(out)
		return slices.Compact(out), nil
	}
	text, why := t.text(s)
	if why != nil || strings.TrimSpace(text) == "" {
		return nil, why
	}
	return append(room, text), nil
}

func (t *template) text(s *scope) (string, *fault) {
	if len(t.parts) == 1 {
		return t.parts[0](s)
	}
	var room [128]byte
	b := room[:0]
	var worst *fault
	for _, part := range t.parts {
		v, why := part(s)
		worst = heavier(worst, why)
		if b = append(b, v...); len(b) > maxText {
			return "", tooLong
		}
	}
	if worst != nil {
		return "", worst
	}
	return string(b), nil
}
