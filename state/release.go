package state

import (
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// release notes that the accounts which somebody else disabled are to be enabled. It
// outlives the cycle that was asked for it: enabling them may be held, or fail.
func (s *Store) release(tx *txn, person identity.Ordinal) error {
	var released []ledger.Link
	prefix := ordKey(person)
	c := tx.Bucket(bLinks).Cursor()
	for k, v := c.Seek(prefix); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
		l, err := decodeLink(person, string(k[8:]), v)
		if err != nil {
			return err
		}
		if l.Phase == ledger.ClosedElsewhere && l.Cause != ledger.Released {
			l.Cause = ledger.Released
			released = append(released, l)
		}
	}
	for _, l := range released {
		if err := putLink(tx, l, s.now()); err != nil {
			return err
		}
	}
	if len(released) == 0 {
		return nil
	}
	return mark(tx, person, "released")
}
