package entries

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// relocate gives an entry another RDN, or another parent, and lets the groups
// follow. A directory that keeps memberships itself has done so before we look.
func (s *session) relocate(ctx context.Context, e entry, rdn string, parent identity.DN, newName string) (entry, error) {
	t := s.t
	dn, err := identity.ParseDN(rdn + "," + parent.String())
	if err != nil {
		return entry{}, refused("", "%s: %w", s.doing, err)
	}
	superior := ""
	if !parent.Equal(e.dn.Parent()) {
		superior = parent.String()
	}
	now := e
	now.dn, now.name, now.rec.DN = dn, newName, dn.String()
	var stale []ldapwire.Record // groups that still name somebody who was there before
	linked := t.cfg.Groups.Linked || t.member(now) == t.member(e)
	if !linked {
		if stale, err = s.groupsWith(ctx, t.value(now)); err != nil {
			return entry{}, err
		}
		if len(stale) > 0 {
			if taken, err := s.outsider(ctx, t.value(now), s.doing); taken != nil || err != nil {
				return entry{}, cmp.Or(err, taken)
			}
		}
		if slices.ContainsFunc(t.behindOf(e.id), t.alike(t.value(now))) {
			stale = nil // its own, from before
		}
	}
	if err := s.write(s.c.ModifyDN(ctx, e.rec.DN, rdn, true, superior)); err != nil {
		return entry{}, err
	}
	t.remember(now)
	if linked {
		return now, nil // what stands in the groups is its name still
	}
	if err := s.follow(ctx, t.value(e), t.value(now), stale); err != nil {
		t.fellBehind(e.id, t.value(e))
		return entry{}, &target.Error{Class: target.InDoubt, Err: fmt.Errorf("%s: the entry is now %s, but its groups did not follow: %w", s.doing, dn, err), Tip: hintOf(err)}
	}
	t.caughtUp(e.id, t.value(e))
	return now, nil
}

// follow replaces a member by its new name in every group, but takes it out of those
// that are stale. That comes first: cut off in between, somebody lacks a right for a
// while, and has none of another's.
func (s *session) follow(ctx context.Context, was, now string, stale []ldapwire.Record) error {
	groups, err := s.groupsWith(ctx, was)
	if err != nil {
		return err
	}
	keep := make(map[string]bool, len(groups))
	for _, g := range groups {
		keep[g.DN] = true
	}
	var failed error
	for _, g := range stale {
		if keep[g.DN] {
			continue
		}
		err := s.remove(ctx, g.DN, []string{now})
		if errors.Is(err, ldapwire.ErrNoSuchAttribute) {
			continue
		}
		if failed = cmp.Or(failed, err); err != nil && !onlyThat(err) {
			return err
		}
	}
	for _, g := range groups {
		err := s.swap(ctx, g.DN, was, now)
		if failed = cmp.Or(failed, err); err != nil && !onlyThat(err) {
			return err
		}
	}
	return failed
}

// onlyThat says whether an error is of one group, which rosterd may have no right to
// write: the others are written all the same.
func onlyThat(err error) bool {
	c := target.ClassOf(err)
	return c == target.Denied || c == target.Refused || c == target.Missing
}

// swap replaces one member. The directory may do the same at this moment, or
// somebody may take the membership away: where the old member is not there any
// more, nothing is added.
func (s *session) swap(ctx context.Context, dn, was, now string) error {
	style := s.t.cfg.Groups.Style
	in := ldapwire.Change{Verb: ldapwire.AddValues, Name: style, Values: []string{now}}
	out := ldapwire.Change{Verb: ldapwire.DeleteValues, Name: style, Values: []string{was}}
	err := s.modifyGroup(ctx, dn, out, in)
	if errors.Is(err, ldapwire.ErrTypeOrValueExists) {
		err = s.modifyGroup(ctx, dn, out)
	}
	if errors.Is(err, ldapwire.ErrNoSuchAttribute) {
		return nil
	}
	return err
}

// strip takes a member out of every group.
func (s *session) strip(ctx context.Context, value string) error {
	if value == "" || s.t.cfg.Groups.Linked {
		return nil
	}
	groups, err := s.groupsWith(ctx, value)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := s.remove(ctx, g.DN, []string{value}); err != nil && !errors.Is(err, ldapwire.ErrNoSuchAttribute) {
			return err
		}
	}
	return nil
}

// heal finishes what a relocation from that place left undone when it was cut
// off: groups that still have the old name follow, if nobody else has it.
func (s *session) heal(ctx context.Context, was identity.DN, e entry) error {
	if s.t.cfg.Groups.Base.IsZero() || s.t.cfg.Groups.Linked || s.t.cfg.Groups.Style == StyleMemberUID || was.Equal(e.dn) {
		return nil
	}
	free, err := s.free(ctx, was.String())
	if err != nil || !free {
		return err
	}
	if err := s.follow(ctx, was.String(), e.rec.DN, nil); err != nil {
		return err
	}
	s.t.caughtUp(e.id, was.String())
	return nil
}
