package ledger

import "github.com/rosterd/rosterd/identity"

// Pin ties a group that the policy names to the ID it had when first read.
type Pin struct {
	Source string
	// Written is the DN as it stands in the policy.
	Written string
	Group   identity.Ordinal
	ID      identity.ID
	// DN is where the group is now, or was last.
	DN     string
	Status PinStatus
	// Members is how many direct members it has now; Had is the largest
	// number it had since it was last found in order.
	Members, Had int
}

// EmptiedFrom is how many members a group must have had for its being empty to
// be doubted.
const EmptiedFrom = 5

// PinStatus is what became of a pinned group.
type PinStatus uint8

const (
	// PinUnseen: no group of that DN was ever read.
	PinUnseen PinStatus = iota
	// PinOK: there, under the DN that is written.
	PinOK
	// PinRenamed: there, under another DN.
	PinRenamed
	// PinMissing: the group with that ID is not there any more.
	PinMissing
	// PinEmptied: there without members, where it had five or more.
	PinEmptied
	// PinReplaced: another group has its DN.
	PinReplaced
)

var pinNames = [...]string{"never seen", "ok", "renamed", "missing", "emptied", "replaced"}

func (s PinStatus) String() string {
	if int(s) < len(pinNames) {
		return pinNames[s]
	}
	return "?"
}

// Sound says whether an absence from the group means anything.
func (s PinStatus) Sound() bool { return s == PinOK || s == PinRenamed || s == PinUnseen }
