package state

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Where a listing counts who lacks an attribute that half of all had, a follow sees a
// few people only. If nearly all of these lost the same, others are asked: witnesses,
// who have it as far as is known. Do they lack it too, then the right to read it was
// lost, which a listing of everything finds out.

const (
	// looked is how many others are looked at to find out whether half have it.
	looked = 50
	// asked is how many of those who have it are read again.
	asked = 5
)

// ofMembers stands for the members of groups among the attributes.
const ofMembers = "members of groups"

// loss counts who of those told of had something, and lacks it.
type loss struct {
	had, lack int
	// one of those who lack it: others are looked for after them.
	one identity.Ordinal
}

// suspects are what nine in ten of those who changed and had it lack: attributes, and
// members of groups that were read whole. Of members that were told to be lost one by
// one there is evidence.
func (c *Changes) suspects() map[string]loss {
	all := map[string]loss{}
	note := func(name string, lacks bool, who identity.Ordinal) {
		l := all[name]
		l.had++
		if lacks {
			l.lack++
			l.one = max(l.one, who)
		}
		all[name] = l
	}
	for _, t := range c.told {
		for _, name := range t.had {
			note(name, slices.Contains(t.lack, name), t.ordinal)
		}
		if t.members {
			note(ofMembers, t.emptied, t.ordinal)
		}
	}
	maps.DeleteFunc(all, func(_ string, l loss) bool { return l.lack == 0 || l.lack*10 < l.had*9 })
	return all
}

// Witnesses implements directory.Doubter.
func (c *Changes) Witnesses() ([]directory.Known, error) {
	if c.over {
		return nil, errOver
	}
	if c.witnesses == nil {
		c.witnesses = map[string][]directory.Known{}
	}
	var out []directory.Known
	seen := map[identity.ID]bool{}
	err := c.s.view(func(tx *txn) error {
		all := c.suspects()
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if _, chosen := c.witnesses[name]; chosen {
				continue
			}
			list, err := c.choose(tx, name, all[name])
			if err != nil {
				return err
			}
			c.witnesses[name] = list
			for _, k := range list {
				if !seen[k.ID] {
					seen[k.ID] = true
					out = append(out, k)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("choose witnesses of %s: %w", c.source, err)
	}
	return out, nil
}

// choose finds others that have it: none where fewer than half of those looked at do,
// or where there are too few for a share to say anything.
func (c *Changes) choose(tx *txn, name string, l loss) ([]directory.Known, error) {
	kind, bucket := directory.Person, bPeople
	if name == ofMembers {
		kind, bucket = directory.Group, bGroups
	}
	w := &words{tx: tx}
	cur := tx.Bucket(bucket).Cursor()
	var have, large []directory.Known
	others := 0
	// Those after the one who lacks it, and then from the first.
	k, v := cur.Seek(ordKey(l.one + 1))
	for turn, steps := 0, 0; others < looked && steps < 20*looked; steps++ {
		if k == nil {
			if turn++; turn > 1 {
				break
			}
			if k, v = cur.First(); k == nil {
				break
			}
		}
		if turn == 1 && identity.Ordinal(fromU64(k)) > l.one {
			break
		}
		e, err := decodeEntry(v)
		if err != nil {
			return nil, err
		}
		if e.source == c.num && e.standing < identity.OutOfScope && c.told[toldKey{id: e.id}] == nil {
			others++
			if has, err := w.has(&e, name); err != nil {
				return nil, err
			} else if has {
				dn, err := keptDN(e.dn)
				if err != nil {
					return nil, err
				}
				k := directory.Known{Kind: kind, ID: e.id, DN: dn}
				if e.members > memberChunk {
					large = append(large, k) // if there is nobody else
				} else {
					have = append(have, k)
				}
			}
		}
		k, v = cur.Next()
	}
	have = append(have, large...)
	if len(have)*2 < others || l.had+len(have) < atLeast {
		return nil, nil
	}
	return have[:min(asked, len(have))], nil
}

// has says whether an entry has an attribute, or members.
func (w *words) has(e *entry, name string) (bool, error) {
	if name == ofMembers {
		return e.members > 0, nil
	}
	c, err := w.coverage(e.coverage)
	if err != nil {
		return false, err
	}
	n, is := slices.BinarySearch(c.Names(), name)
	return is && slices.ContainsFunc(e.attributes, func(a attribute) bool { return a.name == n }), nil
}

// lostRight leaves it to a listing where the witnesses lack it too, or where nobody
// asked them.
func (c *Changes) lostRight(tx *txn) error {
	all := c.suspects()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		l := all[name]
		list, chosen := c.witnesses[name]
		if !chosen {
			var err error
			if list, err = c.choose(tx, name, l); err != nil {
				return err
			}
		}
		if len(list) == 0 {
			continue
		}
		for _, k := range list {
			t := c.told[toldKey{id: k.ID}]
			switch {
			case t == nil:
				return c.leave("%s lost by %d of %d who changed, and nobody looked whether others have it still", name, l.lack, l.had)
			case t.what == toldPut && len(t.had) == 0 && !t.members:
				l.had++ // it is as it was
			}
		}
		if nineInTen(l.lack, l.had) {
			return c.leave("%s lost by %d of %d who had it", name, l.lack, l.had)
		}
	}
	return nil
}
