package state

import (
	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// What only a whole listing can decide, in words that name nobody: they are kept. A change that looks like one of these makes
// everything be read, where the rules of a listing apply; nothing is decided by half.

// usualRekey is how many IDs may be replaced at once where nothing else is said.
const usualRekey = 5

// decided returns an *UndecidedError where what was told is not enough to judge it.
func (c *Changes) decided(tx *txn, src sourceRecord, r SealRules) error {
	d := decider{c: c, tx: tx, byOrdinal: map[identity.Ordinal]*told{}, keys: map[string]bool{}, names: map[string]bool{}}
	for k, t := range c.told {
		if t.known && !k.container {
			d.byOrdinal[t.ordinal] = t
		}
	}
	for _, k := range c.sorted() {
		if k.container {
			continue
		}
		if err := d.one(c.told[k]); err != nil {
			return err
		}
	}
	if d.replaced > r.MaxRekey {
		return c.leave("%d entries at once have the name of another that was deleted", d.replaced)
	}
	if left := src.People + c.count().People; left <= 0 && src.People >= atLeast {
		return c.leave("nobody would be left")
	}
	return c.lostRight(tx)
}

type decider struct {
	c         *Changes
	tx        *txn
	byOrdinal map[identity.Ordinal]*told
	// keys and names are those that entries have now.
	keys, names map[string]bool
	replaced    int
}

func (d *decider) one(t *told) error {
	if t.known && (t.doubt == identity.SharedKey || t.doubt == identity.Rekeyed) {
		// Somebody else's doubt hangs on this one.
		return d.c.leave("a %s who changed was held in doubt: %s", t.kind, t.doubt)
	}
	if err := d.shares(t); err != nil {
		return err
	}
	if t.what != toldPut {
		return nil
	}
	if d.names[t.dn.Key()] {
		return d.c.leave("two entries have one name")
	}
	d.names[t.dn.Key()] = true
	if !t.known || !t.wasDN.Equal(t.dn) {
		if err := d.name(t); err != nil {
			return err
		}
	}
	if t.kind != directory.Person || t.key == "" {
		return nil
	}
	if d.keys[t.key] {
		return d.c.leave("two entries carry the same rehire key")
	}
	d.keys[t.key] = true
	if t.known && t.normal() && rehireHash(t.key) == t.idValue.key {
		return nil
	}
	for _, o := range named(d.tx, nameHash(byKey, d.c.num, t.key)) {
		if !t.known || o != t.ordinal {
			return d.c.leave("an entry carries the rehire key of somebody known")
		}
	}
	return nil
}

// shares looks whether somebody else carries the rehire key that one known had: who is
// closed at the source is not doubted for that, and the other is.
func (d *decider) shares(t *told) error {
	if !t.known || t.settled() || t.kind != directory.Person || t.idValue.key == (digest{}) {
		return nil
	}
	was, err := d.entry(t.ordinal)
	if err != nil {
		return err
	}
	keeps := t.what == toldPut && t.key == was.rehireKey
	for _, o := range named(d.tx, nameHash(byKey, d.c.num, was.rehireKey)) {
		if o == t.ordinal {
			continue
		}
		other, err := d.entry(o)
		if err != nil {
			return err
		}
		if other.doubt == identity.SharedKey || keeps && other.standing < identity.OutOfScope {
			return d.c.leave("another entry carries the rehire key of somebody who changed")
		}
	}
	return nil
}

// name looks who had the name that an entry has now.
func (d *decider) name(t *told) error {
	for _, o := range named(d.tx, nameHash(byDN, d.c.num, t.dn.Key())) {
		if t.known && o == t.ordinal {
			continue
		}
		switch now := d.byOrdinal[o]; {
		case now == nil:
			e, err := d.entry(o)
			if err != nil {
				return err
			}
			if e.standing < identity.OutOfScope {
				return d.c.leave("an entry has the name of somebody who is thought to be there under another ID")
			}
		case now.what == toldEdit:
			return d.c.leave("an entry has the name of a group that is thought to be there under another ID")
		case now.what == toldGone && !now.settled() && !t.known:
			d.replaced++
		}
	}
	return nil
}

// entry reads a person or a group.
func (d *decider) entry(o identity.Ordinal) (entry, error) {
	for _, bucket := range [][]byte{bPeople, bGroups} {
		if v := d.tx.Bucket(bucket).Get(ordKey(o)); v != nil {
			return decodeLean(v)
		}
	}
	return entry{}, ErrCorrupt
}
