package state

import (
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

const (
	markForm   = 1
	maxReasons = 16 // a mark keeps the first so many
)

func encodeMark(m ledger.Mark) []byte {
	w := writer{}
	w.byte(markForm)
	w.uint(m.Sequence)
	w.uint(uint64(len(m.Reasons)))
	for _, r := range m.Reasons {
		w.text(r)
	}
	return w.b
}

func decodeMark(person identity.Ordinal, b []byte) (ledger.Mark, error) {
	r := reader{b: b}
	r.form(markForm)
	m := ledger.Mark{Person: person, Sequence: r.uint()}
	for range r.count() {
		m.Reasons = append(m.Reasons, r.text())
	}
	return m, r.end()
}

// mark makes the person dirty, or dirty again: the sequence is a new one.
func mark(tx *txn, person identity.Ordinal, reasons ...string) error {
	return setMark(tx, person, true, reasons)
}

// setMark with again false leaves the sequence of a mark that is there.
func setMark(tx *txn, person identity.Ordinal, again bool, reasons []string) error {
	if !person.Valid() {
		return nil
	}
	b := tx.Bucket(bMarks)
	m := ledger.Mark{Person: person}
	var err error
	if old := b.Get(ordKey(person)); old != nil {
		if m, err = decodeMark(person, old); err != nil {
			return err
		}
	}
	if again || m.Sequence == 0 {
		if m.Sequence, err = b.NextSequence(); err != nil {
			return err
		}
	}
	for _, r := range reasons {
		if len(m.Reasons) < maxReasons && !slices.Contains(m.Reasons, r) {
			m.Reasons = append(m.Reasons, r)
		}
	}
	return b.Keep(ordKey(person), encodeMark(m))
}

// writeChunk is how many small records one transaction writes.
const writeChunk = 10_000

// Mark makes the persons dirty for a reason.
func (s *Store) Mark(reason string, ords ...identity.Ordinal) error {
	for chunk := range slices.Chunk(ords, writeChunk) {
		if err := s.update(func(tx *txn) error {
			for _, o := range chunk {
				if err := mark(tx, o, reason); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("mark: %w", err)
		}
	}
	return nil
}

// MarkEveryone makes every person of the source dirty, whatever their standing,
// and says how many those are. An empty source means all sources.
func (s *Store) MarkEveryone(source, reason string) (int, error) {
	ords, err := s.ordinals(source)
	if err != nil {
		return 0, fmt.Errorf("mark everyone: %w", err)
	}
	return len(ords), s.Mark(reason, ords...)
}

// AddDue remembers moments at which persons become dirty. The same moment for
// the same person and reason is kept once.
func (s *Store) AddDue(due []ledger.Due) error {
	for chunk := range slices.Chunk(due, writeChunk) {
		if err := s.update(func(tx *txn) error { return putDue(tx, chunk) }); err != nil {
			return fmt.Errorf("add due: %w", err)
		}
	}
	return nil
}

func putDue(tx *txn, due []ledger.Due) error {
	b := tx.Bucket(bDue)
	for _, d := range due {
		k := append(u64(nanos(d.At)), ordKey(d.Person)...)
		if err := b.Keep(append(k, d.Reason[:min(len(d.Reason), 512)]...), one); err != nil {
			return err
		}
	}
	return nil
}

// Take returns every mark, by person. First it turns what is due at now into
// marks, and marks whoever is parked until now or is in a hold that waits or
// is approved, unless they are marked already. A sealed listing that is not
// drained is the error ErrUndrained.
func (s *Store) Take(now time.Time) ([]ledger.Mark, error) {
	if err := s.markDue(now); err != nil {
		return nil, fmt.Errorf("take: %w", err)
	}
	var out []ledger.Mark
	err := s.update(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		if err := markWaiting(tx, now); err != nil {
			return err
		}
		return tx.Bucket(bMarks).ForEach(func(k, v []byte) error {
			m, err := decodeMark(identity.Ordinal(fromU64(k)), v)
			out = append(out, m)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("take: %w", err)
	}
	return out, nil
}

func (s *Store) markDue(now time.Time) error {
	for end := nanos(now); ; {
		n := 0
		err := s.update(func(tx *txn) error {
			b := tx.Bucket(bDue)
			var ripe [][]byte
			c := b.Cursor()
			for k, _ := c.First(); k != nil && fromU64(k) <= end && len(ripe) < writeChunk; k, _ = c.Next() {
				ripe = append(ripe, append([]byte(nil), k...))
			}
			n = len(ripe)
			for _, k := range ripe {
				if len(k) < 16 {
					return fmt.Errorf("%w (due key)", ErrCorrupt)
				}
				if err := mark(tx, identity.Ordinal(fromU64(k[8:])), string(k[16:])); err != nil {
					return err
				}
			}
			return drop(b, ripe)
		})
		if err != nil || n < writeChunk {
			return err
		}
	}
}

func markWaiting(tx *txn, now time.Time) error {
	return eachWaiting(tx, now, func(o identity.Ordinal, reason string) error { return setMark(tx, o, false, []string{reason}) })
}

// eachWaiting calls f for whoever is in a hold that is not rejected, or parked
// until now.
func eachWaiting(tx *txn, now time.Time, f func(identity.Ordinal, string) error) error {
	holds, err := allHolds(tx)
	if err != nil {
		return err
	}
	for _, h := range holds {
		if h.Status != ledger.Waiting && h.Status != ledger.Approved {
			continue
		}
		if h.Rule == ledger.RulePolicy && h.Status == ledger.Waiting {
			continue // it is rebuilt from the snapshot, and lets everybody be
		}
		for _, k := range h.Keys {
			if err := f(k.Person, "hold "+h.ID); err != nil {
				return err
			}
		}
	}
	b := tx.Bucket(bParked)
	return b.ForEach(func(k, _ []byte) error {
		var p ledger.Parked
		if _, err := getJSON(b, k, &p); err != nil {
			return err
		}
		if p.Next.After(now) {
			return nil
		}
		return f(p.Person, "parked: "+p.Subject)
	})
}

// Sequence returns that of the person's mark, 0 where there is none. A worker
// that took a mark compares it before each write.
func (s *Store) Sequence(person identity.Ordinal) (uint64, error) {
	var n uint64
	err := s.view(func(tx *txn) error {
		v := tx.Bucket(bMarks).Get(ordKey(person))
		if v == nil {
			return nil
		}
		m, err := decodeMark(person, v)
		n = m.Sequence
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read mark of %s: %w", person, err)
	}
	return n, nil
}

// Moved returns whose mark is not the one that was taken: they were marked again
// since, or settled by somebody else.
func (s *Store) Moved(taken []ledger.Mark) ([]identity.Ordinal, error) {
	var out []identity.Ordinal
	err := s.view(func(tx *txn) error {
		b := tx.Bucket(bMarks)
		for _, m := range taken {
			v := b.Get(ordKey(m.Person))
			if v == nil {
				out = append(out, m.Person)
				continue
			}
			now, err := decodeMark(m.Person, v)
			if err != nil {
				return err
			}
			if now.Sequence != m.Sequence {
				out = append(out, m.Person)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	return out, nil
}

// Settle takes the marks away whose sequence is unchanged, keeps when a date makes
// each of them dirty next, and says how many those were. A person who was marked
// again in the meantime stays dirty.
func (s *Store) Settle(marks []ledger.Mark) (int, error) {
	n := 0
	for chunk := range slices.Chunk(marks, writeChunk) {
		done := 0
		if err := s.update(func(tx *txn) error {
			b, settled := tx.Bucket(bMarks), make([]ledger.Mark, 0, len(chunk))
			for _, m := range chunk {
				v := b.Get(ordKey(m.Person))
				if v == nil {
					continue
				}
				is, err := decodeMark(m.Person, v)
				if err != nil {
					return err
				}
				if is.Sequence != m.Sequence {
					continue
				}
				if err := b.Delete(ordKey(m.Person)); err != nil {
					return err
				}
				if err := setFlip(tx, m.Person, m.Next); err != nil {
					return err
				}
				settled = append(settled, m)
				done++
			}
			return refersTo(tx, settled)
		}); err != nil {
			return n, fmt.Errorf("settle: %w", err)
		}
		n += done
	}
	return n, nil
}

// Marks returns who is marked, by person. Unlike Take it changes nothing, and
// leaves out whom Take would mark.
func (s *Store) Marks() ([]ledger.Mark, error) {
	var out []ledger.Mark
	err := s.view(func(tx *txn) error {
		return tx.Bucket(bMarks).ForEach(func(k, v []byte) error {
			m, err := decodeMark(identity.Ordinal(fromU64(k)), v)
			out = append(out, m)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	return out, nil
}

// Waiting says how many people are marked or would be by Take at now. Unlike
// Take it changes nothing, and it answers beside a sealed listing too.
func (s *Store) Waiting(now time.Time) (int, error) {
	set := map[identity.Ordinal]struct{}{}
	err := s.view(func(tx *txn) error {
		if err := tx.Bucket(bMarks).ForEach(func(k, _ []byte) error {
			set[identity.Ordinal(fromU64(k))] = struct{}{}
			return nil
		}); err != nil {
			return err
		}
		c := tx.Bucket(bDue).Cursor()
		for k, _ := c.First(); len(k) >= 16 && fromU64(k) <= nanos(now); k, _ = c.Next() {
			set[identity.Ordinal(fromU64(k[8:]))] = struct{}{}
		}
		return eachWaiting(tx, now, func(o identity.Ordinal, _ string) error {
			if o.Valid() {
				set[o] = struct{}{}
			}
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("count who waits: %w", err)
	}
	return len(set), nil
}
