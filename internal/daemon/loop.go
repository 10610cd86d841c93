// Package daemon is the service: when the next cycle is due, what systemd is
// told, and the end in good order. Of people it knows nothing.
package daemon

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
)

// Kind is what a cycle is run for.
type Kind string

const (
	// Changes asks for what changed.
	Changes Kind = "changes"
	// Sweep lists IDs, to find who is gone.
	Sweep Kind = "sweep"
	// Resync reads everything, targets too.
	Resync Kind = "resync"
)

// covers says whether a cycle of the kind does what one of the other would. What
// changed does not tell who is gone, and who is there not what changed: where both
// are due, both are run.
func (k Kind) covers(other Kind) bool { return k == other || k == Resync }

// Schedule says when a kind of cycle is due.
type Schedule struct {
	Kind Kind
	// Next is the first instant after another; zero for never.
	Next func(time.Time) time.Time
	// AtOnce: due at the first start of all.
	AtOnce bool
}

// turnover is how long the loop sleeps at most: a wall clock that was set, or
// stood still with the machine, is noticed by then.
const turnover = time.Minute

// Loop runs cycles when they are due, one after the other. What was missed
// while it did not run, or slept, is run once.
type Loop struct {
	Clock clock.Clock
	// Schedules are looked at anew after each call.
	Schedules func() []Schedule
	// Last is when a kind ran last; zero if never. Ran keeps it.
	Last func(Kind) time.Time
	Ran  func(Kind, time.Time)
	// Cycle runs one cycle, and says whether it came to its end: one that the stop
	// cut short is due again when the loop runs next. Its errors are its own
	// business; a panic is told to Panicked, and the loop goes on.
	Cycle    func(context.Context, Kind) bool
	Panicked func(value any, stack []byte)
	// Idle hears when the next cycle is due, each time the loop goes to sleep.
	Idle func(next time.Time)
	// Calls are done between two cycles.
	Calls <-chan func()
	// Woken has a value when there may be changes before the schedule asks for
	// them; nil if nobody says so.
	Woken <-chan struct{}
}

// Whoever is woken all the time must still let others have the machine and the
// directory: after a cycle that asked for changes the next one waits for four
// times as long as that took, and for two seconds at least. The schedule does not
// wait.
const (
	restFactor = 4
	restLeast  = 2 * time.Second
)

// rest is that pause.
type rest struct{ from, until time.Time }

func restAfter(begun, ended time.Time) rest {
	return rest{ended, ended.Add(max(restLeast, restFactor*ended.Sub(begun)))}
}

// over says whether it has passed, or the clock was set back behind it.
func (r rest) over(now time.Time) bool { return now.Before(r.from) || !now.Before(r.until) }

// Run works until the context ends or stop is closed. A cycle that is under way
// is let to its end; it sees the same context.
func (l *Loop) Run(ctx context.Context, stop <-chan struct{}) {
	last := map[Kind]time.Time{}
	var (
		woken bool // and not answered yet
		pause rest
	)
	for {
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		case call := <-l.Calls:
			call()
			continue
		case <-l.Woken:
			woken = true
			continue
		default:
		}
		now := l.Clock.Now()
		kind, due, next := l.due(last, now)
		if woken && !due {
			if pause.over(now) {
				kind, due = Changes, true
			} else if next.IsZero() || pause.until.Before(next) {
				next = pause.until
			}
		}
		if due {
			// What is said from now on is for the cycle after this one.
			if kind.covers(Changes) {
				woken = false
			}
			if !l.one(ctx, kind) {
				return
			}
			if kind.covers(Changes) {
				pause = restAfter(now, l.Clock.Now())
			}
			for _, s := range l.Schedules() {
				if kind.covers(s.Kind) {
					last[s.Kind] = now
					l.Ran(s.Kind, now)
				}
			}
			continue
		}
		l.Idle(next)
		wait := turnover
		if !next.IsZero() {
			wait = min(wait, max(next.Sub(now), 0))
		}
		passed, free := l.Clock.After(wait)
		select {
		case <-passed:
		case <-l.Woken:
			woken = true
		case call := <-l.Calls:
			call()
		case <-stop:
		case <-ctx.Done():
		}
		free()
	}
}

// due finds the kind that is to be run now, or when the next one is. A resync
// comes first: it does the others' work. Of the others the one comes first that has
// waited for longer, so that none waits for ever.
func (l *Loop) due(last map[Kind]time.Time, now time.Time) (kind Kind, due bool, next time.Time) {
	var since time.Time
	pick := func(other Kind, at time.Time) {
		if !due || !kind.covers(other) && (other.covers(kind) || at.Before(since)) {
			kind, due, since = other, true, at
		}
	}
	for _, s := range l.Schedules() {
		was, known := last[s.Kind]
		if !known {
			if was = l.Last(s.Kind); was.IsZero() && s.AtOnce {
				pick(s.Kind, time.Time{})
				continue
			}
		}
		// Never ran, or ran in a future that the clock has left.
		if was.IsZero() || was.After(now) {
			was = now
		}
		last[s.Kind] = was
		at := s.Next(was)
		switch {
		case at.IsZero():
		case !at.After(now):
			pick(s.Kind, at)
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	return kind, due, next
}

// one runs a cycle. One that panicked has ended: it would panic again.
func (l *Loop) one(ctx context.Context, kind Kind) (ended bool) {
	defer func() {
		if p := recover(); p != nil {
			ended = true
			l.Panicked(p, debug.Stack())
		}
	}()
	return l.Cycle(ctx, kind)
}
