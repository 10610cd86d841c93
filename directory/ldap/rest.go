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

// rest tells of those who are not in scope.
func (t *telling) rest(ctx context.Context, ids []identity.ID) error {
	at, leaves, err := t.anywhere(ctx, ids)
	if err != nil {
		return err
	}
	var left []directory.Finding
	var gone []directory.Gone
	for _, id := range ids {
		was, known := t.was[id]
		dn, found := at[id]
		switch {
		case !known && (!found || !t.news.touched[id]):
		case !known: // in a base, and nobody by the filter
			if !leaves[id] {
				t.entered = append(t.entered, dn)
			}
		case !found && t.news.gone[id] != "":
			gone = append(gone, directory.Gone{ID: id, By: t.news.gone[id]})
		case !found && t.news.hidden[id] != "" && was.Kind != directory.Container:
			if sees, err := t.sees(ctx, was.Kind, was.DN.Parent()); err != nil {
				return err
			} else if sees {
				gone = append(gone, directory.Gone{ID: id, By: t.news.hidden[id]})
			} else {
				t.missing = append(t.missing, id)
			}
		case !found && was.Kind == directory.Container:
			// Nobody's standing rests on it.
		case !found:
			t.missing = append(t.missing, id)
		case t.source.retired(dn) != "":
			gone = append(gone, directory.Gone{ID: id, By: t.source.retired(dn)})
		case was.Kind == directory.Container && slices.ContainsFunc(t.source.bases(), dn.Within):
			t.now[id] = sight{directory.Container, dn}
			if err := t.put(directory.Entry{Kind: directory.Container, ID: id, DN: dn}); err != nil {
				return err
			}
		default:
			// It may have been moved from base to base while they were read.
			if err := t.byName(ctx, id, dn); err != nil {
				return err
			}
			if _, back := t.now[id]; back {
				continue
			}
			if blind, err := t.blind(ctx, was, dn); err != nil {
				return err
			} else if blind {
				t.blinded = append(t.blinded, id)
				continue
			}
			t.out[id] = dn
			left = append(left, directory.Finding{Kind: was.Kind, ID: id, Found: true, DN: dn})
			if above, holds := t.above[id]; holds && was.Kind != directory.Container && !above.Equal(dn) {
				// Whoever is below it still has a new name, and brings it back.
				left = append(left, directory.Finding{Kind: directory.Container, ID: id, Found: true, DN: dn})
			}
		}
	}
	if len(left) > 0 {
		if err := t.changes.Left(left); err != nil {
			return fmt.Errorf("stage who is out of scope: %w", err)
		}
	}
	for _, g := range gone {
		t.dead[g.ID] = true
	}
	if len(gone) > 0 {
		if err := t.changes.Gone(gone); err != nil {
			return fmt.Errorf("stage who is gone: %w", err)
		}
	}
	return nil
}

// sees says whether others of a kind are seen in a container: then it is not by our
// rights that one is not. Rights may differ by kind, so groups say nothing of people.
func (t *telling) sees(ctx context.Context, kind directory.Kind, container identity.DN) (bool, error) {
	key := fmt.Sprint(kind) + " " + container.Key()
	if sees, known := t.seen[key]; known {
		return sees, nil
	}
	for _, part := range t.source.parts() {
		if t.seen[key] || part.kind != kind || !container.Within(part.base) {
			continue
		}
		found, err := t.conn.Any(ctx, ldapwire.Request{Base: container.String(), Scope: ldapwire.ScopeOne, Filter: part.filter, IgnoreReferrals: t.source.cfg.IgnoreReferrals})
		if err != nil && !errors.Is(err, ldapwire.ErrNoSuchObject) {
			return false, err
		}
		t.seen[key] = found
	}
	return t.seen[key], nil
}

// blind says that the filter finds nobody in a container where others are known to
// be, so that it may be by our rights that it does not find this one either: an
// attribute that it asks for can be hidden.
func (t *telling) blind(ctx context.Context, was directory.Known, dn identity.DN) (bool, error) {
	if !slices.ContainsFunc(t.source.parts(), func(p part) bool { return p.kind == was.Kind && dn.Within(p.base) }) {
		return false, nil // the place is enough
	}
	container := dn.Parent()
	if sees, err := t.sees(ctx, was.Kind, container); err != nil || sees {
		return false, err
	}
	below, err := t.changes.Below(container)
	if err != nil {
		return false, fmt.Errorf("look up who is below %q: %w", container, err)
	}
	return slices.ContainsFunc(below, func(k directory.Known) bool {
		return k.ID != was.ID && k.Kind == was.Kind && k.DN.Parent().Equal(container)
	}), nil
}

// byName reads an entry by its name, if it lies where it would be in scope.
func (t *telling) byName(ctx context.Context, id identity.ID, dn identity.DN) error {
	asked := map[identity.ID]bool{id: true}
	for _, part := range t.source.parts() {
		if !dn.Within(part.base) {
			continue
		}
		_, err := t.conn.Search(ctx, t.source.request(t.conn, false, ldapwire.Request{Base: dn.String(), Scope: ldapwire.ScopeBase,
			Filter: "(&" + part.filter + t.source.anyOf([]identity.ID{id}) + ")", Attributes: t.attributes(part)}), func(e *ldapwire.Entry) error {
			return t.take(part.kind, e, asked)
		})
		if err == nil {
			err = t.complete(ctx)
		}
		if err != nil && !errors.Is(err, ldapwire.ErrNoSuchObject) {
			return err
		}
	}
	return nil
}

// anywhere looks the IDs up in the whole tree: where they are, and which of them
// have nobody below them.
func (t *telling) anywhere(ctx context.Context, ids []identity.ID) (at map[identity.ID]identity.DN, leaves map[identity.ID]bool, err error) {
	if len(ids) == 0 {
		return nil, nil, nil
	}
	roots, err := t.source.roots(ctx, t.conn)
	if err != nil {
		return nil, nil, err
	}
	l := &lookup{source: t.source, shape: t.shape, conn: t.conn, at: map[identity.ID]identity.DN{}, leaves: map[identity.ID]bool{}}
	if err := l.proofs(ctx, roots); err != nil {
		return nil, nil, err
	}
	return l.at, l.leaves, l.all(ctx, roots, ids)
}

// retired says why who is at that place has left, or "".
func (s *Source) retired(dn identity.DN) string {
	if s.profile.retired == nil || slices.ContainsFunc(s.bases(), dn.Within) {
		return ""
	}
	return s.profile.retired(dn)
}
