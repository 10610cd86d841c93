package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rosterd/rosterd/state/journal"
)

// Keys of the bucket meta.
var (
	kMonths = []byte("months") // the closed months of the journal, oldest first
	kBegin  = []byte("begin")  // where the journal begins, once months were dropped
)

// Month is a closed month of the journal: a file beside the state.
type Month struct {
	// Name is that of the file in the journal's folder.
	Name string
	// From and To are its first and last record.
	From, To uint64
	// After is the head that it follows, Head the one with which it ends.
	After, Head journal.Hash
	// Oldest and Newest are times of records in it.
	Oldest, Newest time.Time
}

// begin is where a journal begins of which months were dropped.
type begin struct {
	Seq   uint64
	After journal.Hash
	// Since is the time of the newest record that was dropped.
	Since time.Time
}

// JournalFolder is where the closed months of the state at path are.
func JournalFolder(path string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + ".journal"
}

func (s *Store) monthPath(name string) string { return filepath.Join(JournalFolder(s.path), name) }

// Months returns the closed months, oldest first. A copy of the state is whole
// with the files of those.
func (s *Store) Months() ([]Month, error) {
	var out []Month
	err := s.view(func(tx *txn) (err error) {
		out, err = months(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read months of the journal: %w", err)
	}
	return out, nil
}

func months(tx *txn) ([]Month, error) {
	var out []Month
	_, err := getJSON(tx.Bucket(bMeta), kMonths, &out)
	return out, err
}

func beginning(tx *txn) (begin, error) {
	b := begin{Seq: 1}
	_, err := getJSON(tx.Bucket(bMeta), kBegin, &b)
	return b, err
}

// open is the first record of the open month, and the head that it follows.
func openMonth(tx *txn) (uint64, journal.Hash, error) {
	list, err := months(tx)
	if err != nil {
		return 0, journal.Hash{}, err
	}
	if n := len(list); n > 0 {
		return list[n-1].To + 1, list[n-1].Head, nil
	}
	b, err := beginning(tx)
	return b.Seq, b.After, err
}

const monthForm = "2006-01"

// CloseMonths makes a file of each month of the journal that is over, and
// returns those. Killed at any instant, every record is there once: it is the
// file's as soon as the state names the file.
func (s *Store) CloseMonths(ctx context.Context) ([]Month, error) {
	var out []Month
	for {
		if err := s.leaveOpenMonth(ctx); err != nil {
			return out, fmt.Errorf("close month of the journal: %w", err)
		}
		m, err := s.closeMonth(ctx)
		if err != nil {
			return out, fmt.Errorf("close month of the journal: %w", ours(err))
		}
		if m == nil {
			return out, nil
		}
		out = append(out, *m)
	}
}

// leaveOpenMonth takes records out of the state that a file has.
func (s *Store) leaveOpenMonth(ctx context.Context) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var keys [][]byte
		if err := s.view(func(tx *txn) error {
			first, _, err := openMonth(tx)
			if err != nil {
				return err
			}
			c := tx.Bucket(bJournal).Cursor()
			for k, _ := c.First(); k != nil && fromU64(k) < first && len(keys) < writeChunk; k, _ = c.Next() {
				keys = append(keys, bytes.Clone(k))
			}
			return nil
		}); err != nil {
			return err
		}
		if more = len(keys) > 0; more {
			if err := s.update(func(tx *txn) error { return drop(tx.Bucket(bJournal), keys) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// closeMonth closes the month of the first open record, if it is over; nil if it
// is not.
func (s *Store) closeMonth(ctx context.Context) (*Month, error) {
	m := Month{}
	var first []byte
	if err := s.view(func(tx *txn) (err error) {
		if m.From, m.After, err = openMonth(tx); err == nil {
			first = bytes.Clone(tx.Bucket(bJournal).Get(u64(m.From)))
		}
		return err
	}); err != nil || first == nil {
		return nil, err
	}
	r, err := journal.Decode(first)
	if err != nil {
		return nil, err
	}
	month := r.Time.UTC().Format(monthForm)
	if s.now().UTC().Format(monthForm) <= month {
		return nil, nil
	}
	temp, err := s.writeMonth(ctx, &m, month)
	if err != nil {
		return nil, err
	}
	s.step("month written")
	if m.Name, err = s.placeMonth(temp, month); err != nil {
		return nil, errors.Join(err, os.Remove(temp))
	}
	s.step("month placed")
	err = s.update(func(tx *txn) error {
		list, err := months(tx)
		if err != nil {
			return err
		}
		return putJSON(tx.Bucket(bMeta), kMonths, append(list, m))
	})
	s.step("month named")
	return &m, err
}

// tempSuffix is of files that are not finished. What a killed process left is
// removed by who opens the state next.
const tempSuffix = ".tmp"

// writeMonth writes the records of a month, those of a clock that was set back
// included, to a file of another name.
func (s *Store) writeMonth(ctx context.Context, m *Month, month string) (temp string, err error) {
	folder := JournalFolder(s.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	temp = filepath.Join(folder, month+tempSuffix)
	err = writeFile(temp, func(f *os.File) error {
		w, err := journal.NewWriter(f, m.From, m.After)
		if err != nil {
			return err
		}
		err = s.walkOpen(m.From, func(seq uint64, raw []byte) error {
			r, err := journal.Decode(raw)
			switch {
			case err != nil:
				return err
			case r.Time.UTC().Format(monthForm) > month:
				return errEnough
			}
			if m.Oldest.IsZero() || r.Time.Before(m.Oldest) {
				m.Oldest = r.Time
			}
			if r.Time.After(m.Newest) {
				m.Newest = r.Time
			}
			return errors.Join(ctx.Err(), w.Add(raw))
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		m.To, m.Head, err = w.End()
		return err
	})
	return temp, err
}

var errEnough = errors.New("enough")

// writeFile makes a private file that is on disk when it returns; after an error
// there is none.
func writeFile(path string, write func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// placeMonth gives the file its name. One of that name that the state does not
// know, and that is another one, stays: it belongs to a state that was replaced.
func (s *Store) placeMonth(temp, month string) (string, error) {
	for n := 1; ; n++ {
		name := month + ".journal"
		if n > 1 {
			name = fmt.Sprintf("%s.%d.journal", month, n)
		}
		path := s.monthPath(name)
		same, err := sameFile(temp, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err == nil && !same {
			continue
		}
		if err := os.Rename(temp, path); err != nil {
			return "", err
		}
		return name, errors.Join(syncFolder(path), syncFolder(filepath.Dir(path)))
	}
}

func sameFile(a, b string) (bool, error) {
	x, err := os.ReadFile(b)
	if err != nil {
		return false, err
	}
	y, err := os.ReadFile(a)
	return err == nil && bytes.Equal(x, y), err
}

// DropMonths takes the closed months away of which every record is older than
// before, oldest first, and says how many those were. The chain then begins at
// the head of the last of them.
func (s *Store) DropMonths(before time.Time) (int, error) {
	n := 0
	err := s.update(func(tx *txn) error {
		list, err := months(tx)
		if err != nil {
			return err
		}
		for n < len(list) && list[n].Newest.Before(before) {
			n++
		}
		if n == 0 {
			return nil
		}
		last := list[n-1]
		if err := putJSON(tx.Bucket(bMeta), kMonths, list[n:]); err != nil {
			return err
		}
		if err := putJSON(tx.Bucket(bMeta), kBegin, begin{Seq: last.To + 1, After: last.Head, Since: last.Newest}); err != nil {
			return err
		}
		return s.note(tx, recordOf("cut"), map[string]any{"months": n, "to": last.To, "head": last.Head.String()})
	})
	if err == nil {
		s.step("months dropped")
		err = s.sweepMonths()
	}
	if err != nil {
		return n, fmt.Errorf("drop months of the journal: %w", err)
	}
	return n, nil
}

// sweepUnfinished removes what a killed process did not finish.
func (s *Store) sweepUnfinished() {
	left, _ := filepath.Glob(filepath.Join(JournalFolder(s.path), "*"+tempSuffix))
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// sweepMonths removes files that are not finished, and those of months that were
// dropped.
func (s *Store) sweepMonths() error {
	var first begin
	known := map[string]bool{}
	if err := s.view(func(tx *txn) (err error) {
		if first, err = beginning(tx); err != nil {
			return err
		}
		list, err := months(tx)
		for _, m := range list {
			known[m.Name] = true
		}
		return err
	}); err != nil {
		return err
	}
	files, err := os.ReadDir(JournalFolder(s.path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range files {
		path := s.monthPath(f.Name())
		if strings.HasSuffix(f.Name(), tempSuffix) || !known[f.Name()] && first.Seq > 1 && beginsBefore(path, first.Seq) {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// beginsBefore says whether a segment begins before a record.
func beginsBefore(path string, seq uint64) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	r, err := journal.NewReader(f)
	return err == nil && r.From < seq
}
