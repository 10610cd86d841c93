package state

import (
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// mover applies the operations of a drain within one transaction.
type mover struct {
	*drain
	tx    *txn
	w     words
	bytes int
}

func (m *mover) apply(o operation) error {
	if o.rule != nil {
		m.bytes += 256
		return m.rule(*o.rule)
	}
	v := m.tx.Bucket(bStage).Get(u64(o.seq))
	if o.kind == directory.Container {
		return m.container(v)
	}
	if o.edit {
		return m.edit(o)
	}
	st, err := decodeStaged(v)
	if err != nil {
		return err
	}
	m.bytes += len(v)
	if st.e.kind == directory.Group {
		return m.group(o, &st)
	}
	return m.person(&st)
}

// person moves one person.
func (m *mover) person(st *staged) error {
	u, ruled := m.overrides[st.e.id]
	ord := st.ordinal
	if ruled && u.relink.Valid() {
		ord = u.relink
	}
	old, err := m.old(bPeople, ord)
	if err != nil {
		return err
	}
	e := st.e
	e.present()
	if ruled && !u.relink.Valid() {
		e.doubted(u)
	}
	if ruled && u.relink.Valid() {
		e.why = u.why
	}
	var reasons []string
	switch {
	case old == nil:
		reasons = append(reasons, "new")
	case old.id != e.id:
		reasons = append(reasons, "returned under a new ID")
	case back(old, &e):
		reasons = append(reasons, "is back")
	case old.standing != e.standing || old.doubt != e.doubt:
		reasons = append(reasons, e.stand())
	}
	if old != nil && st.differs {
		reasons = append(reasons, "changed")
	}
	if len(reasons) == 0 {
		return nil
	}
	if ord, err = m.keep(bPeople, ord, old, &e, st.key); err != nil {
		return err
	}
	if !m.rec.Load {
		if err := m.namesakes(ord, old, &e); err != nil {
			return err
		}
	}
	return m.mark(m.tx, ord, reasons...)
}

// present gives the standing of an entry that was shown, but for dates: what is
// kept does not change by itself, and what a date means is worked out when the
// person is looked at.
func (e *entry) present() {
	e.standing, e.doubt, e.absent, e.why = identity.Active, identity.NoDoubt, absence{}, "in the directory"
	if e.kind == directory.Person && e.validity.ClosedBy != "" {
		e.standing, e.why = identity.Disabled, "disabled at the source by "+e.validity.ClosedBy
	}
}

// doubted gives the standing of an entry that was shown and is doubted. What
// the entry itself says of being disabled is not in doubt.
func (e *entry) doubted(u ruling) {
	if e.standing == identity.Disabled && u.doubt == identity.SharedKey {
		return
	}
	e.standing, e.doubt, e.why = u.standing, u.doubt, u.why
}

// back says whether somebody is there again who was absent, or thought gone.
func back(old, now *entry) bool {
	was := old.standing >= identity.OutOfScope || old.doubt == identity.SecondLook || old.doubt == identity.Blackout
	return was && (now.standing == identity.Active || now.standing == identity.Disabled)
}

func (e *entry) stand() string {
	if e.doubt != identity.NoDoubt {
		return e.standing.String() + ": " + e.doubt.String()
	}
	return e.standing.String()
}

// old reads the entry as the snapshot has it; nil for one that is new.
func (m *mover) old(bucket []byte, ord identity.Ordinal) (*entry, error) {
	if !ord.Valid() {
		return nil, nil
	}
	v := m.tx.Bucket(bucket).Get(ordKey(ord))
	if v == nil {
		return nil, fmt.Errorf("%w (no value for %s)", ErrCorrupt, ord)
	}
	e, err := decodeLean(v)
	return &e, err
}

// keep writes an entry and its indexes, and returns its ordinal.
func (m *mover) keep(bucket []byte, ord identity.Ordinal, old, e *entry, key digest) (identity.Ordinal, error) {
	e.since = m.rec.At
	if old != nil && old.standing == e.standing && old.doubt == e.doubt {
		e.since = old.since
	}
	if !ord.Valid() {
		n, err := next(m.tx, kOrdinal, 1)
		if err != nil {
			return 0, err
		}
		ord = identity.Ordinal(n)
	}
	return ord, putEntry(m.tx, bucket, ord, old, e, key, !m.rec.Load)
}

// putEntry writes an entry, its place in the index of IDs and, if so told,
// its names.
func putEntry(tx *txn, bucket []byte, ord identity.Ordinal, old, e *entry, key digest, index bool) error {
	ids := tx.Bucket(bIDs)
	if old != nil && old.id != e.id {
		if err := ids.Delete(idKey(old.source, old.kind, old.id)); err != nil {
			return err
		}
	}
	iv := idValue{ordinal: ord, standing: e.standing, doubt: e.doubt, digest: e.digest, key: key}
	if err := ids.Put(idKey(e.source, e.kind, e.id), iv.encode()); err != nil {
		return err
	}
	if err := tx.Bucket(bucket).Put(ordKey(ord), e.encode()); err != nil {
		return err
	}
	if e.kind == directory.Group {
		if err := believed(tx, ord, old, e); err != nil {
			return err
		}
	}
	if !index {
		return nil
	}
	return renamed(tx, ord, old, e)
}

// namesakes marks those whose login differs from this one in case alone: who
// of them a member is meant to be may have changed.
func (m *mover) namesakes(ord identity.Ordinal, old, e *entry) error {
	if old != nil && old.login == e.login {
		return nil
	}
	logins := []string{e.login}
	if old != nil {
		logins = append(logins, old.login)
	}
	for _, l := range logins {
		if l == "" {
			continue
		}
		for _, o := range named(m.tx, nameHash(byLogin, e.source, foldLogin(l))) {
			if o == ord {
				continue
			}
			if err := m.mark(m.tx, o, "another person's login"); err != nil {
				return err
			}
		}
	}
	return nil
}

// group moves one group with its members.
func (m *mover) group(o operation, st *staged) error {
	old, err := m.old(bGroups, st.ordinal)
	if err != nil {
		return err
	}
	e := st.e
	e.present()
	if old != nil && !st.differs && old.digest == e.digest && old.standing == e.standing && old.doubt == e.doubt {
		return nil
	}
	ord, err := m.keep(bGroups, st.ordinal, old, &e, digest{})
	if err != nil {
		return err
	}
	var refs, diff []string
	err = m.tail(o.seq, func(v []byte) error {
		m.bytes += len(v)
		list := &diff
		if v[0] == stMembers {
			list = &refs
		}
		part, err := decodeRefs(v[0], v)
		*list = append(*list, part...)
		return err
	})
	if err != nil {
		return err
	}
	if old != nil {
		diff, err = editRefs(m.tx, ord, diff)
	} else if err = putRefs(m.tx, ord, refs); !m.rec.Load {
		diff = signed('+', refs)
	}
	if err != nil || len(diff) == 0 {
		return err
	}
	return putEdges(m.tx, m.rec.Num, ord, diff)
}

// tailOf calls f for the records that follow the entry of a group.
func (d *drain) tailOf(tx *txn, seq uint64, f func([]byte) error) error {
	c := tx.Bucket(bStage).Cursor()
	c.Seek(u64(seq))
	for k, v := c.Next(); k != nil && len(v) > 0 && (v[0] == stMembers || v[0] == stDiff); k, v = c.Next() {
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}

func (m *mover) tail(seq uint64, f func([]byte) error) error { return m.tailOf(m.tx, seq, f) }

// rule applies what an absence means, or a doubt about somebody who is shown
// and did not change.
func (m *mover) rule(u ruling) error {
	bucket := bPeople
	if u.kind == directory.Group {
		bucket = bGroups
	}
	old, err := m.old(bucket, u.ordinal)
	if err != nil || old == nil {
		return err
	}
	e := *old
	if u.dn != "" && u.dn != old.dn {
		if err := e.called(u.dn); err != nil {
			return err
		}
	}
	if u.absent {
		e.standing, e.doubt, e.why, e.absent = u.standing, u.doubt, u.why, u.first
	} else {
		e.doubted(u)
	}
	if _, err := m.keep(bucket, u.ordinal, old, &e, rehireHash(e.rehireKey)); err != nil {
		return err
	}
	if u.kind == directory.Group {
		return nil
	}
	if old.standing == e.standing && old.doubt == e.doubt {
		return nil
	}
	if u.doubt == identity.SecondLook && !m.rec.SecondLookAt.IsZero() {
		if err := putDue(m.tx, []ledger.Due{{Person: u.ordinal, At: m.rec.SecondLookAt, Reason: "second look"}}); err != nil {
			return err
		}
	}
	return m.mark(m.tx, u.ordinal, e.stand())
}
