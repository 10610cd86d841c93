package entries

import (
	"context"
	"errors"
	"fmt"

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
			if len(v.Values) > 1 || v.Values[0] == "" {
				return "", refused("give it one value", "%s: %s names the entry and cannot be %q", doing, v.Name, v.Values)
			}
			return v.Values[0], nil
		}
	}
	return name, nil
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
		want := v.On(e.rec.Values(t.cfg.RDN), target.Description{Same: Same})
		if len(want) != 1 || want[0] == "" {
			return e, refused("give it one value", "%s: %s names the entry and cannot be %q", s.doing, v.Name, want)
		}
		if want[0] == t.title(e.dn) {
			continue
		}
		return s.entitleEntry(ctx, e, want[0])
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
