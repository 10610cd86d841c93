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
// not listed is not gone: an account that is known by its ID is asked for. So is one
// that is listed otherwise than expected, by position: a listing may lag behind.
func (ask looker) from(listing target.Listing, otherwise func(int, target.Account) bool) looker {
	return func(ctx context.Context, queries []target.Query) ([]target.Observation, error) {
		out := make([]target.Observation, len(queries))
		var doubted []target.Query
		var at []int
		for i, q := range queries {
			out[i] = listing.Look(q)
			if a := out[i].Accounts; q.ID != "" && (len(a) == 0 || len(a) == 1 && otherwise(i, a[0])) {
				doubted, at = append(doubted, q), append(at, i)
			}
		}
		answers, err := ask(ctx, doubted)
		if err != nil {
			return nil, err
		}
		for i, o := range answers {
			out[at[i]] = o
		}
		return out, nil
	}
}
