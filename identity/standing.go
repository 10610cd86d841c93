package identity

// Standing is where a person stands in the source. The zero value is Unknown,
// and unknown never disables, deletes or revokes anything.
type Standing uint8

const (
	// Unknown: not seen, and nothing proves that they left.
	Unknown Standing = iota
	// Active: present and enabled at the source.
	Active
	// Disabled: present, and an administrator disabled them at the source, or
	// their last day is over.
	Disabled
	// OutOfScope: still in the directory, found by ID outside base or filter.
	OutOfScope
	// Gone: there is positive evidence of deletion.
	Gone
	// PresumedGone: absent from two complete listings and from a look-up by ID.
	PresumedGone
	// NotYet: present, and their first day is to come. It is worked out for an
	// instant and never kept.
	NotYet
)

var standingNames = [...]string{"unknown", "active", "disabled", "out-of-scope", "gone", "presumed-gone", "not-yet"}

func (s Standing) String() string {
	if int(s) < len(standingNames) {
		return standingNames[s]
	}
	return "unknown"
}

// Left says whether the standing means that the person is to lose their access.
func (s Standing) Left() bool { return s >= Disabled && s <= PresumedGone }
