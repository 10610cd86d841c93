package ldap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// above are the names above dn that lie below a base: those whose renaming
// renames it, while the base stays. The nearest comes first.
func (s *Source) above(dn identity.DN) []identity.DN {
	var out []identity.DN
	for p := dn.Parent(); !p.IsZero(); p = p.Parent() {
		if !slices.ContainsFunc(s.bases(), func(b identity.DN) bool { return p.Within(b) && !p.Equal(b) }) {
			break
		}
		out = append(out, p)
	}
	return out
}

// holds notes the containers of an entry.
func (r *reading) holds(dn identity.DN) {
	for _, container := range r.source.above(dn) {
		key := container.Key()
		if _, known := r.containers[key]; known {
			return // and so are those above
		}
		r.containers[key] = container
	}
}

// listContainers lists the entries that what was read lies below, by their names:
// one that was renamed meanwhile is not found by the name that was read, and then
// changes cannot be followed from here. Without a cursor they are only looked for.
func (r *reading) listContainers(ctx context.Context, conn *ldapwire.Conn) error {
	if len(r.containers) == 0 {
		return nil
	}
	s := r.source
	add := func(id identity.ID, dn identity.DN) error {
		if delete(r.containers, dn.Key()); r.cursor.cursor.IsZero() {
			return nil
		}
		return r.put(directory.Entry{Kind: directory.Container, ID: id, DN: dn})
	}
	for _, base := range s.bases() {
		_, err := conn.Search(ctx, s.request(conn, false, ldapwire.Request{Base: base.String(), Scope: ldapwire.ScopeSubtree, Filter: s.profile.containers,
			Attributes: []string{s.cfg.IDAttribute}}), func(e *ldapwire.Entry) error {
			dn, err := identity.ParseDN(string(e.DN))
			if err != nil {
				return fmt.Errorf("read the name of an entry: %w", err)
			}
			if _, wanted := r.containers[dn.Key()]; !wanted {
				return nil
			}
			id, err := r.shape.identify(e)
			if err != nil {
				return nil //nolint:nilerr // it is asked for by name, and the reason said then
			}
			return add(id, dn)
		})
		if err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.containers)) {
		dn := r.containers[key]
		id, err := s.idAt(ctx, conn, r.shape, dn)
		switch {
		case err == nil:
			err = add(id, dn)
		case s.profile.misnames && errors.Is(err, ldapwire.ErrNoSuchObject):
			return misnamed(dn, err)
		case conn.Alive() && ctx.Err() == nil:
			if !r.cursor.cursor.IsZero() {
				r.cursor = started{declined: append(r.cursor.declined, declined{r.cursor.cursor.Engine, err})}
			}
			if !s.profile.misnames {
				return nil
			}
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// containers tells of the containers of those who are new there. Where one cannot be
// read, that is an error, and a listing goes on without a cursor.
func (t *telling) containers(ctx context.Context) error {
	wanted := map[string]identity.DN{}
	for _, dn := range t.fresh {
		for _, container := range t.source.above(dn) {
			wanted[container.Key()] = container
		}
	}
	var found []directory.Entry
	var ids []identity.ID
	for _, dn := range wanted {
		id, err := t.source.idAt(ctx, t.conn, t.shape, dn)
		if err != nil {
			return err
		}
		found = append(found, directory.Entry{Kind: directory.Container, ID: id, DN: dn})
		ids = append(ids, id)
	}
	if err := t.look(ids); err != nil {
		return err
	}
	for _, e := range found {
		if was, known := t.above[e.ID]; known && was.Equal(e.DN) {
			continue
		}
		if err := t.put(e); err != nil {
			return err
		}
	}
	return nil
}

// idAt is the ID of the entry with the name.
func (s *Source) idAt(ctx context.Context, conn *ldapwire.Conn, h *shape, dn identity.DN) (identity.ID, error) {
	rec, err := conn.Base(ctx, dn.String(), s.cfg.IDAttribute)
	if errors.Is(err, ldapwire.ErrNoSuchObject) || errors.Is(err, ldapwire.ErrNoEntry) {
		return "", fmt.Errorf("%q has others below it and cannot be read, or was renamed just now: %w", dn, err)
	}
	if err != nil {
		return "", err
	}
	if v := rec.Values(h.id); len(v) == 1 {
		if id, err := idOf(h.id, []byte(v[0])); err == nil {
			return id, nil
		}
	}
	return "", fail(ErrID, "let the bind user read it, for containers too", "the container %q shows no %s", dn, s.cfg.IDAttribute)
}
