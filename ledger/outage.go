package ledger

import "time"

// Outage is a target that failed: it could not be read, or its writes failed in
// a row. It ends with the first thing that goes well there.
type Outage struct {
	Target string
	// Since is the first failure of those in a row.
	Since time.Time
	// Failures is how many attempts failed in a row, a cycle being one.
	Failures int
	// Writing: it can be read, perhaps, and not be written.
	Writing            bool
	Class, Error, Hint string
	// Next is before when the target is left alone; zero while each cycle tries.
	Next time.Time
}

// Broken says whether the target is left alone, or tried with one change first.
func (o Outage) Broken() bool { return !o.Next.IsZero() }

// LongestOutage is how long a target is left alone at most, before it is tried.
const LongestOutage = time.Hour

// LeftAlone says whether it is too early for the next attempt. One further off
// than any is ever set was set by a clock that has been put back since.
func (o Outage) LeftAlone(now time.Time) bool {
	return now.Before(o.Next) && o.Next.Sub(now) <= LongestOutage*3/2
}
