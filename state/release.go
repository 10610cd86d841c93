package state

import (
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// release notes that the accounts which somebody else disabled are to be enabled, and says
// in which targets. It outlives the cycle that was asked for it: enabling them may be held,
// or fail. Has says whether there is an account at all: that somebody else disabled it may
// not have been seen yet.
func (s *Store) release(tx *txn, person identity.Ordinal) (targets []string, has bool, err error) {
	var released []ledger.Link
	prefix := ordKey(person)
	c := tx.Bucket(bLinks).Cursor()
	for k, v := c.Seek(prefix); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
		l, err := decodeLink(person, string(k[8:]), v)
		if err != nil {
			return nil, false, err
		}
		has = has || l.Phase != ledger.Deleted
		if l.Phase == ledger.ClosedElsewhere && l.Cause != ledger.Released {
			l.Cause = ledger.Released
			released = append(released, l)
		}
	}
	for _, l := range released {
		if err := putLink(tx, l, s.now()); err != nil {
			return nil, false, err
		}
		targets = append(targets, l.Target)
	}
	if len(released) == 0 {
		return nil, has, nil
	}
	return targets, has, mark(tx, person, "released")
}
