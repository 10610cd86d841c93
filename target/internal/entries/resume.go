package entries

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// Resumes says whether a change of that kind gives an entry a name that groups know it
// by: the groups are written after it.
func (t *Accounts) Resumes(ch target.Change) bool {
	if t.cfg.Groups.Base.IsZero() || t.cfg.Groups.Linked {
		return false
	}
	byDN := t.cfg.Groups.Style != StyleMemberUID
	switch ch.Verb {
	case target.Create, target.Rename:
		return true
	case target.Enable, target.Disable:
		return byDN && !t.cfg.MoveTo.IsZero()
	case target.Update:
		return byDN && slices.ContainsFunc(ch.Set, func(v target.Value) bool { return isContainer(v.Name) || t.titled() && t.isRDN(v.Name) })
	}
	return false
}

// Resume lets the groups follow entries that have another name by now, and takes new
// accounts out of groups that somebody was in who had the name before.
func (t *Accounts) Resume(ctx context.Context, cut []target.Cut) []error {
	if len(cut) == 0 {
		return nil
	}
	const doing = "finish changes that were cut off"
	errs := make([]error, len(cut))
	err := t.with(ctx, doing, func(s *session) error {
		refs := make([]target.Ref, len(cut))
		for i, c := range cut {
			errs[i], refs[i] = nil, c.Account
		}
		found, err := s.resolve(ctx, refs)
		if err != nil {
			return err
		}
		var made []*newcomer
		for i, c := range cut {
			e, there := found[c.Account.ID]
			switch {
			case !there:
			case c.Verb == target.Create:
				made = append(made, &newcomer{at: i, name: e.name, dn: e.dn})
			default:
				s.doing = fmt.Sprintf("finish a change of %q that was cut off", c.Account.Name)
				if errs[i] = s.resume(ctx, c, e); errs[i] != nil && target.ClassOf(errs[i]) != target.Refused {
					return errs[i]
				}
			}
		}
		s.doing = doing
		for len(made) > 0 {
			part := made[:min(len(made), idsPerFilter)]
			made = made[len(part):]
			if err := s.staleGroups(ctx, part); err != nil {
				return err
			}
			for _, n := range part {
				if err := s.stripFrom(ctx, n.stale, t.standsFor(n)); err != nil && !onlyThat(err) {
					return err
				} else if err != nil {
					errs[n.at] = refused(hintOf(err), "%s: it may hold what somebody held who had its name before: %w", n.doing(), err)
				}
			}
		}
		return nil
	})
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
	}
	return errs
}

// resume lets the groups follow one entry, as far as nobody else has its old name. Who
// has it now may be in those groups because somebody wanted it, or because of what was
// left there: that cannot be told, and is said. So is what the entry may have met under
// its new name.
func (s *session) resume(ctx context.Context, c target.Cut, e entry) error {
	known, err := s.groupsWith(ctx, s.t.value(e))
	if err != nil {
		return err
	}
	theirs, err := s.strange(c, known)
	if err != nil {
		return err
	}
	was := s.formerly(c, e)
	if was == "" || s.t.memberKey(was) == s.t.member(e) {
		return nil // it has the name that it had
	}
	groups, err := s.groupsWith(ctx, was)
	if err != nil {
		return err
	}
	if len(groups) > 0 {
		free, err := s.nobodys(ctx, was)
		if err != nil {
			return err
		}
		if !free {
			return refused("take it out of those where it does not belong", "%s: %s is another account by now, and in %s, where this one was", s.doing, was, listed(groups))
		}
		if err := s.follow(ctx, was, s.t.value(e), nil); err != nil && onlyThat(err) {
			return refused(hintOf(err), "%s: not all groups that have %s followed: %w", s.doing, was, err)
		} else if err != nil {
			return err
		}
	}
	s.t.fellBehind(e.id, "")
	theirs = slices.DeleteFunc(theirs, func(r ldapwire.Record) bool {
		return slices.ContainsFunc(groups, func(g ldapwire.Record) bool { return g.DN == r.DN })
	})
	if len(theirs) > 0 {
		return refused("take it out of those where it does not belong", "%s: it is in %s, maybe of somebody who had its name before", s.doing, listed(theirs))
	}
	return nil
}

// strange are those of the groups that rosterd did not put the account into.
func (s *session) strange(c target.Cut, groups []ldapwire.Record) ([]ldapwire.Record, error) {
	var out []ldapwire.Record
	for _, g := range groups {
		ours, err := s.t.entitlements(target.Scope{Entitlements: c.Holds}, []ldapwire.Record{g})
		if err != nil {
			return nil, err
		}
		if len(ours) == 0 {
			out = append(out, g)
		}
	}
	return out, nil
}

func listed(groups []ldapwire.Record) string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.DN
	}
	return strings.Join(names, " and ")
}

// formerly is what may stand in groups for the account from before a change; empty: the
// change did not arrive, or it is not known. Where the DN was not noted, it is the one
// that this change begins with.
func (s *session) formerly(c target.Cut, e entry) string {
	t := s.t
	if t.cfg.Groups.Style == StyleMemberUID {
		return c.Account.Name
	}
	if dn, err := identity.ParseDN(c.Reference); err == nil && !dn.IsZero() {
		return dn.String()
	}
	if c.Account.Name == "" || t.titled() {
		return ""
	}
	switch closed := t.closedPlace(e.dn); {
	case c.Verb == target.Rename:
		return identity.JoinRDN(t.cfg.RDN, c.Account.Name, e.dn.Parent()).String()
	case c.Verb == target.Disable && closed:
		return identity.JoinRDN(t.cfg.RDN, c.Account.Name, t.cfg.Base).String()
	case c.Verb == target.Enable && !closed:
		return identity.JoinRDN(t.cfg.RDN, c.Account.Name, t.cfg.MoveTo).String()
	}
	return ""
}

// nobodys says whether no account is what stands in groups.
func (s *session) nobodys(ctx context.Context, value string) (bool, error) {
	if s.t.cfg.Groups.Style != StyleMemberUID {
		return s.free(ctx, value)
	}
	heirs, err := s.search(ctx, "("+s.t.cfg.Name+"="+ldapwire.EscapeFilterValue(value)+")")
	if err != nil || len(heirs) > 0 {
		return false, err
	}
	taken, err := s.outsider(ctx, value, s.doing)
	return err == nil && taken == nil, err
}
