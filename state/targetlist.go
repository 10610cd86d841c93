package state

import (
	"fmt"
)

// Targets returns what is remembered of every target, by name.
func (s *Store) Targets() ([]TargetState, error) {
	var out []TargetState
	err := s.view(func(tx *txn) (err error) {
		out, err = allTargets(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read targets: %w", err)
	}
	return out, nil
}

func allTargets(tx *txn) ([]TargetState, error) {
	var out []TargetState
	b := tx.Bucket(bTargets)
	err := b.ForEach(func(k, _ []byte) error {
		var t TargetState
		if _, err := getJSON(b, k, &t); err != nil {
			return err
		}
		out = append(out, t)
		return nil
	})
	return out, err
}
