package ldap

import (
	"context"
	"errors"
	"fmt"
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

// containers tells of the containers of those who are new there.
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
		was, known := t.was[e.ID]
		_, told := t.now[e.ID]
		// People with others below them are what they are.
		if told || known && (was.Kind != directory.Container || was.DN.Equal(e.DN)) {
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
