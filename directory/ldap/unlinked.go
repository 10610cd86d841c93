package ldap

import (
	"context"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

var _ directory.Unlinker = (*Source)(nil)

// Unlinked looks for those out of scope, and for each that is not found whether the
// groups name them yet. A link goes with the entry that it leads to, without a change
// of the group, and who is out of scope is in no listing. Not found alone says
// nothing: whoever is hidden from us is still named.
func (s *Source) Unlinked(ctx context.Context, named []directory.Named) (bool, error) {
	if len(named) == 0 || !s.last.isLinked() {
		return false, nil
	}
	is, err := s.unlinked(ctx, named)
	if err != nil {
		return false, fmt.Errorf("look who groups name in source %s: %w", s.name, err)
	}
	return is, nil
}

func (s *Source) unlinked(ctx context.Context, named []directory.Named) (bool, error) {
	l, roots, err := s.lookUp(ctx)
	if err != nil {
		return false, err
	}
	defer l.conn.Close() //nolint:errcheck // all was answered, or there is an error already
	ids := make([]identity.ID, 0, len(named))
	for _, n := range named {
		ids = append(ids, normalID(string(n.ID)))
	}
	if err := l.all(ctx, roots, ids); err != nil {
		return false, err
	}
	for i, n := range named {
		if _, found := l.at[ids[i]]; found {
			continue
		}
		having, err := l.source.having(ctx, l.conn, l.shape, []identity.DN{n.DN})
		if err != nil {
			return false, err
		}
		for _, group := range n.Groups {
			if !slices.Contains(having, normalID(string(group))) {
				return true, nil
			}
		}
	}
	return false, ctx.Err()
}
