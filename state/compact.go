package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	bolt "go.etcd.io/bbolt"
)

// Compact writes the file anew, without the pages that are free: it becomes
// small, and nothing is left in it of what was deleted. Every checksum is read on
// the way. Others may use the Store meanwhile: who writes waits until it is done,
// who reads waits only while the files change places. Wherever it is killed, the
// old or the new file is there, whole.
//
// It must not be called inside a transaction.
func (s *Store) Compact(ctx context.Context) error {
	// A backup or a check needs the file as it is. It may take long, and nobody
	// else waits meanwhile.
	s.pins.Lock()
	defer s.pins.Unlock()
	s.writer.Lock()
	defer s.writer.Unlock()
	if err := s.compact(ctx); err != nil {
		return fmt.Errorf("compact state: %w", ours(err))
	}
	return nil
}

// compactPath is where the new file grows. What a killed process left there is
// removed by who opens the state next.
func compactPath(path string) string { return path + ".compact" }

// copyChunk is how many bytes are copied in one transaction.
const copyChunk = 4 << 20

func (s *Store) compact(ctx context.Context) (err error) {
	temp := compactPath(s.path)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Its lock is held from before it has the name of the state: nobody can come
	// in between.
	fresh, file, err := openBolt(temp, 0, nil)
	if err != nil {
		return err
	}
	placed := false
	defer func() {
		if !placed {
			err = errors.Join(err, fresh.Close(), os.Remove(temp))
		}
	}()
	// One fsync at the end is enough: until then nothing rests on it.
	fresh.NoSync, fresh.NoGrowSync = true, true
	if err := s.view(func(tx *txn) error { return s.copyAll(ctx, tx, fresh) }); err != nil {
		return err
	}
	var now position
	if err := fresh.Update(func(raw *bolt.Tx) error {
		tx := wrap(raw)
		meta := tx.Bucket(bMeta)
		err := meta.Put(kGeneration, u64(fromU64(meta.Get(kGeneration))+1))
		now = positionOf(tx)
		return err
	}); err != nil {
		return err
	}
	if err := fresh.Sync(); err != nil {
		return err
	}
	fresh.NoGrowSync = false
	s.step("written")

	s.gate.Lock()
	defer s.gate.Unlock()
	fresh.NoSync = s.db.NoSync
	if !leadsTo(s.path, s.file) {
		return ErrReplaced
	}
	if err := os.Rename(temp, s.path); err != nil {
		return err
	}
	placed = true
	s.step("placed")
	old := s.db
	s.db, s.file = fresh, file
	// The witness hears of it when the rename is on disk: after a loss of power it
	// would be ahead of the old file.
	err = syncFolder(s.path)
	if err == nil {
		s.witness.told(now)
	}
	return errors.Join(err, old.Close())
}

// copyAll copies every bucket, in the order of its keys.
func (s *Store) copyAll(ctx context.Context, from *txn, to *bolt.DB) error {
	return from.tx.ForEach(func(name []byte, raw *bolt.Bucket) error {
		c := from.Bucket(name).Cursor()
		k, v := c.First()
		for begun := false; !begun || k != nil; begun = true {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := to.Update(func(tx *bolt.Tx) error {
				b, err := wrap(tx).CreateBucketIfNotExists(name)
				if err != nil {
					return err
				}
				b.fill(0.9)
				for n := 0; k != nil && n < copyChunk; k, v = c.Next() {
					if err := b.Put(k, v); err != nil {
						return err
					}
					n += len(k) + len(v)
				}
				return b.SetSequence(raw.Sequence())
			})
			if err != nil {
				return err
			}
			s.committed()
		}
		return nil
	})
}
