package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/state/journal"
)

// forgetter takes people out of the journal.
type forgetter struct {
	s            *Store
	f            forgetting
	who          map[uint64]bool
	names, texts *needles
}

func newForgetter(s *Store, f forgetting) *forgetter {
	j := &forgetter{s: s, f: f, who: map[uint64]bool{}, names: newNeedles(f.Names, true), texts: newNeedles(slices.Concat(f.Names, f.Shared), true)}
	for _, o := range f.People {
		j.who[uint64(o)] = true
	}
	return j
}

func (j *forgetter) run(ctx context.Context) error {
	if err := j.openMonth(ctx); err != nil {
		return err
	}
	return j.closedMonths(ctx)
}

// later says whether a record was written after the forgetting was begun. What it
// says of them is of who came back since: somebody else.
func (j *forgetter) later(seq uint64) bool { return j.f.Upto > 0 && seq > j.f.Upto }

// take returns a record without their parts and those that name them; also are
// the parts about others. It returns nil where nothing is to be taken.
func (j *forgetter) take(seq uint64, raw []byte) (out []byte, also [][2]uint64, n int, err error) {
	people, err := journal.People(raw)
	if err != nil {
		return nil, nil, 0, err
	}
	about := slices.ContainsFunc(people, func(p uint64) bool { return j.who[p] })
	out, taken, err := journal.Forget(raw, func(person uint64, data []byte) bool {
		switch {
		case j.who[person], person == journal.Everybody && about:
			return true
		case person == 0, person == journal.Everybody:
			return j.texts.inValues(string(data))
		}
		return j.names.inValues(string(data))
	})
	if err != nil || len(taken) == 0 {
		return nil, nil, 0, err
	}
	for _, i := range taken {
		if p := people[i]; !j.who[p] && !(p == journal.Everybody && about) {
			also = append(also, [2]uint64{seq, uint64(i)})
		}
	}
	return out, also, len(taken), nil
}

// openMonth goes through the records that are in the state.
func (j *forgetter) openMonth(ctx context.Context) error {
	var from uint64
	if err := j.s.view(func(tx *txn) (err error) { from, _, err = openMonth(tx); return err }); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, batch, first, err := j.s.journalAt(from)
		if err != nil || len(batch) == 0 {
			return err
		}
		fresh := map[uint64][]byte{}
		f := j.f
		for i, raw := range batch {
			seq := first + uint64(i)
			if j.later(seq) {
				break
			}
			out, also, n, err := j.take(seq, raw)
			if err != nil {
				return err
			}
			if out != nil {
				fresh[seq] = out
				f.Also, f.Parts = append(f.Also, also...), f.Parts+n
			}
		}
		from = first + uint64(len(batch))
		if len(fresh) == 0 {
			continue
		}
		if err := j.s.update(func(tx *txn) error {
			for seq, out := range fresh {
				if err := tx.Bucket(bJournal).Put(u64(seq), out); err != nil {
					return err
				}
			}
			return putJSON(tx.Bucket(bMeta), kForgetting, f)
		}); err != nil {
			return err
		}
		j.f = f
		j.s.step("records forgotten")
	}
}

// closedMonths writes the files anew that speak of them, also those that the
// state does not know: they are of one that it replaced.
func (j *forgetter) closedMonths(ctx context.Context) error {
	files, err := os.ReadDir(JournalFolder(j.s.path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	known := map[string]bool{}
	list, err := j.s.Months()
	if err != nil {
		return err
	}
	for _, m := range list {
		known[m.Name] = true
	}
	for _, file := range files {
		path := j.s.monthPath(file.Name())
		if !strings.HasSuffix(path, ".journal") {
			continue
		}
		if err := j.month(ctx, path, known[file.Name()]); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func (j *forgetter) month(ctx context.Context, path string, known bool) error {
	f := j.f
	n := 0
	err := eachOf(ctx, path, func(seq uint64, raw []byte) error {
		if known && j.later(seq) {
			return nil
		}
		_, also, parts, err := j.take(seq, raw)
		n += parts
		f.Parts += parts
		if known {
			f.Also = append(f.Also, also...)
		}
		return err
	})
	if errors.Is(err, journal.ErrSegment) && !known {
		return nil // leftOf tells if it names them
	}
	if err != nil || n == 0 {
		return err
	}
	// What the file is about to lose is noted before it is lost.
	if err := j.s.update(func(tx *txn) error { return putJSON(tx.Bucket(bMeta), kForgetting, f) }); err != nil {
		return err
	}
	j.f = f
	temp := strings.TrimSuffix(path, ".journal") + tempSuffix
	if err := writeFile(temp, func(out *os.File) error { return j.rewrite(ctx, path, known, out) }); err != nil {
		return err
	}
	j.s.step("month forgotten")
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	j.s.step("month replaced")
	return syncFolder(path)
}

// rewrite writes a month without what is forgotten. One whose chain is broken is
// left as it is: it is evidence.
func (j *forgetter) rewrite(ctx context.Context, path string, known bool, to io.Writer) error {
	var w *journal.Writer
	err := readMonthFile(ctx, path, func(r *journal.Reader) (err error) {
		w, err = journal.NewWriter(to, r.From, r.After)
		return err
	}, func(seq uint64, raw []byte) error {
		if known && j.later(seq) {
			return w.Add(raw)
		}
		out, _, _, err := j.take(seq, raw)
		if err != nil {
			return err
		}
		if out == nil {
			out = raw
		}
		return w.Add(out)
	})
	if err != nil {
		return err
	}
	_, _, err = w.End()
	return err
}

func eachOf(ctx context.Context, path string, each func(uint64, []byte) error) error {
	return readMonthFile(ctx, path, func(*journal.Reader) error { return nil }, each)
}

func readMonthFile(ctx context.Context, path string, begin func(*journal.Reader) error, each func(uint64, []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := journal.NewReader(f)
	if err != nil {
		return err
	}
	if err := begin(r); err != nil {
		return err
	}
	for {
		seq, raw, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.Join(ctx.Err(), each(seq, raw))
		}
		if err != nil {
			return err
		}
	}
}
