package state

import (
	"fmt"
	"time"

	"github.com/rosterd/rosterd/identity"
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
	// Listed: all of it was read once, and no account there was one that a state
	// which is lost had made for somebody here.
	Listed bool
	// Loose are accounts there about which somebody has to decide.
	Loose Loose
	// Kept are people for whom nothing is done there, though no hold tells, by why.
	Kept map[string][]identity.Ordinal `json:",omitempty"`
	// Since is when the target was first saved.
	Since time.Time
}

// Loose counts accounts of a target that are nobody's, and should not be left to
// themselves.
type Loose struct {
	// At is when they were counted.
	At time.Time
	// Lost carry the mark of somebody who is not in the directory; Left look like those
	// of people who left; Marked carry that of somebody here, by another state.
	Lost, Left, Marked int
}

// Same says whether both count alike.
func (l Loose) Same(other Loose) bool {
	return l.Lost == other.Lost && l.Left == other.Left && l.Marked == other.Marked
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
