package scim

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/target"
)

// probeTakes is longer than a probe takes: what is younger may be of one that runs.
const probeTakes = time.Hour

// probeDomain is where nobody gets mail.
const probeDomain = "@rosterd.invalid"

// probeMade are the names that a probe gives; those of accounts are numbered.
var probeMade = regexp.MustCompile("^" + target.ProbeName + `[0-9a-f]{16}(-[0-9]{1,2})?$`)

// leftovers are what a probe made that was killed before it could delete it.
type leftovers struct {
	users, groups []resource
	// others may be of a probe that runs, or somebody's who has such a name.
	others []string
}

func (l *leftovers) empty() bool { return len(l.users)+len(l.groups)+len(l.others) == 0 }

// leftover sees what was left. An account has three marks of a probe: a name that nobody
// gives, the same in the mark or the mail address, and an age. A group has the name and
// the age, and nobody else in it.
func (t *Target) leftover(ctx context.Context, doing string, accounts []resource) (leftovers, error) {
	var l leftovers
	probes := map[string]bool{}
	for _, r := range accounts {
		name := r.text(userName)
		if !probeMade.MatchString(name) {
			continue
		}
		if !signed(r, name) || !t.aged(r) {
			l.others = append(l.others, clean(name))
			continue
		}
		l.users, probes[r.id()] = append(l.users, r), true
	}
	if l.empty() {
		return l, nil // a probe makes its group last, and deletes it first
	}
	groups, err := t.pages(ctx, doing, "Groups", url.Values{"excludedAttributes": {membersKey}})
	if err != nil && target.ClassOf(err) != target.Refused && target.ClassOf(err) != target.Missing {
		return l, err
	}
	for _, r := range groups {
		if !probeMade.MatchString(r.text(displayName)) {
			continue
		}
		g, err := t.readGroup(ctx, doing, byIDPrefix+r.id())
		if err != nil && target.ClassOf(err) != target.Missing {
			return l, err
		}
		if err != nil || !t.aged(r) || len(g.groups) > 0 || slices.ContainsFunc(g.members, func(id string) bool { return !probes[id] }) {
			l.others = append(l.others, clean(r.text(displayName)))
			continue
		}
		l.groups = append(l.groups, r)
	}
	return l, nil
}

// signed says whether an account says elsewhere too that a probe made it.
func signed(r resource, name string) bool {
	return r.text(externalID) == name || slices.ContainsFunc(entries(r.get("emails")), func(x any) bool {
		return strings.EqualFold(object(x).text(subValue), name+probeDomain)
	})
}

// aged says whether the server says that it made something long enough ago.
func (t *Target) aged(r resource) bool {
	made, err := time.Parse(time.RFC3339, object(r.get("meta")).text("created"))
	return err == nil && t.http.clock.Now().Sub(made) > probeTakes
}

// earlier deletes what a probe left that was killed.
func (p *probe) earlier(ctx context.Context) error {
	const doing = "look for what an earlier probe left"
	all, err := p.t.pages(ctx, doing, "Users", nil)
	var l leftovers
	if err == nil {
		l, err = p.t.leftover(ctx, doing, all)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		p.note(false, "", "what an earlier probe may have left could not be looked for (%v)", err)
		return nil
	}
	for _, r := range l.groups {
		p.delete(ctx, "the group", groupPath(r.id()), r.id())
	}
	for _, r := range l.users {
		p.delete(ctx, "the account", userPath(target.NativeID(r.id())), r.id())
	}
	if n := len(l.groups) + len(l.users); n > 0 {
		p.note(false, "", "of an earlier probe there were %d accounts and groups: they were deleted, but for those that are named here", n)
	}
	if len(l.others) > 0 {
		p.note(false, "if no probe runs and nobody needs them, delete them there", "they are called as a probe calls what it makes, and may be somebody's: %s", strings.Join(l.others, ", "))
	}
	return nil
}

// checkLeftover names what a probe left.
func (t *Target) checkLeftover(ctx context.Context, doing string, accounts []resource, f *findings) error {
	l, err := t.leftover(ctx, doing, accounts)
	if err != nil || l.empty() {
		return err
	}
	names := slices.Clone(l.others)
	for _, r := range l.users {
		names = append(names, clean(r.text(userName)))
	}
	for _, r := range l.groups {
		names = append(names, clean(r.text(displayName)))
	}
	slices.Sort(names)
	f.warn("rosterd target probe deletes what an earlier one left", "a probe that was stopped has left, or one that runs has made: %s", strings.Join(names, ", "))
	return nil
}
