package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// naming attributes hold names of other entries, and are links too: whoever is
// renamed has another name in them, without a change of the entry.
var namingAttributes = []string{"manager", "secretary", "assistant", "seeAlso", "owner"}

// naming are the people, not told of yet, who name somebody that has another name
// now, in an attribute that is read, and those who are known to refer to a name that
// is somebody else's now, or nobody's. Of others who name somebody that was deleted
// nobody can tell: that stays until everything is read.
func (t *telling) naming(ctx context.Context, ids []identity.ID) ([]identity.ID, error) {
	var fresh, over []identity.DN
	for _, id := range ids {
		was, known := t.was[id]
		now, there := t.out[id]
		if s, seen := t.now[id]; seen {
			now, there = s.dn, true
		}
		switch {
		case there && (!known || was.Left || !now.Equal(was.DN)):
			fresh = append(fresh, now)
		case known && t.dead[id]:
			over = append(over, was.DN)
		}
	}
	out, err := t.named(ctx, fresh)
	if err != nil {
		return nil, err
	}
	referring, err := t.changes.Referring(append(over, fresh...))
	if err != nil {
		return nil, fmt.Errorf("look up who refers to names: %w", err)
	}
	t.knew(referring)
	for _, k := range referring {
		if !t.done[k.ID] {
			out = append(out, k.ID)
		}
	}
	return out, t.look(out)
}

// named are the people who name one of those now.
func (t *telling) named(ctx context.Context, names []identity.DN) (out []identity.ID, err error) {
	attributes := slices.DeleteFunc(slices.Clone(namingAttributes), func(name string) bool {
		return !slices.Contains(t.source.coverage.Names(), strings.ToLower(name))
	})
	if len(attributes) == 0 {
		return nil, nil
	}
	for some := range slices.Chunk(names, lookupIDs) {
		var any strings.Builder
		for _, attribute := range attributes {
			for _, dn := range some {
				fmt.Fprintf(&any, "(%s=%s)", attribute, ldapwire.EscapeFilterValue(dn.String()))
			}
		}
		for _, base := range t.source.people {
			req := t.source.request(t.conn, false, ldapwire.Request{Base: base.String(), Scope: ldapwire.ScopeSubtree,
				Filter: fmt.Sprintf("(&%s(|%s))", t.source.cfg.People.Filter, any.String()), Attributes: []string{t.source.cfg.IDAttribute}})
			_, err := t.conn.Search(ctx, req, func(e *ldapwire.Entry) error {
				id, err := t.shape.identify(e)
				if err == nil && !t.done[id] {
					out = append(out, id)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
