package state

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
)

// exceptPrefix and an ordinal are a key of the bucket meta: the exceptions that were
// decided by hand of that person.
var exceptPrefix = []byte("except ")

func exceptKey(o identity.Ordinal) []byte { return append(bytes.Clone(exceptPrefix), ordKey(o)...) }

// Exceptions returns those that were decided by hand, by person, over ones too.
func (s *Store) Exceptions() (map[identity.Ordinal][]ledger.Exception, error) {
	out := map[identity.Ordinal][]ledger.Exception{}
	err := s.view(func(tx *txn) error {
		b := tx.Bucket(bMeta)
		for _, k := range under(b, exceptPrefix) {
			var list []ledger.Exception
			if _, err := getJSON(b, k, &list); err != nil {
				return err
			}
			out[identity.Ordinal(fromU64(k[len(exceptPrefix):]))] = list
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	return out, nil
}

func exceptionsOf(tx *txn, o identity.Ordinal) (list []ledger.Exception, err error) {
	_, err = getJSON(tx.Bucket(bMeta), exceptKey(o), &list)
	return list, err
}

func putExceptions(tx *txn, o identity.Ordinal, list []ledger.Exception) error {
	b := tx.Bucket(bMeta)
	if len(list) == 0 {
		return b.Delete(exceptKey(o))
	}
	slices.SortFunc(list, ledger.CompareExceptions)
	return putJSON(b, exceptKey(o), list)
}

// exceptNote is the public part of a record of an exception.
type exceptNote struct {
	What  string `json:"what"`
	Role  string `json:"role,omitempty"`
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
}

func noteOf(e ledger.Exception) exceptNote {
	n := exceptNote{What: e.Kind.String(), Role: e.Role}
	if e.From.Set() {
		n.From = e.From.At.UTC().Format(time.RFC3339)
	}
	if e.Until.Set() {
		n.Until = e.Until.At.UTC().Format(time.RFC3339)
	}
	return n
}

// Except keeps an exception about e.Person, marks them and writes the journal. One
// of the same kind and of the same thing is replaced, and returned.
func (s *Store) Except(e ledger.Exception) (was ledger.Exception, replaced bool, err error) {
	err = s.update(func(tx *txn) error {
		if tx.Bucket(bPeople).Get(ordKey(e.Person)) == nil {
			return ErrNoPerson
		}
		list, err := exceptionsOf(tx, e.Person)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(list, e.Same); i >= 0 {
			was, replaced = list[i], true
			list = slices.Delete(list, i, i+1)
		}
		if err := putExceptions(tx, e.Person, append(list, e)); err != nil {
			return err
		}
		return s.noteException(tx, "except", e, e.By, e.Why())
	})
	if err != nil {
		return was, false, fmt.Errorf("%s %s: %w", e.Kind, e.Person, err)
	}
	return was, replaced, nil
}

// Unexcept takes back the exception of the same kind and of the same thing, marks
// the person and writes the journal. Without one it does nothing, and says so.
func (s *Store) Unexcept(e ledger.Exception, by, reason string) (was ledger.Exception, had bool, err error) {
	err = s.update(func(tx *txn) error {
		list, err := exceptionsOf(tx, e.Person)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, e.Same)
		if i < 0 {
			return nil
		}
		was, had = list[i], true
		if err := putExceptions(tx, e.Person, slices.Delete(list, i, i+1)); err != nil {
			return err
		}
		return s.noteException(tx, "unexcept", was, by, reason)
	})
	if err != nil {
		return was, false, fmt.Errorf("take back the %s of %s: %w", e.Kind, e.Person, err)
	}
	return was, had, nil
}

func (s *Store) noteException(tx *txn, kind string, e ledger.Exception, by, reason string) error {
	if err := mark(tx, e.Person, e.Kind.String()+" by hand"); err != nil {
		return err
	}
	decider, err := deciders{}.part(tx, by)
	if err != nil {
		return err
	}
	return s.notePerson(tx, journal.Record{Kind: kind, Target: e.Target}, e.Person, noteOf(e), because{reason}, decider...)
}

// DropExceptions forgets the exceptions and the offboards by hand that were over
// before an instant.
func (s *Store) DropExceptions(before time.Time) error {
	err := s.update(func(tx *txn) error {
		b := tx.Bucket(bMeta)
		for _, k := range under(b, exceptPrefix) {
			var list []ledger.Exception
			if _, err := getJSON(b, k, &list); err != nil {
				return err
			}
			kept := slices.DeleteFunc(slices.Clone(list), func(e ledger.Exception) bool { return e.Until.Set() && e.Until.At.Before(before) })
			if len(kept) == len(list) {
				continue
			}
			if err := putExceptions(tx, identity.Ordinal(fromU64(k[len(exceptPrefix):])), kept); err != nil {
				return err
			}
		}
		denials := tx.Bucket(bDenials)
		for _, k := range under(denials, nil) {
			var d ledger.Denial
			if _, err := getJSON(denials, k, &d); err != nil {
				return err
			}
			if d.Over(before) {
				if err := denials.Delete(k); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget exceptions that are over: %w", err)
	}
	return nil
}
