package scim

import (
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestLaw02GroupsThatWereThere: groups that are not found any more, all of them, are not
// there for the moment, and not held by nobody: so no revocation is seen to be done. One
// that was deleted is held by nobody, and so are those of a server that has none.
func TestLaw02GroupsThatWereThere(t *testing.T) {
	for _, entitlement := range []string{"Writers", ""} {
		s := serve(t, scimd.Options{}, "Writers", "Publishers")
		ref := s.many(1)[0]
		id := s.enter("Writers", object1(ref.ID))
		if entitlement == "" {
			entitlement = byIDPrefix + id
		}
		scope := target.Scope{Entitlements: []string{entitlement}}
		look := func(w *Target) ([]string, error) {
			o, err := w.Look(t.Context(), scope, []target.Query{{ID: ref.ID}})
			if err != nil {
				return nil, err
			}
			if _, err := target.Collect(t.Context(), w, scope); err != nil {
				return nil, err
			}
			return o[0].Accounts[0].Entitlements, nil
		}
		w := s.open(t)
		if held, err := look(w); err != nil || len(held) != 1 {
			t.Fatal(held, err)
		}
		s.Turn(scimd.GroupsUnsupported)
		if held, err := look(w); target.ClassOf(err) != target.Transient {
			t.Errorf("%s: held %q, %v", entitlement, held, err)
		}
		if held, err := look(s.open(t)); err != nil || len(held) != 0 {
			t.Errorf("a server without groups: held %q, %v", held, err)
		}
		s.TurnOff(scimd.GroupsUnsupported)
		s.Drop(scimd.Groups, id)
		if held, err := look(w); err != nil || len(held) != 0 {
			t.Errorf("a group that was deleted: held %q, %v", held, err)
		}
	}
}
