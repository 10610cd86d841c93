package state

import (
	"bytes"
	"maps"
	"slices"
	"sync"
	"time"
)

// A cycle in which nothing changed writes nothing: that it ran goes with the next
// commit of anything else, at the close, or once in an hour. Whoever is killed
// meanwhile has lost that, and runs again what ran already.

// longestWait is how long something waits for a commit.
const longestWait = time.Hour

// later is what waits for the next commit.
type later struct {
	mu     sync.Mutex
	since  time.Time // when the first of it came
	cycles []CycleRecord
	runs   map[string]time.Time
	// putting is what the commit under way writes of it.
	putting struct {
		cycles int
		runs   map[string]time.Time
	}
}

// wait adds to what waits, and commits it where that has waited long enough. A
// clock that was set back does not make it wait for longer.
func (s *Store) wait(add func(*later)) error {
	now, l := s.now(), &s.later
	l.mu.Lock()
	if l.runs == nil {
		l.runs = map[string]time.Time{}
	}
	add(l)
	if l.since.IsZero() {
		l.since = now
	}
	over := now.Sub(l.since) >= longestWait || now.Before(l.since) || len(l.cycles) >= cyclesKept
	l.mu.Unlock()
	if !over {
		return nil
	}
	return s.putLater()
}

// putLater commits what waits, if anything does.
func (s *Store) putLater() error {
	if s.later.empty() {
		return nil
	}
	return s.update(func(tx *txn) error {
		tx.changed = true
		return nil
	})
}

func (l *later) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.cycles)+len(l.runs) == 0
}

// put writes what waits, within a transaction that is about to be committed.
func (l *later) put(tx *txn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.putting.cycles, l.putting.runs = len(l.cycles), maps.Clone(l.runs)
	for _, c := range l.cycles {
		if err := putCycle(tx, c); err != nil {
			return err
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(l.runs)) {
		if err := putJSON(tx.Bucket(bMeta), runKey(kind), l.runs[kind]); err != nil {
			return err
		}
	}
	return nil
}

// written forgets what was put, after the commit. More may have come meanwhile.
func (l *later) written() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cycles = slices.Delete(l.cycles, 0, l.putting.cycles)
	for kind, at := range l.putting.runs {
		if l.runs[kind].Equal(at) {
			delete(l.runs, kind)
		}
	}
	l.putting.cycles, l.putting.runs, l.since = 0, nil, time.Time{}
}

// run is when a kind ran, if that waits.
func (l *later) run(kind string) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, waits := l.runs[kind]
	return at, waits
}

// withCycles puts those that wait among those that are kept, newest first.
func (l *later) withCycles(kept []CycleRecord) []CycleRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.cycles) == 0 {
		return kept
	}
	all := slices.Concat(l.cycles, kept)
	slices.SortStableFunc(all, func(a, b CycleRecord) int { return bytes.Compare(cycleKey(b), cycleKey(a)) })
	return all
}
