package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// CycleRecord is one run.
type CycleRecord struct {
	ID, Verb string
	// Ended is zero while it runs, and of one that was killed.
	Began, Ended time.Time
	Exit         int
	Counts       map[string]int
	Error        string
	// By is who asked for it.
	By string `json:",omitempty"`
	// Journal: it did something, failed, or was asked for by hand, and the
	// journal is to have it.
	Journal bool `json:"-"`
	// Idle: there was nothing to do, and the record waits for the next commit.
	Idle bool `json:"-"`
}

// cyclesKept bounds how many runs are remembered; the journal has the rest.
const cyclesKept = 1000

// SaveCycle remembers a run, or what became of it: a record with the same ID
// and Began is replaced.
func (s *Store) SaveCycle(c CycleRecord) error {
	err := func() error {
		if c.Idle && !c.Journal {
			return s.wait(func(l *later) { l.cycles = append(l.cycles, c) })
		}
		return s.update(func(tx *txn) error {
			if err := putCycle(tx, c); err != nil || !c.Journal {
				return err
			}
			return s.noteCycle(tx, c)
		})
	}()
	if err != nil {
		return fmt.Errorf("save cycle: %w", err)
	}
	return nil
}

// pruneEvery is after how many records the old ones are counted and go.
const pruneEvery = 100

func cycleKey(c CycleRecord) []byte { return append(u64(nanos(c.Began)), c.ID...) }

func putCycle(tx *txn, c CycleRecord) error {
	b := tx.Bucket(bCycles)
	if err := putJSON(b, cycleKey(c), c); err != nil {
		return err
	}
	if n, err := b.NextSequence(); err != nil || n%pruneEvery != 0 {
		return err
	}
	var old [][]byte
	n := 0
	cur := b.Cursor()
	for k, _ := cur.Last(); k != nil; k, _ = cur.Prev() {
		if n++; n > cyclesKept {
			old = append(old, append([]byte(nil), k...))
		}
	}
	return drop(b, old)
}

// Cycles returns the last n runs, newest first; 0 means all that are kept.
func (s *Store) Cycles(n int) ([]CycleRecord, error) {
	var out []CycleRecord
	err := s.view(func(tx *txn) error {
		cur := tx.Bucket(bCycles).Cursor()
		for k, v := cur.Last(); k != nil && (n <= 0 || len(out) < n); k, v = cur.Prev() {
			var c CycleRecord
			if err := json.Unmarshal(v, &c); err != nil {
				return fmt.Errorf("%w (%v)", ErrCorrupt, err)
			}
			out = append(out, c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read cycles: %w", err)
	}
	if n <= 0 {
		n = cyclesKept
	}
	out = s.later.withCycles(out)
	return slices.Clip(out[:min(n, len(out))]), nil
}

// LastRun is when a kind of cycle ran last; zero if it never did.
func (s *Store) LastRun(kind string) (time.Time, error) {
	var at time.Time
	err := s.view(func(tx *txn) error {
		_, err := getJSON(tx.Bucket(bMeta), runKey(kind), &at)
		return err
	})
	if err != nil {
		return at, fmt.Errorf("read last run: %w", err)
	}
	if run, waits := s.later.run(kind); waits {
		at = run
	}
	return at, nil
}

// NoteLastRun remembers when kinds of cycle ran, and writes it with the next
// commit. Whoever is killed before that has not run them.
func (s *Store) NoteLastRun(at time.Time, kinds ...string) error {
	err := s.wait(func(l *later) {
		for _, kind := range kinds {
			l.runs[kind] = at
		}
	})
	if err != nil {
		return fmt.Errorf("remember last run: %w", err)
	}
	return nil
}

// SetLastRun remembers when kinds of cycle ran, and writes it at once.
func (s *Store) SetLastRun(at time.Time, kinds ...string) error {
	if err := s.NoteLastRun(at, kinds...); err != nil {
		return err
	}
	if err := s.putLater(); err != nil {
		return fmt.Errorf("remember last run: %w", err)
	}
	return nil
}

func runKey(kind string) []byte { return []byte("run " + kind) }
