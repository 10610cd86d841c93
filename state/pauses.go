package state

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
)

var kPauses = []byte("pauses")

// Pauses returns the pauses that are not over, by target.
func (s *Store) Pauses(now time.Time) ([]ledger.Pause, error) {
	var all []ledger.Pause
	err := s.view(func(tx *txn) error {
		_, err := getJSON(tx.Bucket(bMeta), kPauses, &all)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read pauses: %w", err)
	}
	return slices.DeleteFunc(all, func(p ledger.Pause) bool { return p.Over(now) }), nil
}

// Pause stops the writes to a target. A pause of the same target is replaced.
func (s *Store) Pause(p ledger.Pause) error {
	public := map[string]any{}
	if !p.Until.IsZero() {
		public["until"] = p.Until
	}
	return s.changePauses("pause", p, public, func(all []ledger.Pause) []ledger.Pause { return append(all, p) })
}

// Resume ends the pause of a target; false if there is none.
func (s *Store) Resume(target, by, reason string) (bool, error) {
	all, err := s.Pauses(s.now())
	if err != nil || !slices.ContainsFunc(all, func(p ledger.Pause) bool { return p.Target == target }) {
		return false, err
	}
	return true, s.changePauses("resume", ledger.Pause{Target: target, By: by, Reason: reason}, nil,
		func(all []ledger.Pause) []ledger.Pause { return all })
}

// changePauses takes the pause of p's target away and lets then add.
func (s *Store) changePauses(kind string, p ledger.Pause, public any, then func([]ledger.Pause) []ledger.Pause) error {
	err := s.update(func(tx *txn) error {
		var all []ledger.Pause
		if _, err := getJSON(tx.Bucket(bMeta), kPauses, &all); err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(old ledger.Pause) bool { return old.Target == p.Target || old.Over(s.now()) })
		all = then(all)
		slices.SortFunc(all, func(a, b ledger.Pause) int { return strings.Compare(a.Target, b.Target) })
		if err := putJSON(tx.Bucket(bMeta), kPauses, all); err != nil {
			return err
		}
		return s.noteDecision(tx, journal.Record{Kind: kind, Target: p.Target}, public, p.By, p.Reason)
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind, p.Target, err)
	}
	return nil
}

// Retry makes parked work due now: of a target, of a person, or all where they
// are empty. It returns whose that is.
func (s *Store) Retry(target string, person identity.Ordinal, by string) ([]identity.Ordinal, error) {
	var out []identity.Ordinal
	err := s.update(func(tx *txn) error {
		b := tx.Bucket(bParked)
		var due []ledger.Parked
		if err := b.ForEach(func(k, _ []byte) error {
			var p ledger.Parked
			if _, err := getJSON(b, k, &p); err != nil {
				return err
			}
			if (target == "" || p.Target == target) && (!person.Valid() || p.Person == person) {
				due = append(due, p)
			}
			return nil
		}); err != nil {
			return err
		}
		for _, p := range due {
			p.Next = s.now()
			if err := putJSON(b, parkedKey(p.Target, p.Person, p.Subject), p); err != nil {
				return err
			}
			if err := mark(tx, p.Person, "retry"); err != nil {
				return err
			}
			if p.Person.Valid() {
				out = append(out, p.Person)
			}
		}
		if len(due) == 0 {
			return nil
		}
		return s.noteDecision(tx, journal.Record{Kind: "retry", Target: target, Person: uint64(person)}, map[string]any{"changes": len(due)}, by, "")
	})
	if err != nil {
		return nil, fmt.Errorf("retry: %w", err)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
