package state

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// staging is what a stage of a listing and one of changes have in common: there is
// one at a time, beside the snapshot, and nothing of it counts before it is sealed.
type staging struct {
	s          *Store
	source     string
	num        uint64
	coverage   identity.Coverage
	covNum     uint64
	covDigest  digest
	generation uint64
	taken      directory.Knowledge // from what the snapshot was
	shownIn    uint64              // in which coverage it is
	scope      string              // by which bases and filters
	over       bool

	next    uint64
	buffer  [][]byte
	size    int
	scratch writer
}

// flushAt is how many bytes are held before they are written.
const flushAt = 8 << 20

var (
	errOver   = errors.New("the stage was sealed or discarded already")
	kSealed   = []byte("sealed")
	kProgress = []byte("progress")
	kChanges  = []byte("changes")
)

func sealed(tx *txn) bool { return tx.Bucket(bStageMeta).Get(kSealed) != nil }

func newStaging(s *Store, source string, coverage identity.Coverage) staging {
	return staging{s: s, source: source, coverage: coverage, covDigest: coverageDigest(coverage)}
}

// begin discards what was left and reads what the snapshot is.
func (g *staging) begin(tx *txn) error {
	if g.source == "" {
		return errors.New("no source")
	}
	if sealed(tx) {
		return ErrUndrained
	}
	if err := emptyStage(tx); err != nil {
		return err
	}
	r, err := makeSource(tx, g.source)
	if err != nil {
		return err
	}
	g.num, g.taken, g.shownIn, g.scope = r.Num, r.Knowledge, r.Coverage, r.Scope
	g.generation = fromU64(tx.Bucket(bMeta).Get(kChanges))
	g.covNum, err = makeCoverage(tx, g.coverage)
	return err
}

func emptyStage(tx *txn) error {
	if k, _ := tx.Bucket(bStage).Cursor().First(); k == nil {
		return nil
	}
	if err := tx.DeleteBucket(bStage); err != nil {
		return err
	}
	_, err := tx.CreateBucket(bStage)
	return err
}

// Known is what had been seen by whoever the snapshot was taken from.
func (g *staging) Known() directory.Knowledge { return g.taken }

// wellFormed refuses an entry that no source may show.
func wellFormed(e *directory.Entry) error {
	switch {
	case e.Kind != directory.Person && e.Kind != directory.Group && e.Kind != directory.Container:
		return fmt.Errorf("entry %s is neither a person nor a group", e.DN)
	case e.ID == "" || len(e.ID) > maxID:
		return fmt.Errorf("%s %s has no ID, or one that is too long", e.Kind, e.DN)
	case e.DN.IsZero():
		return fmt.Errorf("%s %s has no DN", e.Kind, e.ID)
	}
	return nil
}

func (g *staging) put(b []byte) {
	g.buffer = append(g.buffer, b)
	g.size += len(b)
}

func (g *staging) putRefs(form byte, refs []string) {
	for chunk := range slices.Chunk(refs, memberChunk) {
		g.put(encodeRefs(form, chunk))
	}
}

// at is the number that the next record gets.
func (g *staging) at() uint64 { return g.next + uint64(len(g.buffer)) + 1 }

// flushFull writes what is held, if that is much.
func (g *staging) flushFull() error {
	if g.size < flushAt {
		return nil
	}
	return g.flush()
}

// flush writes what is held, in order.
func (g *staging) flush() error {
	if len(g.buffer) == 0 {
		return nil
	}
	err := g.s.update(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		b := tx.Bucket(bStage)
		b.fill(0.9)
		for i, v := range g.buffer {
			if err := b.Put(u64(g.next+uint64(i)+1), v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write stage: %w", err)
	}
	g.next += uint64(len(g.buffer))
	g.buffer, g.size = g.buffer[:0], 0
	return nil
}

// close seals what was written, within a transaction: last is the number of the
// last record that stands there.
func (g *staging) close(tx *txn, rec sealRecord, last uint64) error {
	if sealed(tx) {
		return ErrUndrained
	}
	if fromU64(tx.Bucket(bMeta).Get(kChanges)) != g.generation {
		return errors.New("somebody was relinked or forgotten while it was read: read again")
	}
	if k, _ := tx.Bucket(bStage).Cursor().Last(); fromU64(k) != last {
		return errors.New("another stage was begun in the meantime")
	}
	b := tx.Bucket(bStageMeta)
	if err := b.Delete(kProgress); err != nil {
		return err
	}
	return putJSON(b, kSealed, rec)
}

// Discard throws the stage away. After Seal it does nothing.
func (g *staging) Discard() error {
	if g.over {
		return nil
	}
	g.over = true
	g.buffer = nil
	if err := g.s.update(func(tx *txn) error {
		if sealed(tx) {
			return nil
		}
		return emptyStage(tx)
	}); err != nil {
		return fmt.Errorf("discard stage: %w", err)
	}
	return nil
}
