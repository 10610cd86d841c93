package state

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Checked is what Check has read.
type Checked struct {
	// Bytes is the size of the file, Pages how many of it are in use or free.
	Bytes         int64
	Pages, Values int
	// Records and Head are those of the journal.
	Records int
	Head    string
	// Problems are what does not fit together, in words; the first hundred.
	Problems []string
	// More counts those that are not listed.
	More int
}

// Check reads every page and every value with its checksum, the chain of the
// journal, and whether what refers to one another is there. Others may use the
// Store meanwhile: it shows what stood there when it began. What is damaged is an
// error that Is ErrCorrupt or journal.ErrChain; what only does not fit together
// stands in Problems.
func (s *Store) Check(ctx context.Context) (Checked, error) {
	out, err := s.checkAll(ctx)
	if err != nil {
		return out, fmt.Errorf("check state: %w", err)
	}
	return out, nil
}

func (s *Store) checkAll(ctx context.Context) (out Checked, err error) {
	refs := newReferences()
	m, n, err := s.walk(ctx, pages{each: refs.see, enters: refs.enter})
	if err != nil {
		return out, err
	}
	out.Bytes, out.Pages, out.Values = int64(m.pages)*int64(m.pageSize), int(m.pages), n
	if out.Records, out.Head, err = s.VerifyJournal(); err != nil {
		return out, err
	}
	refs.end()
	out.Problems, out.More = refs.problems, refs.more
	return out, nil
}

// walk checks every page and value as of now, and hands them on.
func (s *Store) walk(ctx context.Context, p pages) (m metaPage, values int, err error) {
	v, err := s.pin(nil)
	if err != nil {
		return m, 0, err
	}
	defer v.end()
	values, err = s.walkPinned(ctx, v, p)
	return v.meta, values, err
}

func (s *Store) walkPinned(ctx context.Context, v *pinned, p pages) (values int, err error) {
	n, each := 0, p.each
	p.each = func(bucket string, k, v []byte) error {
		if n++; n%100_000 == 0 {
			s.committed() // something moves
		}
		if each == nil {
			return nil
		}
		return each(bucket, k, v)
	}
	return p.check(ctx, s.file, v.meta)
}

// pinned is a commit whose pages stay as they are until the end.
type pinned struct {
	tx   *bolt.Tx
	meta metaPage
	end  func()
}

// pin takes the state as it is now. Also, if it is set, runs before anybody
// commits again.
func (s *Store) pin(also func(*txn) error) (v *pinned, err error) {
	s.pins.RLock()
	defer func() {
		if v == nil {
			s.pins.RUnlock()
		}
	}()
	// Two commits later the meta page that leads to the pages would be written
	// over.
	s.writer.Lock()
	defer s.writer.Unlock()
	s.gate.RLock()
	defer s.gate.RUnlock()
	defer caught(&err)()
	tx, err := s.db.Begin(false)
	if err != nil {
		return nil, err
	}
	defer func() {
		if v == nil {
			_ = tx.Rollback()
		}
	}()
	info, err := s.file.Stat()
	if err != nil {
		return nil, err
	}
	all, err := readMetas(s.file, info.Size())
	if err != nil {
		return nil, err
	}
	m, is := all.of(uint64(tx.ID()))
	if !is {
		return nil, fmt.Errorf("%w (no meta page is of commit %d)", ErrCorrupt, tx.ID())
	}
	if also != nil {
		if err := also(wrap(tx)); err != nil {
			return nil, err
		}
	}
	return &pinned{tx: tx, meta: m, end: func() {
		_ = tx.Rollback()
		s.pins.RUnlock()
	}}, nil
}
