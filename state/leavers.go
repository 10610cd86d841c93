package state

import (
	"errors"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Leavers returns at most so many people who have been gone since before an
// instant, have no account that is not closed, and for whom nothing is left to do
// or to decide: those who may be forgotten, by ordinal.
func (s *Store) Leavers(before time.Time, most int) ([]identity.Ordinal, error) {
	var out []identity.Ordinal
	err := s.view(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		var busy map[identity.Ordinal]bool
		c := tx.Bucket(bPeople).Cursor()
		for k, v := c.First(); k != nil && len(out) < most; k, v = c.Next() {
			r := reader{b: v}
			e := decodeHead(&r)
			if r.err != nil {
				return r.err
			}
			if e.standing != identity.Gone && e.standing != identity.PresumedGone || !e.since.Before(before) {
				continue
			}
			if busy == nil {
				var err error
				if busy, err = allBusy(tx); err != nil {
					return err
				}
			}
			o := identity.Ordinal(fromU64(k))
			err := mayForget(tx, o, s.now())
			var refused *RefusedError
			switch {
			case errors.As(err, &refused), busy[o]:
			case err != nil:
				return err
			default:
				out = append(out, o)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for people who left long ago: %w", err)
	}
	return out, nil
}

// allBusy are those who are marked, parked or held, or for whom something is due,
// such as the end of a grace.
func allBusy(tx *txn) (map[identity.Ordinal]bool, error) {
	out := map[identity.Ordinal]bool{}
	c := tx.Bucket(bDue).Cursor()
	for k, _ := c.First(); len(k) >= 16; k, _ = c.Next() {
		out[identity.Ordinal(fromU64(k[8:]))] = true
	}
	c = tx.Bucket(bMarks).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		out[identity.Ordinal(fromU64(k))] = true
	}
	holds, err := allHolds(tx)
	for _, h := range holds {
		for _, k := range h.Keys {
			out[k.Person] = true
		}
	}
	if err != nil {
		return nil, err
	}
	b := tx.Bucket(bParked)
	return out, b.ForEach(func(k, _ []byte) error {
		var p ledger.Parked
		_, err := getJSON(b, k, &p)
		out[p.Person] = true
		return err
	})
}
