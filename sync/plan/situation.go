package plan

import (
	"fmt"
	"slices"
)

// Situation is what is the case for one person in one target. Every person has
// exactly one in every target, the first that applies.
type Situation uint8

// The situations, in the order in which they are asked.
const (
	// InDoubt: a write left and its outcome is not known. Look first.
	InDoubt Situation = iota + 1
	// Unknown: the read proves nothing about this person.
	Unknown
	// Ignored: a break-glass account. Never touched.
	Ignored
	// Rekeyed: the same key under a new ID, among many. Held for a person.
	Rekeyed
	// Taken: the candidate belongs to another identity.
	Taken
	// Ambiguous: more than one candidate, or one that several people claim.
	Ambiguous
	// ProtectedLeaver: a protected account whose owner left.
	ProtectedLeaver
	// Offboarded: denied by hand.
	Offboarded
	// Gone: proved deleted.
	Gone
	// PresumedGone: absent from complete reads, without evidence of deletion.
	PresumedGone
	// Disabled at the source.
	Disabled
	// OutOfScope: still in the directory, no longer matched.
	OutOfScope
	// Invalid: the mapping failed; the last good state is kept.
	Invalid
	// Unentitled: active, and no role gives an account here any more.
	Unentitled
	// Missing: the linked account is not in the target.
	Missing
	// Returned: was a leaver, is back.
	Returned
	// Adoptable: exactly one unowned candidate.
	Adoptable
	// New: should have an account, none was found.
	New
	// Renamed: the account's name must change.
	Renamed
	// Changed: attributes or entitlements differ from what is wanted.
	Changed
	// Drifted: wanted is as last written, and the target shows something else.
	Drifted
	// InSync: linked, equal.
	InSync
	// None: should have none, has none.
	None
)

var situationNames = [...]string{"?", "in-doubt", "unknown", "ignored", "rekeyed", "taken", "ambiguous", "protected-leaver",
	"offboarded", "gone", "presumed-gone", "disabled", "out-of-scope", "invalid", "unentitled", "missing", "returned",
	"adoptable", "new", "renamed", "changed", "drifted", "in-sync", "none"}

func (s Situation) String() string {
	if int(s) < len(situationNames) {
		return situationNames[s]
	}
	return "?"
}

// ParseSituation is the inverse of String.
func ParseSituation(text string) (Situation, error) {
	if i := slices.Index(situationNames[1:], text); i >= 0 {
		return Situation(i + 1), nil
	}
	return 0, fmt.Errorf("read situation %q: no such situation", text)
}

// MarshalText writes the word.
func (s Situation) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *Situation) UnmarshalText(b []byte) error {
	v, err := ParseSituation(string(b))
	*s = v
	return err
}

// Leaver says whether the situation takes the account away.
func (s Situation) Leaver() bool {
	return s >= Offboarded && s <= OutOfScope || s == Unentitled
}
