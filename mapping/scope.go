package mapping

import (
	"time"
	"unicode/utf8"

	"github.com/rosterd/rosterd/identity"
)

// What an expression may be, and what it may make. A rule that needs more is
// not a rule that people can read.
const (
	maxSource = 4096    // bytes of one expression
	maxNodes  = 400     // of its tree
	maxText   = 1 << 16 // bytes of a text
	maxValues = 1 << 20 // bytes of a list
	maxItems  = 1 << 14 // texts that split makes of one
)

// scope is what an expression is evaluated on. It belongs to one Resolve.
type scope struct {
	slots  []slot
	groups []groupState
	// references are those whom the person names.
	references []Reference
	// now is the instant for which dates are looked at; next the nearest moment
	// after it at which one of those looked at changes something.
	now, next time.Time
	// dated: something asked for the instant.
	dated bool
}

// slot is one attribute of the person.
type slot struct {
	values   []string
	presence identity.Presence
	folded   string // of the only value, once isFolded
	isFolded bool
}

// groupState is what is known of the person in one group of the policy.
type groupState struct {
	verdict
	path []identity.GroupStep
}

// attribute is a person attribute in an expression, with its possible faults.
type attribute struct {
	slot                          int
	name                          string
	unread, absent, many, badText *fault
}

func newAttribute(slot int, name string) *attribute {
	written := personName(name)
	return &attribute{
		slot: slot, name: name,
		unread:  &fault{faultUnread, written + " was not read"},
		absent:  &fault{faultAbsent, written + " has no value"},
		many:    &fault{faultValue, written + " has more than one value"},
		badText: &fault{faultValue, written + " is not a text that can be used: not UTF-8, or too long"},
	}
}

// one is the only value. Where absent counts as blank that is the empty text.
func (a *attribute) one(s *scope, blank bool) (string, *fault) {
	switch sl := &s.slots[a.slot]; {
	case sl.presence == identity.NotRead:
		return "", a.unread
	case len(sl.values) == 0:
		if blank {
			return "", nil
		}
		return "", a.absent
	case len(sl.values) > 1:
		return "", a.many
	default:
		return a.usable(sl.values[0])
	}
}

// fold is one, prepared for comparison.
func (a *attribute) fold(s *scope, blank bool) (string, *fault) {
	v, f := a.one(s, blank)
	if f != nil || v == "" {
		return "", f
	}
	sl := &s.slots[a.slot]
	if !sl.isFolded {
		sl.folded, sl.isFolded = identity.Fold(v), true
	}
	return sl.folded, nil
}

// first is the first value.
func (a *attribute) first(s *scope, blank bool) (string, *fault) {
	if sl := &s.slots[a.slot]; sl.presence == identity.Present && len(sl.values) > 0 {
		return a.usable(sl.values[0])
	}
	return a.one(s, blank)
}

// all are the values.
func (a *attribute) all(s *scope, blank bool) ([]string, *fault) {
	sl := &s.slots[a.slot]
	if sl.presence == identity.NotRead || len(sl.values) == 0 {
		_, f := a.one(s, blank)
		return nil, f
	}
	size := 0
	for _, v := range sl.values {
		size += len(v)
		if _, f := a.usable(v); f != nil || size > maxValues {
			return nil, a.badText
		}
	}
	return sl.values, nil
}

func (a *attribute) usable(v string) (string, *fault) {
	if len(v) > maxText || !utf8.ValidString(v) {
		return "", a.badText
	}
	return v, nil
}
