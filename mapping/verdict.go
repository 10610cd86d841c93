package mapping

// fault is why a value is not known, or not there.
type fault struct {
	kind faultKind
	text string
}

// faultKind is in the order of weight: of two faults the later kind is told.
type faultKind uint8

const (
	// faultGroup: a pinned group is missing, emptied or replaced.
	faultGroup faultKind = iota + 1
	// faultAbsent: the attribute has no value. ?? catches this one alone.
	faultAbsent
	// faultValue: there is a value and it cannot be used as it is.
	faultValue
	// faultUnread: the attribute, or the group, was not read.
	faultUnread
)

// The rules of a Doubt.
const (
	doubtGroup    = "group"
	doubtValue    = "value"
	doubtCoverage = "coverage"
	// doubtExclusive: one that may be given comes first in an exclusive list.
	doubtExclusive = "exclusive"
)

func (f *fault) doubt() Doubt {
	switch {
	case f == nil:
		return Doubt{}
	case f.kind == faultGroup:
		return Doubt{Rule: doubtGroup, Text: f.text}
	case f.kind == faultUnread:
		return Doubt{Rule: doubtCoverage, Text: f.text}
	}
	return Doubt{Rule: doubtValue, Text: f.text}
}

// heavier is the fault to tell of two; nil if there is none.
func heavier(a, b *fault) *fault {
	switch {
	case a == nil:
		return b
	case b != nil && b.kind > a.kind:
		return b
	}
	return a
}

// verdict is true, false or, if why is set, unknown.
type verdict struct {
	yes bool
	why *fault
}

func (v verdict) no() bool { return !v.yes && v.why == nil }

func (v verdict) not() verdict {
	if v.why != nil {
		return v
	}
	return verdict{yes: !v.yes}
}

// and and or are Kleene's: what one side decides alone the other, unknown or
// not, does not undo.
func (v verdict) and(o verdict) verdict {
	switch {
	case v.no() || o.no():
		return verdict{}
	case v.why != nil || o.why != nil:
		return verdict{why: heavier(v.why, o.why)}
	}
	return verdict{yes: true}
}

func (v verdict) or(o verdict) verdict {
	switch {
	case v.yes || o.yes:
		return verdict{yes: true}
	case v.why != nil || o.why != nil:
		return verdict{why: heavier(v.why, o.why)}
	}
	return verdict{}
}
