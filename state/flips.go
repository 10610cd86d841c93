package state

import (
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// flipReason is why somebody is marked when their date comes.
const flipReason = "a start or end date"

// setFlip keeps when a date of the person comes next, in the index of what is
// due; zero: none does. An earlier one of theirs goes, so that a date that was
// put off makes nobody dirty on the day that it no longer names.
func setFlip(tx *txn, who identity.Ordinal, at time.Time) error {
	b, due := tx.Bucket(bFlips), tx.Bucket(bDue)
	old := b.Get(ordKey(who))
	key := u64(nanos(at))
	if old != nil {
		was := append(append(u64(fromU64(old)), ordKey(who)...), flipReason...)
		// One that came is not in the index any more; by a clock that was set back
		// it can come again.
		if !at.IsZero() && fromU64(old) == fromU64(key) && due.Get(was) != nil {
			return nil
		}
		if err := due.Delete(was); err != nil {
			return err
		}
	} else if at.IsZero() {
		return nil
	}
	if at.IsZero() {
		return b.Delete(ordKey(who))
	}
	if err := putDue(tx, []ledger.Due{{Person: who, At: at, Reason: flipReason}}); err != nil {
		return err
	}
	return b.Put(ordKey(who), key)
}
