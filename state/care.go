package state

import (
	"context"
	"fmt"
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
	// Nobody commits until the pages are pinned: two commits later the meta page
	// that leads to them would be written over.
	s.writer.Lock()
	s.gate.RLock()
	defer s.gate.RUnlock()
	m, end, err := s.pin()
	s.writer.Unlock()
	if err != nil {
		return m, 0, err
	}
	defer end()
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
	values, err = p.check(ctx, s.file, m)
	return m, values, err
}

// pin keeps the pages of the last commit as they are until the end that it
// returns. The gate must be held, and while it runs the writer's place.
func (s *Store) pin() (m metaPage, end func(), err error) {
	defer caught(&err)()
	tx, err := s.db.Begin(false)
	if err != nil {
		return m, nil, err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	info, err := s.file.Stat()
	if err != nil {
		return m, nil, err
	}
	all, err := readMetas(s.file, info.Size())
	if err != nil {
		return m, nil, err
	}
	m, is := all.of(uint64(tx.ID()))
	if !is {
		return m, nil, fmt.Errorf("%w (no meta page is of commit %d)", ErrCorrupt, tx.ID())
	}
	return m, func() { _ = tx.Rollback() }, nil
}
