package identity

import (
	"slices"
	"time"
)

// Validity is all that is known of when a person may have accounts: what the
// server says of the entry, and what attributes of the administrator's choice
// say. The zero value bounds nothing. A lock-out by failed passwords and an
// expired password are no part of it.
type Validity struct {
	// ClosedBy is the attribute by which an administrator closed the account;
	// empty: none did.
	ClosedBy string
	// From is the first moment, Until the first at which it is over.
	From, Until Bound
	// Unread says of which attributes the value cannot be told, and why; sorted.
	// Such a value is neither never nor now.
	Unread []string
}

// Bound is a moment and the attribute that says so. The zero value bounds
// nothing.
type Bound struct {
	At time.Time
	By string
	// Day is the first or the last day where a day was written and no time:
	// "2026-12-31".
	Day string
}

// Set says whether there is a bound.
func (b Bound) Set() bool { return !b.At.IsZero() }

// String is the day or the moment and who says so, for people.
func (b Bound) String() string {
	when := b.Day
	if when == "" {
		when = b.At.Format("2006-01-02 15:04 MST")
	}
	if b.By != "" {
		when += " (" + b.By + ")"
	}
	return when
}

// IsZero says whether nothing is bounded and nothing in doubt.
func (v Validity) IsZero() bool {
	return v.ClosedBy == "" && !v.From.Set() && !v.Until.Set() && len(v.Unread) == 0
}

// And is what holds where both hold: the later beginning and the earlier end.
func (v Validity) And(o Validity) Validity {
	if v.ClosedBy == "" {
		v.ClosedBy = o.ClosedBy
	}
	if o.From.Set() && (!v.From.Set() || o.From.At.After(v.From.At)) {
		v.From = o.From
	}
	if o.Until.Set() && (!v.Until.Set() || o.Until.At.Before(v.Until.At)) {
		v.Until = o.Until
	}
	if len(o.Unread) > 0 {
		v.Unread = append(slices.Clone(v.Unread), o.Unread...)
		slices.Sort(v.Unread)
		v.Unread = slices.Compact(v.Unread)
	}
	return v
}

// Stand is what a Validity means at one moment.
type Stand struct {
	// Standing is Active, Disabled or NotYet.
	Standing Standing
	// Why says in words what made it so; empty where nothing did.
	Why string
	// Since is when it began to be so, where a moment did it; else zero.
	Since time.Time
	// Next is when it will be otherwise by itself; zero: never.
	Next time.Time
}

// At says what is so at a moment. As time goes on that is NotYet, then Active,
// then Disabled, and never back; a step is left out where the bounds leave no
// room for it. What is Unread is not looked at: where the rest says Active, it
// is in doubt.
func (v Validity) At(now time.Time) Stand {
	switch {
	case v.ClosedBy != "":
		return Stand{Standing: Disabled, Why: "disabled at the source by " + v.ClosedBy}
	case v.Until.Set() && !now.Before(v.Until.At):
		return Stand{Standing: Disabled, Why: "ended " + v.Until.String(), Since: v.Until.At}
	case v.From.Set() && now.Before(v.From.At):
		s := Stand{Standing: NotYet, Why: "starts " + v.From.String(), Next: v.From.At}
		if v.Until.Set() && v.Until.At.Before(s.Next) {
			s.Next = v.Until.At
		}
		return s
	}
	s := Stand{Standing: Active}
	if v.From.Set() {
		s.Since = v.From.At
	}
	if v.Until.Set() {
		s.Next = v.Until.At
	}
	return s
}
