package state

import (
	"context"
	"io"
	"os"
)

// Opening is what was found when the state was opened.
type Opening struct {
	// Unclean: whoever had it last was killed, or the machine was. Every page and
	// value was checked.
	Unclean bool
	Values  int
	// Torn: one of the two pages that begin the file is damaged. The next commit
	// writes it anew.
	Torn bool
	// Restored is set where the state may be older than what was done with it,
	// from this opening on.
	Restored *Restored
}

// Opening says what was found when the state was opened.
func (s *Store) Opening() Opening { return s.opening }

// inspection is what was found before bbolt read the file.
type inspection struct {
	metas   metas
	unclean bool
	values  int
}

// inspect checks the pages of a file that was not closed: nothing is read of it
// before that.
func (i *inspection) inspect(f *os.File, m metas) error {
	i.metas = m
	last, known, err := lookWitness(f.Name())
	if err != nil {
		return ours(err)
	}
	if i.unclean = !known || !last.closed || last.commit != m.newest.tx || m.torn; !i.unclean {
		return nil
	}
	i.values, err = checkFile(f, m.newest)
	return err
}

// checkFile checks the pages and values of a file that nobody has open. One of
// another form is an error that says so: its values are none of ours to check.
func checkFile(r io.ReaderAt, m metaPage) (values int, err error) {
	p := pages{lenient: true}
	values, err = p.check(context.Background(), r, m)
	if other := formOf(p.schema); other != nil {
		return values, other
	}
	if err == nil {
		err = p.damaged
	}
	return values, err
}

// formOf says whether a version reads values of this form, from the value as it
// is stored; nil where this one does, or where it cannot be told.
func formOf(stored []byte) error {
	switch {
	// Values of the first form have no checksums.
	case string(stored) == "\x01", len(stored) == 1+sumSize && stored[0] > 1 && stored[0] < schema:
		return ErrOlderSchema
	case len(stored) == 1+sumSize && stored[0] > schema:
		return ErrNewerSchema
	}
	return nil
}

// readable says whether this version reads the file.
func readable(meta *bucket) error {
	if err := formOf(meta.b.Get(kSchema)); err != nil {
		return err
	}
	if v := meta.Get(kSchema); len(v) != 1 || v[0] != schema {
		return ErrCorrupt
	}
	return nil
}

// takeUp compares an opened state with its witness.
func (s *Store) takeUp(now position, i inspection) error {
	last, known := s.witness.last, s.witness.known
	s.opening = Opening{Unclean: i.unclean, Values: i.values, Torn: i.metas.torn}
	if r, old := suspect(now, last, known, i.metas.torn); old {
		s.opening.Restored = &r
		if err := s.restored(r, last); err != nil {
			return err
		}
	} else if i.metas.torn {
		// A commit writes the damaged page anew.
		if err := s.update(func(tx *txn) error { return s.note(tx, recordOf("torn"), nil) }); err != nil {
			return err
		}
	}
	return s.view(func(tx *txn) error {
		s.witness.told(positionOf(tx)) // it is in use
		return nil
	})
}
