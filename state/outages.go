package state

import (
	"bytes"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
	"github.com/rosterd/rosterd/target"
)

var outagePrefix = []byte("outage ")

func outageKey(name string) []byte { return append(bytes.Clone(outagePrefix), name...) }

// Outages returns the targets that failed, by name.
func (s *Store) Outages() ([]ledger.Outage, error) {
	var out []ledger.Outage
	err := s.view(func(tx *txn) error {
		b := tx.Bucket(bMeta)
		for _, k := range under(b, outagePrefix) {
			var o ledger.Outage
			if _, err := getJSON(b, k, &o); err != nil {
				return err
			}
			out = append(out, o)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read outages: %w", err)
	}
	return out, nil
}

// SaveOutage remembers that a target failed. That it is left alone is a record in
// the journal.
func (s *Store) SaveOutage(o ledger.Outage) error {
	err := s.update(func(tx *txn) error {
		if err := putJSON(tx.Bucket(bMeta), outageKey(o.Target), o); err != nil || !o.Broken() {
			return err
		}
		public := map[string]any{"since": o.Since, "failures": o.Failures, "class": o.Class, "next": o.Next}
		return s.note(tx, journal.Record{Kind: "target-broken", Target: o.Target}, public)
	})
	if err != nil {
		return fmt.Errorf("remember that target %s failed: %w", o.Target, err)
	}
	return nil
}

// EndOutage forgets that a target failed. What was parked there for that reason
// is due now: it has waited long enough.
func (s *Store) EndOutage(name string) error {
	err := s.update(func(tx *txn) error {
		b := tx.Bucket(bMeta)
		var o ledger.Outage
		if had, err := getJSON(b, outageKey(name), &o); err != nil || !had {
			return err
		}
		if err := b.Delete(outageKey(name)); err != nil || !o.Broken() {
			return err
		}
		if err := hasten(tx, name, s.now()); err != nil {
			return err
		}
		return s.note(tx, journal.Record{Kind: "target-mended", Target: name}, map[string]any{"since": o.Since, "failures": o.Failures})
	})
	if err != nil {
		return fmt.Errorf("forget that target %s failed: %w", name, err)
	}
	return nil
}

// hasten makes due what was parked because the target failed.
func hasten(tx *txn, name string, now time.Time) error {
	b := tx.Bucket(bParked)
	for _, k := range under(b, append([]byte(name), 0)) {
		var p ledger.Parked
		if _, err := getJSON(b, k, &p); err != nil {
			return err
		}
		if p.Class != target.Transient.String() && p.Class != target.Denied.String() || !p.Next.After(now) {
			continue
		}
		p.Next = now
		if err := putJSON(b, k, p); err != nil {
			return err
		}
	}
	return nil
}

// KeepApprovals keeps what is approved in a target that cannot be read from
// lapsing: nobody can use it there. It lasts a week in all, as that of a change
// which failed.
func (s *Store) KeepApprovals(name string) error {
	err := s.update(func(tx *txn) error {
		holds, err := allHolds(tx)
		if err != nil {
			return err
		}
		now := s.now()
		for _, h := range holds {
			until := now.Add(24 * time.Hour)
			if most := h.Decided.Add(parkedApproval); until.After(most) {
				until = most
			}
			if h.Target != name || len(h.Approved) == 0 || !now.Before(h.Expires) || !until.After(h.Expires) {
				continue
			}
			k, err := holdKey(h.ID)
			if err != nil {
				return err
			}
			h.Expires = until
			if err := putHold(tx, k, h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep the approvals of target %s: %w", name, err)
	}
	return nil
}

// RetryTarget lets the next cycle try a target that is left alone; empty is every
// one. It says how many those are.
func (s *Store) RetryTarget(name, by string) (int, error) {
	n := 0
	err := s.update(func(tx *txn) error {
		b := tx.Bucket(bMeta)
		for _, k := range under(b, outagePrefix) {
			var o ledger.Outage
			if _, err := getJSON(b, k, &o); err != nil {
				return err
			}
			if !o.Broken() || name != "" && name != o.Target {
				continue
			}
			n++
			o.Next = s.now()
			if err := putJSON(b, k, o); err != nil {
				return err
			}
			if err := s.noteDecision(tx, journal.Record{Kind: "retry-target", Target: o.Target}, map[string]any{"failures": o.Failures}, by, ""); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("retry target %s: %w", name, err)
	}
	return n, nil
}
