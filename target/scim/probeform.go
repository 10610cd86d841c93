package scim

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/rosterd/rosterd/target"
)

// attributes sees in which form attributes are changed, and stay changed.
func (p *probe) attributes(ctx context.Context) error {
	works := func(f form, name, value string) (bool, error) {
		return p.changes(ctx, f, target.Value{Name: name, Values: []string{value}})
	}
	var plain, all []form
	for _, f := range []form{byPath, noPath, whole} {
		value := p.name + string(rune('a'+f))
		ok, err := works(f, displayName, value)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		plain = append(plain, f)
		if ok, err = works(f, "enterprise.department", value); err != nil {
			return err
		}
		if ok {
			all = append(all, f)
		}
	}
	words := map[form]string{byPath: updatePatch, noPath: updateNoPath, whole: updatePut}
	switch {
	case len(plain) == 0:
		p.note(true, "", "displayName cannot be changed in any form")
	case len(all) == 0:
		p.found.Update = words[plain[0]]
		p.note(false, "leave enterprise attributes out of this target", "the enterprise extension is not kept")
	default:
		p.found.Update = words[all[0]]
	}
	return nil
}

// changes says whether a change in one form is there afterwards.
func (p *probe) changes(ctx context.Context, f form, v target.Value) (bool, error) {
	const doing = "change an attribute"
	s, err := p.t.discover(ctx)
	if err != nil {
		return false, err
	}
	now, err := p.t.read(ctx, doing, target.NativeID(p.users[0]))
	if err != nil {
		return false, err
	}
	list, err := edits(now.resource, []target.Value{v})
	if err != nil {
		return false, err
	}
	after := clone(now.resource).(resource)
	for _, e := range list {
		if err := s.apply(after, e, p.t.dialect); err != nil {
			return false, err
		}
	}
	if err := p.t.write(ctx, doing, now, after, list, f); fatal(err) {
		return false, err
	}
	now, err = p.t.read(ctx, doing, target.NativeID(p.users[0]))
	return err == nil && keeps(now.resource, list), err
}

// active sees in which form an account is opened and closed.
func (p *probe) active(ctx context.Context) error {
	const doing = "open and close"
	id := target.NativeID(p.users[0])
	p.found.Active = none
	for _, f := range []form{byPath, noPath, whole, byPathString, wholeString} {
		done := 0
		for _, open := range []bool{true, false} {
			now, err := p.t.read(ctx, doing, id)
			if target.ClassOf(err) == target.Missing {
				p.note(true, "", "an account that is closed is gone")
				p.users = p.users[1:]
				return nil
			}
			if err != nil {
				return err
			}
			if err := p.t.setActive(ctx, doing, now, f, open); fatal(err) {
				return err
			}
			if now, err = p.t.read(ctx, doing, id); err == nil && now.enabled() == open {
				done++
			}
			if err == nil && !open && now.text(displayName) == "" && f != whole && f != wholeString {
				p.note(false, "", "closing an account empties its other attributes: it is written whole")
				p.found.Update = updatePut
				done = 0
			}
		}
		if done == 2 {
			p.found.Active = activeBoolean
			if f == byPathString || f == wholeString {
				p.found.Active = activeString
			}
			return nil
		}
	}
	p.note(true, "", "an account cannot be closed in any form")
	return nil
}

const coreGroup = "urn:ietf:params:scim:schemas:core:2.0:Group"

// members makes a group, and sees how it is known who is in it.
func (p *probe) members(ctx context.Context) error {
	k := call{doing: "make a group", method: http.MethodPost, path: "Groups", body: resource{"schemas": []any{coreGroup}, displayName: p.name}}
	a, err := p.t.http.do(ctx, k)
	if err == nil {
		err = p.t.http.fault(k, a)
	}
	p.grouped = err == nil || target.ClassOf(err) == target.InDoubt
	switch {
	case fatal(err):
		return err
	case err != nil:
		p.note(false, "members were not tried", "a group cannot be made: %v", err)
		return nil
	}
	made, _ := decode(a.body)
	if p.group = made.id(); p.group == "" {
		p.group = lastSegment(a.header.Get("Location"))
	}
	if p.group == "" && !p.findGroup(ctx) {
		return nil
	}
	for len(p.users) < 4 {
		if _, err := p.account(ctx, p.shape); err != nil {
			return err
		}
	}
	for _, list := range [][]string{p.users[:2], p.users[2:3]} {
		if err := p.give(ctx, list...); fatal(err) {
			return err
		} else if err != nil {
			p.note(true, "", "members cannot be added: %v", err)
			return nil
		}
	}
	for _, way := range []string{membersShown, membersUser, membersAsked} {
		p.found.Members = way
		holders, err := p.holders(ctx)
		if fatal(err) {
			return err
		}
		switch {
		case err != nil || len(holders) == 0:
		case slices.Equal(holders, p.users[:3]):
			return nil
		case slices.Equal(holders, p.users[2:3]):
			p.unfit = true
			p.note(true, "", "adding a member takes the place of all that were there")
			return nil
		default:
			p.unfit = true
			p.note(true, "", "of three members that were added, %d are shown", len(holders))
			return nil
		}
	}
	p.found.Members = membersOmitted
	p.note(false, "members are written, and called accepted, not verified", "who is in a group cannot be seen")
	return nil
}

// findGroup finds the group by its name, which nobody else gives.
func (p *probe) findGroup(ctx context.Context) bool {
	found, err := p.t.groupsNamed(ctx, "find the group", p.name)
	if err != nil || len(found) != 1 {
		return false
	}
	p.group = found[0].id()
	return true
}

// holders are the probe's accounts in the group, in their order.
func (p *probe) holders(ctx context.Context) ([]string, error) {
	const doing = "see who is a member"
	var out []string
	r, _, err := p.t.get(ctx, doing, groupPath(p.group), nil)
	if err != nil {
		return nil, err
	}
	for _, id := range p.users {
		is := false
		switch p.found.Members {
		case membersShown:
			is = slices.ContainsFunc(entries(r.get(membersKey)), func(x any) bool {
				return scalar(x) == id || object(x).text(subValue) == id
			})
		case membersUser:
			u, err := p.t.read(ctx, doing, target.NativeID(id))
			if err != nil {
				return nil, err
			}
			is = slices.ContainsFunc(entries(u.get("groups")), func(x any) bool { return object(x).text(subValue) == p.group })
		case membersAsked:
			query := filterOf("id", p.group)
			query.Set("filter", query.Get("filter")+" and "+filterOf(membersKey, id).Get("filter"))
			r, _, err := p.t.get(ctx, doing, "Groups", url.Values(query))
			if err != nil {
				return nil, err
			}
			page, err := readPage(r)
			if err != nil {
				return nil, err
			}
			is = slices.Equal(ids(page.resources), []string{p.group})
		}
		if is {
			out = append(out, id)
		}
	}
	return out, nil
}

func (p *probe) give(ctx context.Context, ids ...string) error {
	p.t.written.setWhole(p.group) // it was made just now: nobody else is in it
	return p.t.sendMembers(ctx, "add members", p.group, ids, true)
}

// take removes members in one request, in one form.
func (p *probe) take(ctx context.Context, remove string, ids ...string) error {
	ops := make([]operation, len(ids))
	values := make([]any, len(ids))
	for i, id := range ids {
		ops[i] = operation{Op: opRemove, Path: membersKey + "[" + filterOf(subValue, id).Get("filter") + "]"}
		values[i] = map[string]any{subValue: id}
	}
	if remove == removeValue {
		ops = []operation{{opRemove, membersKey, values}}
	}
	return p.t.writeMembers(ctx, "remove members", p.group, http.MethodPatch, newPatch(ops...), "")
}

// removals sees whether one member is removed without the others, and then two.
func (p *probe) removals(ctx context.Context) error {
	if p.group == "" || p.unfit || p.found.Members == "" || p.found.Members == membersOmitted {
		return nil
	}
	var holders []string
	for _, remove := range []string{removeFilter, removeValue} {
		if err := p.give(ctx, p.users[:3]...); err != nil {
			return err
		}
		err := p.take(ctx, remove, p.users[0])
		if fatal(err) {
			return err
		}
		if holders, err = p.holders(ctx); err != nil {
			return err
		}
		if slices.Equal(holders, p.users[1:3]) {
			p.found.MemberRemove = remove
			break
		}
		if len(holders) < 2 {
			p.note(false, "", "a removal of the form %q takes away others too", remove)
		}
	}
	if p.found.MemberRemove == "" {
		p.note(true, "", "one member cannot be removed without the others in any form")
		return nil
	}
	if err := p.give(ctx, p.users...); err != nil {
		return err
	}
	if err := p.take(ctx, p.found.MemberRemove, p.users[1], p.users[2]); fatal(err) {
		return err
	}
	holders, err := p.holders(ctx)
	if err != nil {
		return err
	}
	if !slices.Equal(holders, []string{p.users[0], p.users[3]}) {
		p.found.RemovesPerRequest = 1
		p.note(false, "", "two removals in one request do not remove those two: one at a time")
	}
	return nil
}
