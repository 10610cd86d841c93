package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/rosterd/rosterd/target"
)

// Create makes an account. What the server does not say about it is looked up.
func (t *Target) Create(ctx context.Context, name string, set []target.Value, mark string) (target.Ref, error) {
	doing := fmt.Sprintf("create %q", name)
	if err := fitName(doing, name); err != nil {
		return target.Ref{}, err
	}
	body, err := t.fresh(ctx, doing, name, set, mark)
	if err != nil {
		return target.Ref{}, err
	}
	k := call{doing: doing, method: http.MethodPost, path: "Users", body: body}
	a, err := t.http.do(ctx, k)
	if err == nil && a.status == http.StatusBadRequest && t.dialect.Active == auto && about(t.http.refuse(a), "active") {
		body["active"] = "True" // it wants a text
		if a, err = t.http.do(ctx, k); err == nil && a.ok() {
			t.textActive.Store(true)
		}
	}
	if err != nil {
		return target.Ref{}, err
	}
	if a.status == http.StatusConflict {
		return target.Ref{}, t.conflict(ctx, doing, name, t.http.fault(k, a))
	}
	if err := t.http.fault(k, a); err != nil {
		switch {
		case target.ClassOf(err) == target.Missing: // of /Users, not of an account
			err = denied("check url: accounts are made at url/Users", "%w", err)
		case target.ClassOf(err) == target.Refused && about(t.http.refuse(a), externalID):
			err = refused(`if it does not take external IDs: mark = "none" under dialect`, "%w", err)
		}
		return target.Ref{}, err
	}
	ref, err := t.made(ctx, doing, name, body.text(externalID), a)
	if target.ClassOf(err) == target.Exists {
		return target.Ref{}, err
	}
	if err != nil {
		return target.Ref{}, &target.Error{Class: target.InDoubt, Err: fmt.Errorf("%s: it was made, and then: %w", doing, err)}
	}
	t.seen(true, ref.ID)
	// Some servers make accounts closed, whatever they are asked.
	if shown, err := decode(a.body); err == nil && shown.get("active") != nil && !shown.enabled() && t.dialect.Active != none {
		if err := t.Enable(ctx, ref); err != nil {
			return target.Ref{}, &target.Error{Class: target.InDoubt, Err: fmt.Errorf("%s: it was made closed: %w", doing, err)}
		}
	}
	return ref, nil
}

// about says whether a refusal names an attribute.
func about(r *refusal, attribute string) bool {
	return strings.Contains(strings.ToLower(r.detail), strings.ToLower(attribute))
}

func fitName(doing, name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return refused("", "%s: the name is empty", doing)
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return refused("", "%s: the name is not text", doing)
	}
	return nil
}

// fresh is the body of a new account, without anything that is empty.
func (t *Target) fresh(ctx context.Context, doing, name string, set []target.Value, mark string) (resource, error) {
	s, err := t.discover(ctx)
	if err != nil {
		return nil, err
	}
	r := resource{userName: name}
	if t.dialect.Active != none {
		r["active"] = true
		if t.dialect.Active == activeString || t.textActive.Load() {
			r["active"] = "True"
		}
	}
	var others []target.Value
	for _, v := range set {
		if strings.EqualFold(v.Name, userName) {
			if len(v.Values) != 1 || !sameName(v.Values[0], name) {
				return nil, refused("", "%s: the attribute %s is the name and cannot differ from it", doing, userName)
			}
			continue
		}
		others = append(others, v)
	}
	list, err := edits(resource{}, others)
	if err != nil {
		return nil, refused("", "%s: %w", doing, err)
	}
	for _, e := range list {
		if err := s.apply(r, e, t.dialect); err != nil {
			return nil, refused("", "%s: %w", doing, err)
		}
	}
	if t.marks() && mark != "" && r.text(externalID) == "" {
		r[externalID] = mark
	}
	r["schemas"] = r.schemas()
	return r, nil
}

// made is the account that was just made: as the answer has it, at the address
// that it tells, or as it is found. One that says another external ID than it was
// made with was there before: some servers answer a create with whom they have.
func (t *Target) made(ctx context.Context, doing, name, external string, a answer) (target.Ref, error) {
	ref, r, err := t.maker(ctx, doing, name, external, a)
	if err == nil && external != "" && r.text(externalID) != "" && r.text(externalID) != external {
		return target.Ref{}, &target.Error{Class: target.Exists, Err: fmt.Errorf("%s: the server answered with an account that was there, of the externalId %q", doing, clean(r.text(externalID)))}
	}
	return ref, err
}

// maker is the account with what it shows.
func (t *Target) maker(ctx context.Context, doing, name, external string, a answer) (target.Ref, resource, error) {
	id := lastSegment(a.header.Get("Location"))
	if r, err := decode(a.body); err == nil && r.id() != "" {
		shown, _ := r.get(userName).(string)
		if sameName(shown, name) {
			return target.Ref{ID: target.NativeID(r.id()), Name: name}, r, nil
		}
		if shown != "" {
			return target.Ref{}, nil, fmt.Errorf("the server answered with the account %q", clean(shown))
		}
		id = r.id()
	}
	if id != "" { // whose it is must be seen
		if c, err := t.read(ctx, doing, target.NativeID(id)); err == nil && sameName(c.text(userName), name) {
			return target.Ref{ID: target.NativeID(id), Name: name}, c.resource, nil
		}
	}
	var found []resource
	var err error
	if external != "" {
		found, err = t.find(ctx, doing, target.Match{Attribute: externalID, Value: external})
	}
	if err == nil && len(found) == 0 {
		found, err = t.find(ctx, doing, target.Match{Attribute: userName, Value: name})
	}
	switch {
	case err != nil:
		return target.Ref{}, nil, err
	case len(found) != 1 || !sameName(found[0].text(userName), name):
		return target.Ref{}, nil, fmt.Errorf("%d accounts of that name are found", len(found))
	}
	return target.Ref{ID: target.NativeID(found[0].id()), Name: name}, found[0], nil
}

// lastSegment is the ID in an address; servers write strange ones.
func lastSegment(location string) string {
	u, err := url.Parse(location)
	if err != nil || location == "" {
		return ""
	}
	p := u.EscapedPath()
	id, err := url.PathUnescape(p[strings.LastIndexByte(p, '/')+1:])
	if err != nil || id == "undefined" || id == "null" || strings.EqualFold(id, "Users") {
		return ""
	}
	return id
}

// conflict says whether the account that is in the way can be seen.
func (t *Target) conflict(ctx context.Context, doing, name string, said error) error {
	found, err := t.find(ctx, doing, target.Match{Attribute: userName, Value: name})
	if err == nil && len(found) == 0 {
		// A filter that finds nobody may be blind.
		s := &search{t: t, doing: doing}
		m := target.Match{Attribute: userName, Value: name}
		if found, err = s.listed(ctx, path{text: userName, attr: userName}, m); err == nil && len(found) > 0 {
			t.noFilter("")
			return said
		}
	}
	if err == nil && len(found) == 0 {
		return refused("an account that rosterd may not see has that name, or another value that must be its own: look there",
			"%s: the server says that it exists, and nothing of that name can be seen: %w", doing, errors.Unwrap(said))
	}
	return said
}

// Link puts the mark on the account.
func (t *Target) Link(ctx context.Context, account target.Ref, mark string) error {
	doing := fmt.Sprintf("link %q", account.Name)
	if !t.marks() {
		return nil
	}
	var values []string
	if mark != "" {
		values = []string{mark}
	}
	return t.rewrite(ctx, doing, account, func(c current) ([]edit, error) {
		return edits(c.resource, []target.Value{{Name: externalID, Values: values}})
	})
}

// Rename gives the account another name; its ID stays.
func (t *Target) Rename(ctx context.Context, account target.Ref, name string) (target.Ref, error) {
	doing := fmt.Sprintf("rename %q to %q", account.Name, name)
	if err := fitName(doing, name); err != nil {
		return target.Ref{}, err
	}
	now := target.Ref{ID: account.ID, Name: name}
	err := t.rewrite(ctx, doing, account, func(c current) ([]edit, error) {
		if c.text(userName) == name {
			return nil, nil
		}
		return []edit{{path: path{text: userName, attr: userName}, values: []string{name}}}, nil
	})
	if target.ClassOf(err) == target.Exists {
		return target.Ref{}, t.conflict(ctx, doing, name, err)
	}
	if err != nil {
		return target.Ref{}, err
	}
	if strings.EqualFold(string(account.ID), account.Name) { // IDs may be names here
		if found, err := t.find(ctx, doing, target.Match{Attribute: userName, Value: name}); err == nil && len(found) == 1 {
			now.ID = target.NativeID(found[0].id())
			t.seen(true, now.ID)
		}
	}
	return now, nil
}

// Delete removes the account; one that is not there is a success.
func (t *Target) Delete(ctx context.Context, account target.Ref) error {
	doing := fmt.Sprintf("delete %q", account.Name)
	if !validID(account.ID) {
		return refused("", "%s: %q is no ID of an account", doing, account.ID)
	}
	k := call{doing: doing, method: http.MethodDelete, path: userPath(account.ID)}
	a, err := t.http.do(ctx, k)
	if err == nil && a.status == http.StatusPreconditionRequired {
		t.mustMatch.Store(true)
		c, seen := t.read(ctx, doing, account.ID)
		if seen != nil {
			return seen
		}
		k.match = c.version
		a, err = t.http.do(ctx, k)
	}
	if err == nil {
		err = t.http.fault(k, a)
	}
	if a.status >= 500 && a.status != http.StatusNotImplemented {
		if _, seen := t.read(ctx, doing, account.ID); target.ClassOf(seen) == target.Missing {
			err = seen
		} else if seen == nil {
			err = &target.Error{Class: target.Transient, Err: err}
		}
	}
	if target.ClassOf(err) == target.Missing {
		err = t.there(ctx, doing)
	}
	if err == nil {
		t.seen(false, account.ID)
	}
	return err
}
