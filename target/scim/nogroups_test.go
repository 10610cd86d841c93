package scim

import (
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestLaw02GroupsThatWereThere: where no group is found at all, whatever was given there
// is not seen, and not held by nobody: by a process that saw one before, and by a new one.
// One that was deleted beside others is held by nobody.
func TestLaw02GroupsThatWereThere(t *testing.T) {
	for _, entitlement := range []string{"Writers", ""} {
		s := serve(t, scimd.Options{}, "Writers", "Publishers")
		ref := s.many(1)[0]
		id := s.enter("Writers", object1(ref.ID))
		if entitlement == "" {
			entitlement = byIDPrefix + id
		}
		scope := target.Scope{Entitlements: []string{entitlement, "Readers"}}
		w := s.open(t)
		shows := func(how string, held, unseen int) {
			t.Helper()
			for name, w := range map[string]*Target{"the same process": w, "a new one": s.open(t)} {
				o, err := w.Look(t.Context(), scope, []target.Query{{ID: ref.ID}})
				if err != nil {
					t.Fatalf("%s, %s: %v", how, name, err)
				}
				l, err := target.Collect(t.Context(), w, scope)
				if err != nil {
					t.Fatalf("%s, %s: %v", how, name, err)
				}
				for _, a := range []target.Account{o[0].Accounts[0], l.Accounts()[0]} {
					if len(a.Entitlements) != held || len(a.Unseen) != unseen {
						t.Errorf("%s, %s: holds %q, unseen %q", how, name, a.Entitlements, a.Unseen)
					}
				}
			}
		}
		shows("all is well", 1, 0)
		s.Turn(scimd.GroupsUnsupported)
		shows("no groups", 0, 2)
		s.TurnOff(scimd.GroupsUnsupported)
		s.Drop(scimd.Groups, id)
		shows("one was deleted", 0, 0)
		for _, g := range s.All(scimd.Groups) {
			s.Drop(scimd.Groups, g.Text("id"))
		}
		shows("none is listed", 0, 2)
	}
}
