package state

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

func holdKey(id string) ([]byte, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(id, "h"), 10, 64)
	if err != nil || !strings.HasPrefix(id, "h") || n == 0 {
		return nil, fmt.Errorf("hold %q: %w", id, ErrNoHold)
	}
	return u64(n), nil
}

// Holds returns every hold, in the order of their IDs.
func (s *Store) Holds() ([]ledger.Hold, error) {
	var out []ledger.Hold
	err := s.view(func(tx *txn) (err error) {
		out, err = allHolds(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read holds: %w", err)
	}
	return out, nil
}

func allHolds(tx *txn) ([]ledger.Hold, error) {
	var out []ledger.Hold
	b := tx.Bucket(bHolds)
	err := b.ForEach(func(k, _ []byte) error {
		var h ledger.Hold
		if _, err := getHold(tx, k, &h); err != nil {
			return err
		}
		out = append(out, h)
		return nil
	})
	return out, err
}

// NextHoldID gives the ID for a new hold: h1, h2 … None is given twice.
func (s *Store) NextHoldID() (string, error) {
	var n uint64
	err := s.update(func(tx *txn) (err error) {
		n, err = next(tx, kHold, 1)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("number hold: %w", err)
	}
	return "h" + strconv.FormatUint(n, 10), nil
}

// SaveHolds replaces the set of holds: one that is not in it is closed. A
// decision that was made, or used, since the caller read the holds stands. Each
// opening, growth and closing is a record in the journal.
func (s *Store) SaveHolds(holds []ledger.Hold) error {
	if err := s.update(func(tx *txn) error { return s.putHolds(tx, holds) }); err != nil {
		return fmt.Errorf("save holds: %w", err)
	}
	return nil
}

func (s *Store) putHolds(tx *txn, holds []ledger.Hold) error {
	b := tx.Bucket(bHolds)
	old, err := allHolds(tx)
	if err != nil {
		return err
	}
	gone := map[string]ledger.Hold{}
	for _, h := range old {
		gone[h.ID] = h
	}
	for _, h := range holds {
		k, err := holdKey(h.ID)
		if err != nil {
			return err
		}
		if n := fromU64(k); n > fromU64(tx.Bucket(bMeta).Get(kHold)) {
			if err := tx.Bucket(bMeta).Put(kHold, u64(n)); err != nil {
				return err
			}
		}
		was, ok := gone[h.ID]
		if !ok || was.Version() != h.Version() {
			if err := s.noteHold(tx, "hold", was, h, ""); err != nil {
				return err
			}
		}
		delete(gone, h.ID)
		if ok {
			h = decided(was, h, s.now())
		}
		if err := putHold(tx, k, h); err != nil {
			return err
		}
	}
	for _, h := range old {
		if _, ok := gone[h.ID]; !ok {
			continue
		}
		k, _ := holdKey(h.ID)
		if err := b.Delete(k); err != nil {
			return err
		}
		if err := dropUsed(tx, k); err != nil {
			return err
		}
		if err := s.noteHold(tx, "hold-closed", h, h, ""); err != nil {
			return err
		}
	}
	return nil
}

// decided is the hold h of a plan with the decision that stands in the state:
// it may have been made, and used in part, since the plan read the hold was. A
// plan takes keys from a decision and never adds any.
func decided(was, h ledger.Hold, now time.Time) ledger.Hold {
	if was.ApprovedBy == "" || was.Status != ledger.Rejected && !now.Before(was.Expires) {
		return h
	}
	here, known := map[target.Key]bool{}, map[target.Key]bool{}
	for _, k := range was.Keys {
		known[k.Key] = true
	}
	grown := false
	for _, k := range h.Keys {
		here[k.Key] = true
		grown = grown || !known[k.Key]
	}
	gone := func(k target.Key) bool { return !here[k] }
	if h.ApprovedBy != was.ApprovedBy || !h.Expires.Equal(was.Expires) || h.Status != was.Status && was.Status == ledger.Rejected {
		if h.Status = was.Status; grown {
			h.Status = ledger.Waiting
		}
	}
	h.ApprovedBy, h.Expires, h.Decided = was.ApprovedBy, was.Expires, was.Decided
	h.Approved = slices.DeleteFunc(slices.Clone(was.Approved), gone)
	h.Refused = slices.DeleteFunc(slices.Clone(was.Refused), gone)
	return h
}

// Decide changes one hold: decide gets it as it stands and returns it decided,
// or an error that leaves it as it was. Both run in one transaction, so decide
// must not call the store. The decision is a record in the journal.
func (s *Store) Decide(id string, decide func(ledger.Hold) (ledger.Hold, error)) error {
	k, err := holdKey(id)
	if err != nil {
		return err
	}
	err = s.update(func(tx *txn) error {
		var h ledger.Hold
		if ok, err := getHold(tx, k, &h); err != nil {
			return err
		} else if !ok {
			return ErrNoHold
		}
		after, err := decide(h)
		if err != nil {
			return err
		}
		if after.ID != id {
			return fmt.Errorf("the decision changed the hold into %q", after.ID)
		}
		if len(after.Approved) > len(h.Approved) {
			after.Decided = s.now()
		}
		if err := putHold(tx, k, after); err != nil {
			return err
		}
		// Those whom it concerns are looked at in the next cycle.
		for _, held := range after.Keys {
			if err := mark(tx, held.Person, "hold "+id); err != nil {
				return err
			}
		}
		kind := map[ledger.HoldStatus]string{ledger.Approved: "approve", ledger.Rejected: "reject", ledger.Waiting: "reopen"}[after.Status]
		if after.Status == ledger.Waiting && len(after.Approved) > len(h.Approved) {
			kind = "approve" // a part of it
		}
		return s.noteHold(tx, kind, h, after, after.ApprovedBy)
	})
	if err != nil {
		return fmt.Errorf("decide hold %s: %w", id, err)
	}
	return nil
}

// useApproval takes the key from those that the hold's approval covers. It is
// noted beside the hold, which may be large where thousands are approved.
func useApproval(tx *txn, id string, key target.Key) error {
	k, err := holdKey(id)
	if err != nil {
		return nil // an approval by other means: a named person
	}
	return tx.Bucket(bUsed).Put(append(k, key[:]...), one)
}

// parkedApproval is how long an approval of a change that failed stays good.
const parkedApproval = 7 * 24 * time.Hour

// returnApproval gives the key back: what it allowed was not done, and is tried
// again later. Only what is parked stays approved for longer.
func returnApproval(tx *txn, id string, key target.Key, now time.Time, parked bool) error {
	k, err := holdKey(id)
	if err != nil {
		return nil
	}
	if err := tx.Bucket(bUsed).Delete(append(slices.Clip(k), key[:]...)); err != nil {
		return err
	}
	var h ledger.Hold
	if ok, err := getHold(tx, k, &h); err != nil || !ok || h.Status == ledger.Rejected {
		return err
	}
	if !slices.Contains(h.Approved, key) {
		h.Approved = append(h.Approved, key)
		slices.SortFunc(h.Approved, func(a, b target.Key) int { return slices.Compare(a[:], b[:]) })
	}
	if until := now.Add(parkedApproval); parked && h.Expires.Before(until) {
		h.Expires = until
	}
	return putHold(tx, k, h)
}

// getHold reads a hold, less what was used of its approval.
func getHold(tx *txn, k []byte, h *ledger.Hold) (bool, error) {
	ok, err := getJSON(tx.Bucket(bHolds), k, h)
	if err != nil || !ok {
		return ok, err
	}
	used := map[target.Key]bool{}
	cur := tx.Bucket(bUsed).Cursor()
	for u, _ := cur.Seek(k); u != nil && bytes.HasPrefix(u, k); u, _ = cur.Next() {
		used[target.Key(u[len(k):])] = true
	}
	if len(used) > 0 {
		h.Approved = slices.DeleteFunc(h.Approved, func(key target.Key) bool { return used[key] })
	}
	return true, nil
}

// putHold keeps a hold as getHold gave it.
func putHold(tx *txn, k []byte, h ledger.Hold) error {
	if err := dropUsed(tx, k); err != nil {
		return err
	}
	return putJSON(tx.Bucket(bHolds), k, h)
}

func dropUsed(tx *txn, k []byte) error {
	var used [][]byte
	cur := tx.Bucket(bUsed).Cursor()
	for u, _ := cur.Seek(k); u != nil && bytes.HasPrefix(u, k); u, _ = cur.Next() {
		used = append(used, bytes.Clone(u))
	}
	for _, u := range used {
		if err := tx.Bucket(bUsed).Delete(u); err != nil {
			return err
		}
	}
	return nil
}

// Told notes that what the approval of a hold says about the world was taken.
func (s *Store) Told(id string) error {
	k, err := holdKey(id)
	if err != nil {
		return err
	}
	err = s.update(func(tx *txn) error {
		var h ledger.Hold
		if there, err := getHold(tx, k, &h); err != nil || !there || !h.Untold {
			return err
		}
		h.Untold = false
		return putHold(tx, k, h)
	})
	if err != nil {
		return fmt.Errorf("note that hold %s was carried out: %w", id, err)
	}
	return nil
}
