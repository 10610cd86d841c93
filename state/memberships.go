package state

import (
	"fmt"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state/graph"
)

// Memberships says for each of the persons, or for everybody if ords is nil,
// in which of the named groups they are, directly or through others, with one
// shortest path each. Persons in none of them are left out. A group that is
// gone gives no membership; one of which that is only feared still does.
func (s *Store) Memberships(ords []identity.Ordinal, named []identity.Ordinal) (map[identity.Ordinal][]identity.Membership, error) {
	out := map[identity.Ordinal][]identity.Membership{}
	if len(named) == 0 {
		return out, nil
	}
	if ords == nil {
		var err error
		if ords, err = s.ordinals(""); err != nil {
			return nil, fmt.Errorf("read memberships: %w", err)
		}
	}
	err := s.view(func(tx *txn) error {
		m := climber{tx: tx, groups: map[identity.Ordinal]*groupStep{}}
		m.walk = graph.New(m.parents, named)
		for _, o := range ords {
			list, err := m.person(o)
			if err != nil {
				return err
			}
			if len(list) > 0 {
				out[o] = list
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	return out, nil
}

// climber finds memberships within one transaction.
type climber struct {
	tx     *txn
	walk   *graph.Walk
	groups map[identity.Ordinal]*groupStep
	edges  *cursor
}

type groupStep struct {
	identity.GroupStep
	source    uint64
	effective bool
	dn        digest
}

func (m *climber) group(o identity.Ordinal) (*groupStep, error) {
	if g, ok := m.groups[o]; ok {
		return g, nil
	}
	v := m.tx.Bucket(bGroups).Get(ordKey(o))
	if v == nil {
		return nil, fmt.Errorf("%w (no group %s)", ErrCorrupt, o)
	}
	e, err := decodeLean(v)
	if err != nil {
		return nil, err
	}
	dn, err := identity.ParseDN(e.dn)
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrCorrupt, err)
	}
	g := &groupStep{GroupStep: identity.GroupStep{Group: o, Name: e.name, DN: e.dn}, source: e.source, effective: effective(&e),
		dn: nameHash(byDN, e.source, dn.Key())}
	m.groups[o] = g
	return g, nil
}

// holding returns the effective groups that have a member under the hash.
func (m *climber) holding(h digest, accept func(value []byte) (bool, error)) ([]identity.Ordinal, error) {
	var out []identity.Ordinal
	if m.edges == nil {
		m.edges = m.tx.Bucket(bMemberOf).Cursor()
	}
	for k, v := m.edges.Seek(h[:]); k != nil && hasPrefix(k, h[:]); k, v = m.edges.Next() {
		if accept != nil {
			if yes, err := accept(v); err != nil {
				return nil, err
			} else if !yes {
				continue
			}
		}
		out = append(out, identity.Ordinal(fromU64(k[len(h):])))
	}
	n := 0
	for _, o := range out {
		g, err := m.group(o)
		if err != nil {
			return nil, err
		}
		if g.effective {
			out[n] = o
			n++
		}
	}
	return out[:n], nil
}

func (m *climber) parents(o identity.Ordinal) ([]identity.Ordinal, error) {
	g, err := m.group(o)
	if err != nil {
		return nil, err
	}
	return m.holding(g.dn, nil)
}

func (m *climber) person(o identity.Ordinal) ([]identity.Membership, error) {
	v := m.tx.Bucket(bPeople).Get(ordKey(o))
	if v == nil {
		return nil, nil
	}
	n, err := entryNames(v)
	if err != nil {
		return nil, err
	}
	dn, err := identity.ParseDN(n.dn)
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrCorrupt, err)
	}
	direct, err := m.holding(nameHash(byDN, n.source, dn.Key()), nil)
	if err != nil {
		return nil, err
	}
	if n.login != "" {
		h := nameHash(byLogin, n.source, foldLogin(n.login))
		byLogin, err := m.holding(h, func(ref []byte) (bool, error) {
			// Another spelling means this person unless somebody has exactly it.
			is := string(ref[1:])
			if is == n.login {
				return true, nil
			}
			exact, err := havingLogin(m.tx, named(m.tx, h), is)
			return len(exact) == 0, err
		})
		if err != nil {
			return nil, err
		}
		direct = append(direct, byLogin...)
	}
	if len(direct) == 0 {
		return nil, nil
	}
	ways, err := m.walk.From(direct)
	if err != nil {
		return nil, err
	}
	out := make([]identity.Membership, 0, len(ways))
	for _, way := range ways {
		ms := identity.Membership{Group: way[len(way)-1], Path: make([]identity.GroupStep, len(way))}
		for i, o := range way {
			ms.Path[i] = m.groups[o].GroupStep
		}
		out = append(out, ms)
	}
	return out, nil
}
