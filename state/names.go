package state

import (
	"maps"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// idValue is what the index of IDs says of an entry: enough to compare a
// listing without reading values.
type idValue struct {
	ordinal  identity.Ordinal
	standing identity.Standing
	doubt    identity.Doubt
	digest   digest
	key      digest // of the rehire key; zero where there is none
}

// settled: no listing changes anything by not showing it.
func (v *idValue) settled() bool { return v.standing >= identity.OutOfScope }

// normal: it is as an entry that was seen.
func (v *idValue) normal() bool {
	return (v.standing == identity.Active || v.standing == identity.Disabled) && v.doubt == identity.NoDoubt
}

func idKey(source uint64, kind directory.Kind, id identity.ID) []byte {
	return append(idPrefix(source, kind), id...)
}

func idPrefix(source uint64, kind directory.Kind) []byte { return append(u64(source), byte(kind)) }

const idForm = 1

func (v idValue) encode() []byte {
	w := writer{}
	w.byte(idForm)
	w.uint(uint64(v.ordinal))
	w.byte(byte(v.standing))
	w.byte(byte(v.doubt))
	w.raw(v.digest[:])
	if v.key != (digest{}) {
		w.raw(v.key[:])
	}
	return w.b
}

func decodeIDValue(b []byte) (idValue, error) {
	r := reader{b: b}
	var v idValue
	r.form(idForm)
	v.ordinal, v.standing, v.doubt = identity.Ordinal(r.uint()), identity.Standing(r.byte()), identity.Doubt(r.byte())
	r.fixed(v.digest[:])
	if len(r.b) > 0 {
		r.fixed(v.key[:])
	}
	return v, r.end()
}

// rehireHash is zero for no key.
func rehireHash(key string) digest {
	if key == "" {
		return digest{}
	}
	return digestOf("k", key)
}

// named returns the ordinals under a name hash, ascending.
func named(tx *txn, h digest) []identity.Ordinal {
	var out []identity.Ordinal
	c := tx.Bucket(bNames).Cursor()
	for k, _ := c.Seek(h[:]); k != nil && hasPrefix(k, h[:]); k, _ = c.Next() {
		out = append(out, identity.Ordinal(fromU64(k[len(h):])))
	}
	return out
}

// hashes are the keys by which an entry is found.
func (n names) hashes(kind directory.Kind) []digest {
	out := make([]digest, 0, 4)
	if dn, err := identity.ParseDN(n.dn); err == nil {
		out = append(out, nameHash(byDN, n.source, dn.Key()))
	}
	if kind == directory.Person {
		if n.login != "" {
			out = append(out, nameHash(byLogin, n.source, foldLogin(n.login)))
		}
		if n.mail != "" {
			out = append(out, nameHash(byMail, n.source, foldLogin(n.mail)))
		}
		if n.rehireKey != "" {
			out = append(out, nameHash(byKey, n.source, n.rehireKey))
		}
	}
	return out
}

func (e *entry) hashes() []digest {
	return names{e.source, e.dn, e.login, e.mail, e.rehireKey}.hashes(e.kind)
}

func nameKey(h digest, o identity.Ordinal) []byte { return append(h[:], ordKey(o)...) }

// renamed moves an entry in the index from its old names to its new ones; old
// or new may be nil.
func renamed(tx *txn, o identity.Ordinal, old, now *entry) error {
	b := tx.Bucket(bNames)
	var before, after []digest
	var source uint64
	if old != nil {
		before, source = old.hashes(), old.source
	}
	if now != nil {
		after, source = now.hashes(), now.source
	}
	for _, h := range before {
		if !slices.Contains(after, h) {
			if err := b.Delete(nameKey(h, o)); err != nil {
				return err
			}
			if err := markReferrers(tx, h, true); err != nil {
				return err
			}
			if now != nil && now.kind == directory.Person {
				if err := leftName(tx, h, o); err != nil {
					return err
				}
			}
			if err := nobody(tx, source, h, +1); err != nil {
				return err
			}
		}
	}
	for _, h := range after {
		if !slices.Contains(before, h) {
			// Asked before anybody has it.
			if err := nobody(tx, source, h, -1); err != nil {
				return err
			}
			if err := b.Put(nameKey(h, o), one); err != nil {
				return err
			}
			if err := forgetFormer(tx, h[:]); err != nil {
				return err
			}
			if err := markReferrers(tx, h, true); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedOrdinals(set map[identity.Ordinal]bool) []identity.Ordinal {
	return slices.Sorted(maps.Keys(set))
}
