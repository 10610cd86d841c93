package state

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Cursor is how far the changes of a source were followed, and what had been seen by
// whoever the snapshot was taken from. It is zero where the snapshot was taken with
// another coverage, and where there is none: then everything must be read.
func (s *Store) Cursor(source string, coverage identity.Coverage) (directory.Cursor, directory.Knowledge, error) {
	var r sourceRecord
	same := false
	err := s.view(func(tx *txn) (err error) {
		if r, _, err = sourceOf(tx, source); err != nil || r.Coverage == 0 {
			return err
		}
		w := words{tx: tx}
		had, err := w.coverage(r.Coverage)
		same = err == nil && had.Equal(coverage)
		return err
	})
	switch {
	case err != nil:
		return directory.Cursor{}, nil, fmt.Errorf("read cursor of %s: %w", source, err)
	case !same:
		return directory.Cursor{}, nil, nil
	}
	return r.Cursor, r.Knowledge, nil
}

// Unchanged takes the proof that nothing changed since the cursor. Nothing is
// written, unless the cursor moved all the same: over changes that are none of ours.
func (s *Store) Unchanged(proof directory.Followed, r SealRules) error {
	f := proof.Facts()
	c := &Changes{staging: newStaging(s, f.Source, f.Coverage)}
	moved := false
	check := func(tx *txn) (src sourceRecord, err error) {
		if src, _, err = sourceOf(tx, f.Source); err != nil {
			return src, err
		}
		w := words{tx: tx}
		had, err := w.coverage(src.Coverage)
		if err != nil {
			return src, err
		}
		if !had.Equal(f.Coverage) {
			return src, c.leave("the snapshot was taken with other attributes")
		}
		c.taken = src.Knowledge
		return src, c.sameAs(src, f)
	}
	err := func() error {
		switch {
		case !proof.Valid():
			return errors.New("there is no proof that nothing changed")
		case f.Cursor.IsZero():
			return errors.New("the proof has no cursor")
		case f.At.IsZero():
			return errors.New("no instant was given")
		}
		if err := s.view(func(tx *txn) error {
			src, err := check(tx)
			moved = err == nil && (!sameCursor(src.Cursor, f.Cursor) || f.Sweep != "" && src.Owed == "")
			return err
		}); err != nil {
			return err
		}
		if err := c.current(f.Server, f.Knowledge, r); err != nil || !moved {
			return err
		}
		return s.update(func(tx *txn) error {
			if sealed(tx) {
				return ErrUndrained
			}
			src, err := check(tx)
			if err != nil {
				return err
			}
			src.Server, src.Knowledge = f.Server, f.Shown
			src.follows(f.Cursor, f.At.UTC().Round(0))
			src.owes(f.Sweep)
			return putJSON(tx.Bucket(bSources), []byte(f.Source), src)
		})
	}()
	if err != nil {
		return fmt.Errorf("take that nothing changed in %s: %w", f.Source, err)
	}
	// When that was is no reason to write.
	return s.NoteLastRun(f.At.UTC().Round(0), followRun(f.Source))
}

func followRun(source string) string { return "follow " + source }

// sameCursor: it goes on from the same place. When it was taken is no matter.
func sameCursor(a, b directory.Cursor) bool {
	return a.Engine == b.Engine && a.Like == b.Like && a.Deletes == b.Deletes && bytes.Equal(a.Token, b.Token)
}
