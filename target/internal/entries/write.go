package entries

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// fresh are the attributes of a new entry.
func (t *Accounts) fresh(doing, name, title string, set []target.Value, mark string) ([]ldapwire.Values, error) {
	out := []ldapwire.Values{{Name: "objectClass", Values: t.cfg.ObjectClasses}, {Name: t.cfg.RDN, Values: []string{title}}}
	if t.titled() {
		out = append(out, ldapwire.Values{Name: t.cfg.Name, Values: []string{name}})
	}
	has := map[string]bool{}
	for _, v := range set {
		if t.isName(v.Name) {
			if len(v.Values) != 1 || !Same(t.cfg.Name, v.Values, []string{name}) {
				return nil, refused("", "%s: the attribute %s is the name and cannot differ from it", doing, v.Name)
			}
			continue
		}
		if t.isRDN(v.Name) || isContainer(v.Name) {
			continue
		}
		if values := unique(v.Name, v.Values); len(values) > 0 {
			has[strings.ToLower(v.Name)] = true
			out = append(out, ldapwire.Values{Name: v.Name, Values: values})
		}
	}
	for _, v := range t.cfg.Switch.Fresh {
		if !has[strings.ToLower(v.Name)] {
			out = append(out, v)
		}
	}
	if t.cfg.Initial != nil {
		for _, v := range t.cfg.Initial() {
			if has[strings.ToLower(v.Name)] {
				return nil, refused("take it out of attributes", "%s: what %s is at first is not an attribute's to say", doing, v.Name)
			}
			out = append(out, v)
		}
	}
	if t.cfg.Mark != "" && mark != "" && !has[strings.ToLower(t.cfg.Mark)] {
		out = append(out, ldapwire.Values{Name: t.cfg.Mark, Values: []string{mark}})
	}
	return out, nil
}

func (t *Accounts) fitName(doing, name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return refused("", "%s: the name is empty", doing)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		// A server cuts some of them off, and finds another by the rest.
		return refused("", "%s: the name is not text", doing)
	}
	if t.cfg.FitName != nil {
		if err := t.cfg.FitName(name); err != nil {
			return refused(hintOf(err), "%s: %w", doing, err)
		}
	}
	return nil
}

// Link puts the mark on the entry, if there is an attribute for it.
func (t *Accounts) Link(ctx context.Context, account target.Ref, mark string) error {
	return t.with(ctx, fmt.Sprintf("link %q", account.Name), func(s *session) error {
		if t.cfg.Mark == "" {
			return nil
		}
		e, err := s.one(ctx, account)
		if err != nil {
			return err
		}
		var values []string
		if mark != "" {
			values = []string{mark}
		}
		if equal(e.rec.Values(t.cfg.Mark), values) {
			return nil
		}
		return s.write(s.modify(ctx, e, []ldapwire.Change{{Verb: ldapwire.ReplaceValues, Name: t.cfg.Mark, Values: values}}))
	})
}

func equal(a, b []string) bool { return (target.Description{}).Equal("", a, b) }

// Rename gives the entry another RDN, and its groups follow.
func (t *Accounts) Rename(ctx context.Context, account target.Ref, name string) (target.Ref, error) {
	doing := fmt.Sprintf("rename %q to %q", account.Name, name)
	if err := t.fitName(doing, name); err != nil {
		return target.Ref{}, err
	}
	err := t.with(ctx, doing, func(s *session) error {
		e, err := s.one(ctx, account)
		if err != nil {
			return err
		}
		if t.titled() {
			return s.renameTitled(ctx, account, e, name)
		}
		if e.name == name {
			if account.Name == "" || account.Name == name {
				return nil
			}
			return s.heal(ctx, identity.JoinRDN(t.cfg.RDN, account.Name, e.dn.Parent()), e)
		}
		if err := s.nameFree(ctx, name, e.id); err != nil {
			return err
		}
		for _, ava := range e.dn.RDN() {
			if t.isRDN(ava.Type) {
				_, err := s.relocate(ctx, e, t.rdnText(e.dn, name), e.dn.Parent(), name)
				return err
			}
		}
		// Adopted under a DN that does not show the name.
		return s.write(s.c.Modify(ctx, e.rec.DN, []ldapwire.Change{{Verb: ldapwire.ReplaceValues, Name: t.cfg.Name, Values: []string{name}}}))
	})
	if err != nil {
		return target.Ref{}, err
	}
	return target.Ref{ID: account.ID, Name: name}, nil
}

// Enable lets the account be used: by the attribute, or by moving it to the
// base.
func (t *Accounts) Enable(ctx context.Context, account target.Ref) error {
	return t.close(ctx, account, true)
}

// Disable closes the account: by the attribute, or by moving it away.
func (t *Accounts) Disable(ctx context.Context, account target.Ref) error {
	return t.close(ctx, account, false)
}

func (t *Accounts) close(ctx context.Context, account target.Ref, enable bool) error {
	doing := fmt.Sprintf("disable %q", account.Name)
	if enable {
		doing = fmt.Sprintf("enable %q", account.Name)
	}
	if len(t.bases()) > 1 {
		t.moving.RLock()
		defer t.moving.RUnlock()
	}
	return t.with(ctx, doing, func(s *session) error {
		if t.cfg.Switch.Turn == nil && t.cfg.MoveTo.IsZero() {
			return refused("set disable", "%s: the configuration does not say how", doing)
		}
		e, err := s.one(ctx, account)
		if err != nil {
			return err
		}
		if t.cfg.MoveTo.IsZero() {
			return s.turn(ctx, account, e, enable)
		}
		from, to := t.cfg.Base, t.cfg.MoveTo
		if enable {
			from, to = to, from
		}
		rdn := t.rdnText(e.dn, "")
		if t.enabled(e) == enable {
			was, err := identity.ParseDN(rdn + "," + from.String())
			if err != nil {
				return refused("", "%s: %w", doing, err)
			}
			return s.heal(ctx, was, e)
		}
		_, err = s.relocate(ctx, e, rdn, to, e.name)
		return err
	})
}

// turn closes or opens the account by its attributes. Where values that were named
// are not there any more, somebody else was quicker: it is looked at once more.
func (s *session) turn(ctx context.Context, account target.Ref, e entry, enable bool) error {
	for again := false; ; again = true {
		if s.t.enabled(e) == enable {
			return nil
		}
		err := s.modify(ctx, e, s.t.cfg.Switch.Turn(e.rec, enable))
		if again || !errors.Is(err, ldapwire.ErrNoSuchAttribute) {
			return s.write(err)
		}
		if e, err = s.one(ctx, account); err != nil {
			return err
		}
	}
}

// Delete takes the account out of all groups, then removes its entry.
func (t *Accounts) Delete(ctx context.Context, account target.Ref) error {
	return t.with(ctx, fmt.Sprintf("delete %q", account.Name), func(s *session) error {
		found, err := s.resolve(ctx, []target.Ref{account})
		if err != nil {
			return err
		}
		e, ok := found[account.ID]
		if !ok {
			var left []string
			if !t.cfg.Groups.Base.IsZero() {
				if left, err = s.leftover(ctx, account); err != nil {
					return err
				}
			}
			for _, value := range left {
				if err := s.strip(ctx, value); err != nil {
					return err
				}
			}
			return nil
		}
		was, err := s.former(ctx, e)
		if err != nil {
			return err
		}
		for _, value := range append(was, t.value(e)) {
			if err := s.strip(ctx, value); err != nil {
				return err
			}
		}
		if err := s.write(s.c.Delete(ctx, e.rec.DN)); err != nil && !errors.Is(err, ldapwire.ErrNoSuchObject) {
			return err
		}
		t.mu.Lock()
		delete(t.known, e.id)
		t.mu.Unlock()
		return nil
	})
}
