package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Restored says that the state is, or may be, older than what was done with it:
// it was restored from a backup, lost its last commit, or came without its
// witness. Until it was compared with the world, and that was agreed to, nothing
// is done by it alone.
type Restored struct {
	At time.Time
	// Why is how that is known.
	Why string
	// Commits and Records are how many of the state and of the journal are
	// missing; 0 where that is not known.
	Commits, Records uint64
	// Head is that of the journal that was known last, in hex.
	Head string
	// Resynced: everything was read and compared since.
	Resynced bool
}

// suspect says why an opened state may not be the one that was known last.
func suspect(now, last position, known, torn bool) (Restored, bool) {
	r := Restored{Head: hex.EncodeToString(last.head[:])}
	switch {
	case !known:
		r.Why, r.Head = "the file that says how far it had come is not beside it, or cannot be read", ""
	case last.serial != now.serial:
		r.Why = "another state was used here before it"
	case last.ahead(now):
		r.Why = "it is older than the one that was used here last"
		if last.generation == now.generation {
			r.Commits = last.commit - now.commit
		}
		r.Records = max(last.records, now.records) - now.records
	case last.generation == now.generation && last.commit == now.commit && !last.same(now):
		r.Why = "it went another way than the one that was used here last"
	case torn && !last.same(now):
		r.Why = "one of the two pages that begin the file is damaged: the last commit may be missing"
	default:
		return r, false
	}
	return r, true
}

// formerSerial is one that the state had, and the last number that it gave under
// it as far as is known: whoever relinks accounts by their marks needs both.
type formerSerial struct {
	Serial  string
	Ordinal uint64
}

// restored notes that the state may be old. Marks that were given since name the
// old serial and numbers that are not known here, so both go on: nobody is given
// what may be somebody else's. What was approved may have been done.
func (s *Store) restored(r Restored, last position) error {
	var fresh [8]byte
	if _, err := rand.Read(fresh[:]); err != nil {
		return err
	}
	serial := hex.EncodeToString(fresh[:])
	err := s.update(func(tx *txn) error {
		meta := tx.Bucket(bMeta)
		old, was := string(meta.Get(kSerial)), positionOf(tx)
		// Also where the witness is of another serial: this backup may have been
		// restored before, and gone another way then.
		for key, n := range map[string]uint64{string(kOrdinal): last.ordinal, string(kHold): last.hold} {
			if n > fromU64(meta.Get([]byte(key))) {
				if err := meta.Put([]byte(key), u64(n)); err != nil {
					return err
				}
			}
		}
		var former []formerSerial
		if _, err := getJSON(meta, kFormer, &former); err != nil {
			return err
		}
		former = append(former, formerSerial{old, was.ordinal})
		if err := putJSON(meta, kFormer, former); err != nil {
			return err
		}
		if err := meta.Put(kSerial, []byte(serial)); err != nil {
			return err
		}
		r.At = s.now()
		if err := putJSON(meta, kRestored, r); err != nil {
			return err
		}
		if err := s.withdraw(tx); err != nil {
			return err
		}
		if err := disagree(tx); err != nil {
			return err
		}
		return s.noteDecision(tx, recordOf("restored"), map[string]any{"commits": r.Commits, "records": r.Records,
			"head": r.Head, "serial": serial, "was": old}, "", r.Why)
	})
	if err != nil {
		return fmt.Errorf("note that the state may be old: %w", err)
	}
	s.serial.Store(&serial)
	return nil
}

// withdraw ends every approval, and closes the holds: the next plan makes them
// anew, as what they are now.
func (s *Store) withdraw(tx *txn) error {
	holds, err := allHolds(tx)
	if err != nil {
		return err
	}
	for _, h := range holds {
		k, err := holdKey(h.ID)
		if err != nil {
			return err
		}
		if h.Approved = nil; h.Status == ledger.Rejected {
			err = putHold(tx, k, h) // what somebody did not want stays unwanted
		} else {
			err = errors.Join(tx.Bucket(bHolds).Delete(k), dropUsed(tx, k), s.noteHold(tx, "hold-closed", h, h, ""))
		}
		if err != nil {
			return err
		}
	}
	// What is in doubt would give its approval back if it was not done.
	var doubts []Intent
	b := tx.Bucket(bIntents)
	if err := b.ForEach(func(k, v []byte) error {
		i, err := decodeIntent(fromU64(k), v)
		doubts = append(doubts, i)
		return err
	}); err != nil {
		return err
	}
	for _, i := range doubts {
		i.order.Approval = ""
		if err := b.Put(u64(i.id), encodeIntent(i)); err != nil {
			return err
		}
	}
	return nil
}

// disagree makes every target one of which it was not agreed that the state is
// right about it.
func disagree(tx *txn) error {
	list, err := allTargets(tx)
	if err != nil {
		return err
	}
	for _, t := range list {
		t.Agreed = false
		if err := putJSON(tx.Bucket(bTargets), []byte(t.Name), t); err != nil {
			return err
		}
	}
	return nil
}

// Restored returns what is known of it, and false where the state is the one that
// was known last.
func (s *Store) Restored() (Restored, bool, error) {
	var r Restored
	var is bool
	err := s.view(func(tx *txn) (err error) {
		is, err = getJSON(tx.Bucket(bMeta), kRestored, &r)
		return err
	})
	if err != nil {
		return r, false, fmt.Errorf("read whether the state was restored: %w", err)
	}
	return r, is, nil
}

// Suspect notes that the world shows what this state does not know of: it is older
// than the work that was done with it. Where that is known already, it does
// nothing.
func (s *Store) Suspect(why string) error {
	_, is, err := s.Restored()
	if err != nil || is {
		return err
	}
	return s.restored(Restored{Why: why}, position{})
}

// Resynced notes that everything was read and compared since the state was
// restored.
func (s *Store) Resynced() error {
	err := s.update(func(tx *txn) error {
		var r Restored
		is, err := getJSON(tx.Bucket(bMeta), kRestored, &r)
		if err != nil || !is {
			return err
		}
		r.Resynced = true
		return putJSON(tx.Bucket(bMeta), kRestored, r)
	})
	if err != nil {
		return fmt.Errorf("note the resync: %w", err)
	}
	return nil
}

// Agree notes that the state is right about a target again, and by whom that was
// said. With the last of the targets that are named it is a state as any other.
func (s *Store) Agree(name, by string, all []string) error {
	err := s.update(func(tx *txn) error {
		is, err := getJSON(tx.Bucket(bMeta), kRestored, new(Restored))
		if err != nil || !is {
			return err
		}
		t := TargetState{Name: name, Since: s.now()}
		if _, err := getJSON(tx.Bucket(bTargets), []byte(name), &t); err != nil {
			return err
		}
		t.Agreed = true
		if err := putJSON(tx.Bucket(bTargets), []byte(name), t); err != nil {
			return err
		}
		r := recordOf("agreed")
		r.Target = name
		if err := s.noteDecision(tx, r, nil, by, ""); err != nil {
			return err
		}
		for _, other := range all {
			var t TargetState
			if _, err := getJSON(tx.Bucket(bTargets), []byte(other), &t); err != nil || !t.Agreed {
				return err
			}
		}
		return tx.Bucket(bMeta).Delete(kRestored)
	})
	if err != nil {
		return fmt.Errorf("agree to the state of %s: %w", name, err)
	}
	return nil
}

// Gave says whether this state gave the number under the serial. Ours: the serial
// is its own, and not one from before it was restored. Forgotten: it was given, and
// nobody has it any more; a state that is older than its person never gave it, or
// gave it to somebody else since, or to a group.
func (s *Store) Gave(serial string, ordinal uint64) (ours, given, forgotten bool, err error) {
	err = s.view(func(tx *txn) error {
		meta := tx.Bucket(bMeta)
		ours = serial == string(meta.Get(kSerial))
		given = ours && ordinal <= fromU64(meta.Get(kOrdinal))
		forgotten = given && tx.Bucket(bPeople).Get(u64(ordinal)) == nil && tx.Bucket(bGroups).Get(u64(ordinal)) == nil
		return nil
	})
	if err != nil {
		return false, false, false, fmt.Errorf("look whose mark that is: %w", err)
	}
	return ours, given, forgotten, nil
}

// FormerSerials are those that this state had before it was restored, each with the
// last number that is known to have been given under it.
func (s *Store) FormerSerials() (map[string]uint64, error) {
	var list []formerSerial
	err := s.view(func(tx *txn) error {
		_, err := getJSON(tx.Bucket(bMeta), kFormer, &list)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read former serials: %w", err)
	}
	out := make(map[string]uint64, len(list))
	for _, f := range list {
		out[f.Serial] = max(out[f.Serial], f.Ordinal)
	}
	return out, nil
}

// Knows says whether the number is a person's.
func (s *Store) Knows(o identity.Ordinal) (bool, error) {
	there := false
	err := s.view(func(tx *txn) error {
		there = tx.Bucket(bPeople).Get(ordKey(o)) != nil
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", o, err)
	}
	return there, nil
}
