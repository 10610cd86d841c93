package ldap

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// concerned are those who changed by what others did: who is below what was
// renamed, and the groups that have those as members whose names are new.
func (t *telling) concerned(ctx context.Context, ids []identity.ID) ([]identity.ID, error) {
	var old, fresh, named []identity.DN
	next := map[identity.ID]bool{}
	for _, id := range ids {
		was, known := t.was[id]
		now, seen := t.now[id]
		if above, container := t.above[id]; container && !(seen && now.dn.Equal(above)) {
			below, err := t.changes.Below(above)
			if err != nil {
				return nil, fmt.Errorf("look up who is below %q: %w", above, err)
			}
			t.knew(below)
			for _, k := range below {
				if !t.done[k.ID] {
					next[k.ID] = true
				}
			}
			// A server that keeps the names in its groups true renames those of nobody, too.
			more, err := t.changes.Named(above)
			if err != nil {
				return nil, fmt.Errorf("look up whom groups name below %q: %w", above, err)
			}
			if named = append(named, more...); len(named) > tooMany {
				return nil, &directory.LostError{Why: fmt.Sprintf("more than %d members that are nobody have another name", tooMany)}
			}
		}
		if seen && (now.kind == directory.Container || known && now.dn.Equal(was.DN)) || !seen && !known || known && was.Kind == directory.Container {
			continue
		}
		if known {
			old = append(old, was.DN)
		}
		if seen {
			fresh = append(fresh, now.dn)
		}
	}
	holders := func() ([]identity.ID, error) { return t.holders(ctx, append(old, named...), fresh) }
	if t.source.linked() {
		holders = func() ([]identity.ID, error) { return t.relink(ids, named) }
		naming, err := t.naming(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range naming {
			next[id] = true
		}
	}
	groups, err := holders()
	if err != nil {
		return nil, err
	}
	for _, id := range groups {
		// One that was read already may have been read before the server changed it.
		if !t.again[id] {
			t.again[id] = true
			next[id] = true
		}
	}
	for id := range next {
		t.news.touched[id] = true
	}
	return slices.Sorted(maps.Keys(next)), nil
}
