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

// titleOf is what names the entry of a new account: its name, or where entries are
// named by another attribute, the value of that.
func (t *Accounts) titleOf(doing, name string, set []target.Value) (string, error) {
	if t.titled() {
		for _, v := range set {
			if !t.isRDN(v.Name) || len(v.Values) == 0 {
				continue
			}
			return oneTitle(doing, v.Name, v.Values)
		}
	}
	return name, nil
}

// oneTitle is the value that names an entry. It is text like a name: a domain takes
// control characters into names that it then cannot find again, and marks by one those
// of entries that were deleted or are in conflict.
func oneTitle(doing, attribute string, values []string) (string, error) {
	if len(values) != 1 || strings.TrimSpace(values[0]) == "" {
		return "", refused("give it one value", "%s: %s names the entry and cannot be %q", doing, attribute, values)
	}
	if !utf8.ValidString(values[0]) || strings.ContainsFunc(values[0], unicode.IsControl) {
		return "", refused("give it an expression that leaves that out", "%s: %s names the entry, and %q is not text", doing, attribute, values[0])
	}
	return values[0], nil
}

// titleTaken explains why an entry could not be made, or renamed, whose account has
// a name that is free: another entry of that title is in the same place.
func (s *session) titleTaken(ctx context.Context, dn identity.DN, err error) error {
	var e *target.Error
	if !s.t.titled() || !errors.As(err, &e) || e.Class != target.Exists {
		return err
	}
	if free, lookErr := s.free(ctx, dn.String()); lookErr != nil || free {
		return err
	}
	e.Class = target.Refused
	e.Tip = fmt.Sprintf("another entry is called so: give %s an expression that tells two people of one name apart", s.t.cfg.RDN)
	return err
}

// retitle gives the entry the name that one of the values says.
func (s *session) retitle(ctx context.Context, e entry, set []target.Value) (entry, error) {
	t := s.t
	if !t.titled() {
		return e, nil
	}
	for _, v := range set {
		if !t.isRDN(v.Name) {
			continue
		}
		want, err := oneTitle(s.doing, v.Name, v.On(e.rec.Values(t.cfg.RDN), target.Description{Same: Same}))
		if err != nil {
			return e, err
		}
		if want == t.title(e.dn) {
			continue
		}
		return s.entitleEntry(ctx, e, want)
	}
	return e, nil
}

func (s *session) entitleEntry(ctx context.Context, e entry, title string) (entry, error) {
	now, err := s.relocate(ctx, e, s.t.rdnText(e.dn, title), e.dn.Parent(), e.name)
	if err != nil {
		return e, s.titleTaken(ctx, identity.JoinRDN(s.t.cfg.RDN, title, e.dn.Parent()), err)
	}
	return now, nil
}

// renameTitled gives an account another name whose entry is named by something else.
// Where that was the old name it follows, as far as it is free: it has no meaning of
// its own, and who wants another gives the attribute an expression.
func (s *session) renameTitled(ctx context.Context, account target.Ref, e entry, name string) error {
	t := s.t
	old := e.name
	if old != name {
		if err := s.nameFree(ctx, name, e.id); err != nil {
			return err
		}
		if err := s.write(s.c.Modify(ctx, e.rec.DN, []ldapwire.Change{{Verb: ldapwire.ReplaceValues, Name: t.cfg.Name, Values: []string{name}}})); err != nil {
			return err
		}
		e.name = name
	} else if old = account.Name; old == "" {
		return nil
	}
	title := t.title(e.dn)
	if title == name || Canon(t.cfg.Name, title) != Canon(t.cfg.Name, old) {
		return nil
	}
	if free, err := s.free(ctx, identity.JoinRDN(t.cfg.RDN, name, e.dn.Parent()).String()); err != nil || !free && Canon(t.cfg.RDN, title) != Canon(t.cfg.RDN, name) {
		return err
	}
	_, err := s.entitleEntry(ctx, e, name)
	return err
}
