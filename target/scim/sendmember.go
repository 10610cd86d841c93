package scim

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/rosterd/rosterd/target"
)

// sendMembers is one request that changes members.
func (t *Target) sendMembers(ctx context.Context, doing, id string, ids []string, give bool) error {
	s, err := t.discover(ctx)
	if err != nil {
		return err
	}
	t.members.mu.Lock()
	whole := t.members.put || s.patch == no && t.dialect.Update == auto || t.dialect.Update == updatePut
	t.members.mu.Unlock()
	if !whole {
		err := t.writeMembers(ctx, doing, id, http.MethodPatch, t.memberPatch(ids, give), "")
		if err == nil {
			t.written.note(id, ids, give, t.http.clock.Now())
		}
		if status := statusOf(err); t.dialect.Update != auto || status != http.StatusMethodNotAllowed && status != http.StatusNotImplemented {
			return err
		}
	}
	g, a, err := t.get(ctx, doing, groupPath(id), nil)
	if err == nil {
		err = t.whole(ctx, doing, id, g)
	}
	if err != nil {
		return err
	}
	err = t.writeMembers(ctx, doing, id, http.MethodPut, t.groupWith(id, g, ids, give), a.header.Get("ETag"))
	if err == nil {
		t.members.mu.Lock()
		t.members.put = true
		t.members.mu.Unlock()
		t.written.note(id, ids, give, t.http.clock.Now())
	}
	return err
}

// memberPatch is the change as one PATCH: what is added in one value, each removal
// for itself.
func (t *Target) memberPatch(ids []string, give bool) patch {
	values := make([]any, len(ids))
	ops := make([]operation, len(ids))
	for i, id := range ids {
		values[i] = t.written.member(id)
		ops[i] = operation{Op: opRemove, Path: membersKey + "[" + filterOf(subValue, id).Get("filter") + "]"}
	}
	switch {
	case give:
		return newPatch(operation{opAdd, membersKey, values})
	case t.dialect.MemberRemove == removeValue:
		return newPatch(operation{opRemove, membersKey, values})
	}
	return newPatch(ops...)
}

// groupWith is a group with other members, and all else as it is.
func (t *Target) groupWith(groupID string, g resource, ids []string, give bool) resource {
	after := put(g)
	if empty(g.get("schemas")) {
		after[after.key("schemas")] = []any{"urn:ietf:params:scim:schemas:core:2.0:Group"}
	}
	list := []any{}
	have := map[string]bool{}
	for _, x := range entries(after.get(membersKey)) {
		id := memberID(x)
		gone := !give && slices.Contains(ids, id) || !slices.Contains(ids, id) && t.written.took(groupID, id, t.http.clock.Now())
		if gone {
			continue
		}
		if object(x) == nil { // some write members as plain IDs
			x = t.written.member(id)
		}
		list = append(list, x)
		have[id] = true
	}
	for _, id := range ids {
		if give && !have[id] {
			list = append(list, t.written.member(id))
		}
	}
	after[after.key(membersKey)] = list
	return after
}

// writeMembers sends it, once more with If-Match where the server wants that.
func (t *Target) writeMembers(ctx context.Context, doing, id, method string, body any, match string) error {
	for again := false; ; again = true {
		k := call{doing: doing, method: method, path: groupPath(id), body: body, match: match}
		a, err := t.http.do(ctx, k)
		if err != nil {
			return err
		}
		err = t.http.fault(k, a)
		switch a.status {
		case http.StatusPreconditionFailed, http.StatusPreconditionRequired:
			// Members are added and removed one by one, so it does not matter what
			// else was changed; a whole group is another matter.
			if again || method == http.MethodPut {
				return &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: somebody else changed the group at the same time: %w", doing, err)}
			}
			_, now, failed := t.get(ctx, doing, groupPath(id), nil)
			if failed != nil {
				return failed
			}
			match = now.header.Get("ETag")
			continue
		case http.StatusConflict:
			return &target.Error{Class: target.Refused, Err: err}
		}
		return err
	}
}
