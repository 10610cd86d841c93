package state

import (
	"bytes"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// index writes the indexes of a first load: read from what was moved, sorted,
// and put in order, which is many times faster than one by one. Doing it twice
// does no harm.
func (d *drain) index() error {
	var called []nameEntry
	var edges []pair
	err := d.s.view(func(tx *txn) error {
		for kind, bucket := range map[directory.Kind][]byte{directory.Person: bPeople, directory.Group: bGroups} {
			if err := tx.Bucket(bucket).ForEach(func(k, v []byte) error {
				n, err := entryNames(v)
				if err != nil || n.source != d.rec.Num {
					return err
				}
				o := identity.Ordinal(fromU64(k))
				for _, h := range n.hashes(kind) {
					called = append(called, nameEntry(nameKey(h, o)))
				}
				if kind != directory.Group {
					return nil
				}
				refs, err := groupRefs(tx, o)
				for _, ref := range refs {
					key, value := edge(n.source, o, ref)
					edges = append(edges, pair{key, value})
				}
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(called, func(a, b nameEntry) int { return bytes.Compare(a[:], b[:]) })
	if err := putSorted(d.s, bNames, called, func(e *nameEntry) ([]byte, []byte) { return e[:], one }); err != nil {
		return err
	}
	slices.SortFunc(edges, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
	if err := putSorted(d.s, bMemberOf, edges, func(p *pair) ([]byte, []byte) { return p.key, p.value }); err != nil {
		return err
	}
	at := progress{Step: stepAfter}
	err = d.s.update(func(tx *txn) error {
		if err := countDangling(tx, d.rec.Num); err != nil {
			return err
		}
		return d.step(tx, at)
	})
	if err == nil {
		d.at = at
	}
	return err
}

// nameEntry is a key of the index of names.
type nameEntry [24]byte

type pair struct{ key, value []byte }

// sortedChunk is how many entries of an index one transaction puts.
const sortedChunk = 200_000

func putSorted[T any](s *Store, bucket []byte, sorted []T, of func(*T) (key, value []byte)) error {
	for chunk := range slices.Chunk(sorted, sortedChunk) {
		if err := s.update(func(tx *txn) error {
			b := tx.Bucket(bucket)
			b.fill(0.9)
			for i := range chunk {
				if err := b.Put(of(&chunk[i])); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
