package scim

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rosterd/rosterd/target"
)

// settled is for how long a server may show what was before a change.
const settled = 10 * time.Minute

// written remembers what was changed a moment ago, since a server may show an older
// state: nobody is put back into a group whom we took out of it, and nobody is left
// out whom we added.
type written struct {
	mu      sync.Mutex
	changes map[string]map[string]change // by group, by member
	groups  map[string]bool              // members that are groups
	whole   map[string]bool              // groups that show all their members
}

type change struct {
	gave bool
	at   time.Time
}

// note is a change that the server took.
func (w *written) note(group string, ids []string, gave bool, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changes == nil {
		w.changes = map[string]map[string]change{}
	}
	of := w.changes[group]
	if of == nil {
		of = map[string]change{}
		w.changes[group] = of
	}
	for id, c := range of {
		if now.Sub(c.at) > settled {
			delete(of, id)
		}
	}
	for _, id := range ids {
		of[id] = change{gave, now}
	}
}

// took says whether we took the member out of the group a moment ago.
func (w *written) took(group, id string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, is := w.changes[group][id]
	return is && !c.gave && now.Sub(c.at) <= settled
}

// given are those whom we added to the group a moment ago.
func (w *written) given(group string, now time.Time) (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, c := range w.changes[group] {
		if c.gave && now.Sub(c.at) <= settled {
			out = append(out, id)
		}
	}
	return out
}

// nest remembers groups that are members of groups.
func (w *written) nest(ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		if w.groups == nil {
			w.groups = map[string]bool{}
		}
		w.groups[id] = true
	}
}

// member is one as an addition names it.
func (w *written) member(id string) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.groups[id] {
		return map[string]any{subValue: id, subType: typeGroup}
	}
	return map[string]any{subValue: id}
}

// whole is an error where the group does not show all its members: whoever is not
// shown would be lost with the next PUT.
func (t *Target) whole(ctx context.Context, doing, id string, g resource) error {
	const tip = "let the server take PATCH, or change the members of this group there by hand"
	var shown []string
	for _, x := range entries(g.get(membersKey)) {
		shown = append(shown, memberID(x))
	}
	for _, member := range t.written.given(id, t.http.clock.Now()) {
		if !slices.Contains(shown, member) {
			return &target.Error{Class: target.Transient, Tip: tip,
				Err: fmt.Errorf("%s: the group can only be written whole, and does not show %q, who was added a moment ago", doing, clean(member))}
		}
	}
	if t.written.isWhole(id) {
		return nil
	}
	if g.get(membersKey) == nil && !t.members.showsMembers() && !t.sure {
		return refused(`if nobody is in it, and the server does show members: members = "shown" under dialect`,
			"%s: the group can only be written whole, and shows no members: those whom it may hide would be lost", doing)
	}
	all, err := t.pages(ctx, doing, "Users", nil)
	for pause := 100 * time.Millisecond; target.ClassOf(err) == target.Transient && pause < time.Second; pause *= 2 {
		t.http.pause(ctx, pause) // accounts are made meanwhile
		all, err = t.pages(ctx, doing, "Users", nil)
	}
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.in(id) && !slices.Contains(shown, r.id()) && !t.written.took(id, r.id(), t.http.clock.Now()) {
			return refused(tip, "%s: the group can only be written whole, and does not show %q, who is in it: they would be lost", doing, clean(r.text(userName)))
		}
	}
	t.written.setWhole(id)
	return nil
}

func (w *written) isWhole(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.whole[id]
}

// setWhole: the group is known to show all its members.
func (w *written) setWhole(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.whole == nil {
		w.whole = map[string]bool{}
	}
	w.whole[id] = true
}
