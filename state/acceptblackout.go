package state

import (
	"fmt"

	"github.com/rosterd/rosterd/identity"
)

// AcceptBlackout takes the absence of everybody who vanished with all under
// their container as meant: they are presumed gone. It is for what an approval
// decides.
func (s *Store) AcceptBlackout(source, by string) error {
	var who []identity.Ordinal
	if err := s.EachPerson(source, func(p identity.Person) error {
		if p.Standing == identity.Unknown && p.Doubt == identity.Blackout {
			who = append(who, p.Ordinal)
		}
		return nil
	}); err != nil {
		return err
	}
	err := s.update(func(tx *txn) error {
		if sealed(tx) {
			return ErrUndrained
		}
		d := deciders{}
		for _, o := range who {
			if err := s.presumeGone(tx, o, by, d); err != nil {
				return err
			}
		}
		r, ok, err := sourceOf(tx, source)
		if err != nil || !ok {
			return err
		}
		r.Blackouts = nil
		return putJSON(tx.Bucket(bSources), []byte(source), r)
	})
	if err != nil {
		return fmt.Errorf("accept the absence of %d people of %s: %w", len(who), source, err)
	}
	return nil
}

func (s *Store) presumeGone(tx *txn, o identity.Ordinal, by string, d deciders) error {
	was, err := decodeLean(tx.Bucket(bPeople).Get(ordKey(o)))
	if err != nil {
		return err
	}
	e := was
	e.standing, e.doubt, e.why, e.since = identity.PresumedGone, identity.NoDoubt, "absent with everybody under their container, and accepted", s.now()
	if err := putEntry(tx, bPeople, o, &was, &e, rehireHash(e.rehireKey), true); err != nil {
		return err
	}
	if _, err := next(tx, kChanges, 1); err != nil {
		return err
	}
	if err := mark(tx, o, "absence accepted"); err != nil {
		return err
	}
	decider, err := d.part(tx, by)
	if err != nil {
		return err
	}
	return s.notePerson(tx, recordOf("accept-absence"), o, nil, nil, decider...)
}
