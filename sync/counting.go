package sync

import (
	"context"

	"github.com/rosterd/rosterd/target"
)

// countEvery is after how many accounts of a listing its progress is told.
const countEvery = 500

// counting is a target that tells how far its listing has come: one of many
// pages may take longer than a watchdog waits.
type counting struct {
	target.Target
	tell func(int)
}

func (c *cycle) counting(step string, t Target) counting {
	return counting{t.Target, func(n int) { c.progress(step, t.Name, n, 0) }}
}

// List counts what comes.
func (c counting) List(ctx context.Context, scope target.Scope, yield func(target.Account) error) (target.Complete, error) {
	n := 0
	return c.Target.List(ctx, scope, func(a target.Account) error {
		if n++; n%countEvery == 0 {
			c.tell(n)
		}
		return yield(a)
	})
}
