package scim

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/rosterd/rosterd/target"
)

const (
	displayName = "displayName"
	membersKey  = "members"
	typeGroup   = "Group"
	// byIDPrefix begins an entitlement that is the ID of a group.
	byIDPrefix = "id:"
)

// group is a group as it is now.
type group struct {
	resource
	tag string // what If-Match would say
	// members are the IDs of the accounts in it, once each; shown: it says so.
	members []string
	// groups are those in it. Who is in it by them is not ours; that they stay is.
	groups []string
	shown  bool
}

func groupPath(id string) string { return "Groups/" + url.PathEscape(id) }

// resolve is the ID of the group that an entitlement means.
func (t *Target) resolve(ctx context.Context, doing, entitlement string) (string, error) {
	if id, ok := strings.CutPrefix(entitlement, byIDPrefix); ok && id != "" {
		return id, nil
	}
	t.mu.Lock()
	id := t.groups[entitlement]
	t.mu.Unlock()
	if id != "" {
		return id, nil
	}
	found, err := t.groupsNamed(ctx, doing, entitlement)
	if err != nil {
		return "", err
	}
	switch len(found) {
	case 0:
		return "", missing("rosterd never makes a group in a target: make it, or correct the name", "%s: there is no group %q", doing, entitlement)
	case 1:
	default:
		ids := make([]string, len(found))
		for i, r := range found {
			ids[i] = byIDPrefix + clean(r.id())
		}
		return "", refused("name one of them by its ID: "+strings.Join(ids, ", "), "%s: %d groups are called %q", doing, len(found), entitlement)
	}
	id = found[0].id()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.groups[entitlement] = id
	return id, nil
}

// groupsNamed are the groups of exactly that name.
func (t *Target) groupsNamed(ctx context.Context, doing, name string) ([]resource, error) {
	query := filterOf(displayName, name)
	query.Set("excludedAttributes", membersKey)
	of := func(list []resource) (named []resource, foreign bool) {
		for _, r := range list {
			if r.text(displayName) == name {
				named = append(named, r)
			}
			foreign = foreign || !strings.EqualFold(r.text(displayName), name)
		}
		return named, foreign
	}
	if t.filters("group." + displayName) {
		list, err := t.pages(ctx, doing, "Groups", query)
		switch status := statusOf(err); {
		case err == nil:
			named, foreign := of(list)
			if !foreign && len(named) > 0 {
				return named, nil
			}
			if foreign {
				t.noFilter("group." + displayName)
			}
		case status == http.StatusBadRequest || status == http.StatusUnprocessableEntity || status == http.StatusNotImplemented || status == http.StatusNotFound:
			if status != http.StatusNotFound {
				t.noFilter("group." + displayName)
			}
		default:
			return nil, err
		}
	}
	list, err := t.pages(ctx, doing, "Groups", url.Values{"excludedAttributes": {membersKey}})
	if err != nil {
		return nil, err
	}
	named, _ := of(list)
	if len(named) > 0 { // a filter did not find it
		t.noFilter("group." + displayName)
	}
	return named, nil
}

// readGroup reads the group of an entitlement, whole. One that has another name by
// now is not it any more.
func (t *Target) readGroup(ctx context.Context, doing, entitlement string) (group, error) {
	for again := false; ; again = true {
		id, err := t.resolve(ctx, doing, entitlement)
		if err != nil {
			return group{}, err
		}
		r, a, err := t.get(ctx, doing, groupPath(id), nil)
		named := strings.HasPrefix(entitlement, byIDPrefix)
		switch {
		case target.ClassOf(err) == target.Missing && named:
			return group{}, missing("correct the ID", "%s: there is no group with the ID %q", doing, id)
		case target.ClassOf(err) == target.Missing || err == nil && !named && r.text(displayName) != entitlement:
			t.mu.Lock()
			delete(t.groups, entitlement)
			t.mu.Unlock()
			if again {
				return group{}, refused("", "%s: the group %q has another name, or cannot be read, whenever it is found", doing, entitlement)
			}
			continue
		case err != nil:
			return group{}, err
		case r.id() != id:
			return group{}, refused("", "%s: asked for the group %q, the server answered with %q", doing, id, clean(r.id()))
		}
		g := group{resource: r, tag: a.header.Get("ETag")}
		list := r.get(membersKey)
		g.shown = list != nil
		for _, x := range entries(list) {
			switch id := memberID(x); {
			case id == "":
			case strings.EqualFold(object(x).text(subType), typeGroup):
				g.groups = append(g.groups, id)
			default:
				g.members = append(g.members, id)
			}
		}
		slices.Sort(g.members)
		g.members = slices.Compact(g.members)
		t.written.nest(g.groups)
		if len(g.members)+len(g.groups) > 0 {
			t.members.mu.Lock()
			t.members.shows = true
			t.members.mu.Unlock()
		}
		return g, nil
	}
}

// memberID is the ID of a member: in an object, or as it is.
func memberID(x any) string {
	if o := object(x); o != nil {
		return o.text(subValue)
	}
	return scalar(x)
}

// holds says whether an account or a group is in it.
func (g group) holds(id string) bool {
	return g.has(target.NativeID(id)) || slices.Contains(g.groups, id)
}

// has says whether an account is a member.
func (g group) has(id target.NativeID) bool {
	_, is := slices.BinarySearch(g.members, string(id))
	return is
}

// twoNames is the error of one group that is two entitlements, by its name and by its ID.
// To the policy they are two rights, and what takes the one would take the other from
// whoever should have it.
func (t *Target) twoNames(doing string, entitlements []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range entitlements {
		if id := t.groups[e]; id != "" && slices.Contains(entitlements, byIDPrefix+id) {
			return refused("write it in one way", "%s: the entitlements %q and %q are one group", doing, e, byIDPrefix+id)
		}
	}
	return nil
}

// holders are those of the accounts, and perhaps others, who hold an entitlement.
func (t *Target) holders(ctx context.Context, doing, entitlement string, accounts []resource) ([]string, error) {
	switch t.dialect.Members {
	case membersOmitted:
		return nil, nil
	case membersShown:
		g, err := t.readGroup(ctx, doing, entitlement)
		if err != nil {
			return nil, err
		}
		out := g.members
		for _, r := range accounts {
			// Whoever is in it by either word is in it: some servers show a part of
			// a long list, or write IDs in another case.
			if !g.has(target.NativeID(r.id())) && r.in(g.id()) {
				out = append(out, r.id())
			}
		}
		return out, nil
	}
	g, err := t.readGroup(ctx, doing, entitlement) // it may have another name by now
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range accounts {
		is := false
		if t.dialect.Members == membersUser {
			is = r.in(g.id())
		} else if is, err = t.asked(ctx, doing, g.id(), r.id()); err != nil {
			return nil, err
		}
		if is {
			out = append(out, r.id())
		}
	}
	return out, nil
}

// in says whether an account names a group among those that it is in by itself.
func (r resource) in(groupID string) bool {
	return slices.ContainsFunc(entries(r.get("groups")), func(x any) bool {
		o := object(x)
		return o.text(subValue) == groupID && !strings.EqualFold(o.text(subType), "indirect")
	})
}

// asked asks for a group with a member in it: the way of servers that never list
// members. Any answer but that group, or none, is an error.
func (t *Target) asked(ctx context.Context, doing, groupID, id string) (bool, error) {
	query := filterOf("id", groupID)
	query.Set("filter", query.Get("filter")+" and "+filterOf(membersKey, id).Get("filter"))
	query.Set("excludedAttributes", membersKey)
	list, err := t.pages(ctx, doing, "Groups", query)
	if err != nil {
		return false, err
	}
	for _, r := range list {
		if r.id() != groupID {
			return false, refused("members = … in the dialect", "%s: asked whether an account is in a group, the server answered with another group", doing)
		}
	}
	return len(list) == 1, nil
}

// lock keeps changes of one group apart: some servers lose members otherwise.
func (t *Target) lock(id string) func() {
	t.mu.Lock()
	l := t.locks[id]
	if l == nil {
		l = &sync.Mutex{}
		t.locks[id] = l
	}
	t.mu.Unlock()
	l.Lock()
	return l.Unlock
}
