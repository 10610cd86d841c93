package state

import (
	"fmt"
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
