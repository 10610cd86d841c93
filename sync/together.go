package sync

import (
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
)

// together keeps who of the people of this cycle holds roles that a conflict parts,
// so that it can be told without looking at everybody. Of whom nothing is known now
// the last that was known stays.
func (c *cycle) together() error {
	looked := map[identity.Ordinal]bool{}
	var now []ledger.Together
	for i := range c.input.People {
		p := &c.input.People[i]
		if p.Desired.Standing == identity.Unknown || len(p.Desired.Invalid) > 0 {
			continue
		}
		looked[p.Ordinal] = true
		for _, k := range plan.Together(p) {
			t := ledger.Together{Person: p.Ordinal, Conflict: k.Conflict, Roles: k.Roles, Action: k.Action, Since: c.Now().UTC()}
			var why []string
			for _, r := range k.Excepted {
				why = append(why, r.Text)
			}
			t.Excepted = strings.Join(why, "; ")
			now = append(now, t)
		}
	}
	return c.Store.SaveTogether(looked, now)
}
