package sync

import (
	"errors"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// Report is what one cycle saw, planned and did.
type Report struct {
	Cycle, Verb  string
	By           string
	Began, Ended time.Time
	DryRun       bool
	// Still: this rests on the state alone, as of Sources' last complete reads.
	Still bool

	Reads   []Read
	Sources []state.SourceFacts
	// Pins are the groups of the policy that are not where it says.
	Pins []ledger.Pin
	// Pauses are in force.
	Pauses []ledger.Pause
	// Down are targets that could not be read or written.
	Down []Down

	// Policy is a changed policy and what became of it; nil if the file at hand
	// was in force.
	Policy *Pending
	// PolicyHash is that of the policy by which the plan was drawn.
	PolicyHash string

	// Plan and Verdict are of everything that the cycle looked at; Shown is the
	// part that was asked for.
	Plan         plan.Plan
	Verdict      plan.Verdict
	Shown        plan.Plan
	ShownVerdict plan.Verdict
	Holds        []ledger.Hold

	// Fingerprints say, for each person looked at, what the plan rests on.
	Fingerprints map[identity.Ordinal]string

	Done map[target.Verb]int
	// Carried are the orders that were done, within each target in the order in
	// which they were.
	Carried    []ledger.Order
	Failed     []Failed
	Skipped    []Skipped
	Unverified []ledger.Parked
	// Parked is all that waits for another attempt, earlier cycles included.
	Parked []ledger.Parked
	// Verified is how many accounts were read back and agreed.
	Verified int
	// Recovered and InDoubt count the intents without outcome that were
	// answered, and those that could not be.
	Recovered, InDoubt int
	// Closed are the months of the journal that became files.
	Closed []state.Month
	// Referring are those who refer to accounts that changed in this cycle, Following
	// those who get a right when another one is gone elsewhere. Then is the pass that
	// wrote that; nil: it is left to the next cycle.
	Referring []identity.Ordinal
	Following []identity.Ordinal
	Then      *Report
	// Left is what may go, of the people and targets that were asked for, and was not
	// shown: the next cycle does it.
	Left []ledger.Order
	// Forgotten is how many people were forgotten who left long ago.
	Forgotten int
	// StillNamed is where they are named still, which is not for rosterd to change.
	StillNamed []string
	// Stopped is set where a signal ended the cycle early.
	Stopped bool
	// Err is the error that ended the cycle.
	Err error

	targets []string
	logins  map[identity.Ordinal]string
}

// Read is how one read of a source went. There may be several in a cycle: what
// changed, and then who is there.
type Read struct {
	Source string
	// Way is what was asked for: Everything, IDs or Changes.
	Way Way
	// Engine is how changes were followed.
	Engine string
	// Why says why it was this way, where changes alone could have been enough, and
	// Cause is the error behind that, if there is one.
	Why     string
	Cause   error
	Err     error
	Sealed  state.Sealed
	Drained state.Drained
}

// Way is how a source is read.
type Way string

// The ways to read a source.
const (
	Everything Way = "everything"
	IDs        Way = "ids"
	Changes    Way = "changes"
)

// Down is a target that could not be reached, or was left alone after failures.
type Down struct {
	Target string
	Err    error
}

// Failed is an order that the target did not carry out.
type Failed struct {
	Order   ledger.Order
	Outcome ledger.Outcome
}

// Skipped is an order that was not sent, and why.
type Skipped struct {
	Order ledger.Order
	Why   string
}

// Exit codes of a cycle, as DESIGN orders them: the first that applies.
const (
	ExitDone    = 0
	ExitFailed  = 1
	ExitUsage   = 2
	ExitPending = 3
	ExitHeld    = 4
	ExitParked  = 5
)

// Exit is the exit code that the cycle ends with.
func (r *Report) Exit() int {
	then := ExitDone
	if r.Then != nil {
		then = r.Then.Exit()
	}
	switch {
	case errors.Is(r.Err, ErrStopped):
		return ExitParked
	case undecided(r.Err):
		return ExitHeld
	case r.Err != nil, r.unread(), then == ExitFailed:
		return ExitFailed
	case r.held(), then == ExitHeld:
		return ExitHeld
	case len(r.Failed)+len(r.Skipped)+len(r.Unverified)+len(r.Parked)+len(r.Down)+r.InDoubt > 0, r.Stopped:
		return ExitParked
	case r.DryRun && r.Verdict.Pending(), r.Still && r.looks():
		return ExitPending
	}
	return then
}

// undecided says whether an adoption ended since somebody has to say more: what was
// shown has changed, or marks of several states are there. Nothing failed by it.
func undecided(err error) bool {
	var moved *MovedError
	var states *StatesError
	return errors.As(err, &moved) || errors.As(err, &states)
}

// Cleared returns every order that may go, target by target, wave by wave.
func (r *Report) Cleared() []ledger.Order {
	var out []ledger.Order
	for _, name := range r.targets {
		for _, wave := range r.Verdict.Cleared.Waves(name) {
			out = append(out, wave...)
		}
	}
	return out
}

// Login is the login of a person in the plan.
func (r *Report) Login(who identity.Ordinal) string { return r.logins[who] }

// failed says whether the read of a source failed in this cycle.
func (r *Report) failed(source string) bool {
	for _, read := range r.Reads {
		if read.Source == source && read.Err != nil {
			return true
		}
	}
	return false
}

func (r *Report) unread() bool {
	if r.Policy != nil && r.Policy.Err != nil {
		return true
	}
	for _, read := range r.Reads {
		if read.Err != nil {
			return true
		}
	}
	for _, d := range r.Down {
		var foreign *ForeignError
		if errors.As(d.Err, &foreign) {
			return true
		}
	}
	return false
}

// looks says whether an account must be looked at before it is known what is to
// be done.
func (r *Report) looks() bool {
	return slices.ContainsFunc(r.Shown.Subjects, func(s plan.Subject) bool { return s.Look != nil })
}

// held says whether something waits for a decision.
func (r *Report) held() bool {
	// A hold may be of people whom this cycle was not about.
	open := func(h ledger.Hold) bool { return h.Status == ledger.Waiting && len(h.Keys) > 0 }
	if r.Verdict.Held() || slices.ContainsFunc(r.Holds, open) || r.Policy != nil && r.Policy.Fate == Held {
		return true
	}
	for _, s := range r.Sources {
		if len(s.Blackouts) > 0 || s.MinPeople || s.Rekeyed > 0 {
			return true
		}
	}
	return false
}

// end closes the report, keeps it in the state, and takes the locks away.
func (c *cycle) end(err error) error {
	c.report.Ended = c.Now()
	c.report.Err = err
	if parked, perr := c.Store.Parked(); perr == nil {
		c.report.Parked = parked
	}
	counts := map[string]int{"held": c.held(), "failed": len(c.report.Failed), "verified": c.report.Verified}
	for v, n := range c.report.Done {
		counts[v.String()] = n
	}
	record := state.CycleRecord{ID: c.report.Cycle, Verb: c.report.Verb, Began: c.report.Began, Ended: c.report.Ended,
		Exit: c.report.Exit(), Counts: counts, Error: c.errorText(), By: c.ask.By}
	did := len(c.report.Carried) + len(c.report.Failed) + len(c.report.Unverified) + c.report.Recovered
	record.Journal = !c.ask.DryRun && (did > 0 || record.Exit == ExitFailed || !c.ask.Scheduled)
	record.Idle = c.ask.Scheduled && !record.Journal && len(c.marks) == 0
	return errors.Join(err, c.Store.SaveCycle(record))
}

func (c *cycle) held() int {
	n := 0
	for _, h := range c.report.Holds {
		if h.Status == ledger.Waiting {
			n += len(h.Keys)
		}
	}
	return n
}

func (c *cycle) errorText() string {
	if c.report.Err != nil {
		return c.report.Err.Error()
	}
	for _, r := range c.report.Reads {
		if r.Err != nil {
			return r.Err.Error()
		}
	}
	return ""
}

func cycleID(now time.Time) string { return now.UTC().Format("20060102T150405.000") }
