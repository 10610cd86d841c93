package entries

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/internal/ldapwire"
)

// modify changes an entry. One that was taken over may lack an object class that new
// accounts have, and that what is to be written needs: it gets it in the same request.
// Nothing is added to an entry that does without.
func (s *session) modify(ctx context.Context, e entry, changes []ldapwire.Change) error {
	err := s.c.Modify(ctx, e.rec.DN, changes)
	if !errors.Is(err, ldapwire.ErrObjectClassViolation) {
		return err
	}
	rec, lookErr := s.c.Base(ctx, e.rec.DN, "objectClass")
	if lookErr != nil {
		return err
	}
	var lacks []string
	for _, class := range s.t.cfg.ObjectClasses {
		if !slices.ContainsFunc(rec.Values("objectClass"), func(has string) bool { return strings.EqualFold(class, has) }) {
			lacks = append(lacks, class)
		}
	}
	if len(lacks) == 0 {
		return err
	}
	again := s.c.Modify(ctx, e.rec.DN, append([]ldapwire.Change{{Verb: ldapwire.AddValues, Name: "objectClass", Values: lacks}}, changes...))
	if ldapwire.IsInDoubt(again) || again == nil {
		return again
	}
	return err // the classes do not help: what was wrong is what was said first
}
