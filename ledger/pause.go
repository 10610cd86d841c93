package ledger

import "time"

// Pause keeps rosterd from writing to a target, or to all, for a while.
type Pause struct {
	// Target is empty for all.
	Target string
	Reason string
	By     string
	At     time.Time
	// Until is when it ends by itself; zero for when somebody resumes.
	Until time.Time
}

// Over says whether it has ended by itself.
func (p Pause) Over(now time.Time) bool { return !p.Until.IsZero() && !now.Before(p.Until) }
