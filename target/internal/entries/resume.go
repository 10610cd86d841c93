package entries

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

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
			case c.Change.Verb == target.Create:
				made = append(made, &newcomer{at: i, name: e.name, dn: e.dn})
			case slices.ContainsFunc(cut[:i], func(o target.Cut) bool { return o.Account.ID == c.Account.ID }):
			default:
				s.doing = fmt.Sprintf("finish a change of %q that was cut off", c.Account.Name)
				all := slices.DeleteFunc(slices.Clone(cut[i:]), func(o target.Cut) bool { return o.Account.ID != c.Account.ID })
				if errs[i] = s.resume(ctx, all, e); errs[i] != nil && target.ClassOf(errs[i]) != target.Refused {
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

// resume lets the groups follow one entry, as far as nobody else has a name that it had.
// Who has one now may be in those groups because somebody wanted it, or because of what
// was left there: that cannot be told, and is said. So is what the entry may have met under
// its new name.
func (s *session) resume(ctx context.Context, cut []target.Cut, e entry) error {
	known, err := s.groupsWith(ctx, s.t.value(e))
	if err != nil {
		return err
	}
	theirs, err := s.strange(cut[0], known)
	if err != nil {
		return err
	}
	former := s.formerly(cut, e)
	var said error
	for _, was := range former {
		groups, err := s.resumeFrom(ctx, was, e)
		if err != nil && target.ClassOf(err) != target.Refused {
			return err
		}
		said = cmp.Or(said, err)
		theirs = slices.DeleteFunc(theirs, func(r ldapwire.Record) bool {
			return slices.ContainsFunc(groups, func(g ldapwire.Record) bool { return g.DN == r.DN })
		})
	}
	if said == nil && len(former) > 0 && len(theirs) > 0 {
		return refused("take it out of those where it does not belong", "%s: it is in %s, maybe of somebody who had its name before", s.doing, listed(theirs))
	}
	return said
}

// resumeFrom lets the groups follow that have a name which the entry had, and says which
// they were.
func (s *session) resumeFrom(ctx context.Context, was string, e entry) ([]ldapwire.Record, error) {
	groups, err := s.groupsWith(ctx, was)
	if err != nil {
		return nil, err
	}
	if len(groups) > 0 {
		free, err := s.nobodys(ctx, was)
		if err != nil {
			return groups, err
		}
		if !free {
			return groups, refused("take it out of those where it does not belong", "%s: %s is another account by now, and in %s, where this one was", s.doing, was, listed(groups))
		}
		if err := s.follow(ctx, was, s.t.value(e), nil); err != nil && onlyThat(err) {
			return groups, refused(hintOf(err), "%s: not all groups that have %s followed: %w", s.doing, was, err)
		} else if err != nil {
			return groups, err
		}
	}
	s.t.caughtUp(e.id, was)
	return groups, nil
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
