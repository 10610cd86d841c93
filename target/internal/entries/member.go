package entries

import (
	"context"
	"errors"
	"fmt"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

const (
	// fewCompares is up to how many members the server is asked for one by
	// one; for more of them the group is read.
	fewCompares = 16
)

// Grant adds the accounts to the group.
func (t *Accounts) Grant(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	return t.entitle(ctx, entitlement, accounts, true)
}

// Revoke removes the accounts from the group. A group that may not be empty
// gets the placeholder.
func (t *Accounts) Revoke(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	return t.entitle(ctx, entitlement, accounts, false)
}

func (t *Accounts) entitle(ctx context.Context, entitlement string, accounts []target.Ref, give bool) []error {
	if len(accounts) == 0 {
		return nil
	}
	doing := fmt.Sprintf("revoke %q", entitlement)
	if give {
		doing = fmt.Sprintf("grant %q", entitlement)
	}
	errs, failed := make([]error, len(accounts)), false
	err := t.with(ctx, doing, func(s *session) error {
		clear(errs)
		if t.cfg.Groups.Base.IsZero() {
			return refused("set the base of groups", "%s: this target has no groups", doing)
		}
		groups, err := s.readGroups(ctx, []string{entitlement}, t.cfg.Groups.Primary.Group, "objectClass")
		if err != nil {
			return err
		}
		g, ok := groups[entitlement]
		if !ok {
			return s.noGroup(ctx, entitlement)
		}
		if dynamic(g.rec) {
			return s.dynamicGroup(g.rec.DN)
		}
		found, err := s.resolve(ctx, accounts)
		if err != nil {
			return err
		}
		b := batch{s: s, group: g, give: give, errs: errs, at: map[string][]int{}}
		for i, ref := range accounts {
			var values []string
			if e, ok := found[ref.ID]; ok && t.primary(e) != "" && t.primary(e) == g.rec.First(t.cfg.Groups.Primary.Group) {
				if !give {
					errs[i] = refused("give the account another primary group first", "%s: it is the primary group of %s, which nobody can be taken out of", doing, e.rec.DN)
				}
				continue
			} else if ok {
				values = []string{t.value(e)}
				if !give {
					was, err := s.former(ctx, e)
					if err != nil {
						return err
					}
					values = append(values, was...)
				}
			} else if values, err = s.leftover(ctx, ref); err != nil {
				return err
			} else if give {
				errs[i] = s.gone(ref)
				continue
			}
			for _, value := range values {
				if value != "" {
					b.want(value, i)
				}
			}
		}
		return b.run(ctx)
	})
	for i := range errs {
		if errs[i] == nil {
			errs[i] = err
		}
		failed = failed || errs[i] != nil
	}
	if !failed {
		return nil
	}
	return errs
}

// leftover is what an account that is gone may have left in groups: its name where it
// was last seen, and where one is made. Nothing of it that another has now.
func (s *session) leftover(ctx context.Context, ref target.Ref) ([]string, error) {
	t := s.t
	if ref.Name == "" || t.cfg.Groups.Linked {
		return nil, nil
	}
	if t.cfg.Groups.Style == StyleMemberUID {
		free, err := s.nobodys(ctx, ref.Name)
		if err != nil || !free {
			return nil, err
		}
		return []string{ref.Name}, nil
	}
	t.mu.Lock()
	places := []string{t.known[ref.ID]}
	t.mu.Unlock()
	if made := identity.JoinRDN(t.cfg.RDN, ref.Name, t.cfg.Base).String(); made != places[0] {
		places = append(places, made)
	}
	var out []string
	for _, dn := range places {
		if dn == "" {
			continue
		}
		free, err := s.free(ctx, dn)
		if err != nil {
			return nil, err
		}
		if free {
			out = append(out, dn)
		}
	}
	return out, nil
}

// batch changes the members of one group.
type batch struct {
	s      *session
	group  group
	give   bool
	values []string         // in the order in which they were asked for
	at     map[string][]int // key of a value → positions that want it
	errs   []error          // by position
}

func (b *batch) want(value string, i int) {
	key := b.s.t.memberKey(value)
	if len(b.at[key]) == 0 {
		b.values = append(b.values, value)
	}
	b.at[key] = append(b.at[key], i)
}

func (b *batch) run(ctx context.Context) error {
	todo, err := b.todo(ctx, b.values)
	if err != nil {
		return err
	}
	for most := MembersPerWrite; len(todo) > 0; {
		part, rest := cut(todo, most)
		err := b.write(ctx, part)
		if tooLong(ctx, err, len(part)) && b.s.redial(ctx) == nil {
			// What is there by now is looked for before anything is sent again.
			most = (len(part) + 1) / 2
			if todo, err = b.todo(ctx, todo); err != nil {
				return err
			}
			continue
		}
		if todo = rest; err == nil {
			continue
		}
		if len(part) > 1 && (target.ClassOf(err) == target.Refused || target.ClassOf(err) == target.Exists) {
			// One of them is at fault: ask for each.
			for i, v := range part {
				err := b.write(ctx, []string{v})
				if c := target.ClassOf(err); err != nil && c != target.Refused && c != target.Exists {
					b.fail(append(part[i:], todo...), err)
					return nil
				}
				b.fail([]string{v}, err)
			}
			continue
		}
		b.fail(part, err)
		if target.ClassOf(err) == target.InDoubt && len(todo) > 0 {
			err = &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: not sent after an error: %w", b.s.doing, err)}
		}
		if len(part) == 1 && target.ClassOf(err) == target.Refused {
			continue
		}
		b.fail(todo, err)
		return nil
	}
	return nil
}

func (b *batch) fail(values []string, err error) {
	for _, v := range values {
		for _, i := range b.at[b.s.t.memberKey(v)] {
			b.errs[i] = err
		}
	}
}

// todo leaves out what is so already, as it stands in the group.
func (b *batch) todo(ctx context.Context, values []string) ([]string, error) {
	s, style := b.s, b.s.t.cfg.Groups.Style
	if len(values) <= fewCompares && style != StyleUniqueMember {
		var out []string
		for _, v := range values {
			has, err := s.hasMember(ctx, b.group.rec.DN, v)
			if errors.Is(err, ldapwire.ErrNoSuchAttribute) || hasCode(err, ldapwire.CodeInvalidSyntax) {
				has, err = false, nil // of that syntax nothing can be there
			}
			if err != nil {
				return nil, s.read(err)
			}
			if has != b.give {
				out = append(out, v)
			}
		}
		return out, nil
	}
	read := s.c.Base
	if s.t.cfg.Groups.Long {
		read = s.c.BaseWhole
	}
	rec, err := read(ctx, b.group.rec.DN, style)
	if err != nil {
		return nil, s.read(err)
	}
	stands := make(map[string]string, len(rec.Values(style)))
	for _, v := range rec.Values(style) {
		stands[s.t.memberKey(v)] = v
	}
	var out []string
	for _, v := range values {
		written, has := stands[s.t.memberKey(v)]
		switch {
		case b.give && !has:
			out = append(out, v)
		case !b.give && has: // as it is written there
			out = append(out, written)
		}
	}
	return out, nil
}

// hasMember asks the server whether the value stands in the group.
func (s *session) hasMember(ctx context.Context, group, value string) (bool, error) {
	g := s.t.cfg.Groups
	if !g.Searched {
		return s.c.Compare(ctx, group, g.Style, value)
	}
	return s.c.Any(ctx, ldapwire.Request{Base: group, Scope: ldapwire.ScopeBase, Filter: "(" + g.Style + "=" + ldapwire.EscapeFilterValue(value) + ")"})
}

// write adds or removes the values in one request. What is so already is a
// success if it is the only one.
func (b *batch) write(ctx context.Context, values []string) error {
	if b.give {
		err := b.s.modifyGroup(ctx, b.group.rec.DN, ldapwire.Change{Verb: ldapwire.AddValues, Name: b.s.t.cfg.Groups.Style, Values: values})
		if len(values) == 1 && (errors.Is(err, ldapwire.ErrTypeOrValueExists) || b.s.t.already(err, true)) {
			return nil
		}
		return err
	}
	err := b.s.remove(ctx, b.group.rec.DN, values)
	if len(values) == 1 && (errors.Is(err, ldapwire.ErrNoSuchAttribute) || b.s.t.already(err, false)) {
		return nil
	}
	return err
}

func (t *Accounts) already(err error, add bool) bool {
	return err != nil && t.cfg.Groups.Already != nil && t.cfg.Groups.Already(err, add)
}

// remove takes members out of a group, and puts the placeholder in if the
// group may not be empty. Once there it stays: a group then never changes for
// being empty or not, and nobody holds anything through it.
func (s *session) remove(ctx context.Context, dn string, values []string) error {
	g := s.t.cfg.Groups
	gone := ldapwire.Change{Verb: ldapwire.DeleteValues, Name: g.Style, Values: values}
	err := s.modifyGroup(ctx, dn, gone)
	if !errors.Is(err, ldapwire.ErrObjectClassViolation) || g.Placeholder == "" || g.Style == StyleMemberUID {
		return err
	}
	placeholder := g.Placeholder
	if placeholder == PlaceholderSelf {
		placeholder = dn
	}
	return s.modifyGroup(ctx, dn, ldapwire.Change{Verb: ldapwire.AddValues, Name: g.Style, Values: []string{placeholder}}, gone)
}

func (s *session) modifyGroup(ctx context.Context, dn string, changes ...ldapwire.Change) error {
	err := s.write(s.c.Modify(ctx, dn, changes))
	var e *target.Error
	if errors.As(err, &e) && e.Class == target.Denied {
		e.Tip = fmt.Sprintf("give %s the right to write %s of %s", s.t.who(), s.t.cfg.Groups.Style, dn)
	}
	return err
}
