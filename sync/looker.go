package sync

import (
	"context"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/target"
)

const (
	// lookChunk is how many accounts one look asks for.
	lookChunk = 100
	// listFrom is the number of looks from which one listing is cheaper.
	listFrom = 200
)

// looker answers queries about the accounts of a target, each in its place.
type looker func(context.Context, []target.Query) ([]target.Observation, error)

// looker asks a target itself.
func (c *cycle) looker(t Target, scope target.Scope, step string) looker {
	return func(ctx context.Context, queries []target.Query) ([]target.Observation, error) {
		out := make([]target.Observation, 0, len(queries))
		for some := range slices.Chunk(queries, lookChunk) {
			answers, err := t.Look(ctx, scope, some)
			if err == nil && len(answers) != len(some) {
				err = fmt.Errorf("%d answers", len(answers))
			}
			if err != nil {
				return nil, fmt.Errorf("look at %d accounts of %s: %w", len(some), t.Name, err)
			}
			out = append(out, answers...)
			c.progress(step, t.Name, len(out), len(queries))
		}
		return out, nil
	}
}

// from answers from a listing. What that shows follows from a base and a filter, so
// not listed is not gone: an account that is known by its ID is asked for.
func (ask looker) from(listing target.Listing) looker {
	return func(ctx context.Context, queries []target.Query) ([]target.Observation, error) {
		out := make([]target.Observation, len(queries))
		var unlisted []target.Query
		var at []int
		for i, q := range queries {
			if out[i] = listing.Look(q); q.ID != "" && len(out[i].Accounts) == 0 {
				unlisted, at = append(unlisted, q), append(at, i)
			}
		}
		answers, err := ask(ctx, unlisted)
		if err != nil {
			return nil, err
		}
		for i, o := range answers {
			out[at[i]] = o
		}
		return out, nil
	}
}
