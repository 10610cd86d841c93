package state

import (
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
	"github.com/rosterd/rosterd/target"
)

func linkKey(person identity.Ordinal, name string) []byte { return append(ordKey(person), name...) }

func nativeKey(name string, id target.NativeID) []byte {
	return append(append([]byte(name), 0), id...)
}

// Links returns the links of the persons, or of everybody, by target.
func (s *Store) Links(ords ...identity.Ordinal) (map[identity.Ordinal]map[string]ledger.Link, error) {
	out := make(map[identity.Ordinal]map[string]ledger.Link, len(ords))
	take := func(k, v []byte) error {
		person, name := identity.Ordinal(fromU64(k)), string(k[8:])
		l, err := decodeLink(person, name, v)
		if err != nil {
			return fmt.Errorf("link of %s in %s: %w", person, name, err)
		}
		if out[person] == nil {
			out[person] = map[string]ledger.Link{}
		}
		out[person][name] = l
		return nil
	}
	err := s.view(func(tx *txn) error {
		b := tx.Bucket(bLinks)
		if len(ords) == 0 {
			return b.ForEach(take)
		}
		c := b.Cursor()
		for _, o := range ords {
			prefix := ordKey(o)
			for k, v := c.Seek(prefix); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
				if err := take(k, v); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	return out, nil
}

// LinkOwner says whose account that is in the target. An account that we
// deleted belongs to nobody: its ID may be given again.
func (s *Store) LinkOwner(name string, id target.NativeID) (identity.Ordinal, bool, error) {
	var o identity.Ordinal
	err := s.view(func(tx *txn) error {
		o = identity.Ordinal(fromU64(tx.Bucket(bNatives).Get(nativeKey(name, id))))
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("find owner of account: %w", err)
	}
	return o, o.Valid(), nil
}

// PutLinks keeps the links. An account that is linked to somebody else is the
// error ErrTaken, and none is kept.
func (s *Store) PutLinks(links []ledger.Link) error {
	err := s.update(func(tx *txn) error {
		for _, l := range links {
			if err := putLink(tx, l, s.now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("put links: %w", err)
	}
	return nil
}

func putLink(tx *txn, l ledger.Link, now time.Time) error {
	if !l.Person.Valid() || l.Target == "" {
		return fmt.Errorf("link without person or target")
	}
	links, natives := tx.Bucket(bLinks), tx.Bucket(bNatives)
	key := linkKey(l.Person, l.Target)
	var was *ledger.Link
	if v := links.Get(key); v != nil {
		old, err := decodeLink(l.Person, l.Target, v)
		if err != nil {
			return err
		}
		was = &old
		k := nativeKey(l.Target, old.Account)
		if identity.Ordinal(fromU64(natives.Get(k))) == l.Person {
			if err := natives.Delete(k); err != nil {
				return err
			}
		}
	}
	if l.Phase != ledger.Deleted && l.Account != "" {
		k := nativeKey(l.Target, l.Account)
		if o := identity.Ordinal(fromU64(natives.Get(k))); o.Valid() && o != l.Person {
			return fmt.Errorf("account %q in %s of %s: %w: %s", l.Account, l.Target, l.Person, ErrTaken, o)
		}
		if err := natives.Put(k, ordKey(l.Person)); err != nil {
			return err
		}
	}
	if err := tally(tx, was, &l); err != nil {
		return err
	}
	if err := nameMoves(tx, was, &l, now); err != nil {
		return err
	}
	if err := referredMoves(tx, l.Person, was, &l); err != nil {
		return err
	}
	return links.Put(key, encodeLink(l))
}

// dropLinks deletes links that are collected first. Where their accounts are found
// is the caller's.
func dropLinks(tx *txn, keys [][]byte) error {
	links := tx.Bucket(bLinks)
	for _, k := range keys {
		l, err := decodeLink(identity.Ordinal(fromU64(k)), string(k[8:]), links.Get(k))
		if err != nil {
			return err
		}
		if err := tally(tx, &l, nil); err != nil {
			return err
		}
		if err := referredMoves(tx, l.Person, &l, nil); err != nil {
			return err
		}
	}
	return drop(links, keys)
}

// VerifyLinks remembers that the persons' accounts in the target were read and
// agreed at that time, after what a cycle did.
func (s *Store) VerifyLinks(cycle, name string, ords []identity.Ordinal, at time.Time) error {
	for chunk := range slices.Chunk(ords, writeChunk) {
		err := s.update(func(tx *txn) error {
			b := tx.Bucket(bLinks)
			for _, o := range chunk {
				v := b.Get(linkKey(o, name))
				if v == nil {
					continue
				}
				l, err := decodeLink(o, name, v)
				if err != nil {
					return err
				}
				l.Verified, l.Taken = at, nil
				if err := b.Put(linkKey(o, name), encodeLink(l)); err != nil {
					return err
				}
			}
			return s.note(tx, journal.Record{Kind: "verify", Cycle: cycle, Target: name}, map[string]any{"people": chunk})
		})
		if err != nil {
			return fmt.Errorf("verify links: %w", err)
		}
	}
	return nil
}

// ForgetTarget forgets the links, parked work and state of a target. Holds and
// the journal stay.
func (s *Store) ForgetTarget(name, by string) error {
	err := s.update(func(tx *txn) error {
		links := tx.Bucket(bLinks)
		var keys [][]byte
		if err := links.ForEach(func(k, _ []byte) error {
			if len(k) >= 8 && string(k[8:]) == name {
				keys = append(keys, append([]byte(nil), k...))
			}
			return nil
		}); err != nil {
			return err
		}
		if err := dropLinks(tx, keys); err != nil {
			return err
		}
		prefix := append([]byte(name), 0)
		for _, b := range []*bucket{tx.Bucket(bNatives), tx.Bucket(bParked), tx.Bucket(bGiven)} {
			if b == nil {
				continue
			}
			if err := drop(b, under(b, prefix)); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bTargets).Delete([]byte(name)); err != nil {
			return err
		}
		if err := tx.Bucket(bMeta).Delete(outageKey(name)); err != nil {
			return err
		}
		return s.noteDecision(tx, journal.Record{Kind: "forget-target", Target: name}, map[string]any{"links": len(keys)}, by, "")
	})
	if err != nil {
		return fmt.Errorf("forget target %s: %w", name, err)
	}
	return nil
}
