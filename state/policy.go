package state

import (
	"fmt"
	"time"

	"github.com/rosterd/rosterd/ledger"
)

// PolicyRecord is the policy in force.
type PolicyRecord struct {
	// Hash is that of the version of rosterd that saved it; Text is the whole
	// file, from which any version makes its own.
	Hash, Text string
	At         time.Time
	// By is who let it govern.
	By string
	// Epoch counts the policies that were in force; the state sets it.
	Epoch uint64
}

// Policy returns the policy in force, and false where there is none yet.
func (s *Store) Policy() (PolicyRecord, bool, error) {
	var p PolicyRecord
	var ok bool
	err := s.view(func(tx *txn) (err error) {
		ok, err = getJSON(tx.Bucket(bMeta), kPolicy, &p)
		return err
	})
	if err != nil {
		return p, false, fmt.Errorf("read policy in force: %w", err)
	}
	return p, ok, nil
}

// SavePolicy puts a policy in force. Its epoch is one more than that of the
// one before, unless the hash is the same.
func (s *Store) SavePolicy(p PolicyRecord) error {
	if err := s.update(func(tx *txn) error { return s.putPolicy(tx, p) }); err != nil {
		return fmt.Errorf("save policy: %w", err)
	}
	return nil
}

// TakePolicy puts a policy in force together with the holds that are left: the
// one that kept it is closed, and what was approved with it stays approved; and
// with what it gives. Who is to be looked at under it must have been marked before.
func (s *Store) TakePolicy(p PolicyRecord, holds []ledger.Hold, gives []ledger.Spend) error {
	err := s.update(func(tx *txn) error {
		if err := s.putPolicy(tx, p); err != nil {
			return err
		}
		for _, g := range gives {
			if err := putSpend(tx, g); err != nil {
				return err
			}
		}
		return s.putHolds(tx, holds)
	})
	if err != nil {
		return fmt.Errorf("take policy: %w", err)
	}
	return nil
}

func (s *Store) putPolicy(tx *txn, p PolicyRecord) error {
	var old PolicyRecord
	had, err := getJSON(tx.Bucket(bMeta), kPolicy, &old)
	if err != nil {
		return err
	}
	p.Epoch = old.Epoch
	if !had || old.Hash != p.Hash {
		p.Epoch++
		if err := s.noteDecision(tx, recordOf("policy"), map[string]any{"hash": p.Hash, "epoch": p.Epoch}, p.By, ""); err != nil {
			return err
		}
	}
	return putJSON(tx.Bucket(bMeta), kPolicy, p)
}
