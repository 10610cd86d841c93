package state

import (
	"fmt"

	"github.com/rosterd/rosterd/identity"
)

// Members of groups that are nobody known are counted as they come and go: with an
// edge, with a name, and with a group that begins or ceases to give membership.

// tallyDangling is of a source, which has no name here but its number.
const tallyDangling = 'd'

func danglingKey(source uint64) []byte { return tallyKey("", tallyDangling, string(u64(source))) }

// dangling is how many members of the source's groups are nobody known.
func dangling(tx *txn, source uint64) int {
	return int(fromU64(tx.Bucket(bTally).Get(danglingKey(source))))
}

func addDangling(tx *txn, source uint64, n int) error {
	if n == 0 {
		return nil
	}
	if n += dangling(tx, source); n < 0 {
		return fmt.Errorf("%w (fewer than no members that are nobody)", ErrCorrupt)
	}
	return tx.Bucket(bTally).Put(danglingKey(source), u64(uint64(n)))
}

// someone says whether anybody, or a group, has the name.
func someone(tx *txn, hash []byte) bool {
	k, _ := tx.Bucket(bNames).Cursor().Seek(hash)
	return k != nil && hasPrefix(k, hash)
}

// nobody counts the members under a name that nobody has any more, or nobody had
// until now.
func nobody(tx *txn, source uint64, h digest, sign int) error {
	if someone(tx, h[:]) {
		return nil
	}
	n := 0
	c := tx.Bucket(bMemberOf).Cursor()
	for k, _ := c.Seek(h[:]); k != nil && hasPrefix(k, h[:]); k, _ = c.Next() {
		e, err := decodeLean(tx.Bucket(bGroups).Get(u64(fromU64(k[len(h):]))))
		if err != nil {
			return err
		}
		if effective(&e) {
			n++
		}
	}
	return addDangling(tx, source, sign*n)
}

// believed counts the members of a group that begins or ceases to give membership.
func believed(tx *txn, group identity.Ordinal, old, now *entry) error {
	was, is := old != nil && effective(old), effective(now)
	if was == is || old == nil { // a new one has no members yet
		return nil
	}
	n, err := loose(tx, now.source, group)
	if was {
		n = -n
	}
	if err != nil {
		return err
	}
	return addDangling(tx, now.source, n)
}

// loose counts the members of a group that are nobody known.
func loose(tx *txn, source uint64, group identity.Ordinal) (int, error) {
	n := 0
	err := eachChunk(tx, group, func(refs []string) error {
		for _, r := range refs {
			if h := refHash(source, r); !someone(tx, h[:]) {
				n++
			}
		}
		return nil
	})
	return n, err
}

// countDangling counts all of a source, once it was loaded.
func countDangling(tx *txn, source uint64) error {
	all := 0
	if err := tx.Bucket(bGroups).ForEach(func(k, v []byte) error {
		if entrySource(v) != source {
			return nil
		}
		e, err := decodeLean(v)
		if err != nil || !effective(&e) {
			return err
		}
		n, err := loose(tx, source, identity.Ordinal(fromU64(k)))
		all += n
		return err
	}); err != nil {
		return err
	}
	if all == 0 {
		return tx.Bucket(bTally).Delete(danglingKey(source))
	}
	return tx.Bucket(bTally).Put(danglingKey(source), u64(uint64(all)))
}
