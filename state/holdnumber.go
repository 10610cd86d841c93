package state

import ()

// FirstFreeHold is the number that no hold has had: 7 where the last was h6.
// SaveHolds takes the numbers that its holds have.
func (s *Store) FirstFreeHold() (int, error) {
	n := 0
	err := s.view(func(tx *txn) error {
		n = int(fromU64(tx.Bucket(bMeta).Get(kHold))) + 1
		return nil
	})
	return n, err
}
