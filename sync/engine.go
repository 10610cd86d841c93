package sync

import (
	"context"
	"slices"
	gosync "sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// Engine is everything a cycle works with. Its methods may be called from several
// goroutines: cycles of everybody come one after the other, those for named people
// enter a running one, and what only looks never waits.
type Engine struct {
	Store *state.Store
	// Sources and Targets are sorted by name.
	Sources []Source
	Targets []Target
	// KeepJournal is how old a closed month of the journal becomes, KeepLeavers how
	// long somebody who is gone is remembered; 0 for ever.
	KeepJournal, KeepLeavers time.Duration

	Policy *mapping.Policy
	// PolicyText is the file as it is, for the record; File is its name. Hash
	// identifies all of it that is policy; left out: that of Policy.
	PolicyText, File, Hash string
	// Next is the engine of a changed file that does not govern yet; nil: the file
	// at hand is in force. It has the same state and, where the two policies agree
	// about them, the same sources and targets.
	Next *Engine
	// Frozen says why the policy in force cannot be used; empty: it can. Nothing
	// is then done until the next one is approved.
	Frozen string
	Now    func() time.Time
	// Jitter spreads waiting times: from 0 to 1, a random number if nil. It must
	// be safe for several goroutines.
	Jitter func() float64

	// turns is shared by the engines that follow one another on one state.
	turns   *turn
	init    gosync.Once
	retired atomic.Bool
	// successor is Next, once its policy has come into force.
	successor atomic.Pointer[Engine]
}

// Source is a directory with the rules under which its absences are judged.
type Source struct {
	directory.Source
	VanishAfter time.Duration
	// MinPeople is a share of the largest listing, 0 to 1.
	MinPeople float64
	MaxRekey  int
}

// Target is a target with the limits and rules that the configuration gives.
type Target struct {
	Name string
	target.Target
	Rules plan.Rules
	// Concurrency is how many writes may be under way at once, at least 1.
	Concurrency int
	// Rate bounds writes a second; nil for no bound.
	Rate *rate.Limiter
	// VerifyWithin is how long a read-back may keep disagreeing.
	VerifyWithin time.Duration
	// Passwords makes and hands over those of new accounts; nil where none are asked for.
	Passwords Passwords
}

// Progress is how far a step has come.
type Progress struct {
	// Step is "read", "seal", "drain", "take", "desire", "observe", "judge",
	// "apply", "verify" or "settle"; each is told when it begins.
	Step        string
	Where       string // source or target; empty where it is of neither
	Done, Total int    // Total is 0 where it is not known
}

// Request is what one cycle is asked to do.
type Request struct {
	// Verb is for the journal: "sync", "plan", "approve h3".
	Verb string
	// Scheduled: nobody asked, it was due. One that did nothing is not journalled.
	Scheduled bool
	// By is who asked.
	By string
	// DryRun stops before the first write to a target.
	DryRun bool
	// Full looks at everybody and lists every target.
	Full bool
	// Sweep lists IDs where a source can, and reads everything only where that
	// shows what it cannot decide.
	Sweep bool
	// People restricts the cycle to these, sorted; nil is everybody who is
	// marked.
	People []identity.Ordinal
	// Named says that removals of People were asked for by name.
	Named bool
	// Released says that People are to be enabled though somebody else
	// disabled them.
	Released bool
	// Protected lets protected accounts be changed.
	Protected bool
	// OnlyTarget restricts the cycle to one target; empty is all.
	OnlyTarget string
	// Allow, if set, restricts the writes to what it returns true for.
	Allow func(target.Key) bool
	// Review, if set, sees the judged report before the first write and says
	// which changes may go; its error ends the cycle.
	Review func(*Report) (func(target.Key) bool, error)
	// Fingerprints asks for the report's fingerprints.
	Fingerprints bool
	// AcceptOlder believes a directory that has seen less than before: one that
	// was restored.
	AcceptOlder bool
	// Still plans from the state alone: nothing is read and nothing is kept. It
	// shows what is left to do, as of the last read, while another cycle runs.
	Still bool
	// Alone keeps a cycle for named people from entering a running one: it waits
	// for its end.
	Alone bool
	// PolicyOnly ends the cycle once a changed policy is judged.
	PolicyOnly bool
	// TakePolicy judges a changed policy though the cycle is for named people.
	TakePolicy bool
	// traceless keeps nothing in the state, not even which groups a policy names.
	traceless bool
	// again: the second pass of a cycle, which has read.
	again bool
	// adopt is set where accounts that exist are taken over, and nothing else is done.
	adopt *adoptWork
	// first is done before all else, once the cycle has been let in.
	first func() error
	// Progress hears how far a step has come; it may be nil and must return at
	// once. It is called from several goroutines.
	Progress func(Progress)
	// Stop, once closed, ends the cycle after the writes that are under way.
	Stop <-chan struct{}
}

// step tells that a step begins.
func (c *cycle) step(step, where string) { c.progress(step, where, 0, 0) }

func (c *cycle) progress(step, where string, done, total int) {
	if c.ask.Progress != nil {
		c.ask.Progress(Progress{Step: step, Where: where, Done: done, Total: total})
	}
}

// names says whether the request names the person.
func (r Request) names(who identity.Ordinal) bool {
	_, found := slices.BinarySearch(r.People, who)
	return found
}

// untilStopped is a context that ends when a stop is asked for, too. The
// function frees it.
func (r Request) untilStopped(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if r.Stop != nil {
		go func() {
			select {
			case <-r.Stop:
				cancel(ErrStopped)
			case <-ctx.Done():
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}

func (r Request) stopped() bool {
	select {
	case <-r.Stop:
		return true
	default:
		return false
	}
}
