package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
)

func TestMinPeopleHoldsRemovals(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.sources[0].MinPeople, r.sources[0].People, r.sources[0].Peak = true, 80, 100
	r.leave(1, 1)
	r.entitled(2, false)
	r.roles(3, "Readers")
	_, v := r.cycle(false)
	if len(v.Holds) != 1 || v.Holds[0].Rule != "min-people" || len(v.Holds[0].Keys) != 4 {
		t.Fatalf("holds: %v", holdIDs(v.Holds))
	}
	if !strings.Contains(v.Holds[0].Text, "lists 80 people where it listed 100") {
		t.Errorf("text: %s", v.Holds[0].Text)
	}
	if !slices.Equal(r.seen(3).Entitlements, []string{"Readers"}) {
		t.Errorf("a mover was held: %v", r.seen(3).Entitlements)
	}
	// What is proved later needs no decision any more.
	r.sources[0].MinPeople = false
	_, v = r.cycle(false)
	if len(v.Holds) != 0 || r.seen(1).Enabled {
		t.Errorf("the reason lapsed and the hold stays: %v", holdIDs(v.Holds))
	}
}

func TestBlackoutIsHeld(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.sources[0].Blackouts = []string{"ou=press"}
	p := r.people[1]
	p.Standing, p.Desired.Standing, p.Doubt = identity.Unknown, identity.Unknown, identity.Blackout
	drawn, v := r.cycle(false)
	s := subjectOf(t, drawn, 1)
	if s.Situation != Unknown || len(v.Holds) != 1 || v.Holds[0].Rule != "blackout" || !r.seen(1).Enabled {
		t.Fatalf("situation %s, holds %v", s.Situation, holdIDs(v.Holds))
	}
	if !strings.Contains(v.Holds[0].Text, "ou=press") {
		t.Errorf("text: %s", v.Holds[0].Text)
	}
	r.approve("h1")
	if r.cycle(false); r.seen(1).Enabled {
		t.Error("an approved blackout was not applied")
	}
}

func TestGroupDoubtIsHeld(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	doubt := func(e *Person) {
		e.Desired.Accounts[0].Entitlements[0].Roles = nil
		e.Desired.Accounts[0].Entitlements[0].Doubt.Rule = "group"
		e.Desired.Accounts[0].Entitlements[0].Doubt.Text = "group cn=writers is missing"
	}
	doubt(r.people[1])
	r.people[2].Desired.Accounts[0].Entitlements[0].Roles = nil
	r.people[2].Desired.Accounts[0].Entitlements[0].Doubt.Rule = "coverage"
	acc := r.account(3)
	acc.Entitled, acc.Doubt.Rule, acc.Doubt.Text = false, "group", "group cn=writers is missing"
	acc = r.account(4)
	acc.Entitled, acc.Doubt.Rule, acc.Doubt.Text = false, "coverage", "employeeType was not read"
	p, v := r.cycle(true)
	if len(v.Holds) != 1 || v.Holds[0].Rule != "group" || len(v.Holds[0].Keys) != 3 {
		t.Fatalf("holds: %v", holdIDs(v.Holds))
	}
	for i := 1; i <= 4; i++ {
		if a := r.seen(i); !a.Enabled || len(a.Entitlements) != 1 {
			t.Errorf("writer%d lost something: %+v", i, a)
		}
	}
	if s := subjectOf(t, p, 4); s.Situation != Unknown || len(s.Changes) != 0 {
		t.Errorf("coverage: %+v", s)
	}
}
