package sync

import (
	"context"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// awaited reads back, before a wave, the rights that had to go before it: of those which
// exclude each other nobody gets the next by the target's word that the last is gone.
// Whoever is still shown with it, or cannot be read, waits for the next cycle.
func (a *applier) awaited(ctx context.Context, wave []ledger.Order) error {
	taken := a.taken(wave)
	if len(taken) == 0 || !a.target.Describe().ReadBack {
		return nil
	}
	left, err := a.readUntil(ctx, a.target, taken, func(Verified) error { return nil })
	if err != nil {
		return err
	}
	of := make(map[identity.Ordinal]ledger.Order, len(taken))
	for _, o := range taken {
		of[o.Change.Person] = o
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range left.who {
		a.blocked[p] = plan.Words(of[p].Change) + " was not seen"
	}
	return nil
}

// taken are the revocations that were done and that the wave waits for.
func (a *applier) taken(wave []ledger.Order) (out []ledger.Order) {
	needed := map[target.Key]bool{}
	for _, o := range wave {
		for _, k := range a.needs[o.Change.Key()] {
			needed[k] = true
		}
	}
	if len(needed) == 0 {
		return nil
	}
	a.shared.Lock()
	defer a.shared.Unlock()
	for _, o := range a.orders[a.target.Name] {
		if o.Change.Verb == target.Revoke && needed[o.Change.Key()] {
			out = append(out, o)
		}
	}
	return out
}
