package state

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// People name others in their attributes, and the policy may make the accounts of
// those of it. Who was found to name whom is kept both ways, so that a change of an
// account, or of a name in the directory, marks who refers to it at the cost of that
// change.

const (
	byNamed    = 'd' // hash of a DN ‖ who names it → 1
	byReferrer = 'o' // who names others → the hashes
)

// ReferReason is why somebody is marked whose reference may mean something else.
const ReferReason = "an account that they refer to"

func namedKey(h []byte, who identity.Ordinal) []byte {
	return append(append([]byte{byNamed}, h...), ordKey(who)...)
}

func referrerKey(who identity.Ordinal) []byte { return append([]byte{byReferrer}, ordKey(who)...) }

// setReferred keeps whom the person names; none takes it back. It returns the names
// by which they refer to nobody any more.
func setReferred(tx *txn, who identity.Ordinal, names []identity.DN) (left [][]byte, err error) {
	b := tx.Bucket(bReferred)
	if b == nil {
		if len(names) == 0 {
			return nil, nil
		}
		if b, err = tx.CreateBucketIfNotExists(bReferred); err != nil {
			return nil, err
		}
	}
	var now []byte
	if len(names) > 0 {
		e, err := decodeLean(tx.Bucket(bPeople).Get(ordKey(who)))
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			h := nameHash(byDN, e.source, n.Key())
			now = append(now, h[:]...)
		}
	}
	was := bytes.Clone(b.Get(referrerKey(who)))
	if bytes.Equal(was, now) {
		return nil, nil
	}
	for h := range slices.Chunk(was, len(digest{})) {
		if among(now, h) {
			continue
		}
		if err := b.Delete(namedKey(h, who)); err != nil {
			return nil, err
		}
		left = append(left, h)
	}
	for h := range slices.Chunk(now, len(digest{})) {
		if err := b.Put(namedKey(h, who), one); err != nil {
			return nil, err
		}
	}
	if len(now) == 0 {
		return left, b.Delete(referrerKey(who))
	}
	return left, b.Put(referrerKey(who), now)
}

// refersTo keeps whom those people name. All of them are kept before it is asked who
// is named by nobody: one may name whom another names no more.
func refersTo(tx *txn, marks []ledger.Mark) error {
	var left [][]byte
	for _, m := range marks {
		if m.RefersKept {
			continue
		}
		gone, err := setReferred(tx, m.Person, m.Refers)
		if err != nil {
			return err
		}
		left = append(left, gone...)
	}
	for _, h := range left {
		if err := unnamed(tx, h); err != nil {
			return err
		}
	}
	return nil
}

// among says whether the hash is one of those.
func among(hashes, h []byte) bool {
	for one := range slices.Chunk(hashes, len(digest{})) {
		if bytes.Equal(one, h) {
			return true
		}
	}
	return false
}

// unnamed forgets who had a name that nobody refers to any more.
func unnamed(tx *txn, h []byte) error {
	if len(referrers(tx, digest(h))) > 0 {
		return nil
	}
	return forgetFormer(tx, h)
}

// unrefer takes one name from those by which somebody refers to others.
func unrefer(tx *txn, who identity.Ordinal, h digest) error {
	b := tx.Bucket(bReferred)
	var rest []byte
	for one := range slices.Chunk(bytes.Clone(b.Get(referrerKey(who))), len(h)) {
		if !bytes.Equal(one, h[:]) {
			rest = append(rest, one...)
		}
	}
	if err := b.Delete(namedKey(h[:], who)); err != nil {
		return err
	}
	if len(rest) == 0 {
		return b.Delete(referrerKey(who))
	}
	return b.Put(referrerKey(who), rest)
}

// referrers are those who name the DN.
func referrers(tx *txn, h digest) []identity.Ordinal {
	b := tx.Bucket(bReferred)
	if b == nil {
		return nil
	}
	var out []identity.Ordinal
	for _, k := range under(b, append([]byte{byNamed}, h[:]...)) {
		out = append(out, identity.Ordinal(fromU64(k[1+len(h):])))
	}
	return out
}

// markReferrers marks them. Where again is false the mark of somebody who is being
// worked on stays as it is: a cycle looks at references once more at its end.
func markReferrers(tx *txn, h digest, again bool) error {
	for _, who := range referrers(tx, h) {
		if err := setMark(tx, who, again, []string{ReferReason}); err != nil {
			return err
		}
	}
	return nil
}

// referredMoves marks who refers to an account that others know by another name from
// now on, or that came or went.
func referredMoves(tx *txn, who identity.Ordinal, was, is *ledger.Link) error {
	called := func(l *ledger.Link) string {
		if l == nil || l.Phase == ledger.Deleted || l.Account == "" {
			return ""
		}
		return string(l.Account) + "\x00" + l.Reference
	}
	if called(was) == called(is) || tx.Bucket(bReferred) == nil {
		return nil
	}
	v := tx.Bucket(bPeople).Get(ordKey(who))
	if v == nil {
		return nil
	}
	e, err := decodeLean(v)
	if err != nil {
		return err
	}
	for _, h := range append(namesOf(&e), formers(tx, who)...) {
		if err := markReferrers(tx, h, false); err != nil {
			return err
		}
	}
	return nil
}

// namesOf are the names by which others can refer to somebody; none where the DN is no
// name.
func namesOf(e *entry) []digest { return names{e.source, e.dn, "", "", ""}.hashes(directory.Person) }

// Refer keeps whom the people name whose marks stay: what is asked of the index must
// not wait until they are settled.
func (s *Store) Refer(marks []ledger.Mark) error {
	for chunk := range slices.Chunk(marks, writeChunk) {
		if err := s.update(func(tx *txn) error {
			var there []ledger.Mark
			for _, m := range chunk {
				if tx.Bucket(bPeople).Get(ordKey(m.Person)) != nil {
					there = append(there, m)
				}
			}
			return refersTo(tx, there)
		}); err != nil {
			return fmt.Errorf("keep whom people name: %w", err)
		}
	}
	return nil
}

// forgetReferred leaves nothing of the name of somebody who is forgotten. Whoever
// names them still is marked, and looked at afresh.
func forgetReferred(tx *txn, who identity.Ordinal, e *entry) error {
	if err := refersTo(tx, []ledger.Mark{{Person: who}}); err != nil {
		return err
	}
	for _, h := range append(namesOf(e), formers(tx, who)...) {
		if err := markReferrers(tx, h, true); err != nil {
			return err
		}
		for _, other := range referrers(tx, h) {
			if err := unrefer(tx, other, h); err != nil {
				return err
			}
		}
	}
	return inherit(tx, who, 0)
}
