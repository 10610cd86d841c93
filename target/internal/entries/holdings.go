package entries

import (
	"context"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// holdings reads the groups of the scope whole: entitlements by member, and those of which
// nothing can be seen.
func (s *session) holdings(ctx context.Context, scope target.Scope) (map[string][]string, []string, error) {
	t := s.t
	out := map[string][]string{}
	if t.cfg.Groups.Base.IsZero() || len(scope.Entitlements) == 0 {
		return out, nil, nil
	}
	groups, err := s.readGroups(ctx, scope.Entitlements, t.cfg.Groups.Style, t.cfg.Groups.Primary.Group)
	if err != nil {
		return nil, nil, err
	}
	unseen, err := s.unseen(ctx, scope, len(groups) > 0)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range scope.Entitlements { // sorted, so that those of an account are
		for _, v := range groups[e].rec.Values(t.cfg.Groups.Style) {
			key := t.memberKey(v)
			if list := out[key]; len(list) == 0 || list[len(list)-1] != e {
				out[key] = append(list, e)
			}
		}
		if p := t.cfg.Groups.Primary.Group; p != "" && groups[e].rec.First(p) != "" {
			key := primaryKey(groups[e].rec.First(p))
			out[key] = append(out[key], e)
		}
	}
	return out, unseen, nil
}

// unseen are the entitlements of the scope, where no group at all is shown: an access list
// hides them, or somebody deleted them all, and who is in them by that nobody knows. One
// that is missing beside others was deleted, or never there.
func (s *session) unseen(ctx context.Context, scope target.Scope, seen bool) ([]string, error) {
	if seen {
		return nil, nil
	}
	g := s.t.cfg.Groups
	base := g.Base.String()
	some, err := s.c.Any(ctx, ldapwire.Request{Base: base, Scope: ldapwire.ScopeSubtree, Filter: g.Filter, Controls: s.t.cfg.Controls})
	if err != nil {
		return nil, s.container(err, base)
	}
	if some {
		return nil, nil
	}
	return scope.Entitlements, nil
}

// holdingsOf reads the entitlements of the accounts, and those of which nothing can be
// seen.
func (s *session) holdingsOf(ctx context.Context, scope target.Scope, accounts []entry) (map[target.NativeID][]string, []string, error) {
	t := s.t
	out := make(map[target.NativeID][]string, len(accounts))
	if t.cfg.Groups.Base.IsZero() || len(scope.Entitlements) == 0 || len(accounts) == 0 {
		return out, nil, nil
	}
	if len(accounts) > FewLooks {
		held, unseen, err := s.holdings(ctx, scope)
		if err != nil {
			return nil, nil, err
		}
		formers, err := s.formers(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range accounts {
			out[e.id] = t.heldAlso(held, formers, e)
		}
		return out, unseen, nil
	}
	seen, err := s.anyHeld(ctx, accounts)
	if err != nil {
		return nil, nil, err
	}
	if seen {
		if seen, err = s.heldByEach(ctx, scope, accounts, out); err != nil {
			return nil, nil, err
		}
	}
	unseen, err := s.unseen(ctx, scope, seen)
	return out, unseen, err
}

// heldByEach asks for the groups of each account, and says whether there was one.
func (s *session) heldByEach(ctx context.Context, scope target.Scope, accounts []entry, out map[target.NativeID][]string) (seen bool, err error) {
	for _, e := range accounts {
		if _, known := out[e.id]; known || s.t.value(e) == "" {
			continue
		}
		recs, err := s.groupsOf(ctx, e)
		if err != nil {
			return false, err
		}
		formers, err := s.former(ctx, e)
		if err != nil {
			return false, err
		}
		for _, was := range formers {
			more, err := s.groupsWith(ctx, was)
			if err != nil {
				return false, err
			}
			recs = append(recs, more...)
		}
		seen = seen || len(recs) > 0
		if out[e.id], err = s.t.entitlements(scope, recs); err != nil {
			return false, err
		}
	}
	return seen, nil
}
