package scim

import (
	"context"

	"github.com/rosterd/rosterd/target"
)

// Called returns the IDs of the groups. See target.Namer.
func (t *Target) Called(ctx context.Context, entitlements []string) (map[string]string, error) {
	out := make(map[string]string, len(entitlements))
	for _, e := range entitlements {
		id, err := t.resolve(ctx, "find groups", e)
		switch {
		case err == nil:
			out[e] = id
		case target.ClassOf(err) != target.Missing:
			return nil, err
		}
	}
	return out, nil
}
