package ledger

import (
	"time"

	"github.com/rosterd/rosterd/identity"
)

// Mark says that a person must be looked at afresh. It is settled only if its
// sequence is still the same, so a change that arrives in mid-cycle is not lost.
type Mark struct {
	Person   identity.Ordinal
	Sequence uint64
	Reasons  []string
	// Next is when a date makes the person dirty by itself, as whoever looked at
	// them found; zero: none does. It is kept when the mark is settled.
	Next time.Time
	// Refers are the names of others whose accounts theirs speak of. They are kept
	// when the mark is settled. RefersKept: what was kept stays, since not all was read.
	Refers     []identity.DN
	RefersKept bool
}

// Due is a moment at which a person becomes dirty by itself.
type Due struct {
	Person identity.Ordinal
	At     time.Time
	Reason string
}

// Parked is a change that failed and is tried again, or waits for somebody.
type Parked struct {
	Target string
	Person identity.Ordinal
	// Subject is what is parked, in words: "create writer7", "map attributes".
	Subject string
	Class   string
	Error   string
	Hint    string
	// Attempts made so far, the first included.
	Attempts int
	Since    time.Time
	// Next is when it is tried again.
	Next time.Time
}

// Denial is an offboard by hand: a standing deny everywhere.
type Denial struct {
	Person identity.Ordinal
	Reason string
	By     string
	At     time.Time
	Ticket string `json:",omitempty"`
	// Until is the first moment at which it is over; not set: until it is lifted.
	Until identity.Bound `json:",omitzero"`
}

// Over says whether it has ended.
func (d Denial) Over(now time.Time) bool { return d.Until.Set() && !now.Before(d.Until.At) }

// Exception is the same as an exception by hand.
func (d Denial) Exception() Exception {
	return Exception{Kind: Deny, Person: d.Person, Reason: d.Reason, Ticket: d.Ticket, By: d.By, At: d.At, Until: d.Until}
}
