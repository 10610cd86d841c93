package ldap

import (
	"context"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// brought are those below entries that came into scope. A container may have been
// moved there, with all who are in it: only its own name changed by that.
func (t *telling) brought(ctx context.Context) ([]identity.ID, error) {
	next := map[identity.ID]bool{}
	for _, dn := range t.entered {
		for _, part := range t.source.parts() {
			if !dn.Within(part.base) {
				continue
			}
			req := t.source.request(t.conn, false, ldapwire.Request{Base: dn.String(), Scope: ldapwire.ScopeSubtree, Filter: part.filter,
				Attributes: []string{t.source.cfg.IDAttribute}})
			_, err := t.conn.Search(ctx, req, func(e *ldapwire.Entry) error {
				id, err := t.shape.identify(e)
				if err == nil && !t.done[id] {
					next[id] = true
				}
				return err
			})
			if missing(err) {
				continue // it went on, and the next news says where to
			}
			if err != nil {
				return nil, err
			}
		}
	}
	t.entered = nil
	out := slices.Sorted(maps.Keys(next))
	for _, id := range out {
		t.news.touched[id] = true
	}
	return out, t.look(out)
}
