package memory

import (
	"context"

	"github.com/rosterd/rosterd/target"
)

// CreateAll makes the accounts, one write each: what the faults say of one is
// not said of the others.
func (t *Target) CreateAll(ctx context.Context, accounts []target.Creation, told func(int, target.Created) bool) {
	for i, a := range accounts {
		ref, err := t.Create(ctx, a.Name, a.Set, a.Mark)
		if !told(i, target.Created{Account: ref, Err: err}) {
			return
		}
	}
}
