package state

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// People returns the persons, in the order asked for. One that does not exist
// is the error ErrNoPerson.
func (s *Store) People(ords ...identity.Ordinal) ([]identity.Person, error) {
	out := make([]identity.Person, 0, len(ords))
	err := s.view(func(tx *txn) error {
		w := words{tx: tx}
		b := tx.Bucket(bPeople)
		for _, o := range ords {
			v := b.Get(ordKey(o))
			if v == nil {
				return fmt.Errorf("%s: %w", o, ErrNoPerson)
			}
			p, err := w.person(o, v)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	return out, nil
}

func (w *words) person(o identity.Ordinal, v []byte) (identity.Person, error) {
	e, err := decodeEntry(v)
	if err != nil {
		return identity.Person{}, fmt.Errorf("person %s: %w", o, err)
	}
	return e.person(o, w.source, w.coverage)
}

const peopleChunk = 2000

// EachPerson calls f for every person of the source, by ordinal, whatever
// their standing; an empty source means all sources. No transaction is open
// while f runs. An error of f ends it and is returned.
func (s *Store) EachPerson(source string, f func(identity.Person) error) error {
	for from := uint64(1); ; {
		var batch []identity.Person
		more := false
		err := s.view(func(tx *txn) error {
			num, err := sourceNumber(tx, source)
			if err != nil {
				return err
			}
			w := words{tx: tx}
			c := tx.Bucket(bPeople).Cursor()
			for k, v := c.Seek(u64(from)); k != nil; k, v = c.Next() {
				if len(batch) == peopleChunk {
					more = true
					return nil
				}
				from = fromU64(k) + 1
				if num != 0 && entrySource(v) != num {
					continue
				}
				p, err := w.person(identity.Ordinal(fromU64(k)), v)
				if err != nil {
					return err
				}
				batch = append(batch, p)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read people: %w", err)
		}
		for _, p := range batch {
			if err := f(p); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// noSource is the number of a source that was never staged.
const noSource = ^uint64(0)

// sourceNumber is 0 for all sources.
func sourceNumber(tx *txn, source string) (uint64, error) {
	if source == "" {
		return 0, nil
	}
	r, ok, err := sourceOf(tx, source)
	if !ok {
		return noSource, err
	}
	return r.Num, err
}

// entrySource reads no further than the source.
func entrySource(v []byte) uint64 {
	r := reader{b: v}
	r.form(entryForm)
	r.byte()
	return r.uint()
}

// Ordinals are those of everybody of a source, sorted, whatever their standing.
func (s *Store) Ordinals(source string) ([]identity.Ordinal, error) {
	out, err := s.ordinals(source)
	if err != nil {
		return nil, fmt.Errorf("list people of %s: %w", source, err)
	}
	return out, nil
}

func (s *Store) ordinals(source string) ([]identity.Ordinal, error) {
	var out []identity.Ordinal
	err := s.view(func(tx *txn) error {
		num, err := sourceNumber(tx, source)
		if err != nil {
			return err
		}
		return tx.Bucket(bPeople).ForEach(func(k, v []byte) error {
			if num == 0 || entrySource(v) == num {
				out = append(out, identity.Ordinal(fromU64(k)))
			}
			return nil
		})
	})
	return out, err
}

// FindPerson looks for the persons meant by a text: "#" and an ordinal, an ID,
// a DN in any spelling, a login name or a mail address in any case. Those who
// left are found too. No match is an empty result; several sort by ordinal.
func (s *Store) FindPerson(text string) ([]identity.Person, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	var out []identity.Person
	err := s.view(func(tx *txn) error {
		found, err := findOrdinals(tx, text)
		if err != nil {
			return err
		}
		w := words{tx: tx}
		for _, o := range found {
			v := tx.Bucket(bPeople).Get(ordKey(o))
			if v == nil {
				continue // a group
			}
			p, err := w.person(o, v)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find person: %w", err)
	}
	return out, nil
}

func findOrdinals(tx *txn, text string) ([]identity.Ordinal, error) {
	if digits, ok := strings.CutPrefix(text, "#"); ok {
		if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
			return []identity.Ordinal{identity.Ordinal(n)}, nil
		}
	}
	set := map[identity.Ordinal]bool{}
	b := tx.Bucket(bSources)
	err := b.ForEach(func(k, _ []byte) error {
		var r sourceRecord
		if _, err := getJSON(b, k, &r); err != nil {
			return err
		}
		for _, id := range []string{text, strings.ToLower(text)} {
			if v := tx.Bucket(bIDs).Get(idKey(r.Num, directory.Person, identity.ID(id))); v != nil {
				i, err := decodeIDValue(v)
				if err != nil {
					return err
				}
				set[i.ordinal] = true
			}
		}
		hashes := []digest{nameHash(byLogin, r.Num, foldLogin(text)), nameHash(byMail, r.Num, foldLogin(text))}
		if dn, err := identity.ParseDN(text); err == nil && !dn.IsZero() {
			hashes = append(hashes, nameHash(byDN, r.Num, dn.Key()))
		}
		for _, h := range hashes {
			for _, o := range named(tx, h) {
				set[o] = true
			}
		}
		return nil
	})
	return sortedOrdinals(set), err
}
