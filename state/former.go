package state

import (
	"bytes"
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// Not every server follows a manager whose entry moves in the entries of others. A name
// by which somebody refers to them means them still, until somebody else has it: a
// person is their ordinal, and a DN only what they are called.

const (
	byFormer = 'f' // hash of a DN ‖ who had it last → 1
	byBearer = 'w' // who had names → the hashes
)

func formerKey(h []byte, who identity.Ordinal) []byte {
	return append(append([]byte{byFormer}, h...), ordKey(who)...)
}

func bearerKey(who identity.Ordinal) []byte { return append([]byte{byBearer}, ordKey(who)...) }

// former is who had the name last; not valid where nobody is known to have had it, or
// nobody refers to anybody by it.
func former(tx *txn, h []byte) identity.Ordinal {
	b := tx.Bucket(bReferred)
	if b == nil {
		return 0
	}
	for _, k := range under(b, append([]byte{byFormer}, h...)) {
		return identity.Ordinal(fromU64(k[1+len(h):]))
	}
	return 0
}

// formers are the names that somebody had and others refer to them by.
func formers(tx *txn, who identity.Ordinal) []digest {
	b := tx.Bucket(bReferred)
	if b == nil {
		return nil
	}
	var out []digest
	for h := range slices.Chunk(b.Get(bearerKey(who)), len(digest{})) {
		out = append(out, digest(h))
	}
	return out
}

// leftName keeps that a name which somebody has no more means them still, where others
// refer to them by it and nobody else who is there has it.
func leftName(tx *txn, h digest, who identity.Ordinal) error {
	if len(referrers(tx, h)) == 0 {
		return nil
	}
	for _, o := range named(tx, h) {
		if o == who {
			continue
		}
		if tx.Bucket(bGroups).Get(ordKey(o)) != nil {
			return nil
		}
		v := tx.Bucket(bPeople).Get(ordKey(o))
		if v == nil {
			continue
		}
		e, err := decodeLean(v)
		if err != nil || !e.left() {
			return err
		}
	}
	if err := forgetFormer(tx, h[:]); err != nil {
		return err
	}
	b := tx.Bucket(bReferred)
	if err := b.Put(formerKey(h[:], who), one); err != nil {
		return err
	}
	return b.Put(bearerKey(who), append(bytes.Clone(b.Get(bearerKey(who))), h[:]...))
}

// forgetFormer forgets who had the name.
func forgetFormer(tx *txn, h []byte) error {
	who := former(tx, h)
	if !who.Valid() {
		return nil
	}
	b := tx.Bucket(bReferred)
	if err := b.Delete(formerKey(h, who)); err != nil {
		return err
	}
	var rest []byte
	for had := range slices.Chunk(bytes.Clone(b.Get(bearerKey(who))), len(digest{})) {
		if !bytes.Equal(had, h) {
			rest = append(rest, had...)
		}
	}
	if len(rest) == 0 {
		return b.Delete(bearerKey(who))
	}
	return b.Put(bearerKey(who), rest)
}

// inherit gives the former names of one person to another who is the same; nobody
// takes them back.
func inherit(tx *txn, from, to identity.Ordinal) error {
	for _, h := range formers(tx, from) {
		if err := forgetFormer(tx, h[:]); err != nil {
			return err
		}
		if !to.Valid() {
			continue
		}
		if err := leftName(tx, h, to); err != nil {
			return err
		}
	}
	return nil
}

// left says whether somebody is not there any more, for all that is known.
func (e *entry) left() bool {
	return e.standing > identity.Disabled && e.standing <= identity.PresumedGone
}
