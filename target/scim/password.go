package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/rosterd/rosterd/target"
)

const passwordKey = "password"

// SetPassword writes the attribute password, which no server shows. What a server
// says against it is repeated only where it does not repeat the password.
func (t *Target) SetPassword(ctx context.Context, account target.Ref, password target.Password) error {
	doing := fmt.Sprintf("set the password of %q", account.Name)
	switch {
	case t.dialect.Passwords != on:
		return refused("", "%s: the dialect says that passwords are not set here", doing)
	case password.MustChange:
		return refused("", "%s: SCIM cannot say that it must be changed", doing)
	}
	c, err := t.read(ctx, doing, account.ID)
	if err != nil {
		return err
	}
	s, err := t.discover(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, f := range t.forms(s, false) {
		text := password.Text.Reveal()
		k := call{doing: doing, method: http.MethodPatch, path: userPath(account.ID), match: c.version}
		switch f {
		case byPath:
			k.body = newPatch(operation{opReplace, passwordKey, text})
		case noPath:
			k.body = newPatch(operation{Op: opReplace, Value: map[string]any{passwordKey: text}})
		default:
			after := put(c.resource)
			after[after.key(passwordKey)] = text
			k.method, k.body = http.MethodPut, after
		}
		a, err := t.http.do(ctx, k)
		if err == nil {
			err = silent(doing, t.http.fault(k, a), text)
		}
		if err == nil {
			return nil
		}
		if failed == nil {
			failed = err
		}
		if target.ClassOf(err) != target.Refused || !another(err) {
			return err
		}
	}
	return failed
}

// silent takes the words out of a refusal that repeat a password, or a part of it.
func silent(doing string, err error, password string) error {
	var e *target.Error
	var r *refusal
	if !errors.As(err, &e) || !errors.As(err, &r) {
		return err
	}
	said := strings.ToLower(r.kind + " " + r.detail)
	quoted, _ := json.Marshal(password)
	const part = 6 // characters that show too much
	for _, text := range []string{password, strings.Trim(string(quoted), `"`)} {
		text = strings.ToLower(text)
		for at := 0; at == 0 || at+part <= len(text); at++ {
			if strings.Contains(said, text[at:min(at+part, len(text))]) {
				less := &refusal{status: r.status, detail: "what it said repeats the password"}
				return &target.Error{Class: e.Class, Err: fmt.Errorf("%s: %w", doing, less), Tip: e.Tip}
			}
		}
	}
	return err
}
