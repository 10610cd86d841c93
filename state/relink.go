package state

import (
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Relink says that the person now is the person old, who came back under
// another ID: old keeps the ordinal and the links, and gets the entry. It is
// for what an approval decides. The one that goes must have no links.
func (s *Store) Relink(old, now identity.Ordinal, by string) error {
	err := s.update(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		return s.relink(tx, old, now, by)
	})
	if err != nil {
		return fmt.Errorf("relink %s to the entry of %s: %w", old, now, err)
	}
	return nil
}

func (s *Store) relink(tx *txn, old, now identity.Ordinal, by string) error {
	people := tx.Bucket(bPeople)
	if old == now || people.Get(ordKey(old)) == nil || people.Get(ordKey(now)) == nil {
		return ErrNoPerson
	}
	was, err := decodeLean(people.Get(ordKey(old)))
	if err != nil {
		return err
	}
	is, err := decodeLean(people.Get(ordKey(now)))
	if err != nil {
		return err
	}
	pending := is.standing == identity.Unknown && (is.doubt == identity.Rekeyed || is.doubt == identity.SharedKey)
	switch {
	case was.source != is.source:
		return fmt.Errorf("they are of different sources")
	case was.standing == identity.Active || was.standing == identity.Disabled:
		return fmt.Errorf("%s is in the directory", old)
	case is.standing != identity.Active && is.standing != identity.Disabled && !pending:
		return fmt.Errorf("%s is not in the directory", now)
	case len(under(tx.Bucket(bLinks), ordKey(now))) > 0:
		return fmt.Errorf("%s has accounts of their own", now)
	}
	if err := renamed(tx, now, &is, nil); err != nil {
		return err
	}
	if err := setFlip(tx, now, time.Time{}); err != nil {
		return err
	}
	if err := refersTo(tx, []ledger.Mark{{Person: now}}); err != nil {
		return err
	}
	if err := inherit(tx, now, old); err != nil {
		return err
	}
	for _, b := range [][]byte{bPeople, bMarks} {
		if err := tx.Bucket(b).Delete(ordKey(now)); err != nil {
			return err
		}
	}
	denials := tx.Bucket(bDenials)
	if d := slices.Clone(denials.Get(ordKey(now))); d != nil {
		var one, other ledger.Denial
		had, err := getJSON(denials, ordKey(old), &one)
		if err != nil {
			return err
		}
		if _, err := getJSON(denials, ordKey(now), &other); err != nil {
			return err
		}
		if !had || !lasts(one.Until, other.Until) {
			if err := denials.Put(ordKey(old), d); err != nil {
				return err
			}
		}
		if err := denials.Delete(ordKey(now)); err != nil {
			return err
		}
	}
	if err := excepted(tx, old, now); err != nil {
		return err
	}
	e := is
	e.present()
	e.why, e.since = "returned under a new ID", s.now()
	if err := putEntry(tx, bPeople, old, &was, &e, rehireHash(e.rehireKey), true); err != nil {
		return err
	}
	if _, err := next(tx, kChanges, 1); err != nil {
		return err
	}
	if err := mark(tx, old, "returned under a new ID"); err != nil {
		return err
	}
	decider, err := deciders{}.part(tx, by)
	if err != nil {
		return err
	}
	return s.notePerson(tx, recordOf("relink"), old, map[string]any{"from": uint64(now), "to": uint64(old)},
		map[string]identity.ID{"old_id": was.id, "new_id": is.id}, decider...)
}

// lasts says whether one end comes later than the other; one that is not set never does.
func lasts(one, other identity.Bound) bool {
	return other.Set() && (!one.Set() || one.At.After(other.At))
}

// excepted gives old the exceptions that were decided of now, and whom the file
// means by now's name.
func excepted(tx *txn, old, now identity.Ordinal) error {
	list, err := exceptionsOf(tx, now)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		kept, err := exceptionsOf(tx, old)
		if err != nil {
			return err
		}
		for _, e := range list {
			e.Person = old
			// What was decided later, of the entry that is there, stands; but what is
			// kept from them, or kept for others, is so for the longer of the two.
			if i := slices.IndexFunc(kept, e.Same); i >= 0 && e.Kind != ledger.Grant && e.Kind != ledger.Except && lasts(kept[i].Until, e.Until) {
				continue
			}
			kept = append(slices.DeleteFunc(kept, e.Same), e)
		}
		if err := putExceptions(tx, old, kept); err != nil {
			return err
		}
		if err := putExceptions(tx, now, nil); err != nil {
			return err
		}
	}
	if err := apart(tx, func(o identity.Ordinal) bool { return o == now }); err != nil {
		return err
	}
	return meantNow(tx, func(r meantRecord) meantRecord {
		if r.Person == now {
			r.Person = old
		}
		if i := slices.Index(r.Among, now); i >= 0 {
			r.Among[i] = old
		}
		return r
	})
}
