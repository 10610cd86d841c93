package state

import (
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// What a source may ask of the snapshot while it tells what changed.

// Lookup returns those of the IDs that the snapshot has, whatever became of them.
// What is a container and somebody comes twice.
func (c *Changes) Lookup(ids []identity.ID) ([]directory.Known, error) {
	var out []directory.Known
	err := c.s.view(func(tx *txn) error {
		for _, id := range ids {
			for _, kind := range []directory.Kind{directory.Person, directory.Group} {
				v := tx.Bucket(bIDs).Get(idKey(c.num, kind, id))
				if v == nil {
					continue
				}
				iv, err := decodeIDValue(v)
				if err != nil {
					return err
				}
				dn, err := dnOf(tx, &known{idValue: iv, kind: kind})
				if err != nil {
					return err
				}
				out = append(out, directory.Known{Kind: kind, ID: id, DN: dn, Left: !iv.normal()})
			}
			if v := tx.Bucket(bContainers).Get(containerKey(c.num, id)); v != nil {
				dn, err := keptDN(string(v))
				if err != nil {
					return err
				}
				out = append(out, directory.Known{Kind: directory.Container, ID: id, DN: dn})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up what is known of %s: %w", c.source, err)
	}
	return out, nil
}

func keptDN(text string) (identity.DN, error) {
	dn, err := identity.ParseDN(text)
	if err != nil {
		return dn, fmt.Errorf("%w (%v)", ErrCorrupt, err)
	}
	return dn, nil
}

// inside is who was found below a container.
type inside struct {
	container identity.DN
	known     []directory.Known
}

// Below returns who is thought to be there below the name, containers included.
// There is no index for this: every name is looked at, but once for a container and
// all those within it.
func (c *Changes) Below(container identity.DN) ([]directory.Known, error) {
	for _, b := range c.below {
		if !container.Within(b.container) {
			continue
		}
		var out []directory.Known
		for _, k := range b.known {
			if k.DN.Within(container) && !k.DN.Equal(container) {
				out = append(out, k)
			}
		}
		return out, nil
	}
	out, err := c.allBelow(container)
	if err == nil {
		c.below = append(c.below, inside{container, out})
	}
	return out, err
}

func (c *Changes) allBelow(container identity.DN) ([]directory.Known, error) {
	var out []directory.Known
	err := c.s.view(func(tx *txn) error {
		for kind, bucket := range map[directory.Kind][]byte{directory.Person: bPeople, directory.Group: bGroups} {
			if err := tx.Bucket(bucket).ForEach(func(_, v []byte) error {
				if entrySource(v) != c.num {
					return nil
				}
				raw, err := entryDN(v)
				if err != nil {
					return err
				}
				dn, err := keptDN(raw)
				if err != nil || !dn.Within(container) || dn.Equal(container) {
					return err
				}
				e, err := decodeLean(v)
				if err != nil || e.standing >= identity.OutOfScope {
					return err
				}
				out = append(out, directory.Known{Kind: kind, ID: e.id, DN: dn})
				return nil
			}); err != nil {
				return err
			}
		}
		return eachContainer(tx, c.num, func(id identity.ID, text string) error {
			dn, err := keptDN(text)
			if err == nil && dn.Within(container) && !dn.Equal(container) {
				out = append(out, directory.Known{Kind: directory.Container, ID: id, DN: dn})
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list who is below %s: %w", container, err)
	}
	return out, nil
}

// Named returns the names below the container that groups have as members, and that
// nobody has who is thought to be there: of somebody who was never in scope, or whom the
// server could not take out. Every member is looked at.
func (c *Changes) Named(container identity.DN) ([]identity.DN, error) {
	known, err := c.Below(container)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(known))
	for _, k := range known {
		seen[k.DN.Key()] = true
	}
	var out []identity.DN
	below := "," + container.Key()
	err = c.s.view(func(tx *txn) error {
		return tx.Bucket(bMembers).ForEach(func(k, v []byte) error {
			if e := tx.Bucket(bGroups).Get(ordKey(identity.Ordinal(fromU64(k)))); e == nil || entrySource(e) != c.num {
				return nil
			}
			refs, err := decodeRefs(stMembers, v)
			if err != nil {
				return err
			}
			for _, ref := range refs {
				key := ref[1:]
				if ref[:1] != byDN || !strings.HasSuffix(key, below) || seen[key] {
					continue
				}
				seen[key] = true
				dn, err := keptDN(key)
				if err != nil {
					return err
				}
				out = append(out, dn)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list whom groups name below %s: %w", container, err)
	}
	return out, nil
}

// Holding returns the groups that are thought to be there and known to have one of
// the names as a member.
func (c *Changes) Holding(members []identity.DN) ([]directory.Known, error) {
	groups := present{kind: directory.Group, seen: map[identity.Ordinal]bool{}}
	err := c.s.view(func(tx *txn) (err error) {
		for _, m := range members {
			eachHolder(tx, c.num, m, func(o identity.Ordinal) bool {
				if v := tx.Bucket(bGroups).Get(ordKey(o)); v == nil {
					err = fmt.Errorf("%w (no group %s)", ErrCorrupt, o)
				} else {
					err = groups.add(o, v)
				}
				return err == nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the groups that hold %d names: %w", len(members), err)
	}
	return groups.known, nil
}

// Referring returns the people who are there and are known to name one of those in an
// attribute by which the policy makes them refer to others.
func (c *Changes) Referring(to []identity.DN) ([]directory.Known, error) {
	people := present{kind: directory.Person, seen: map[identity.Ordinal]bool{}}
	err := c.s.view(func(tx *txn) error {
		for _, dn := range to {
			for _, o := range referrers(tx, nameHash(byDN, c.num, dn.Key())) {
				if v := tx.Bucket(bPeople).Get(ordKey(o)); v == nil {
					continue
				} else if err := people.add(o, v); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the people who refer to %d names: %w", len(to), err)
	}
	return people.known, nil
}

// present collects those of one kind who are thought to be there, each once.
type present struct {
	kind  directory.Kind
	seen  map[identity.Ordinal]bool
	known []directory.Known
}

func (p *present) add(o identity.Ordinal, record []byte) error {
	if p.seen[o] {
		return nil
	}
	p.seen[o] = true
	e, err := decodeLean(record)
	if err != nil || e.standing >= identity.OutOfScope {
		return err
	}
	dn, err := keptDN(e.dn)
	if err == nil {
		p.known = append(p.known, directory.Known{Kind: p.kind, ID: e.id, DN: dn})
	}
	return err
}
