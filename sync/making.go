package sync

import (
	"context"
	"errors"
	"slices"

	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/target"
)

const (
	// createBatch is how many accounts are made together at most: as many as a
	// kind asks for in one search, and few enough that a stop is not waited for.
	createBatch = 100
	// createFew are made together though other workers have nothing to do: it is
	// fewer requests, and little time.
	createFew = 16
)

// together is how many of the accounts that are to be made go into one unit.
// All workers get a share, and no unit exceeds what the rate lets go at once, or in
// a quarter of a second: a long wait for the rate would look like one that hangs.
func (a *applier) together(intents []state.Intent) int {
	if a.batcher() == nil {
		return 1
	}
	n, workers := 0, max(1, a.target.Concurrency)
	for _, in := range intents {
		if in.Order().Change.Verb == target.Create {
			n++
		}
	}
	n = min(createBatch, max(createFew, (n+workers-1)/workers))
	if a.target.Rate != nil {
		n = min(n, max(1, min(a.target.Rate.Burst(), int(a.target.Rate.Limit()/4))))
	}
	return n
}

// doCreates makes many accounts. One that is refused is that one's affair. What
// broke while many were on their way broke once, and those that had not left are
// tried again. Whatever ends the writing one by one ends it here too, between two
// accounts.
func (a *applier) doCreates(ctx context.Context, intents []state.Intent) []state.Result {
	results := make([]state.Result, len(intents))
	told, began, doubted, why := make([]bool, len(intents)), a.Now(), false, ""
	tell := func(i int, made target.Created) bool {
		doubt := target.ClassOf(made.Err) == target.InDoubt
		if !doubt || !doubted {
			a.answered(made.Err)
		}
		doubted, told[i] = doubt, true
		results[i] = a.result(intents[i], made.Account, a.Now().Sub(began), made.Err)
		if why == "" {
			why = a.keeps(ctx)
		}
		return why == ""
	}
	a.writeCreates(ctx, intents, tell)
	if why == "" {
		why = gaveWay
		if !slices.Contains(told, true) { // or it would be tried for ever
			tell(0, target.Created{Err: notSent(errors.New("the target said nothing of what it was to make"))})
		}
	}
	for i, in := range intents {
		if !told[i] {
			results[i] = keptBack([]state.Intent{in}, why)[0]
		}
	}
	return results
}
