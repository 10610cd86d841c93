// Package clock is the time of whatever waits: the machine's, or one that a test
// moves.
package clock

import (
	"slices"
	"sync"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	// After sends once, when d has passed. The function frees what it waits with.
	After(d time.Duration) (<-chan time.Time, func())
}

// Real is the machine's clock.
type Real struct{}

// Now is time.Now.
func (Real) Now() time.Time { return time.Now() }

// After is a time.Timer.
func (Real) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// Fake is a clock that stands until it is moved. It may be used from several
// goroutines.
type Fake struct {
	mu     sync.Mutex
	now    time.Time
	timers []*timer
	waits  *sync.Cond
}

type timer struct {
	at time.Time
	c  chan time.Time
}

// NewFake returns a clock that stands at now.
func NewFake(now time.Time) *Fake {
	f := &Fake{now: now}
	f.waits = sync.NewCond(&f.mu)
	return f
}

// Now is where the clock stands.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// After sends when the clock has been moved by d.
func (f *Fake) After(d time.Duration) (<-chan time.Time, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &timer{at: f.now.Add(d), c: make(chan time.Time, 1)}
	f.timers = append(f.timers, t)
	f.waits.Broadcast()
	return t.c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.timers = slices.DeleteFunc(f.timers, func(x *timer) bool { return x == t })
	}
}

// Set moves the clock, forward or back, and lets go who waited until then.
func (f *Fake) Set(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	f.timers = slices.DeleteFunc(f.timers, func(t *timer) bool {
		if t.at.After(now) {
			return false
		}
		t.c <- now
		return true
	})
}

// Waited blocks until somebody waits, and says for when the first of them does.
func (f *Fake) Waited() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.timers) == 0 {
		f.waits.Wait()
	}
	first := f.timers[0].at
	for _, t := range f.timers {
		if t.at.Before(first) {
			first = t.at
		}
	}
	return first
}
