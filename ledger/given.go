package ledger

import (
	"time"

	"github.com/rosterd/rosterd/identity"
)

// Given is what is remembered of a name in a target: who had it last.
type Given struct {
	// Person is zero where it was somebody who is forgotten, or nobody of ours.
	Person identity.Ordinal
	// Released is since when nobody has it; zero: they have it.
	Released time.Time
}

// Free says whether the name may be given to this person: nobody else has it, and
// nobody had it so shortly before.
func (g Given) Free(to identity.Ordinal, now time.Time, reserve time.Duration) bool {
	switch {
	case g == Given{}, g.Person == to && to.Valid():
		return true
	case g.Released.IsZero():
		return false
	}
	return !now.Before(g.Released.Add(reserve))
}
