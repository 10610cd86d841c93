package ldap

import (
	"errors"
	"strings"
)

// clause is a filter (RFC 4515) taken apart, so that it can be asked of what was
// read.
type clause struct {
	op    clauseOp
	parts []clause // of and, or, not
	// attr is the name in lower case, without options; rule that of an extensible
	// match.
	attr, rule string
	// values are the value, or the pieces of a substring match: what it begins
	// with, what comes in between, what it ends with.
	values []string
	// odd: it has options, or asks of the name of the entry too.
	odd bool
	// raw is an item as it is written.
	raw string
}

type clauseOp uint8

const (
	opAnd clauseOp = iota + 1
	opOr
	opNot
	opPresent
	opEqual
	opPieces
	opGreater
	opLess
	opApprox
	opRule
)

var errFilter = errors.New("not a filter")

// parseFilter takes a filter apart that was checked before. One without parentheses
// is taken as the server takes it.
func parseFilter(text string) (clause, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "(") {
		text = "(" + text + ")"
	}
	c, rest, err := parseClause(text, 0)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = errFilter
	}
	return c, err
}

// maxFilterDepth is that of the library which compiles it.
const maxFilterDepth = 100

func parseClause(s string, depth int) (c clause, rest string, err error) {
	s = strings.TrimSpace(s)
	if len(s) < 3 || s[0] != '(' || depth > maxFilterDepth {
		return c, "", errFilter
	}
	switch s[1] {
	case '&', '|', '!':
		c.op = map[byte]clauseOp{'&': opAnd, '|': opOr, '!': opNot}[s[1]]
		rest = strings.TrimSpace(s[2:])
		for strings.HasPrefix(rest, "(") {
			var part clause
			if part, rest, err = parseClause(rest, depth+1); err != nil {
				return c, "", err
			}
			c.parts = append(c.parts, part)
			rest = strings.TrimSpace(rest)
		}
		if !strings.HasPrefix(rest, ")") || c.op == opNot && len(c.parts) != 1 {
			return c, "", errFilter
		}
		return c, rest[1:], nil
	}
	end := strings.IndexByte(s, ')') // one in a value is written \29
	if end < 0 {
		return c, "", errFilter
	}
	c, err = parseItem(s[1:end])
	return c, s[end+1:], err
}

func parseItem(s string) (c clause, err error) {
	at := strings.IndexByte(s, '=')
	if at <= 0 {
		return c, errFilter
	}
	name, value := s[:at], s[at+1:]
	c.op, c.raw = opEqual, s
	switch name[len(name)-1] {
	case '>':
		c.op, name = opGreater, name[:len(name)-1]
	case '<':
		c.op, name = opLess, name[:len(name)-1]
	case '~':
		c.op, name = opApprox, name[:len(name)-1]
	case ':':
		c.op, name = opRule, name[:len(name)-1]
		name, c.rule, _ = strings.Cut(name, ":")
		c.odd = c.rule == "" || strings.Contains(c.rule, ":") || strings.EqualFold(c.rule, "dn")
	}
	name, options, tagged := strings.Cut(strings.TrimSpace(name), ";")
	c.attr, c.odd = strings.ToLower(name), c.odd || tagged && options != ""
	if c.attr == "" {
		c.odd = true
	}
	pieces := []string{value}
	if c.op == opEqual {
		switch {
		case value == "*":
			c.op = opPresent
			return c, nil
		case strings.Contains(value, "*"):
			c.op, pieces = opPieces, strings.Split(value, "*")
		}
	}
	for _, p := range pieces {
		v, err := unescape(p)
		if err != nil {
			return c, err
		}
		c.values = append(c.values, v)
	}
	return c, nil
}

// unescape reads \29 as a parenthesis.
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", errFilter
		}
		hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
		if hi < 0 || lo < 0 {
			return "", errFilter
		}
		out.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return out.String(), nil
}

func hexDigit(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }
