package state

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state/journal"
)

// JournalFilter chooses records; the zero value chooses all.
type JournalFilter struct {
	// Since is included, Until is not.
	Since, Until time.Time
	Person       identity.Ordinal
	Target       string
	Cycle        string
	Kind         string
	Action       string
	// NoIntents leaves out what was about to be written.
	NoIntents bool
	// Last keeps only the newest so many of those chosen; 0 keeps all.
	Last int
}

func (f JournalFilter) match(r journal.Record) bool {
	return (f.Since.IsZero() || !r.Time.Before(f.Since)) && (f.Until.IsZero() || r.Time.Before(f.Until)) &&
		(f.Person == 0 || concerns(r, uint64(f.Person))) && (f.Target == "" || r.Target == f.Target) &&
		(f.Cycle == "" || r.Cycle == f.Cycle) && (f.Kind == "" || r.Kind == f.Kind) && (f.Action == "" || r.Action == f.Action) && (!f.NoIntents || r.Kind != "intent")
}

// apart says that no record of the month can be chosen.
func (f JournalFilter) apart(m Month) bool {
	return !f.Since.IsZero() && m.Newest.Before(f.Since) || !f.Until.IsZero() && !m.Oldest.Before(f.Until)
}

// How much of the open month is read in one transaction.
const (
	journalChunk = 1000
	journalBytes = 4 << 20
)

// Journal calls each for the records chosen, oldest first, those of closed
// months included. No transaction is open while each runs; an error of each ends
// it and is returned.
func (s *Store) Journal(f JournalFilter, each func(journal.Sealed) error) error {
	if f.Last > 0 {
		return s.journalTail(f, each)
	}
	err := s.walkJournal(f.apart, func(_ uint64, raw []byte) error {
		r, err := journal.Decode(raw)
		if err != nil {
			return err
		}
		if !f.match(r.Record) {
			return nil
		}
		if err := each(r); err != nil {
			return &stopped{err}
		}
		return nil
	})
	return readError(err)
}

// stopped is an error of whoever was called, to be returned as it is.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }

func readError(err error) error {
	var theirs *stopped
	switch {
	case err == nil:
		return nil
	case errors.As(err, &theirs):
		return theirs.err
	}
	return fmt.Errorf("read journal: %w", err)
}

// journalTail reads from the end: the open month, then files, newest first.
func (s *Store) journalTail(f JournalFilter, each func(journal.Sealed) error) error {
	var found []journal.Sealed // newest first
	var closed []Month
	err := s.view(func(tx *txn) error {
		first, _, err := openMonth(tx)
		if err != nil {
			return err
		}
		if closed, err = months(tx); err != nil {
			return err
		}
		c := tx.Bucket(bJournal).Cursor()
		for k, v := c.Last(); k != nil && fromU64(k) >= first && len(found) < f.Last; k, v = c.Prev() {
			r, err := journal.Decode(v)
			if err != nil {
				return err
			}
			if f.match(r.Record) {
				found = append(found, r)
			}
		}
		return nil
	})
	for i := len(closed) - 1; i >= 0 && err == nil && len(found) < f.Last; i-- {
		if f.apart(closed[i]) {
			continue
		}
		var ring []journal.Sealed // the newest of this month, oldest first
		most := f.Last - len(found)
		err = s.readMonth(closed[i], closed[i].From, func(_ uint64, raw []byte) error {
			r, err := journal.Decode(raw)
			if err == nil && f.match(r.Record) {
				if ring = append(ring, r); len(ring)-most >= most {
					ring = slices.Delete(ring, 0, len(ring)-most)
				}
			}
			return err
		})
		ring = ring[max(len(ring)-most, 0):]
		slices.Reverse(ring)
		found = append(found, ring...)
	}
	if err != nil {
		return readError(err)
	}
	for _, r := range slices.Backward(found) {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// walkJournal calls each for every record, oldest first, with its number, but
// for those of months that skip says true of. A month may be closed meanwhile.
func (s *Store) walkJournal(skip func(Month) bool, each func(seq uint64, raw []byte) error) error {
	var from uint64
	lost := ""
	for {
		month, batch, next, err := s.journalAt(from)
		if err != nil {
			return err
		}
		if month == nil {
			if len(batch) == 0 {
				return nil
			}
			for i, raw := range batch {
				if err := each(next+uint64(i), raw); err != nil {
					return err
				}
			}
			from = next + uint64(len(batch))
			continue
		}
		if skip == nil || !skip(*month) {
			err := s.readMonth(*month, max(from, month.From), each)
			if errors.Is(err, fs.ErrNotExist) && lost != month.Name {
				lost = month.Name // it may have been dropped just now
				continue
			}
			if err != nil {
				return err
			}
		}
		from = month.To + 1
	}
}

// journalAt finds what comes next: a closed month, or records of the open one,
// the first of which has the number next.
func (s *Store) journalAt(from uint64) (month *Month, batch [][]byte, next uint64, err error) {
	err = s.view(func(tx *txn) error {
		first, err := beginning(tx)
		if err != nil {
			return err
		}
		list, err := months(tx)
		if err != nil {
			return err
		}
		next = max(from, first.Seq)
		for i := range list {
			if next <= list[i].To {
				month = &list[i]
				return nil
			}
		}
		size := 0
		c := tx.Bucket(bJournal).Cursor()
		k, v := c.Seek(u64(next))
		for at := next; k != nil && fromU64(k) == at && len(batch) < journalChunk && size < journalBytes; at++ {
			batch, size = append(batch, bytes.Clone(v)), size+len(v)
			k, v = c.Next()
		}
		if len(batch) == 0 && k != nil {
			return fmt.Errorf("%w: record %d is not there", journal.ErrChain, next)
		}
		return nil
	})
	return month, batch, next, err
}

// walkOpen calls each for the records of the open month from a number on.
func (s *Store) walkOpen(from uint64, each func(seq uint64, raw []byte) error) error {
	for {
		month, batch, next, err := s.journalAt(from)
		if err != nil || len(batch) == 0 {
			return err
		}
		if month != nil {
			return fmt.Errorf("record %d is in a closed month", from)
		}
		for i, raw := range batch {
			if err := each(next+uint64(i), raw); err != nil {
				return err
			}
		}
		from = next + uint64(len(batch))
	}
}

// readMonth calls each for the records of a closed month from a number on. A
// file that is not the one that the state names is the error journal.ErrChain.
func (s *Store) readMonth(m Month, from uint64, each func(seq uint64, raw []byte) error) error {
	f, err := os.Open(s.monthPath(m.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return &MissingMonthError{Path: s.monthPath(m.Name), err: err}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	bad := func(err error) error { return fmt.Errorf("%w: %s: %v", journal.ErrChain, s.monthPath(m.Name), err) }
	r, err := journal.NewReader(f)
	if err != nil {
		return bad(err)
	}
	if r.From != m.From || r.After != m.After {
		return bad(fmt.Errorf("it begins with record %d, and record %d is wanted, or follows another head", r.From, m.From))
	}
	for {
		seq, raw, err := r.Next()
		if errors.Is(err, io.EOF) {
			if r.To != m.To || r.Head != m.Head {
				return bad(fmt.Errorf("it ends with record %d, and record %d is wanted, or with another head", r.To, m.To))
			}
			return nil
		}
		if err != nil {
			return bad(err)
		}
		if seq < from {
			continue
		}
		if err := each(seq, raw); err != nil {
			return err
		}
	}
}

// MissingMonthError says that the file of a closed month is not there.
type MissingMonthError struct {
	Path string
	err  error
}

func (e *MissingMonthError) Error() string {
	return "a closed month of the journal is missing: " + e.Path
}

// Unwrap makes it fs.ErrNotExist and journal.ErrChain.
func (e *MissingMonthError) Unwrap() []error { return []error{e.err, journal.ErrChain} }

// Hint says what to do.
func (e *MissingMonthError) Hint() string { return "put the file back from a backup" }

// JournalReport says what a verified journal has.
type JournalReport struct {
	// Records is how many there are, the first of them From.
	Records int
	From    uint64
	// Since is the time of the newest record that was dropped for its age; zero
	// if none was.
	Since time.Time
	// Head is that of the chain, in hex.
	Head string
	// Forgotten is how many personal parts are gone, each of which a record of
	// forgetting accounts for.
	Forgotten int
}

// VerifyJournal checks the whole chain and returns how many records it has and
// its head in hex. A broken chain is an error that Is journal.ErrChain.
func (s *Store) VerifyJournal() (n int, head string, err error) {
	r, err := s.CheckJournal()
	return r.Records, r.Head, err
}

// CheckJournal checks the whole chain, closed months included. A broken one is an
// error that Is journal.ErrChain. What is written meanwhile is left out.
func (s *Store) CheckJournal() (JournalReport, error) {
	var kept journal.Hash
	var size uint64
	var first begin
	if err := s.view(func(tx *txn) (err error) {
		copy(kept[:], tx.Bucket(bMeta).Get(kHead))
		size = tx.Bucket(bJournal).Sequence()
		first, err = beginning(tx)
		return err
	}); err != nil {
		return JournalReport{}, fmt.Errorf("verify journal: %w", err)
	}
	s.step("verifying")
	out := JournalReport{From: first.Seq, Since: first.Since}
	last, next := first.After, first.Seq
	var gone accounting
	err := s.walkJournal(nil, func(seq uint64, raw []byte) error {
		if next > size {
			return errEnough
		}
		if seq != next {
			return fmt.Errorf("%w: record %d is not there", journal.ErrChain, next)
		}
		h, err := journal.Check(last, seq, raw)
		last, next = h, next+1
		return errors.Join(err, gone.record(seq, raw))
	})
	switch {
	case err != nil && !errors.Is(err, errEnough):
	case next <= size:
		err = fmt.Errorf("%w: record %d of %d is not there", journal.ErrChain, next, size)
	case last != kept:
		err = fmt.Errorf("%w: it does not end with the head that was kept", journal.ErrChain)
	default:
		err = gone.settle(s, size)
	}
	out.Forgotten = len(gone.blanks)
	out.Records = int(next - first.Seq)
	if err != nil {
		return out, fmt.Errorf("verify journal: %w", err)
	}
	out.Head = last.String()
	return out, nil
}

// JournalHead is how many records the journal has, and the head of its chain in
// hex: whoever writes it elsewhere can tell later that nothing was cut off.
func (s *Store) JournalHead() (uint64, string, error) {
	var n uint64
	var head string
	err := s.view(func(tx *txn) error {
		n, head = tx.Bucket(bJournal).Sequence(), hex.EncodeToString(tx.Bucket(bMeta).Get(kHead))
		return nil
	})
	if err != nil {
		return 0, "", fmt.Errorf("read head of the journal: %w", err)
	}
	return n, head, nil
}
