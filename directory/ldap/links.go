package ldap

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
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

// links keeps up groups whose members are links. A link follows its entry when
// that is renamed, and goes when it is deleted, without a change of the group; so
// what is known of the group is edited. And what entries say of their groups is
// compared with what is known of those: the two differ where somebody new has a
// primary group, where somebody comes from where nobody looked, and where a deleted
// entry is restored with its memberships.
type links struct {
	claims []claim
	// groups are those that were looked for, by identifier or by the key of the
	// name; the zero value: it is none that is read.
	groups map[string]identity.ID
	// lost and gained are by what happened to members; what is gained counts for
	// more, since names are exchanged.
	lost, gained map[identity.ID]memberSet
	// primary are those whose primary group it is: nothing takes them away.
	primary map[identity.ID]memberSet
}

// memberSet has members by the key of their names.
type memberSet map[string]identity.DN

func (m memberSet) list() []directory.Member {
	var out []directory.Member
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, directory.Member{DN: m[key]})
	}
	return out
}

func mark(sets *map[identity.ID]memberSet, group identity.ID, dn identity.DN) {
	if *sets == nil {
		*sets = map[identity.ID]memberSet{}
	}
	if (*sets)[group] == nil {
		(*sets)[group] = memberSet{}
	}
	(*sets)[group][dn.Key()] = dn
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

// relink edits the groups that hold whoever has another name now, or is gone. Those
// that hold somebody who is out of scope, or one of the names, are returned, to be read
// again.
func (t *telling) relink(ids []identity.ID, named []identity.DN) ([]identity.ID, error) {
	var again []identity.ID
	holding, err := t.changes.Holding(named)
	if err != nil {
		return nil, fmt.Errorf("look up groups by their members: %w", err)
	}
	t.knew(holding)
	for _, group := range holding {
		again = append(again, group.ID)
	}
	for _, id := range ids {
		was, known := t.was[id]
		now, seen := t.now[id]
		if !known || was.Kind == directory.Container || seen && now.dn.Equal(was.DN) {
			continue
		}
		holding, err := t.changes.Holding([]identity.DN{was.DN})
		if err != nil {
			return nil, fmt.Errorf("look up groups by their members: %w", err)
		}
		t.knew(holding)
		for _, group := range holding {
			if !seen && !t.dead[id] {
				again = append(again, group.ID)
				continue
			}
			mark(&t.links.lost, group.ID, was.DN)
			if seen {
				mark(&t.links.gained, group.ID, now.dn)
			}
		}
	}
	return again, nil
}

// holding says in which groups an entry is known to be, edits included.
func (t *telling) holding(dn identity.DN) (map[identity.ID]bool, error) {
	holding, err := t.changes.Holding([]identity.DN{dn})
	if err != nil {
		return nil, fmt.Errorf("look up groups by their members: %w", err)
	}
	out, key := map[identity.ID]bool{}, dn.Key()
	for _, k := range holding {
		_, lost := t.links.lost[k.ID][key]
		out[k.ID] = !lost
	}
	for group, members := range t.links.gained {
		if _, gained := members[key]; gained {
			out[group] = true
		}
	}
	for _, e := range t.news.edits {
		has := func(list []directory.Member) bool {
			return slices.ContainsFunc(list, func(m directory.Member) bool { return m.DN.Equal(dn) })
		}
		if has(e.Lost) {
			out[e.Group] = false
		}
		if has(e.Gained) {
			out[e.Group] = true
		}
	}
	maps.DeleteFunc(out, func(_ identity.ID, in bool) bool { return !in })
	return out, nil
}

// unlike are the groups, not told of yet, that hold one of the entries and are not
// known to, or the other way round. Where all that lacks is that it is the primary
// one, the group is edited.
func (t *telling) unlike(ctx context.Context) ([]identity.ID, error) {
	claims := t.links.claims
	t.links.claims = nil
	if err := t.findGroups(ctx, claims); err != nil {
		return nil, err
	}
	next := map[identity.ID]bool{}
	for _, c := range claims {
		known, err := t.holding(c.dn)
		if err != nil {
			return nil, err
		}
		says, primary := map[identity.ID]bool{}, t.links.groups[c.primary]
		for _, g := range c.groups {
			if id := t.links.groups[g.Key()]; id != "" {
				says[id] = true
			}
		}
		if primary != "" && !known[primary] {
			mark(&t.links.primary, primary, c.dn)
			known[primary] = true
		}
		for id := range known {
			if !says[id] && id != primary {
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

// edit tells what groups gained and lost. Those that were read whole are known
// already, and those that nobody knows are none of ours.
func (t *telling) edit() error {
	groups := map[identity.ID]bool{}
	for id := range t.links.lost {
		groups[id] = true
	}
	for id := range t.links.gained {
		groups[id] = true
	}
	for id := range t.links.primary {
		groups[id] = true
	}
	for _, e := range t.news.edits {
		groups[e.Group] = true
	}
	maps.DeleteFunc(groups, func(id identity.ID, _ bool) bool { return t.done[id] })
	ids := slices.Sorted(maps.Keys(groups))
	if err := t.look(ids); err != nil {
		return err
	}
	var out []directory.Edit
	add := func(e directory.Edit) {
		if groups[e.Group] && t.was[e.Group].Kind == directory.Group {
			out = append(out, e)
		}
	}
	// What an engine tells has the names of now: it comes after the renamings.
	for _, id := range ids {
		if len(t.links.lost[id])+len(t.links.gained[id]) > 0 {
			add(directory.Edit{Group: id, Lost: t.links.lost[id].list(), Gained: t.links.gained[id].list()})
		}
	}
	for _, e := range t.news.edits {
		add(e)
	}
	for _, id := range ids {
		if len(t.links.primary[id]) > 0 {
			add(directory.Edit{Group: id, Gained: t.links.primary[id].list()})
		}
	}
	if len(out) == 0 {
		return nil
	}
	if err := t.changes.Edit(out); err != nil {
		return fmt.Errorf("stage changes of groups: %w", err)
	}
	return nil
}

// findGroups looks for the claimed groups that are read.
func (t *telling) findGroups(ctx context.Context, claims []claim) error {
	if t.links.groups == nil {
		t.links.groups = map[string]identity.ID{}
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
			t.links.groups[key] = ""
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
	t.links.groups[dn.Key()] = id
	if octets := e.Values(strings.ToLower(objectSID)); len(octets) == 1 {
		if own, err := parseSID(octets[0]); err == nil {
			t.links.groups[own.text] = id
		}
	}
	return nil
}
