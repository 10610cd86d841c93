package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/target"
)

// userPath is where an account is. IDs are anything, slashes and quotes too.
func userPath(id target.NativeID) string { return "Users/" + url.PathEscape(string(id)) }

// validID: what is nothing, or means the folder above, is not the ID of an account.
func validID(id target.NativeID) bool { return strings.Trim(string(id), ".") != "" }

// current is an account as it is now, with what If-Match needs to say so.
type current struct {
	resource
	version string
}

// read reads the account of an ID; another's in its place is an error.
func (t *Target) read(ctx context.Context, doing string, id target.NativeID) (current, error) {
	if !validID(id) {
		return current{}, missing("", "%s: there is no account with the ID %q", doing, id)
	}
	s, err := t.discover(ctx)
	if err != nil {
		return current{}, err
	}
	r, a, err := t.get(ctx, doing, userPath(id), nil)
	if err != nil {
		if target.ClassOf(err) == target.Missing {
			t.seen(false, id)
		}
		return current{}, err
	}
	if r.id() != string(id) {
		return current{}, refused("", "%s: asked for the ID %q, the server answered with %q", doing, id, clean(r.id()))
	}
	t.seen(true, id)
	c := current{resource: r}
	// A version is one only where the server says that it keeps them, and says the
	// same twice: some make a hash of the answer.
	tag := a.header.Get("ETag")
	if t.mustMatch.Load() || s.etag == yes && tag == object(r.get("meta")).text("version") {
		c.version = tag
	}
	return c, nil
}

// Update changes the attributes that differ, in one request.
func (t *Target) Update(ctx context.Context, account target.Ref, set []target.Value) error {
	doing := fmt.Sprintf("update %q", account.Name)
	for _, v := range set {
		if strings.EqualFold(v.Name, userName) {
			return refused("", "%s: the attribute %s is the name; only a rename changes it", doing, userName)
		}
	}
	if len(set) == 0 {
		return nil
	}
	return t.rewrite(ctx, doing, account, func(c current) ([]edit, error) {
		list, err := edits(c.resource, set)
		if err != nil {
			return nil, refused("", "%s: %w", doing, err)
		}
		t.kept.read(c.resource)
		if lost := t.kept.again(c.id(), list); len(lost) > 0 {
			t.kept.dropped(lost, t.http.clock.Now())
		}
		return list, t.kept.refuse(doing, list, t.http.clock.Now())
	})
}

// errStale says that somebody else wrote meanwhile.
var errStale = errors.New("somebody else changed the account at the same time")

// rewrite reads an account and writes what is left to do. What others write at
// the same time is looked at once more, where the server tells.
func (t *Target) rewrite(ctx context.Context, doing string, account target.Ref, steps func(current) ([]edit, error)) error {
	for again := false; ; again = true {
		c, err := t.read(ctx, doing, account.ID)
		if err != nil {
			return err
		}
		list, err := steps(c)
		if err != nil || len(list) == 0 {
			return err
		}
		err = t.change(ctx, doing, c, list)
		if !errors.Is(err, errStale) {
			return err
		}
		if again {
			return &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", doing, errStale)}
		}
	}
}

// change writes the edits in the first form that the server takes.
func (t *Target) change(ctx context.Context, doing string, c current, list []edit) error {
	s, err := t.discover(ctx)
	if err != nil {
		return err
	}
	after := clone(c.resource).(resource)
	for _, e := range list {
		if err := s.apply(after, e, t.dialect); err != nil {
			return refused("", "%s: %w", doing, err)
		}
	}
	var failed error
	for i, f := range t.forms(s, false) {
		// The whole account is not written because a server is in trouble, or keeps
		// one attribute of it less.
		if s.patch == no && f != whole && errors.Is(failed, errNotKept) {
			break // it was no question of the form
		}
		if f == whole && i > 0 && (errors.Is(failed, errNotKept) || statusOf(failed) >= 500 && statusOf(failed) != http.StatusNotImplemented) {
			break
		}
		err := t.write(ctx, doing, c, after, list, f)
		if err == nil {
			t.worked(f, false)
			return nil
		}
		if failed == nil || errors.Is(failed, errNotKept) {
			failed = err
		}
		// Of an account that is gone nothing is written: a PUT might make it anew.
		if target.ClassOf(err) == target.Missing || !another(err) {
			return err
		}
	}
	if errors.Is(failed, errNotKept) {
		t.kept.dropped(list, t.http.clock.Now())
	}
	return failed
}

// another says whether another form may be taken where this one was not.
func another(err error) bool {
	if errors.Is(err, errNotKept) {
		return true
	}
	switch statusOf(err) {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return slices.Contains([]string{"", "invalidPath", "noTarget", "invalidSyntax", "invalidFilter"}, kindOf(err))
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusNotImplemented, http.StatusInternalServerError:
		return true
	}
	return false
}

// errNotKept is a server that says yes and does nothing.
var errNotKept = errors.New("the server said yes, and does not show it")

// write sends the edits in one form, and looks at what came back.
func (t *Target) write(ctx context.Context, doing string, c current, after resource, list []edit, f form) error {
	k := call{doing: doing, method: http.MethodPatch, path: userPath(target.NativeID(c.id())), match: c.version}
	switch f {
	case byPath:
		k.body = newPatch(byPaths(after, list)...)
	case noPath:
		k.body = newPatch(withoutPaths(after, list)...)
	default:
		k.method, k.body = http.MethodPut, put(after)
	}
	a, err := t.http.do(ctx, k)
	if err != nil {
		return err
	}
	switch err := t.http.fault(k, a); {
	case a.status == http.StatusPreconditionFailed || a.status == http.StatusPreconditionRequired:
		if a.status == http.StatusPreconditionRequired {
			t.mustMatch.Store(true)
		}
		return errStale
	case a.status == http.StatusConflict && !slices.ContainsFunc(list, func(e edit) bool { return e.attr == userName }):
		return &target.Error{Class: target.Refused, Err: err, Tip: "another account may have that value"}
	case a.status == http.StatusNotFound || a.status >= 500 && a.status != http.StatusNotImplemented:
		return t.after(ctx, doing, c, list, err)
	case err != nil:
		return err
	}
	shown, err := decode(a.body)
	if err != nil || shown.id() == "" || shown.text(userName) == "" {
		t.kept.claim(c.id(), list) // nothing came that could disagree; it is read back later
		return nil
	}
	if keeps(shown, list) {
		t.kept.stored(list)
		return nil
	}
	now, err := t.read(ctx, doing, target.NativeID(c.id()))
	if err == nil && !keeps(now.resource, list) {
		return refused("take it out of [target."+t.name+".attributes], or correct the value", "%s: %s: %w", doing, names(list), errNotKept)
	}
	return nil
}

// after looks at an account when the server failed: it may have done it, or there
// is no account any more.
func (t *Target) after(ctx context.Context, doing string, c current, list []edit, failed error) error {
	now, err := t.read(ctx, doing, target.NativeID(c.id()))
	switch {
	case err == nil && keeps(now.resource, list):
		return nil
	case err == nil:
		return &target.Error{Class: target.Transient, Err: failed}
	case target.ClassOf(err) == target.Missing:
		return err
	}
	return &target.Error{Class: target.InDoubt, Err: failed}
}

// keeps says whether a resource shows what was written.
func keeps(r resource, list []edit) bool {
	for _, e := range list {
		if e.attr == userName && e.urn == "" {
			if r.text(userName) != e.values[0] {
				return false
			}
			continue
		}
		if !same(e.text, r.values(e.path), e.values) {
			return false
		}
	}
	return true
}

func names(list []edit) string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = e.text
	}
	return strings.Join(out, ", ")
}
