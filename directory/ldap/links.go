package ldap

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// memberOf names the groups that hold an entry. Where members are links the server
// works it out from them, and it is always right, but for the primary group.
const memberOf = "memberOf"

// claim is which groups an entry says that it is in.
type claim struct {
	dn     identity.DN
	groups []identity.DN
	// primary is the identifier of the primary group; "" for none.
	primary string
}

// links compares what entries say of their groups with what is known of the groups.
// The two differ where a link came, went, or got another name without a change of
// the group: somebody new has a primary group, somebody comes from where nobody
// looked, a deleted entry is restored with its memberships.
type links struct {
	claims []claim
	// groups are those that were looked for, by identifier or by the key of the
	// name; the zero value: it is none that is read.
	groups map[string]linked
}

type linked struct {
	id identity.ID
	dn identity.DN
}

// note takes what an entry claims.
func (l *links) note(e *ldapwire.Entry, dn identity.DN) error {
	c := claim{dn: dn}
	var err error
	if c.primary, err = primaryOf(e); err != nil {
		return err
	}
	for _, v := range e.Values(strings.ToLower(memberOf)) {
		group, err := identity.ParseDN(string(v))
		if err != nil {
			return fmt.Errorf("read %s of %q: %w", memberOf, e.DN, err)
		}
		c.groups = append(c.groups, group)
	}
	l.claims = append(l.claims, c)
	return nil
}

// unlike are the groups, not told of yet, that hold one of the entries and are not
// known to, or the other way round.
func (t *telling) unlike(ctx context.Context) ([]identity.ID, error) {
	claims := t.links.claims
	t.links.claims = nil
	if err := t.findGroups(ctx, claims); err != nil {
		return nil, err
	}
	next := map[identity.ID]bool{}
	for _, c := range claims {
		holding, err := t.changes.Holding([]identity.DN{c.dn})
		if err != nil {
			return nil, fmt.Errorf("look up groups by their members: %w", err)
		}
		known, says := map[identity.ID]bool{}, map[identity.ID]bool{}
		for _, k := range holding {
			known[k.ID] = true
		}
		for _, key := range c.keys() {
			if g := t.links.groups[key]; g.id != "" {
				says[g.id] = true
			}
		}
		for id := range known {
			if !says[id] {
				next[id] = true
			}
		}
		for id := range says {
			if !known[id] {
				next[id] = true
			}
		}
	}
	maps.DeleteFunc(next, func(id identity.ID, _ bool) bool { return t.done[id] })
	out := slices.Sorted(maps.Keys(next))
	for _, id := range out {
		t.news.touched[id] = true
	}
	return out, t.look(out)
}

// keys are those of the groups.
func (c claim) keys() []string {
	var out []string
	for _, g := range c.groups {
		out = append(out, g.Key())
	}
	if c.primary != "" {
		out = append(out, c.primary)
	}
	return out
}

// findGroups looks for the claimed groups that are read.
func (t *telling) findGroups(ctx context.Context, claims []claim) error {
	if t.links.groups == nil {
		t.links.groups = map[string]linked{}
	}
	parts := map[string]string{}
	for _, c := range claims {
		for _, g := range c.groups {
			if slices.ContainsFunc(t.source.groups, g.Within) {
				parts[g.Key()] = "(distinguishedName=" + ldapwire.EscapeFilterValue(g.String()) + ")"
			}
		}
		if c.primary != "" {
			parts[c.primary] = "(" + objectSID + "=" + c.primary + ")"
		}
	}
	maps.DeleteFunc(parts, func(key, _ string) bool { _, looked := t.links.groups[key]; return looked })
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(parts)), lookupIDs) {
		var any strings.Builder
		for _, key := range keys {
			t.links.groups[key] = linked{}
			any.WriteString(parts[key])
		}
		for _, base := range t.source.groups {
			req := t.source.request(t.conn, false, ldapwire.Request{Base: base.String(), Scope: ldapwire.ScopeSubtree,
				Filter: fmt.Sprintf("(&%s(|%s))", t.source.cfg.Groups.Filter, any.String()), Attributes: []string{t.source.cfg.IDAttribute, objectSID}})
			if _, err := t.conn.Search(ctx, req, t.foundGroup); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *telling) foundGroup(e *ldapwire.Entry) error {
	id, err := t.shape.identify(e)
	if err != nil {
		return err
	}
	dn, err := identity.ParseDN(string(e.DN))
	if err != nil {
		return fmt.Errorf("read the name of an entry: %w", err)
	}
	t.links.groups[dn.Key()] = linked{id, dn}
	if octets := e.Values(strings.ToLower(objectSID)); len(octets) == 1 {
		if own, err := parseSID(octets[0]); err == nil {
			t.links.groups[own.text] = linked{id, dn}
		}
	}
	return nil
}
