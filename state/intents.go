package state

import (
	"errors"
	"fmt"
	"time"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
	"github.com/rosterd/rosterd/target"
)

// Intent is an order that is on disk and may be carried out. Only the state
// makes one; the zero value is none.
type Intent struct {
	id    uint64
	cycle string
	at    time.Time
	order ledger.Order
}

// ID numbers intents; none is given twice.
func (i Intent) ID() uint64 { return i.id }

// Order is what is to be done.
func (i Intent) Order() ledger.Order { return i.order }

// Cycle is the run that intended it.
func (i Intent) Cycle() string { return i.cycle }

// At is when it was intended.
func (i Intent) At() time.Time { return i.at }

// Intend puts orders on disk, before the first of them leaves: the intents,
// their journal records and the use of the approvals in one transaction.
func (s *Store) Intend(cycle string, orders []ledger.Order) ([]Intent, error) {
	out := make([]Intent, 0, len(orders))
	err := s.update(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		b, by := tx.Bucket(bIntents), deciders{}
		for _, o := range orders {
			n, err := b.NextSequence()
			if err != nil {
				return err
			}
			i := Intent{id: n, cycle: cycle, at: s.now().UTC().Round(0), order: o}
			if err := b.Put(u64(n), encodeIntent(i)); err != nil {
				return err
			}
			if err := useApproval(tx, o.Approval, o.Change.Key()); err != nil {
				return err
			}
			if err := nameIntended(tx, o); err != nil {
				return err
			}
			if err := s.noteIntent(tx, i, by); err != nil {
				return err
			}
			out = append(out, i)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("intend: %w", err)
	}
	return out, nil
}

// InDoubt returns the intents without an outcome, in the order of their IDs:
// the writes of which nobody knows whether they were made.
func (s *Store) InDoubt() ([]Intent, error) {
	var out []Intent
	err := s.view(func(tx *txn) error {
		return tx.Bucket(bIntents).ForEach(func(k, v []byte) error {
			i, err := decodeIntent(fromU64(k), v)
			out = append(out, i)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read intents: %w", err)
	}
	return out, nil
}

// Result is what became of an intent.
type Result struct {
	Intent  Intent
	Outcome ledger.Outcome
	// Link is the link as it is now; nil leaves it.
	Link *ledger.Link
	// Parked is set where the change is to be tried again or waits.
	Parked *ledger.Parked
}

// Record puts outcomes on disk, all in one transaction: the intent goes unless
// its outcome is in doubt, the link and the parked work are kept, the order's
// spends count if it was done, and the journal has it. An intent that has an
// outcome already is the error ErrSettledIntent, and nothing is kept.
func (s *Store) Record(results []Result) error {
	err := s.update(func(tx *txn) error {
		by := deciders{}
		for _, r := range results {
			if err := s.record(tx, r, by); err != nil {
				return fmt.Errorf("intent %d: %w", r.Intent.id, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record outcomes: %w", err)
	}
	return nil
}

func (s *Store) record(tx *txn, r Result, by deciders) error {
	b, key := tx.Bucket(bIntents), u64(r.Intent.id)
	if r.Intent.id == 0 {
		return errors.New("no such intent")
	}
	if b.Get(key) == nil {
		return ErrSettledIntent
	}
	doubt := r.Outcome.Class == target.InDoubt && !r.Outcome.Done
	if !doubt {
		if err := b.Delete(key); err != nil {
			return err
		}
	}
	o := r.Intent.order
	switch {
	case r.Outcome.Done:
		for _, sp := range o.Spends {
			if err := putSpend(tx, sp); err != nil {
				return err
			}
		}
	case !doubt:
		if err := returnApproval(tx, o.Approval, o.Change.Key(), s.now(), r.Parked != nil); err != nil {
			return err
		}
		if err := nameRefused(tx, r, s.now()); err != nil {
			return err
		}
	}
	if r.Link != nil {
		if err := putLink(tx, *r.Link, s.now()); err != nil {
			return err
		}
	}
	if p := r.Parked; p != nil {
		if err := putJSON(tx.Bucket(bParked), parkedKey(p.Target, p.Person, p.Subject), p); err != nil {
			return err
		}
	}
	return s.noteOutcome(tx, r, by)
}

// write is the public part of the records of a write.
type write struct {
	Intent      uint64   `json:"intent"`
	Entitlement string   `json:"entitlement,omitempty"`
	Attributes  []string `json:"attributes,omitempty"`
	Roles       []string `json:"roles,omitempty"`
	Approval    string   `json:"approval,omitempty"`
	// Shut: a create that makes a closed account, a link of one that is closed.
	Shut bool `json:"shut,omitempty"`
	// The rest is of outcomes.
	Done     *bool  `json:"done,omitempty"`
	Verified bool   `json:"verified,omitempty"`
	Class    string `json:"class,omitempty"`
	Attempts int    `json:"attempts,omitempty"`
	TookMS   int64  `json:"took_ms,omitempty"`
	// Way is how a password was handed over.
	Way string `json:"way,omitempty"`
}

// account is the personal part of the records of a write. The key of a change is
// among it: it is a hash of what may be guessed.
type account struct {
	Key     target.Key      `json:"key"`
	Account target.NativeID `json:"account,omitempty"`
	Name    string          `json:"name,omitempty"`
	OldName string          `json:"old_name,omitempty"`
	Set     []target.Value  `json:"set,omitempty"`
	Before  []string        `json:"before,omitempty"`
	Because []string        `json:"because,omitempty"`
	Error   string          `json:"error,omitempty"`
}

// writeOf is what the intent and the outcome of a write have in common. Values
// that may be secrets are not kept.
func writeOf(id uint64, o ledger.Order) (write, account) {
	c := o.Change
	public := write{Intent: id, Entitlement: c.Entitlement, Roles: o.Roles, Approval: o.Approval, Shut: o.Shut}
	personal := account{Key: c.Key(), Account: c.Account, Name: c.Name, OldName: c.OldName, Before: c.Before, Because: o.Because}
	for _, v := range c.Set {
		public.Attributes = append(public.Attributes, v.Name)
		personal.Set = append(personal.Set, target.Value{Name: v.Name, Values: secret.Values(v.Name, v.Values),
			How: v.How, Without: secret.Values(v.Name, v.Without)})
		personal.Before = secret.Values(v.Name, personal.Before)
	}
	return public, personal
}

func (s *Store) noteIntent(tx *txn, i Intent, d deciders) error {
	public, personal := writeOf(i.id, i.order)
	return s.noteWrite(tx, "intent", i, public, personal, d)
}

func (s *Store) noteOutcome(tx *txn, r Result, d deciders) error {
	out := r.Outcome
	public, personal := writeOf(r.Intent.id, r.Intent.order)
	public.Done, public.Verified, public.Attempts, public.TookMS = &out.Done, out.Verified, out.Attempts, out.Took.Milliseconds()
	public.Way = out.Way
	if out.Class != 0 {
		public.Class = out.Class.String()
	}
	personal.Error = out.Err
	if out.Account.ID != "" {
		personal.Account, personal.Name = out.Account.ID, out.Account.Name
	}
	return s.noteWrite(tx, "outcome", r.Intent, public, personal, d)
}

func (s *Store) noteWrite(tx *txn, kind string, i Intent, public write, personal account, d deciders) error {
	by, err := d.part(tx, i.order.By)
	if err != nil {
		return err
	}
	c := i.order.Change
	return s.notePerson(tx, journal.Record{Kind: kind, Cycle: i.cycle, Target: c.Target, Action: c.Verb.String(),
		Situation: i.order.Situation}, c.Person, public, personal, by...)
}
