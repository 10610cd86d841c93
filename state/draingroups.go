package state

import (
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// markGroups marks those whose membership changes by what happened to groups.
// Sign "-" is for who loses, and is asked before anything is moved; "+" is for
// who gains, and is asked after. Marking twice does no harm, so that a kill in
// between costs nothing.
func (d *drain) markGroups(sign byte, then int) error {
	if !d.rec.Load { // in a first load everybody is new, and so dirty
		for _, o := range d.ops {
			if err := d.markGroup(sign, o); err != nil {
				return err
			}
		}
	}
	if then == d.at.Step {
		return nil
	}
	at := progress{Step: then}
	err := d.s.update(func(tx *txn) error { return d.step(tx, at) })
	if err == nil {
		d.at = at
	}
	return err
}

func (d *drain) markGroup(sign byte, o operation) error {
	ofGroup := o.kind == directory.Group || o.rule != nil && o.rule.kind == directory.Group && sign == '-'
	if !ofGroup {
		return nil
	}
	set := map[identity.Ordinal]bool{}
	note := func(p identity.Ordinal) { set[p] = true }
	name := ""
	err := d.s.view(func(tx *txn) error {
		if o.rule != nil {
			return d.belowAbsent(tx, o.rule, &name, note)
		}
		ord, err := d.groupOf(tx, o)
		if err != nil {
			return err
		}
		if name, err = d.groupName(tx, o, ord); err != nil {
			return err
		}
		if o.whole {
			if !ord.Valid() {
				return nil
			}
			return belowGroup(tx, d.rec.Num, ord, note)
		}
		seen := map[identity.Ordinal]bool{ord: true}
		return d.tailOf(tx, o.seq, func(v []byte) error {
			if v[0] != stDiff {
				return nil
			}
			diff, err := decodeRefs(stDiff, v)
			if err != nil {
				return err
			}
			for _, r := range diff {
				if r[0] != sign {
					continue
				}
				if err := below(tx, d.rec.Num, r[1:], seen, note); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(sortedOrdinals(set), writeChunk) {
		if err := d.s.update(func(tx *txn) error {
			for _, p := range chunk {
				if err := d.mark(tx, p, "group "+name); err != nil {
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

// groupOf is the ordinal of the group of an operation: none before a new one was
// moved.
func (d *drain) groupOf(tx *txn, o operation) (identity.Ordinal, error) {
	if o.ord.Valid() {
		return o.ord, nil
	}
	v := tx.Bucket(bIDs).Get(idKey(d.rec.Num, directory.Group, o.id))
	if v == nil {
		return 0, nil
	}
	iv, err := decodeIDValue(v)
	return iv.ordinal, err
}

func (d *drain) groupName(tx *txn, o operation, ord identity.Ordinal) (string, error) {
	if !o.edit {
		st, err := decodeStaged(tx.Bucket(bStage).Get(u64(o.seq)))
		return st.e.name, err
	}
	v := tx.Bucket(bGroups).Get(ordKey(ord))
	if v == nil {
		return "", nil // it is new, and read whole before
	}
	e, err := decodeLean(v)
	return e.name, err
}

// belowAbsent is for a group whose absence takes its members' membership.
func (d *drain) belowAbsent(tx *txn, u *ruling, name *string, note func(identity.Ordinal)) error {
	v := tx.Bucket(bGroups).Get(ordKey(u.ordinal))
	if v == nil {
		return ErrCorrupt
	}
	old, err := decodeLean(v)
	if err != nil {
		return err
	}
	*name = old.name
	now := old
	now.standing = u.standing
	if old.standing == now.standing && old.doubt == u.doubt {
		return nil
	}
	// Also where it stays effective: its pin is not sound any more.
	return belowGroup(tx, d.rec.Num, u.ordinal, note)
}
