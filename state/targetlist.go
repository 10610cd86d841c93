package state

import (
	"fmt"
)

// Targets returns what is remembered of every target, by name.
func (s *Store) Targets() ([]TargetState, error) {
	var out []TargetState
	err := s.view(func(tx *txn) error {
		b := tx.Bucket(bTargets)
		return b.ForEach(func(k, _ []byte) error {
			var t TargetState
			if _, err := getJSON(b, k, &t); err != nil {
				return err
			}
			out = append(out, t)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read targets: %w", err)
	}
	return out, nil
}
