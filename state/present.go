package state

import (
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Present is an entry of the snapshot that the last look at the source showed.
type Present struct {
	// Ordinal is 0 for a container.
	Ordinal identity.Ordinal
	// Entry is what was read, without members.
	Entry directory.Entry
	// Members are of groups: names as the snapshot compares them, sorted.
	Members []string
}

// EachPresent calls f for the people, the groups and the containers of a source
// that are there: for comparing what is known with what is. A read transaction is
// open meanwhile, so f must not write. An error of f ends it and is returned.
func (s *Store) EachPresent(source string, f func(Present) error) error {
	err := s.view(func(tx *txn) error {
		num, err := sourceNumber(tx, source)
		if err != nil {
			return err
		}
		w := words{tx: tx}
		for _, name := range [][]byte{bPeople, bGroups} {
			err := tx.Bucket(name).ForEach(func(k, v []byte) error {
				if entrySource(v) != num {
					return nil
				}
				p, there, err := w.present(identity.Ordinal(fromU64(k)), v)
				if err != nil || !there {
					return err
				}
				return f(p)
			})
			if err != nil {
				return err
			}
		}
		return eachContainer(tx, num, func(id identity.ID, dn string) error {
			name, err := identity.ParseDN(dn)
			if err != nil {
				return fmt.Errorf("%w (%v)", ErrCorrupt, err)
			}
			return f(Present{Entry: directory.Entry{Kind: directory.Container, ID: id, DN: name}})
		})
	})
	if err != nil {
		return fmt.Errorf("read who is there: %w", err)
	}
	return nil
}

func (w *words) present(o identity.Ordinal, v []byte) (p Present, there bool, err error) {
	e, err := decodeEntry(v)
	if err != nil {
		return p, false, fmt.Errorf("entry %s: %w", o, err)
	}
	if e.standing > identity.Disabled || e.doubt == identity.Blackout || !e.absent.at.IsZero() {
		return p, false, nil
	}
	who, err := e.person(o, w.source, w.coverage)
	if err != nil {
		return p, false, err
	}
	p = Present{Ordinal: o, Entry: directory.Entry{Kind: e.kind, ID: e.id, DN: who.DN, Login: e.login, Mail: e.mail, Name: e.name,
		RehireKey: e.rehireKey, Attributes: who.Attributes, Validity: e.validity}}
	if e.kind == directory.Group {
		p.Members, err = groupRefs(w.tx, o)
	}
	return p, true, err
}
