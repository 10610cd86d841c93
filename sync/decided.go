package sync

import (
	"context"
	"slices"
	"time"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// decided carries out what was approved of the holds of sources, and takes what any
// approval says about the world, before anything is read. What an approval says of a directory is in no plan, so no plan would come back
// to it: where the process was killed after the decision, or nobody waited for it, the
// next cycle does it. A cycle within a running one leaves it alone, since that one rests
// on the contrary.
func (c *cycle) decided(ctx context.Context) error {
	if c.lane {
		return nil
	}
	holds, err := c.Store.Holds()
	if err != nil {
		return err
	}
	holds = slices.DeleteFunc(holds, func(h ledger.Hold) bool {
		return h.Rule != ruleRekeyed && h.Rule != ruleDark && !untold(h) || !inForce(h, c.Now())
	})
	if len(holds) == 0 {
		return nil
	}
	if err := c.drainFirst(ctx); err != nil {
		return err
	}
	defer c.section()()
	for _, h := range holds {
		carry := c.relink
		switch {
		case untold(h):
			carry = func(h ledger.Hold) error { return c.meant(h, h.ApprovedBy) }
		case h.Rule == ruleDark:
			carry = c.acceptDark
		}
		if err := carry(h); err != nil {
			return err
		}
	}
	return nil
}

// untold says whether whoever approved the hold was killed before it was said what that
// means: its changes are done by their keys, and the next of them would be held anew.
func untold(h ledger.Hold) bool {
	return h.Untold && h.Status == ledger.Approved
}

// worldly says whether a whole approval under the rule says something about the world.
func worldly(rule string) bool {
	return slices.Contains([]string{"first", "restored", "group", "blackout", "min-people"}, rule)
}

// inForce says whether something of a hold is approved, and in time.
func inForce(h ledger.Hold, now time.Time) bool {
	return len(h.Approved) > 0 && h.Status != ledger.Rejected && now.Before(h.Expires)
}

// drainFirst ends what a crash left: nothing is decided about a snapshot that moves.
func (c *cycle) drainFirst(ctx context.Context) error {
	c.turn.reading.Lock()
	defer c.turn.reading.Unlock()
	return c.drainLeft(ctx)
}

// openAgain takes an approval back that does not fit what is there now. The hold waits
// for somebody, as it is now.
func (e *Engine) openAgain(h ledger.Hold) error {
	return e.Store.Decide(h.ID, func(h ledger.Hold) (ledger.Hold, error) {
		h.Status, h.Approved, h.ApprovedBy, h.Expires = ledger.Waiting, nil, "", time.Time{}
		return h, nil
	})
}

// used closes a hold of which all was done: what vanishes anew is another decision.
func (e *Engine) used(h ledger.Hold) error {
	holds, err := e.Store.Holds()
	if err != nil {
		return err
	}
	return e.Store.SaveHolds(slices.DeleteFunc(holds, func(other ledger.Hold) bool { return other.ID == h.ID }))
}

func approved(h ledger.Hold) map[target.Key]bool {
	out := make(map[target.Key]bool, len(h.Approved))
	for _, k := range h.Approved {
		out[k] = true
	}
	return out
}
