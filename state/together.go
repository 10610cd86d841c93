package state

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// kTogether is who holds roles that a conflict parts; it is a key of the bucket meta.
var kTogether = []byte("together")

// Together returns who holds roles that a conflict parts, by person and conflict.
func (s *Store) Together() ([]ledger.Together, error) {
	var out []ledger.Together
	err := s.view(func(tx *txn) error {
		_, err := getJSON(tx.Bucket(bMeta), kTogether, &out)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read who is in a conflict: %w", err)
	}
	return out, nil
}

// SaveTogether keeps who of the people that were looked at holds such roles. Since
// is that of the first time, where it is the same as before; the others stay as they
// are.
func (s *Store) SaveTogether(looked map[identity.Ordinal]bool, now []ledger.Together) error {
	was, err := s.Together()
	if err != nil || len(was) == 0 && len(now) == 0 {
		return err
	}
	next := slices.DeleteFunc(slices.Clone(was), func(t ledger.Together) bool { return looked[t.Person] })
	for _, t := range now {
		for _, old := range was {
			if old.Person == t.Person && old.Conflict == t.Conflict {
				t.Since = old.Since
			}
		}
		next = append(next, t)
	}
	slices.SortFunc(next, func(a, b ledger.Together) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Conflict, b.Conflict))
	})
	if reflect.DeepEqual(next, was) {
		return nil
	}
	err = s.update(func(tx *txn) error { return putJSON(tx.Bucket(bMeta), kTogether, next) })
	if err != nil {
		return fmt.Errorf("keep who is in a conflict: %w", err)
	}
	return nil
}

// apart forgets what is kept of some people, or of one who became another.
func apart(tx *txn, gone func(identity.Ordinal) bool) error {
	var all []ledger.Together
	had, err := getJSON(tx.Bucket(bMeta), kTogether, &all)
	if err != nil || !had {
		return err
	}
	return putJSON(tx.Bucket(bMeta), kTogether, slices.DeleteFunc(all, func(t ledger.Together) bool { return gone(t.Person) }))
}
