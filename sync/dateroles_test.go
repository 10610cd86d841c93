package sync_test

import (
	"context"
	"testing"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// What a date gives and takes by a rule comes on the day, with no change in the
// directory and while it cannot be read.
func TestDatesOfRoles(t *testing.T) {
	for _, away := range []bool{false, true} {
		w := datedWorld(t)
		if err := w.engine.Store.Close(); err != nil {
			t.Fatal(err)
		}
		corp := w.config.Sources["corp"]
		corp.Start, corp.End = "", ""
		w.config.Sources["corp"] = corp
		w.config.Roles["writer"] = mapping.Role{Groups: []string{"cn=writers," + groups}, Until: "2026-03-09"}
		w.config.Roles["manager"] = mapping.Role{When: `after(person.hireDate, "-3d")`}
		w.config.Roles["employee"] = mapping.Role{Birthright: true}
		w.open()
		ids := w.joinMany("p", 8)
		w.members("writers", "p0003")
		w.set(ids[4], "hireDate", "2026-03-13")
		w.synced()
		w.has("p0003", true, "Writers")
		w.has("p0004", true)
		w.on("2026-03-09 23:59")
		w.silent()
		if away {
			w.source.SetFaults(source.Faults{Read: func(context.Context, int) error { return errAway }})
		}
		w.on("2026-03-10 00:00")
		r := w.sync()
		if want := map[bool]int{true: 1}[away]; r.Exit() != want || r.Done[target.Grant] != 2 || r.Done[target.Revoke] != 1 || len(r.Plan.Subjects) != 2 {
			t.Fatalf("away %v: exit %d\n%s", away, r.Exit(), text(r))
		}
		w.has("p0003", true)
		w.has("p0004", true, "Publishers", "Writers")
		w.source.SetFaults(source.Faults{})
		w.on("2026-12-31 12:00")
		w.silent()
		w.quiet()
	}
}
