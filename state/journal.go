package state

import (
	"encoding/hex"
	"fmt"
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

const journalChunk = 1000

// Journal calls each for the records chosen, oldest first. No transaction is
// open while each runs; an error of each ends it and is returned.
func (s *Store) Journal(f JournalFilter, each func(journal.Sealed) error) error {
	if f.Last > 0 {
		return s.journalTail(f, each)
	}
	return s.walkJournal(func(batch []journal.Sealed) error {
		for _, r := range batch {
			if f.match(r.Record) {
				if err := each(r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *Store) journalTail(f JournalFilter, each func(journal.Sealed) error) error {
	var found []journal.Sealed // newest first
	err := s.view(func(tx *txn) error {
		c := tx.Bucket(bJournal).Cursor()
		for k, v := c.Last(); k != nil && len(found) < f.Last; k, v = c.Prev() {
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
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	for i := len(found) - 1; i >= 0; i-- {
		if err := each(found[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) walkJournal(each func([]journal.Sealed) error) error {
	for from := uint64(1); ; {
		var batch []journal.Sealed
		err := s.view(func(tx *txn) error {
			c := tx.Bucket(bJournal).Cursor()
			for k, v := c.Seek(u64(from)); k != nil && len(batch) < journalChunk; k, v = c.Next() {
				r, err := journal.Decode(v)
				if err != nil {
					return err
				}
				batch, from = append(batch, r), fromU64(k)+1
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		if len(batch) == 0 {
			return nil
		}
		if err := each(batch); err != nil {
			return err
		}
	}
}

// VerifyJournal checks the whole chain and returns how many records it has and
// its head in hex. A broken chain is an error that Is journal.ErrChain.
func (s *Store) VerifyJournal() (n int, head string, err error) {
	var last, kept journal.Hash
	var size int
	if err := s.view(func(tx *txn) error {
		copy(kept[:], tx.Bucket(bMeta).Get(kHead))
		size = int(tx.Bucket(bJournal).Sequence())
		return nil
	}); err != nil {
		return 0, "", fmt.Errorf("verify journal: %w", err)
	}
	for done := false; !done; {
		err := s.view(func(tx *txn) error {
			b := tx.Bucket(bJournal)
			for range journalChunk {
				if n == size {
					done = true
					return nil
				}
				v := b.Get(u64(uint64(n + 1)))
				if v == nil {
					return fmt.Errorf("%w: record %d of %d is not there", journal.ErrChain, n+1, size)
				}
				h, err := journal.Check(last, uint64(n+1), v)
				if err != nil {
					return err
				}
				last = h
				n++
			}
			return nil
		})
		if err != nil {
			return n, "", fmt.Errorf("verify journal: %w", err)
		}
	}
	if last != kept {
		return n, "", fmt.Errorf("verify journal: %w: it does not end with the head that was kept", journal.ErrChain)
	}
	return n, hex.EncodeToString(last[:]), nil
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
