package sync_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/sync/plan"
)

// Whoever joins, leaves, comes back, is renamed and refers to whom, all between two
// cycles and in any circle, oneself too: one cycle with its second pass writes it, and the
// next has nothing to do (law 11). Whom an open entry names is who the account names.
func TestReferencesInAnyRound(t *testing.T) {
	for seed := range uint64(6) {
		draw := rand.New(rand.NewPCG(seed, 7))
		w := referring(t, boss)
		g := &w.engine.Targets[0].Rules.Guard
		for _, l := range []**plan.Limit{&g.MaxCreate, &g.MaxRemove, &g.MaxRevoke, &g.MaxEnable, &g.MaxRename, &g.MaxUpdate} {
			*l = &plan.Limit{Count: 1000}
		}
		const n = 6
		ids := map[string]identity.ID{}
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("r%d", i))
		}
		out, manager := map[string]bool{}, map[string]string{}
		for range 3 {
			for range 1 + draw.IntN(8) {
				who := all[draw.IntN(n)]
				if _, is := ids[who]; !is {
					ids[who] = w.join(who)
				}
				switch draw.IntN(4) {
				case 0:
					out[who] = true
					w.leave(ids[who])
				case 1:
					out[who] = false
					w.set(ids[who], "employeeType", "staff")
				default:
					m := all[draw.IntN(n)]
					manager[who] = m
					w.reports(ids[who], m)
				}
			}
			w.settles()
			for who := range ids {
				if out[who] {
					continue
				}
				want := manager[who]
				if _, is := ids[want]; !is || out[want] {
					continue // what stays of somebody who is not there is told elsewhere
				}
				if got := w.boss(who); got != want {
					t.Fatalf("seed %d: the manager of %s is %q, want %q", seed, who, got, want)
				}
			}
		}
	}
}
