package entries

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// Container is by what name a configuration says where the entry of an account is:
// the DN of its parent. An account in the container of closed ones has none.
const Container = "container"

func isContainer(attribute string) bool { return strings.EqualFold(attribute, Container) }

// closedPlace says whether a name is in the container of closed accounts.
func (t *Accounts) closedPlace(dn identity.DN) bool {
	return !t.cfg.MoveTo.IsZero() && dn.Within(t.cfg.MoveTo)
}

// placeOf is where a new account is to be: the base, where nothing else is said.
func (t *Accounts) placeOf(doing string, set []target.Value) (identity.DN, error) {
	for _, v := range set {
		if isContainer(v.Name) {
			return t.place(doing, v.Values)
		}
	}
	return t.cfg.Base, nil
}

// place reads a container in which accounts may be. A part without a value comes of
// an attribute that a person lacks, and leads nowhere.
func (t *Accounts) place(doing string, values []string) (identity.DN, error) {
	if len(values) != 1 {
		return identity.DN{}, refused("give it one value", "%s: an account is in one container, not in %q", doing, values)
	}
	dn, err := identity.ParseDN(values[0])
	switch {
	case err != nil:
		return identity.DN{}, refused(`as in container = "ou=${person.departmentNumber},`+t.cfg.Base.String()+`"`, "%s: the container %q: %w", doing, values[0], err)
	case !dn.Within(t.cfg.Base):
		return identity.DN{}, refused("only what lies below base is looked after", "%s: the container %s does not lie within %s", doing, dn, t.cfg.Base)
	case t.closedPlace(dn):
		return identity.DN{}, refused("give open accounts another one", "%s: the container %s is that of closed accounts", doing, dn)
	}
	for at := dn; !at.Equal(t.cfg.Base); at = at.Parent() {
		for _, ava := range at.RDN() {
			switch {
			case strings.TrimSpace(ava.Value) == "":
				return identity.DN{}, refused("", "%s: the container %s has a part without a value", doing, dn)
			case strings.ContainsFunc(ava.Value, unicode.IsControl):
				// Servers do not agree about what it is compared as.
				return identity.DN{}, refused("", "%s: the container %s has a part with a control character", doing, dn)
			}
		}
	}
	return dn, nil
}

// put moves the entry to the container that one of the values names, and its groups
// follow. Which container a closed account comes back to is settled when it does.
func (s *session) put(ctx context.Context, e entry, set []target.Value) (entry, error) {
	t := s.t
	for _, v := range set {
		if !isContainer(v.Name) {
			continue
		}
		to, err := t.place(s.doing, v.Values)
		if err != nil {
			return e, err
		}
		if t.closedPlace(e.dn) {
			return e, refused("enable it first", "%s: it is closed, and so has no other container than %s", s.doing, t.cfg.MoveTo)
		}
		if to.Equal(e.dn.Parent()) {
			return e, nil
		}
		if err := s.ready(ctx, to); err != nil {
			return e, err
		}
		now, err := s.relocate(ctx, e, t.rdnText(e.dn, ""), to, e.name)
		return now, t.vanished(to, err)
	}
	return e, nil
}

// ready sees to it that the container is there: if it is not, it is made where the
// settings say so, and else the error says what is missing.
func (s *session) ready(ctx context.Context, container identity.DN) error {
	base := s.t.cfg.Base
	if container.Equal(base) || s.t.sawContainer(container) {
		return nil
	}
	missing, err := s.missing(ctx, container)
	switch {
	case err != nil:
		return err
	case len(missing) == 0:
	case missing[len(missing)-1].Equal(base):
		return &target.Error{Class: target.Denied, Err: fmt.Errorf("%s: the base %s is not there", s.doing, base), Tip: "check the configuration"}
	case !s.t.cfg.MakeContainers:
		return refused(`make it, or let rosterd: containers = "create"`, "%s: the container %s is not there", s.doing, missing[len(missing)-1])
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := s.makeContainer(ctx, missing[i]); err != nil {
			return err
		}
	}
	s.t.noteContainer(container, true)
	return nil
}

// placed leaves out those whose container cannot take them, with the reason.
func (s *session) placed(ctx context.Context, all []*newcomer) ([]*newcomer, error) {
	said := map[string]error{}
	var out []*newcomer
	for _, n := range all {
		key := n.place.Key()
		if _, known := said[key]; !known {
			said[key] = s.ready(ctx, n.place)
		}
		if c := target.ClassOf(said[key]); said[key] != nil && c != target.Refused {
			return nil, said[key]
		}
		if n.taken = said[key]; n.taken == nil {
			out = append(out, n)
		}
	}
	return out, nil
}

// vanished makes the error of a container that was there a while ago: the next
// attempt looks again.
func (t *Accounts) vanished(container identity.DN, err error) error {
	var e *target.Error
	if container.Equal(t.cfg.Base) || !errors.As(err, &e) || e.Class != target.Missing {
		return err
	}
	t.noteContainer(container, false)
	return &target.Error{Class: target.Transient, Err: fmt.Errorf("the container %s was there and is not any more: %w", container, err)}
}

func (t *Accounts) sawContainer(dn identity.DN) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.containers[dn.String()]
}

func (t *Accounts) noteContainer(dn identity.DN, there bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.containers) >= knownLimit {
		clear(t.containers)
	}
	t.containers[dn.String()] = there
}

// missing are the containers that are not there, from that one up to the base.
func (s *session) missing(ctx context.Context, container identity.DN) ([]identity.DN, error) {
	var out []identity.DN
	for at := container; at.Within(s.t.cfg.Base) && !at.IsZero(); at = at.Parent() {
		free, err := s.free(ctx, at.String())
		if err != nil {
			return nil, err
		}
		if !free {
			break
		}
		out = append(out, at)
	}
	return out, nil
}

// makeContainer makes an organizational unit. Somebody else may make it too.
func (s *session) makeContainer(ctx context.Context, dn identity.DN) error {
	rdn := dn.RDN()
	if len(rdn) != 1 || !strings.EqualFold(rdn[0].Type, "ou") && rdn[0].Type != "2.5.4.11" {
		return refused("make it, or name one that begins with ou=", "%s: the container %s is not there, and rosterd makes organizational units only", s.doing, dn)
	}
	err := s.c.Add(ctx, dn.String(), []ldapwire.Values{{Name: "objectClass", Values: []string{"organizationalUnit"}}, {Name: "ou", Values: []string{rdn[0].Value}}})
	if errors.Is(err, ldapwire.ErrAlreadyExists) {
		return nil
	}
	if err := s.write(err); err != nil {
		return &target.Error{Class: target.ClassOf(err), Err: fmt.Errorf("%w, when the container %s was to be made", err, dn), Tip: hintOf(err)}
	}
	return nil
}
