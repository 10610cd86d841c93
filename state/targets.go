package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// TargetState is what is remembered of a target itself.
type TargetState struct {
	Name string
	// Identity is the system behind the address when it was first seen.
	Identity string
	// First is done: its first hold was approved whole.
	First bool
	// Agreed: the state was restored, and is right about this target again.
	Agreed bool
	// Since is when the target was first saved.
	Since time.Time
}

// Target returns what is remembered; of a target never saved, only its name.
func (s *Store) Target(name string) (TargetState, error) {
	t := TargetState{Name: name}
	err := s.view(func(tx *txn) error {
		_, err := getJSON(tx.Bucket(bTargets), []byte(name), &t)
		return err
	})
	if err != nil {
		return t, fmt.Errorf("read target %s: %w", name, err)
	}
	return t, nil
}

// SaveTarget remembers a target. A zero Since is set to now.
func (s *Store) SaveTarget(t TargetState) error {
	err := s.update(func(tx *txn) error {
		if t.Since.IsZero() {
			t.Since = s.now()
		}
		return putJSON(tx.Bucket(bTargets), []byte(t.Name), t)
	})
	if err != nil {
		return fmt.Errorf("save target %s: %w", t.Name, err)
	}
	return nil
}

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
}

// cyclesKept bounds how many runs are remembered; the journal has the rest.
const cyclesKept = 1000

// SaveCycle remembers a run, or what became of it: a record with the same ID
// and Began is replaced.
func (s *Store) SaveCycle(c CycleRecord) error {
	err := s.update(func(tx *txn) error {
		b := tx.Bucket(bCycles)
		if err := putJSON(b, append(u64(nanos(c.Began)), c.ID...), c); err != nil {
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
		if err := drop(b, old); err != nil || !c.Journal {
			return err
		}
		return s.noteCycle(tx, c)
	})
	if err != nil {
		return fmt.Errorf("save cycle: %w", err)
	}
	return nil
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
	return slices.Clip(out), nil
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
	return at, nil
}

// SetLastRun remembers when kinds of cycle ran.
func (s *Store) SetLastRun(at time.Time, kinds ...string) error {
	err := s.update(func(tx *txn) error {
		for _, kind := range kinds {
			if err := putJSON(tx.Bucket(bMeta), runKey(kind), at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remember last run: %w", err)
	}
	return nil
}

func runKey(kind string) []byte { return []byte("run " + kind) }
