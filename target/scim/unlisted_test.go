package scim

import (
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestWhatUnlistedCosts: accounts that a resync knows and does not find listed are asked
// for by their IDs. SCIM has no question for several: that is one request each, and what
// they hold is read for all of them together.
func TestWhatUnlistedCosts(t *testing.T) {
	const listed, unlisted = 1000, 100
	s := serve(t, scimd.Options{}, "Writers", "Publishers")
	refs := s.many(listed)
	s.enter("Writers", object1(refs[0].ID))
	w := s.open(t)
	scope := target.Scope{Entitlements: []string{"Publishers", "Writers"}}
	s.Forget()
	collect(t, w, scope)
	listing := len(s.Requests())
	s.Forget()
	queries := make([]target.Query, unlisted)
	for i := range queries {
		queries[i].ID = refs[i].ID
	}
	queries[unlisted-1].ID = "none" // it is gone
	o, err := w.Look(t.Context(), scope, queries)
	if err != nil || len(o[0].Accounts) != 1 || len(o[0].Accounts[0].Entitlements) != 1 || len(o[unlisted-1].Accounts) != 0 {
		t.Fatal(err, o[0])
	}
	looks := len(s.Requests())
	t.Logf("a listing of %d: %d requests; %d unlisted: %d", listed, listing, unlisted, looks)
	if looks > unlisted+1+len(scope.Entitlements) {
		t.Errorf("%d requests for %d accounts", looks, unlisted)
	}
}
