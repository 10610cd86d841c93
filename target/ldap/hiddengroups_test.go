package ldap

import (
	"testing"

	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// TestLaw02GroupsThatNobodySees: an access list hides all groups: that is not to be in
// none. Where one is shown, those that are not are not there.
func TestLaw02GroupsThatNobodySees(t *testing.T) {
	for _, style := range styles {
		for _, many := range []int{1, entries.FewLooks + 1, 20} {
			e := embed(t, style, byMove, "Readers", "Writers")
			tg, ctx := e.target(t), t.Context()
			queries := []target.Query{{ID: mustCreate(t, tg, "ada").ID}}
			for range many - 1 {
				name := "p" + string(rune('a'+len(queries)%26)) + string(rune('a'+len(queries)/26))
				queries = append(queries, target.Query{ID: mustCreate(t, tg, name).ID})
			}
			scope := target.Scope{Entitlements: []string{"Others", "Writers"}}
			shows := func(how string, held, unseen int) {
				t.Helper()
				for _, tg := range []*Target{tg, e.target(t)} {
					o, err := tg.Look(ctx, scope, queries)
					if err != nil {
						t.Fatal(err)
					}
					l, err := target.Collect(ctx, tg, scope)
					if err != nil {
						t.Fatal(err)
					}
					for _, o := range []target.Observation{o[0], l.Look(queries[0])} {
						if a := o.Accounts[0]; len(a.Entitlements) != held || len(a.Unseen) != unseen {
							t.Errorf("%s, %d accounts, %s: holds %q, unseen %q", style, many, how, a.Entitlements, a.Unseen)
						}
					}
				}
			}
			shows("in none", 0, 0)
			if errs := tg.Grant(ctx, "Writers", []target.Ref{{ID: queries[0].ID, Name: "ada"}}); errs != nil {
				t.Fatal(errs)
			}
			shows("in one", 1, 0)
			e.faults().HideSubtree(e.cfg.BindDN, "cn=Writers,"+inGroups)
			shows("it is hidden", 0, 0)
			e.faults().HideSubtree(e.cfg.BindDN, "cn=Readers,"+inGroups)
			shows("all are hidden", 0, 2)
			e.faults().Clear()
			shows("shown again", 1, 0)
		}
	}
}
