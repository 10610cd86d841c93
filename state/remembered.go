package state

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
)

// Spends returns the spends at or after since, oldest first. It changes nothing:
// a clock that runs ahead for an hour forgets none of them.
func (s *Store) Spends(since time.Time) ([]ledger.Spend, error) {
	var out []ledger.Spend
	err := s.view(func(tx *txn) error {
		c := tx.Bucket(bSpends).Cursor()
		for k, v := c.Seek(u64(nanos(since))); k != nil; k, v = c.Next() {
			var sp ledger.Spend
			if err := json.Unmarshal(v, &sp); err != nil {
				return fmt.Errorf("%w (%v)", ErrCorrupt, err)
			}
			out = append(out, sp)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read spends: %w", err)
	}
	return out, nil
}

// DropSpends forgets the spends before an instant.
func (s *Store) DropSpends(before time.Time) error {
	err := s.update(func(tx *txn) error {
		b, end := tx.Bucket(bSpends), nanos(before)
		var old [][]byte
		c := b.Cursor()
		for k, _ := c.First(); k != nil && fromU64(k) < end; k, _ = c.Next() {
			old = append(old, append([]byte(nil), k...))
		}
		return drop(b, old)
	})
	if err != nil {
		return fmt.Errorf("drop spends: %w", err)
	}
	return nil
}

func putSpend(tx *txn, sp ledger.Spend) error {
	b := tx.Bucket(bSpends)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	return putJSON(b, append(u64(nanos(sp.At)), u64(n)...), sp)
}

func parkedKey(target string, person identity.Ordinal, subject string) []byte {
	k := append([]byte(target), 0)
	k = append(k, ordKey(person)...)
	return append(k, subject[:min(len(subject), 4096)]...)
}

// Parked returns what is parked, by target, person and subject.
func (s *Store) Parked() ([]ledger.Parked, error) {
	var out []ledger.Parked
	err := s.view(func(tx *txn) error {
		return tx.Bucket(bParked).ForEach(func(_, v []byte) error {
			var p ledger.Parked
			if err := json.Unmarshal(v, &p); err != nil {
				return fmt.Errorf("%w (%v)", ErrCorrupt, err)
			}
			out = append(out, p)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read parked: %w", err)
	}
	return out, nil
}

// SaveParked parks, or parks again under the same target, person and subject.
func (s *Store) SaveParked(parked ...ledger.Parked) error {
	err := s.update(func(tx *txn) error {
		for _, p := range parked {
			if err := putJSON(tx.Bucket(bParked), parkedKey(p.Target, p.Person, p.Subject), p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("park: %w", err)
	}
	return nil
}

// Unpark forgets what is parked under target, person and subject; an empty
// subject means every subject of that person there.
func (s *Store) Unpark(target string, person identity.Ordinal, subject string) error {
	err := s.update(func(tx *txn) error {
		b, k := tx.Bucket(bParked), parkedKey(target, person, subject)
		if subject == "" {
			return drop(b, under(b, k))
		}
		return b.Delete(k)
	})
	if err != nil {
		return fmt.Errorf("unpark: %w", err)
	}
	return nil
}

// Denials returns everybody who was offboarded by hand.
func (s *Store) Denials() (map[identity.Ordinal]ledger.Denial, error) {
	out := map[identity.Ordinal]ledger.Denial{}
	err := s.view(func(tx *txn) error {
		return tx.Bucket(bDenials).ForEach(func(k, v []byte) error {
			var d ledger.Denial
			if err := json.Unmarshal(v, &d); err != nil {
				return fmt.Errorf("%w (%v)", ErrCorrupt, err)
			}
			out[identity.Ordinal(fromU64(k))] = d
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read denials: %w", err)
	}
	return out, nil
}

// Deny records an offboard, marks the person and writes the journal.
func (s *Store) Deny(d ledger.Denial) error {
	err := s.update(func(tx *txn) error {
		if err := putJSON(tx.Bucket(bDenials), ordKey(d.Person), d); err != nil {
			return err
		}
		if err := mark(tx, d.Person, "offboarded"); err != nil {
			return err
		}
		by, err := deciders{}.part(tx, d.By)
		if err != nil {
			return err
		}
		var until map[string]any
		if d.Until.Set() {
			until = map[string]any{"until": d.Until.At.UTC().Format(time.RFC3339)}
		}
		return s.notePerson(tx, recordOf("deny"), d.Person, until, because{d.Reason}, by...)
	})
	if err != nil {
		return fmt.Errorf("offboard %s: %w", d.Person, err)
	}
	return nil
}

// Allow lifts an offboard, and releases what somebody else disabled. It marks the person
// and writes the journal: of each target in which something is released, else once.
// Without an offboard and without an account it does nothing.
func (s *Store) Allow(person identity.Ordinal, by, reason string) error {
	err := s.update(func(tx *txn) error {
		targets, has, err := s.release(tx, person)
		if err != nil {
			return err
		}
		b := tx.Bucket(bDenials)
		denied := b.Get(ordKey(person)) != nil
		if denied {
			if err := b.Delete(ordKey(person)); err != nil {
				return err
			}
			if err := mark(tx, person, "offboard lifted"); err != nil {
				return err
			}
		}
		if denied || has && len(targets) == 0 {
			targets = append(targets, "")
		}
		decider, err := deciders{}.part(tx, by)
		if err != nil {
			return err
		}
		for _, name := range targets {
			if err := s.notePerson(tx, journal.Record{Kind: "allow", Target: name}, person, nil, because{reason}, decider...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("lift offboard of %s: %w", person, err)
	}
	return nil
}
