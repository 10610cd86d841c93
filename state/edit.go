package state

import (
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Edit takes what members groups gained and lost, all else being as it is known: at
// the cost of what changed, however large the group is. Of a member that is lost and
// gained in one edit, the group has it. A group that nobody knows, or that is thought
// to be gone, makes everything be read; of one out of scope nothing is kept.
func (c *Changes) Edit(edits []directory.Edit) error {
	if c.over {
		return errOver
	}
	if err := c.s.view(func(tx *txn) error {
		for i := range edits {
			if err := c.edit(tx, &edits[i]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return fmt.Errorf("stage changes of %s: %w", c.source, err)
	}
	return c.flushFull()
}

func (c *Changes) edit(tx *txn, e *directory.Edit) error {
	t := c.told[toldKey{id: e.Group}]
	if t == nil {
		var err error
		if t, err = c.tell(tx, e.Group, directory.Group); err != nil {
			return err
		}
		t.what, t.dn = toldEdit, t.wasDN
		switch {
		case !t.known:
			return c.leave("the members of a group changed that is not known")
		case t.standing == identity.OutOfScope:
			t.what = toldLeft
			return nil
		case !t.normal():
			return c.leave("the members of a group changed that was thought to be %s", t.standing)
		}
	}
	switch {
	case t.kind != directory.Group:
		return c.leave("members of a %s changed", t.kind)
	case t.what == toldLeft && t.standing == identity.OutOfScope:
		return nil
	case t.what == toldLeft || t.what == toldGone:
		return c.leave("the members of a group changed after it was told to be gone")
	}
	diff := editDiff(e)
	if t.known && len(t.at) == 0 {
		diff = c.effect(tx, t, diff)
	}
	if len(diff) == 0 {
		return nil
	}
	from := c.at()
	c.put(encodeEdit(&c.scratch, e.Group, t.ordinal))
	c.putRefs(stDiff, diff)
	t.at = append(t.at, span{from, c.at() - from})
	return nil
}

// editDiff lists what was lost, and then what was gained, each once.
func editDiff(e *directory.Edit) []string {
	gained, lost := refsOf(&directory.Entry{Members: e.Gained}), refsOf(&directory.Entry{Members: e.Lost})
	has := make(map[string]bool, len(gained))
	for _, r := range gained {
		has[r] = true
	}
	var out []string
	for _, r := range lost {
		if !has[r] {
			out = append(out, "-"+r)
		}
	}
	return append(out, signed('+', gained)...)
}

// effect is what of an edit changes the group as the snapshot has it.
func (c *Changes) effect(tx *txn, t *told, diff []string) []string {
	edges := tx.Bucket(bMemberOf)
	out := diff[:0]
	for _, d := range diff {
		k, _ := edge(c.num, t.ordinal, d[1:])
		if has := edges.Get(k) != nil; has == (d[0] == '-') {
			out = append(out, d)
		}
	}
	return out
}

// encodeEdit writes a record of kind stEdit. The ordinal is 0 for a group that was
// new just before.
func encodeEdit(w *writer, id identity.ID, group identity.Ordinal) []byte {
	w.b = w.b[:0]
	w.byte(stEdit)
	w.text(string(id))
	w.uint(uint64(group))
	return append([]byte(nil), w.b...)
}

func decodeEdit(b []byte) (id identity.ID, group identity.Ordinal, err error) {
	r := reader{b: b}
	r.form(stEdit)
	id, group = identity.ID(r.text()), identity.Ordinal(r.uint())
	return id, group, r.end()
}

// edit changes the members of a group and nothing else of it.
func (m *mover) edit(o operation) error {
	ord, err := m.groupOf(m.tx, o)
	if err != nil {
		return err
	}
	v := m.tx.Bucket(bGroups).Get(ordKey(ord))
	if v == nil {
		return fmt.Errorf("%w (no group %s)", ErrCorrupt, o.id)
	}
	old, err := decodeEntry(v)
	if err != nil {
		return err
	}
	var diff []string
	if err := m.tail(o.seq, func(v []byte) error {
		m.bytes += len(v)
		part, err := decodeRefs(stDiff, v)
		diff = append(diff, part...)
		return err
	}); err != nil {
		return err
	}
	diff, err = editRefs(m.tx, ord, diff)
	if err != nil || len(diff) == 0 {
		return err
	}
	if err := putEdges(m.tx, m.rec.Num, ord, diff); err != nil {
		return err
	}
	e := old
	for _, d := range diff {
		if d[0] == '+' {
			e.members++
		} else {
			e.members--
		}
	}
	e.digest = edited
	return putEntry(m.tx, bGroups, ord, &old, &e, digest{}, false)
}
