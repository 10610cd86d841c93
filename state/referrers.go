package state

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// Referred is whom a DN means in a source.
type Referred struct {
	// Known is false where several people may be meant.
	Known bool
	// Person is not valid where nobody is meant.
	Person identity.Ordinal
}

// Referred says of names whom they mean. Of several the one who is there is meant; where
// none of them is, who had the name last and is called something else by now.
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
			h := nameHash(byDN, src.Num, n.Key())
			for _, o := range named(tx, h) {
				v := people.Get(ordKey(o))
				if v == nil {
					continue // a group
				}
				e, err := decodeLean(v)
				if err != nil {
					return err
				}
				if e.left() {
					left = append(left, o)
				} else {
					here = append(here, o)
				}
			}
			if who := former(tx, h[:]); len(here) == 0 && who.Valid() {
				here = []identity.Ordinal{who}
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

// Referrers are those who refer to the people by a name that they have or had, by whom
// they refer to, sorted.
func (s *Store) Referrers(who ...identity.Ordinal) (map[identity.Ordinal][]identity.Ordinal, error) {
	out := map[identity.Ordinal][]identity.Ordinal{}
	err := s.view(func(tx *txn) error {
		if tx.Bucket(bReferred) == nil {
			return nil
		}
		for _, o := range who {
			v := tx.Bucket(bPeople).Get(ordKey(o))
			if v == nil {
				continue
			}
			e, err := decodeLean(v)
			if err != nil {
				return err
			}
			var by []identity.Ordinal
			for _, h := range append(namesOf(&e), formers(tx, o)...) {
				by = append(by, referrers(tx, h)...)
			}
			if slices.Sort(by); len(by) > 0 {
				out[o] = slices.Compact(by)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who refers to people: %w", err)
	}
	return out, nil
}

// MarkedFor are those of the people who are marked for the reason.
func (s *Store) MarkedFor(reason string, who ...identity.Ordinal) ([]identity.Ordinal, error) {
	var out []identity.Ordinal
	err := s.view(func(tx *txn) error {
		for _, o := range who {
			v := tx.Bucket(bMarks).Get(ordKey(o))
			if v == nil {
				continue
			}
			m, err := decodeMark(o, v)
			if err != nil {
				return err
			}
			if slices.Contains(m.Reasons, reason) {
				out = append(out, o)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	return out, nil
}
