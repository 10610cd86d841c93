package entries

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

const (
	// groupsPerFilter is how many groups one search asks for.
	groupsPerFilter = 50
	// FewLooks is up to how many accounts are asked for their groups one by
	// one; for more of them the groups are read whole.
	FewLooks = 128
)

// group is a group of the target as it was read.
type group struct {
	rec         ldapwire.Record
	dn          identity.DN
	entitlement string
}

// value is what stands in a group for the account.
func (t *Accounts) value(e entry) string {
	if t.cfg.Groups.Style == StyleMemberUID {
		return e.name
	}
	return e.rec.DN
}

// member is that value in a form that can be compared.
func (t *Accounts) member(e entry) string {
	return t.memberKey(t.value(e))
}

func (t *Accounts) memberKey(value string) string {
	return Canon(t.cfg.Groups.Style, value)
}

// groupDN says whether an entitlement is written as the DN of a group.
func (t *Accounts) groupDN(entitlement string) (identity.DN, bool) {
	if !strings.Contains(entitlement, "=") {
		return identity.DN{}, false
	}
	dn, err := identity.ParseDN(entitlement)
	return dn, err == nil && dn.Within(t.cfg.Groups.Base)
}

// readGroups reads the groups of the entitlements. One that is not there is not in the
// answer; a name that two groups have is an error, and so are two names of one group.
func (s *session) readGroups(ctx context.Context, entitlements []string, attributes ...string) (map[string]group, error) {
	out, err := s.findGroups(ctx, entitlements, attributes...)
	called := make(map[string]string, len(out)) // DN → entitlement
	for _, e := range slices.Sorted(maps.Keys(out)) {
		g := out[e]
		if other, twice := called[g.dn.Key()]; twice {
			return nil, twoNames(other, e, g.rec.DN)
		}
		called[g.dn.Key()] = e
	}
	return out, err
}

// Called returns the names of the groups. See target.Namer.
func (t *Accounts) Called(ctx context.Context, entitlements []string) (called map[string]string, err error) {
	err = t.with(ctx, "find groups", func(s *session) error {
		groups, err := s.findGroups(ctx, entitlements)
		called = make(map[string]string, len(groups))
		for e, g := range groups {
			called[e] = g.dn.Key()
		}
		return err
	})
	return called, err
}

// findGroups reads the groups of the entitlements, by whatever names.
func (s *session) findGroups(ctx context.Context, entitlements []string, attributes ...string) (map[string]group, error) {
	t := s.t
	attributes = slices.DeleteFunc(attributes, func(a string) bool { return a == "" })
	out := make(map[string]group, len(entitlements))
	put := func(entitlement string, rec ldapwire.Record) error {
		dn, err := identity.ParseDN(rec.DN)
		if err != nil {
			return refused("", "read a group: %w", err)
		}
		if other, twice := out[entitlement]; twice && !other.dn.Equal(dn) {
			return refused("name one of them by its DN", "the entitlement %q names two groups, %s and %s", entitlement, other.rec.DN, rec.DN)
		}
		out[entitlement] = group{rec: rec, dn: dn, entitlement: entitlement}
		return nil
	}
	var names []string
	for _, e := range entitlements {
		dn, ok := t.groupDN(e)
		if !ok {
			names = append(names, e)
			continue
		}
		rec, err := s.groupAt(ctx, dn, t.cfg.Groups.Filter, attributes...)
		if err != nil {
			if classOf(err) == target.Missing {
				continue
			}
			return nil, s.read(err)
		}
		if err := put(e, rec); err != nil {
			return nil, err
		}
	}
	for len(names) > 0 {
		n := min(len(names), groupsPerFilter)
		byName := make(map[string][]string, n)
		var filter strings.Builder
		filter.WriteString("(&" + t.cfg.Groups.Filter + "(|")
		for _, e := range names[:n] {
			key := Canon(t.cfg.Groups.Name, e)
			byName[key] = append(byName[key], e)
			filter.WriteString("(" + t.cfg.Groups.Name + "=" + ldapwire.EscapeFilterValue(e) + ")")
		}
		filter.WriteString("))")
		names = names[n:]
		recs, err := s.searchGroups(ctx, filter.String(), attributes...)
		if err != nil {
			return nil, err
		}
		for _, rec := range recs {
			for _, v := range unique(t.cfg.Groups.Name, rec.Values(t.cfg.Groups.Name)) {
				for _, e := range byName[Canon(t.cfg.Groups.Name, v)] {
					if err := put(e, rec); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	return out, nil
}

// twoNames is the error of one group that is two entitlements. To the policy they are two
// rights, and what takes the one would take the other from whoever should have it.
func twoNames(a, b, dn string) error {
	a, b = min(a, b), max(a, b)
	return refused("write it in one way", "the entitlements %q and %q are one group, %s", a, b, dn)
}

// groupAt reads the entry of that name, if the filter admits it.
func (s *session) groupAt(ctx context.Context, dn identity.DN, filter string, attributes ...string) (ldapwire.Record, error) {
	if !s.t.cfg.Groups.Long {
		return s.c.BaseWhere(ctx, dn.String(), filter, attributes...)
	}
	recs, _, err := s.c.Collect(ctx, ldapwire.Request{Base: dn.String(), Scope: ldapwire.ScopeBase, Filter: filter, Attributes: attributes, ReadLong: true})
	if err != nil || len(recs) == 0 {
		return ldapwire.Record{}, cmp.Or(err, ldapwire.ErrNoEntry)
	}
	return recs[0], nil
}

func (s *session) searchGroups(ctx context.Context, filter string, attributes ...string) ([]ldapwire.Record, error) {
	base := s.t.cfg.Groups.Base.String()
	recs, _, err := s.c.Collect(ctx, ldapwire.Request{Base: base, Scope: ldapwire.ScopeSubtree, Filter: filter, Attributes: append([]string{s.t.cfg.Groups.Name}, attributes...), ReadLong: s.t.cfg.Groups.Long, Controls: s.t.cfg.Controls})
	if err != nil {
		return nil, s.container(err, base)
	}
	return recs, nil
}

// groupsWith lists the groups that have the value as a member.
func (s *session) groupsWith(ctx context.Context, value string) ([]ldapwire.Record, error) {
	if s.t.cfg.Groups.Base.IsZero() {
		return nil, nil
	}
	return s.searchGroups(ctx, "(&"+s.t.cfg.Groups.Filter+"("+s.t.cfg.Groups.Style+"="+ldapwire.EscapeFilterValue(value)+"))")
}

// groupsOf lists the groups that the account is in.
func (s *session) groupsOf(ctx context.Context, e entry) ([]ldapwire.Record, error) {
	g, primary := s.t.cfg.Groups, s.t.primary(e)
	if primary == "" {
		return s.groupsWith(ctx, s.t.value(e))
	}
	return s.searchGroups(ctx, "(&"+g.Filter+"(|("+g.Style+"="+ldapwire.EscapeFilterValue(s.t.value(e))+")("+g.Primary.Group+"="+ldapwire.EscapeFilterValue(primary)+")))")
}

// primary is what tells the primary group of the account; empty if it has none.
func (t *Accounts) primary(e entry) string {
	if t.cfg.Groups.Primary.Of == nil {
		return ""
	}
	return t.cfg.Groups.Primary.Of(e.rec)
}

// primaryKey tells a primary group from a member among what is held.
func primaryKey(value string) string { return "\x00" + value }

// held are the entitlements of the account among those by member.
func (t *Accounts) held(by map[string][]string, e entry) []string {
	list := by[t.member(e)]
	if p := t.primary(e); p != "" && len(by[primaryKey(p)]) > 0 {
		list = slices.Concat(list, by[primaryKey(p)])
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
}

// anyHeld says whether one of many accounts is in a group at all: those that left, and
// come together, are in none. It is not asked where that is known, or saves little.
func (s *session) anyHeld(ctx context.Context, accounts []entry) (bool, error) {
	g := s.t.cfg.Groups
	if len(accounts) <= fewAccounts || len(g.Primary.Attributes) > 0 {
		return true, nil
	}
	var filter strings.Builder
	for _, e := range accounts {
		if len(s.t.behindOf(e.id)) > 0 {
			return true, nil
		}
		if value := s.t.value(e); value != "" {
			filter.WriteString("(" + g.Style + "=" + ldapwire.EscapeFilterValue(value) + ")")
		}
	}
	if filter.Len() == 0 {
		return false, nil
	}
	groups, err := s.searchGroups(ctx, "(&"+g.Filter+"(|"+filter.String()+"))")
	return len(groups) > 0, err
}

// entitlements names the groups, as far as they are in the scope.
func (t *Accounts) entitlements(scope target.Scope, groups []ldapwire.Record) ([]string, error) {
	var out []string
	for _, rec := range groups {
		dn, err := identity.ParseDN(rec.DN)
		if err != nil {
			return nil, refused("", "read a group: %w", err)
		}
		called := ""
		for _, e := range scope.Entitlements {
			if want, ok := t.groupDN(e); ok && want.Equal(dn) || !ok && slices.ContainsFunc(rec.Values(t.cfg.Groups.Name), func(v string) bool {
				return Same(t.cfg.Groups.Name, []string{v}, []string{e})
			}) {
				if called != "" && called != e {
					return nil, twoNames(called, e, rec.DN)
				}
				called = e
				out = append(out, e)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
