package entries

import (
	"context"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// nameFree says whether another entry has the name, or one of the values that no two
// may have. The server has the last word: this is how the other one is named.
func (s *session) nameFree(ctx context.Context, name string, but target.NativeID, set ...target.Value) error {
	t := s.t
	filter := "(" + t.cfg.Name + "=" + ldapwire.EscapeFilterValue(name) + ")"
	if t.cfg.Domain.IsZero() {
		found, err := s.search(ctx, filter)
		if err != nil {
			return err
		}
		for _, e := range found {
			if e.id != but {
				return &target.Error{Class: target.Exists, Err: fmt.Errorf("%s: %s has that name", s.doing, e.rec.DN)}
			}
		}
		return nil
	}
	return s.freeInDomain(ctx, filter, name, set, but)
}

// valuesFree is nameFree for the values alone.
func (s *session) valuesFree(ctx context.Context, set []target.Value, but target.NativeID) error {
	if s.t.cfg.Domain.IsZero() {
		return nil
	}
	return s.freeInDomain(ctx, "", "", set, but)
}

// freeInDomain asks in the whole domain, once.
func (s *session) freeInDomain(ctx context.Context, filter, name string, set []target.Value, but target.NativeID) error {
	t := s.t
	var unique []target.Value
	for _, v := range set {
		for _, u := range t.cfg.Unique {
			if strings.EqualFold(u, v.Name) && len(v.Values) > 0 {
				unique = append(unique, v)
				for _, value := range v.Values {
					filter += "(" + u + "=" + ldapwire.EscapeFilterValue(value) + ")"
				}
			}
		}
	}
	if filter == "" {
		return nil
	}
	recs, _, err := s.c.Collect(ctx, ldapwire.Request{Base: t.cfg.Domain.String(), Scope: ldapwire.ScopeSubtree, Filter: "(|" + filter + ")",
		Attributes: append([]string{t.cfg.IDAttribute, t.cfg.Name}, t.cfg.Unique...), Controls: t.cfg.Controls})
	if err != nil {
		return s.container(err, t.cfg.Domain.String())
	}
	for _, rec := range recs {
		if but != "" && target.NativeID(t.id(rec)) == but {
			continue
		}
		if name != "" && Same(t.cfg.Name, rec.Values(t.cfg.Name), []string{name}) {
			return &target.Error{Class: target.Exists, Err: fmt.Errorf("%s: %s has that name", s.doing, rec.DN)}
		}
		for _, v := range unique {
			for _, value := range v.Values {
				if Same(v.Name, rec.Values(v.Name), []string{value}) {
					return refused("no two accounts may have the same: give "+v.Name+" an expression that tells them apart", "%s: %s has the %s %q", s.doing, rec.DN, v.Name, value)
				}
			}
		}
		if name != "" {
			// The server compares otherwise than we do.
			return &target.Error{Class: target.Exists, Err: fmt.Errorf("%s: %s has that name, or one of the values that no two may have", s.doing, rec.DN)}
		}
		return refused("", "%s: %s has one of the values that no two may have", s.doing, rec.DN)
	}
	return nil
}
