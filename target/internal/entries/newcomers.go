package entries

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// named searches for entries of accounts that have one of the names.
func (s *session) named(ctx context.Context, list []*newcomer) ([]entry, error) {
	var filter strings.Builder
	for _, n := range list {
		filter.WriteString("(" + s.t.cfg.Name + "=" + ldapwire.EscapeFilterValue(n.name) + ")")
	}
	return s.search(ctx, "(|"+filter.String()+")")
}

// namesFree notes whose names are taken, and whose values that no two may have. If
// the server finds an entry that seems to have none of them, it compares otherwise
// than we do, and each is asked for.
func (s *session) namesFree(ctx context.Context, list []*newcomer) error {
	doubtful, err := list, error(nil)
	switch {
	case len(list) > 1 && s.t.cfg.Domain.IsZero():
		doubtful, err = s.namesTaken(ctx, list)
	case len(list) > 1:
		doubtful, err = s.domainTaken(ctx, list)
	}
	if err != nil {
		return err
	}
	doing := s.doing
	defer func() { s.doing = doing }()
	for _, n := range doubtful {
		s.doing, n.taken = n.doing(), nil
		err := s.nameFree(ctx, n.name, "", n.set...)
		if c := target.ClassOf(err); c == target.Exists || c == target.Refused {
			n.taken = err
		} else if err != nil {
			return err
		}
	}
	return nil
}

// namesTaken asks for all names at once, and returns who is to be asked for alone.
func (s *session) namesTaken(ctx context.Context, list []*newcomer) ([]*newcomer, error) {
	found, err := s.named(ctx, list)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]*newcomer, len(list))
	for _, n := range list {
		n.taken = nil
		byName[Canon(s.t.cfg.Name, n.name)] = n
	}
	for _, e := range found {
		claimed := false
		for _, v := range e.rec.Values(s.t.cfg.Name) {
			if n := byName[Canon(s.t.cfg.Name, v)]; n != nil {
				n.taken, claimed = &target.Error{Class: target.Exists, Err: fmt.Errorf("%s: %s has that name", n.doing(), e.rec.DN)}, true
			}
		}
		if !claimed {
			return list, nil
		}
	}
	return nil, nil
}

// domainTaken does so in the whole domain, for the values that no two may have too.
// Where anything is found each is asked for, to say what it was.
func (s *session) domainTaken(ctx context.Context, list []*newcomer) ([]*newcomer, error) {
	t := s.t
	var filter strings.Builder
	for _, n := range list {
		n.taken = nil
		filter.WriteString("(" + t.cfg.Name + "=" + ldapwire.EscapeFilterValue(n.name) + ")")
		for _, v := range n.set {
			if !slices.ContainsFunc(t.cfg.Unique, func(u string) bool { return strings.EqualFold(u, v.Name) }) {
				continue
			}
			for _, value := range v.Values {
				filter.WriteString("(" + v.Name + "=" + ldapwire.EscapeFilterValue(value) + ")")
			}
		}
	}
	recs, _, err := s.c.Collect(ctx, ldapwire.Request{Base: t.cfg.Domain.String(), Scope: ldapwire.ScopeSubtree, Filter: "(|" + filter.String() + ")",
		Attributes: []string{t.cfg.IDAttribute}, Controls: t.cfg.Controls})
	if err != nil {
		return nil, s.container(err, t.cfg.Domain.String())
	}
	if len(recs) > 0 {
		return list, nil
	}
	return nil, nil
}

// byNames finds the entries where they were just added, by their DNs.
func (s *session) byNames(ctx context.Context, list []*newcomer) (map[string]entry, error) {
	found, err := s.named(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make(map[string]entry, len(found))
	for _, e := range found {
		out[e.dn.Key()] = e
	}
	return out, nil
}

// standsFor is what will stand in a group for the account.
func (t *Accounts) standsFor(n *newcomer) string {
	if t.cfg.Groups.Style == StyleMemberUID {
		return n.name
	}
	return n.dn.String()
}

// staleGroups notes which groups name somebody who had the place before.
func (s *session) staleGroups(ctx context.Context, list []*newcomer) error {
	t := s.t
	if t.cfg.Groups.Base.IsZero() || t.cfg.Groups.Linked || len(list) == 0 {
		return nil
	}
	var filter strings.Builder
	for _, n := range list {
		n.stale = nil
		filter.WriteString("(" + t.cfg.Groups.Style + "=" + ldapwire.EscapeFilterValue(t.standsFor(n)) + ")")
	}
	groups, err := s.searchGroups(ctx, "(&"+t.cfg.Groups.Filter+"(|"+filter.String()+"))")
	if err != nil {
		return err
	}
	if len(groups) == 0 {
		return nil
	}
	// That is rare: which place it was is asked for, so that no group is read
	// whole.
	for _, n := range list {
		groups, err := s.groupsWith(ctx, t.standsFor(n))
		if err != nil {
			return err
		}
		if len(groups) > 0 {
			if n.taken, err = s.outsider(ctx, n.name, n.doing()); err != nil {
				return err
			}
		}
		for _, g := range groups {
			if n.taken == nil {
				n.stale = append(n.stale, g.DN)
			}
		}
	}
	return nil
}

// outsider says, where groups know accounts by their names, whether an entry beyond the
// containers of accounts has one: then groups that name it mean that.
func (s *session) outsider(ctx context.Context, name, doing string) (taken, err error) {
	wide := s.beyond()
	if s.t.cfg.Groups.Style != StyleMemberUID || wide == "" {
		return nil, nil
	}
	attributes := []string{"uid"} // that is what groups mean by a name
	if !s.t.isName("uid") {
		attributes = append(attributes, s.t.cfg.Name)
	}
	for _, attribute := range attributes {
		recs, _, err := s.c.Collect(ctx, ldapwire.Request{Base: wide, Scope: ldapwire.ScopeSubtree, Attributes: []string{attribute}, Controls: s.t.cfg.Controls,
			Filter: "(" + attribute + "=" + ldapwire.EscapeFilterValue(name) + ")"})
		if ctx.Err() != nil || target.ClassOf(s.read(err)) == target.Transient {
			return nil, s.read(err)
		}
		for _, r := range recs {
			dn, err := identity.ParseDN(r.DN)
			if err != nil || !s.ours(dn) {
				return &target.Error{Class: target.Exists, Err: fmt.Errorf("%s: %s has that name, and is in groups by it", doing, r.DN)}, nil
			}
		}
	}
	return nil, nil
}

// ours says whether a name is within the containers of accounts.
func (s *session) ours(dn identity.DN) bool {
	return dn.Within(s.t.cfg.Base) || !s.t.cfg.MoveTo.IsZero() && dn.Within(s.t.cfg.MoveTo)
}

// stripFrom takes a member out of the groups, as far as it can.
func (s *session) stripFrom(ctx context.Context, groups []string, value string) error {
	var failed error
	for _, dn := range groups {
		err := s.remove(ctx, dn, []string{value})
		if errors.Is(err, ldapwire.ErrNoSuchAttribute) {
			continue
		}
		if failed = cmp.Or(failed, err); err != nil && !onlyThat(err) {
			return err
		}
	}
	return failed
}
