package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Book is what the guard must know besides the plan.
type Book struct {
	Now     time.Time
	Targets []Target
	// Spends are the changes of the last window.
	Spends []ledger.Spend
	// Again are those of them whose account is open again, or who hold the role
	// again: they are among the target's Linked and Holders.
	Again map[Regained]bool
	// Holds are those of the state.
	Holds []ledger.Hold
	// FirstFreeHold is the number of the next hold: 7 for "h7".
	FirstFreeHold int
	// edit: the plan is the impact of an edit of the policy, and what it gives is
	// judged as what it changes.
	edit bool
}

// Regained is somebody who has an account again, or a role, after it was taken.
type Regained struct {
	Target string
	Role   string // empty: the account
	Person identity.Ordinal
}

// Verdict is the plan after the guard.
type Verdict struct {
	Cleared Cleared
	// Holds is the full set to store, sorted by number.
	Holds []ledger.Hold
	// NextFreeHold is the number after the last that was given.
	NextFreeHold int
	// Subjects say where each subject of the plan stands, by the same index.
	Subjects []Standing
}

// Standing is where one subject stands.
type Standing struct {
	Stage Stage
	// Holds are the IDs of the holds that keep changes of the subject, sorted.
	Holds []string
	// Why says it in words: the hold's text, the error, the date.
	Why string
	// Changes say of each change of the subject, by the same index, by which
	// hold or rule it is kept; empty: it may go.
	Changes []string
	// Parked: part of it waits for another attempt, whatever the stage.
	Parked bool
	// Withheld: part of it is kept without being in a hold, mostly because of
	// what is in one.
	Withheld bool
	// Following: part of it comes in a later pass, behind a right that goes elsewhere.
	Following bool
}

// Stage is how far a subject is.
type Stage uint8

const (
	// Done: nothing to do.
	Done Stage = iota
	// Due: the changes may go.
	Due
	// Held: at least one change waits for a person.
	Held
	// Parked: it failed or cannot be done now, and is tried again.
	Parked
	// Retained: closed, and deleted later, or kept by an exception.
	Retained
)

var stageNames = [...]string{"done", "due", "held", "parked", "retained"}

func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return "?"
}

// MarshalText writes the word.
func (s Stage) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *Stage) UnmarshalText(b []byte) error {
	i := slices.Index(stageNames[:], string(b))
	if i < 0 {
		return fmt.Errorf("read stage %q: no such stage", b)
	}
	*s = Stage(i)
	return nil
}

// Held says whether something waits for a person. What somebody rejected does
// not: it is silent until it changes.
func (v Verdict) Held() bool {
	return slices.ContainsFunc(v.Subjects, func(s Standing) bool { return s.Stage == Held && s.Why != rejected })
}

// Parked says whether something waits for another attempt.
func (v Verdict) Parked() bool {
	return slices.ContainsFunc(v.Subjects, func(s Standing) bool { return s.Parked })
}

// Pending says whether there are changes that may go.
func (v Verdict) Pending() bool { return !v.Cleared.Empty() }
