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

// setReferred keeps whom the person names; none takes it back.
func setReferred(tx *txn, who identity.Ordinal, names []identity.DN) error {
	b := tx.Bucket(bReferred)
	if b == nil {
		if len(names) == 0 {
			return nil
		}
		var err error
		if b, err = tx.CreateBucketIfNotExists(bReferred); err != nil {
			return err
		}
	}
	var now []byte
	if len(names) > 0 {
		e, err := decodeLean(tx.Bucket(bPeople).Get(ordKey(who)))
		if err != nil {
			return err
		}
		for _, n := range names {
			h := nameHash(byDN, e.source, n.Key())
			now = append(now, h[:]...)
		}
	}
	was := bytes.Clone(b.Get(referrerKey(who)))
	if bytes.Equal(was, now) {
		return nil
	}
	for h := range slices.Chunk(was, len(digest{})) {
		if err := b.Delete(namedKey(h, who)); err != nil {
			return err
		}
	}
	for h := range slices.Chunk(now, len(digest{})) {
		if err := b.Put(namedKey(h, who), one); err != nil {
			return err
		}
	}
	if len(now) == 0 {
		return b.Delete(referrerKey(who))
	}
	return b.Put(referrerKey(who), now)
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
	dn, err := identity.ParseDN(e.dn)
	if err != nil {
		return nil // nobody can name them
	}
	return markReferrers(tx, nameHash(byDN, e.source, dn.Key()), false)
}

// forgetReferred leaves nothing of the name of somebody who is forgotten. Whoever
// names them still is marked, and looked at afresh.
func forgetReferred(tx *txn, who identity.Ordinal, e *entry) error {
	if err := setReferred(tx, who, nil); err != nil {
		return err
	}
	for _, h := range (names{e.source, e.dn, "", "", ""}).hashes(directory.Person) {
		for _, other := range referrers(tx, h) {
			if err := setReferred(tx, other, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// Referred is whom a DN means in a source.
type Referred struct {
	// Known is false where several people may be meant.
	Known bool
	// Person is not valid where nobody is meant.
	Person identity.Ordinal
}

// Referred says of names whom they mean. Of several the one who is there is meant.
func (s *Store) Referred(source string, names []identity.DN) ([]Referred, error) {
	out := make([]Referred, len(names))
	err := s.view(func(tx *txn) error {
		src, is, err := sourceOf(tx, source)
		if err != nil || !is {
			return err
		}
		people := tx.Bucket(bPeople)
		for i, n := range names {
			var here, left []identity.Ordinal
			for _, o := range named(tx, nameHash(byDN, src.Num, n.Key())) {
				v := people.Get(ordKey(o))
				if v == nil {
					continue // a group
				}
				e, err := decodeLean(v)
				if err != nil {
					return err
				}
				if e.standing > identity.Disabled && e.standing <= identity.PresumedGone {
					left = append(left, o)
				} else {
					here = append(here, o)
				}
			}
			if len(here) == 0 {
				here = left
			}
			out[i].Known = len(here) < 2
			if len(here) == 1 {
				out[i].Person = here[0]
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read whom names mean: %w", err)
	}
	return out, nil
}
