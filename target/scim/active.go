package scim

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rosterd/rosterd/target"
)

// Enable lets the account be used, and sees that it does.
func (t *Target) Enable(ctx context.Context, account target.Ref) error {
	return t.setEnabled(ctx, fmt.Sprintf("enable %q", account.Name), account, true)
}

// Disable closes the account, and sees that it is closed. A server that says yes
// and leaves it open is told of.
func (t *Target) Disable(ctx context.Context, account target.Ref) error {
	return t.setEnabled(ctx, fmt.Sprintf("disable %q", account.Name), account, false)
}

func (t *Target) setEnabled(ctx context.Context, doing string, account target.Ref, enable bool) error {
	if t.dialect.Active == none {
		return refused("set active in the dialect", "%s: the dialect says that accounts cannot be closed here", doing)
	}
	c, err := t.read(ctx, doing, account.ID)
	if err != nil {
		return err
	}
	if c.enabled() == enable {
		return nil
	}
	s, err := t.discover(ctx)
	if err != nil {
		return err
	}
	var failed error
	said := false // yes, to one of the forms
	for _, f := range t.forms(s, true) {
		err := t.setActive(ctx, doing, c, f, enable)
		if class := target.ClassOf(err); class == target.Denied || class == target.Transient && statusOf(err) == 0 {
			return err
		}
		// Whatever was answered: what counts is what it shows.
		now, seen := t.readUntil(ctx, doing, account.ID, err == nil, enable)
		switch {
		case seen == nil && now.enabled() == enable:
			t.worked(f, true)
			return nil
		case target.ClassOf(seen) == target.Missing && !enable:
			return t.there(ctx, doing)
		case seen != nil && err != nil:
			return err
		case seen != nil:
			return &target.Error{Class: target.InDoubt, Err: seen}
		}
		c = now
		if said = said || err == nil; failed == nil {
			failed = err
		}
	}
	state := "closed"
	if !enable {
		state = "active"
	}
	const tip = "look at the account there, and say how it is closed: active = …, or rosterd target probe"
	if said {
		return refused(tip, "%s: the server said yes, and the account is still %s, as far as it shows", doing, state)
	}
	return refused(tip, "%s: it is still %s: %w", doing, state, failed)
}

// readUntil reads the account, more than once where the server said yes: some show
// it a moment later.
func (t *Target) readUntil(ctx context.Context, doing string, id target.NativeID, said, enable bool) (current, error) {
	for pause := 200 * time.Millisecond; ; pause *= 2 {
		now, err := t.read(ctx, doing, id)
		if err != nil || now.enabled() == enable || !said || pause > 500*time.Millisecond {
			return now, err
		}
		t.http.pause(ctx, pause)
	}
}

// setActive sends whether the account is open, in one form.
func (t *Target) setActive(ctx context.Context, doing string, c current, f form, enable bool) error {
	const active = "active"
	k := call{doing: doing, method: http.MethodPatch, path: userPath(target.NativeID(c.id())), match: c.version}
	var value any = enable
	if f == byPathString || f == wholeString {
		value = map[bool]string{true: "True", false: "False"}[enable]
	}
	switch f {
	case byPath, byPathString:
		k.body = newPatch(operation{opReplace, active, value})
	case noPath:
		k.body = newPatch(operation{Op: opReplace, Value: map[string]any{active: value}})
	default:
		after := put(c.resource)
		after[after.key(active)] = value
		k.method, k.body = http.MethodPut, after
	}
	a, err := t.http.do(ctx, k)
	if err == nil && a.status == http.StatusPreconditionRequired && k.match == "" {
		t.mustMatch.Store(true)
		now, err := t.read(ctx, doing, target.NativeID(c.id()))
		if err != nil || now.version == "" {
			return err
		}
		return t.setActive(ctx, doing, now, f, enable)
	}
	if err != nil {
		return err
	}
	return t.http.fault(k, a)
}
