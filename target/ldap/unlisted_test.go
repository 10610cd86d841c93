package ldap

import (
	"fmt"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// TestWhatUnlistedCosts: accounts that a resync knows and does not find listed are found
// by their IDs in one search, and what they hold by few.
func TestWhatUnlistedCosts(t *testing.T) {
	const listed, unlisted = 1000, 100
	e := embed(t, entries.StyleMember, byAttribute, "Writers", "Readers")
	ids := make([]target.NativeID, unlisted)
	for i := range listed + unlisted {
		name, in := fmt.Sprintf("writer%d", i), inAccounts
		if i < unlisted {
			in = inLeft // somebody moved it there
		}
		ref := e.put(t, "uid="+name+","+in, map[string][]string{"uid": {name}, "cn": {"x"}, "sn": {"x"}})
		if i < unlisted {
			ids[i] = ref.ID
		}
	}
	tg := e.target(t)
	scope := target.Scope{Entitlements: []string{"Readers", "Writers"}}
	e.faults().ResetCounts()
	l, err := target.Collect(t.Context(), tg, scope)
	if err != nil || len(l.Accounts()) != listed {
		t.Fatal(err, len(l.Accounts()))
	}
	listing := e.faults().Count(ldapd.OpSearch)
	e.faults().ResetCounts()
	queries := make([]target.Query, unlisted)
	for i := range queries {
		queries[i].ID = ids[i]
	}
	look := func() (target.Account, int) {
		e.faults().ResetCounts()
		o, err := tg.Look(t.Context(), scope, queries)
		if err != nil || len(o[0].Accounts) != 1 || len(o[unlisted-1].Accounts) != 1 {
			t.Fatal(err, o[0])
		}
		return o[unlisted-1].Accounts[0], e.faults().Count(ldapd.OpSearch)
	}
	a, none := look()
	e.setMembers(t, "Writers", "cn=nobody", "uid=writer99,"+inLeft)
	b, some := look()
	t.Logf("a listing of %d: %d searches; %d unlisted: %d where none holds anything, else %d", listed, listing, unlisted, none, some)
	// One of the four says whether any group is shown at all.
	if none > 4 || some > unlisted+3 || len(a.Entitlements) != 0 || len(b.Entitlements) != 1 {
		t.Errorf("%d searches, then %d; held: %q, then %q", none, some, a.Entitlements, b.Entitlements)
	}
}
