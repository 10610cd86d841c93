package plan

import (
	"slices"
	"testing"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// A change of the roles behind a right is recorded without a write.
func TestRolesOfARight(t *testing.T) {
	r := newRig(t)
	r.staff(1)
	r.account(1).Entitlements[0].Roles = []string{"manager", "author"}
	for _, full := range []bool{false, true} {
		r.cycle(full)
		if g := r.links[1].Granted; len(g) != 1 || !slices.Equal(g[0].Roles, []string{"author", "manager"}) {
			t.Errorf("full %v: granted %+v", full, g)
		}
		r.account(1).Entitlements[0].Roles = []string{"manager", "author"}
	}
}

// What an account holds already and the policy wants counts as given from then
// on; so does what an adopted account held.
func TestWantedAndThere(t *testing.T) {
	r := newRig(t)
	r.staff(1)
	r.edit(1, func(a *target.Account) { a.Entitlements = []string{"Readers", "Writers"} })
	r.roles(1, "Readers", "Writers")
	if _, v := r.cycle(true); v.Pending() || len(r.links[1].Granted) != 2 {
		t.Errorf("granted %+v", r.links[1].Granted)
	}
	r.hire(2, "Writers")
	r.match(2, "name", "writer2", "link")
	r.mem.Put(target.Account{Name: "writer2", Enabled: true, Entitlements: []string{"Admins", "Writers"}})
	r.cycle(false)
	if l := r.links[2]; l.Owner != ledger.Adopted || l.By != "policy" || len(l.Granted) != 1 || l.Granted[0].Entitlement != "Writers" {
		t.Errorf("link %+v", l)
	}
	r.roles(2)
	r.cycle(false)
	if a := r.seen(2); !slices.Equal(a.Entitlements, []string{"Admins"}) {
		t.Errorf("a mover lost or kept the wrong rights: %v", a.Entitlements)
	}
	// A leaver loses all that the policy can name.
	r.leave(2, 2)
	r.cycle(false)
	if a := r.seen(2); a.Enabled || len(a.Entitlements) > 0 {
		t.Errorf("a leaver: %+v", a)
	}
}

// A right that we gave and that the policy cannot name any more was not read:
// it is taken all the same.
func TestRightOutsideThePolicy(t *testing.T) {
	r := newRig(t)
	r.staff(2)
	r.ents = []string{"Readers"}
	r.roles(1)
	p, _ := r.cycle(false)
	wantWords(t, subjectOf(t, p, 1), "revoke Writers of writer1")
	r.leave(2, 2)
	p, _ = r.cycle(false)
	wantWords(t, subjectOf(t, p, 2), "disable writer2", "revoke Writers of writer2")
}
