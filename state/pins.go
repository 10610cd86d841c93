package state

import (
	"fmt"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// pinRecord is what is kept of a pin.
type pinRecord struct {
	Group identity.Ordinal
	ID    identity.ID
	Had   int
}

func pinKey(source, written string) []byte {
	key := written
	if dn, err := identity.ParseDN(written); err == nil {
		key = dn.Key()
	}
	if len(key) > 4096 {
		d := digestOf(key)
		key = string(d[:])
	}
	return append(append([]byte(source), 0), key...)
}

// Pins ties the groups that the policy names to the IDs they have when they
// are first read, and says what became of them. The result has one pin for
// each name, in the same order.
func (s *Store) Pins(source string, written []string) ([]ledger.Pin, error) {
	return pins(s.update, source, written, pin)
}

// Pinned is what Pins would say now; it ties nothing. Who only asks what a policy
// would do leaves no trace of it.
func (s *Store) Pinned(source string, written []string) ([]ledger.Pin, error) {
	return pins(s.view, source, written, func(tx *txn, num uint64, source, written string) (ledger.Pin, error) {
		p, _, err := look(tx, num, source, written)
		return p, err
	})
}

func pins(within func(func(*txn) error) error, source string, written []string, one func(tx *txn, num uint64, source, written string) (ledger.Pin, error)) ([]ledger.Pin, error) {
	out := make([]ledger.Pin, 0, len(written))
	err := within(func(tx *txn) error {
		src, _, err := sourceOf(tx, source)
		if err != nil {
			return err
		}
		for _, w := range written {
			p, err := one(tx, src.Num, source, w)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("pin groups of %s: %w", source, err)
	}
	return out, nil
}

// groupAt returns the group that is there under the DN now.
func groupAt(tx *txn, source uint64, dn identity.DN) (identity.Ordinal, *entry, error) {
	for _, o := range named(tx, nameHash(byDN, source, dn.Key())) {
		v := tx.Bucket(bGroups).Get(ordKey(o))
		if v == nil {
			continue
		}
		e, err := decodeLean(v)
		if err != nil {
			return 0, nil, err
		}
		if e.standing == identity.Active {
			return o, &e, nil
		}
	}
	return 0, nil, nil
}

// pin ties the group, if it was not tied, and keeps how many members it had.
func pin(tx *txn, num uint64, source, written string) (ledger.Pin, error) {
	p, keep, err := look(tx, num, source, written)
	if err != nil || keep == nil {
		return p, err
	}
	return p, putJSON(tx.Bucket(bPins), pinKey(source, written), *keep)
}

// look says what became of a pinned group, or which one would be pinned, and what
// is to be kept of that; nil: nothing is.
func look(tx *txn, num uint64, source, written string) (ledger.Pin, *pinRecord, error) {
	p := ledger.Pin{Source: source, Written: written}
	dn, err := identity.ParseDN(written)
	if err != nil || dn.IsZero() {
		return p, nil, nil
	}
	var r pinRecord
	pinned, err := getJSON(tx.Bucket(bPins), pinKey(source, written), &r)
	if err != nil {
		return p, nil, err
	}
	at, here, err := groupAt(tx, num, dn)
	if err != nil {
		return p, nil, err
	}
	if !pinned {
		if here == nil {
			return p, nil, nil
		}
		r = pinRecord{Group: at, ID: here.id, Had: here.members}
		p.Group, p.ID, p.DN, p.Status, p.Members, p.Had = at, here.id, here.dn, ledger.PinOK, here.members, here.members
		return p, &r, nil
	}
	v := tx.Bucket(bGroups).Get(ordKey(r.Group))
	if v == nil {
		return p, nil, fmt.Errorf("%w (no pinned group %s)", ErrCorrupt, r.Group)
	}
	e, err := decodeLean(v)
	if err != nil {
		return p, nil, err
	}
	p.Group, p.ID, p.DN, p.Members, p.Had = r.Group, r.ID, e.dn, e.members, r.Had
	if r.Had >= ledger.EmptiedFrom && e.members < ledger.EmptiedFrom {
		// A group that must have a member keeps a placeholder, which is nobody.
		if some, err := peopled(tx, num, r.Group); err != nil {
			return p, nil, err
		} else if !some {
			p.Members = 0
		}
	}
	p.Status = pinStatus(&e, dn, here != nil && at != r.Group, p.Members, r.Had)
	if p.Status.Sound() && e.members > r.Had {
		r.Had, p.Had = e.members, e.members
		return p, &r, nil
	}
	return p, nil, nil
}

// peopled says whether anybody known is below a group.
func peopled(tx *txn, source uint64, group identity.Ordinal) (bool, error) {
	seen := map[identity.Ordinal]bool{group: true}
	stack := []identity.Ordinal{group}
	for len(stack) > 0 {
		g := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		refs, err := groupRefs(tx, g)
		if err != nil {
			return false, err
		}
		for _, ref := range refs {
			found, err := resolve(tx, source, ref)
			if err != nil {
				return false, err
			}
			for _, o := range found {
				if tx.Bucket(bGroups).Get(ordKey(o)) == nil {
					return true, nil
				}
				if !seen[o] {
					seen[o] = true
					stack = append(stack, o)
				}
			}
		}
	}
	return false, nil
}

func pinStatus(e *entry, written identity.DN, another bool, members, had int) ledger.PinStatus {
	now, err := identity.ParseDN(e.dn)
	switch {
	case another:
		return ledger.PinReplaced
	case err != nil || e.standing != identity.Active:
		return ledger.PinMissing
	case members == 0 && had >= ledger.EmptiedFrom:
		return ledger.PinEmptied
	case !now.Equal(written):
		return ledger.PinRenamed
	}
	return ledger.PinOK
}

// AcceptPin takes the present state of a pinned group as good: what is missing
// is gone, what is empty is empty, and whoever has its DN is meant. Everybody
// of the source is looked at afresh. Nobody has decided so where by is empty.
func (s *Store) AcceptPin(source, written, by string) error {
	err := s.update(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		src, _, err := sourceOf(tx, source)
		if err != nil {
			return err
		}
		p, err := pin(tx, src.Num, source, written)
		if err != nil {
			return err
		}
		key := pinKey(source, written)
		switch p.Status {
		case ledger.PinReplaced, ledger.PinMissing:
			// Not there, and by a person's word, so it gives nothing from now on.
			if err := dismiss(tx, p.Group); err != nil {
				return err
			}
			if err := tx.Bucket(bPins).Delete(key); err != nil {
				return err
			}
			if _, err := pin(tx, src.Num, source, written); err != nil {
				return err
			}
		case ledger.PinEmptied:
			if err := putJSON(tx.Bucket(bPins), key, pinRecord{Group: p.Group, ID: p.ID, Had: p.Members}); err != nil {
				return err
			}
		default:
			return nil
		}
		return s.noteDecision(tx, recordOf("accept-group"), map[string]any{"source": source, "group": written, "was": p.Status.String()}, by, "")
	})
	if err == nil {
		_, err = s.MarkEveryone(source, "group accepted")
	}
	if err != nil {
		return fmt.Errorf("accept group %s: %w", written, err)
	}
	return nil
}

// dismiss makes a group that is absent, which only a second look would prove,
// one that is gone. One that is there under another name stays.
func dismiss(tx *txn, group identity.Ordinal) error {
	v := tx.Bucket(bGroups).Get(ordKey(group))
	if v == nil {
		return nil
	}
	e, err := decodeLean(v)
	if err != nil || e.standing != identity.Unknown {
		return err
	}
	old := e
	e.standing, e.doubt, e.why = identity.PresumedGone, identity.NoDoubt, "absent, and accepted"
	if _, err := next(tx, kChanges, 1); err != nil {
		return err
	}
	return putEntry(tx, bGroups, group, &old, &e, digest{}, false)
}
