package mapping

import (
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/rosterd/rosterd/internal/moment"
)

// There is no clock in an expression. What it may ask of a date is whether the
// instant of the cycle lies before or after it, and each answer records when it
// will be another one by itself (scope.flips).
//
// A day counts whole: it is after a day from its beginning on, and before it
// until its end. A date that is absent, blank or never is a day that does not
// come: it is before it, and not after it. One that cannot be read is neither.

// calendarArgs is how many dates these functions take, besides a shift.
var calendarArgs = map[string]int{"after": 1, "before": 1, "within": 2}

// calendarDate is a date in an expression.
type calendarDate struct {
	key   string
	fixed *moment.Moment // of one that is written out
	read  func(*scope) (moment.Moment, *fault)
}

// calendar is before, after and within.
func (e *expression) calendar(at int, name string, args []ast.Node, pl place) node {
	count := calendarArgs[name]
	if len(args) != count && len(args) != count+1 {
		return e.fail(at, "write "+usage[name], "%s takes %d, or %d with a shift, and stands here with %d", name, count, count+1, len(args))
	}
	e.names.dated = true
	var shift moment.Shift
	ok := true
	if len(args) > count {
		shift, ok = e.shift(args[count])
	}
	dates := make([]calendarDate, count)
	for i := range dates {
		var readable bool
		dates[i], readable = e.date(args[i], shift, pl)
		ok = ok && readable
	}
	if !ok {
		return bad
	}
	key := "(" + name
	for _, d := range dates {
		key += " " + d.key
	}
	key += ")"
	first := dates[0].read
	switch name {
	case "after":
		return condNode(at, key, func(s *scope) verdict { return s.after(first(s)) })
	case "before":
		return condNode(at, key, func(s *scope) verdict { return s.before(first(s)) })
	}
	last := dates[1]
	if a, b := dates[0].fixed, last.fixed; a != nil && b != nil && !b.After.After(a.At) {
		return e.fail(at, "write the earlier date first", "this can never be true: it ends before it begins")
	}
	return condNode(at, key, func(s *scope) verdict {
		v := s.after(first(s))
		if v.no() {
			return v
		}
		return v.and(s.before(last.read(s)))
	})
}

// shift is how far the dates are moved.
func (e *expression) shift(arg ast.Node) (moment.Shift, bool) {
	const hint = `write how far the date is moved: "14d" later, "-14d" earlier`
	text, ok := arg.(*ast.StringNode)
	if !ok {
		at := e.at(arg)
		if m, is := arg.(*ast.MemberNode); is {
			at = e.at(m.Node)
		}
		e.fail(at, hint, "a shift is written out")
		return moment.Shift{}, false
	}
	s, err := moment.ParseShift(text.Value)
	if err != nil {
		e.fail(e.at(arg), hint, "%v", err)
	}
	return s, err == nil
}

// date is one of the dates: written out, an attribute, or a text that is made.
func (e *expression) date(arg ast.Node, shift moment.Shift, pl place) (calendarDate, bool) {
	at, zone := e.at(arg), e.names.zone
	if text, ok := arg.(*ast.StringNode); ok {
		m, err := e.fixedDate(text.Value)
		if err != nil {
			hint := "write " + moment.Forms
			if _, notShift := moment.ParseShift(text.Value); notShift == nil {
				hint = "a shift stands last, after the date: " + usage["after"]
			}
			e.fail(at, hint, "%v", err)
			return calendarDate{}, false
		}
		m = m.Shift(shift)
		return calendarDate{key: quoteKey(momentKey(m)), fixed: &m, read: func(*scope) (moment.Moment, *fault) { return m, nil }}, true
	}
	x := e.check(arg, place{blank: pl.blank})
	key := x.key
	if shift != (moment.Shift{}) {
		key += " " + shift.String()
	}
	switch x.kind {
	case isList, isCondition:
		e.fail(x.at, "write "+usage["before"], "%s stands where a date is needed", x.kind)
		return calendarDate{}, false
	case isAttribute:
		a := x.attr
		return calendarDate{key: key, read: func(s *scope) (moment.Moment, *fault) {
			m, why := a.date(s, zone, pl.blank)
			return m.Shift(shift), why
		}}, true
	}
	if x = e.wantText(x, pl.blank); x.kind == isBad {
		return calendarDate{}, false
	}
	return calendarDate{key: key, read: func(s *scope) (moment.Moment, *fault) {
		text, why := x.text(s)
		if why != nil {
			return moment.Moment{}, why
		}
		m, why := readDate("", text, zone)
		return m.Shift(shift), why
	}}, true
}

// fixedDate reads one that is written out.
func (e *expression) fixedDate(text string) (moment.Moment, error) {
	m, err := moment.Parse(text, e.names.zone)
	if err == nil && m.Never {
		err = fmt.Errorf("%q is never", text)
	}
	return m, err
}

// momentKey is a moment in one form for each meaning.
func momentKey(m moment.Moment) string {
	if m.Day != "" {
		return m.Day
	}
	return m.At.UTC().Format(time.RFC3339Nano) + m.After.Sub(m.At).String()
}

// date is the only value of the attribute as a date.
func (a *attribute) date(s *scope, zone *time.Location, blank bool) (moment.Moment, *fault) {
	var found string
	for _, v := range s.slots[a.slot].values {
		switch v = strings.TrimSpace(v); {
		case v == "":
		case found != "":
			return moment.Moment{}, a.many
		default:
			found = v
		}
	}
	if found == "" {
		// Nothing was read, or nothing but blanks.
		if _, why := a.one(s, blank); why != nil && why.kind != faultValue {
			return moment.Moment{}, why
		}
		return moment.Moment{Never: true}, nil
	}
	return readDate(a.name, found, zone)
}

// readDate reads a value; name is the attribute, or empty.
func readDate(name, text string, zone *time.Location) (moment.Moment, *fault) {
	if strings.TrimSpace(text) == "" {
		return moment.Moment{Never: true}, nil
	}
	m, err := attributeDate(name, text, zone)
	if err != nil {
		if name != "" {
			return moment.Moment{}, &fault{faultValue, personName(name) + ": " + err.Error()}
		}
		return moment.Moment{}, &fault{faultValue, err.Error()}
	}
	return m, nil
}

// after says whether the date has begun.
func (s *scope) after(m moment.Moment, why *fault) verdict {
	switch {
	case why != nil:
		return verdict{why: why}
	case m.Never:
		return verdict{}
	}
	s.flips(m.At)
	return verdict{yes: !s.now.Before(m.At)}
}

// before says whether the date is not over.
func (s *scope) before(m moment.Moment, why *fault) verdict {
	switch {
	case why != nil:
		return verdict{why: why}
	case m.Never:
		return verdict{yes: true}
	}
	s.flips(m.After)
	return verdict{yes: s.now.Before(m.After)}
}

// flips says that something changes by itself at that moment. The nearest that
// is to come is when the person must be looked at again.
func (s *scope) flips(at time.Time) {
	s.dated = true
	if at.After(s.now) && (s.next.IsZero() || at.Before(s.next)) {
		s.next = at
	}
}
