package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

func TestLimit(t *testing.T) {
	g := DefaultRules().Guard
	for _, c := range []struct {
		limit Limit
		n     int
		want  float64
	}{
		{*g.MaxRemove, 0, 1}, {*g.MaxRemove, 1, 1}, {*g.MaxRemove, 7, 2.1}, {*g.MaxRemove, 8, 2.4}, {*g.MaxRemove, 10, 3},
		{*g.MaxRemove, 100, 5}, {*g.MaxRemove, 1000, 50}, {*g.MaxRemove, 80000, 200},
		{*g.MaxRevoke, 8, 3}, {*g.MaxRevoke, 100, 25}, {*g.MaxCreate, 8, 50}, {*g.MaxCreate, 1000, 200},
		{Limit{}, 1000, 1}, {Limit{Count: 3}, 1, 3}, {Limit{Percent: 0.15}, 1000, 1.5},
	} {
		if got := c.limit.Of(c.n); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%+v of %d: %v, want %v", c.limit, c.n, got, c.want)
		}
	}
}

// Of eight accounts two leavers pass and three are held, whole.
func TestGuardOfEight(t *testing.T) {
	for leavers, held := range map[int]bool{1: false, 2: false, 3: true, 8: true} {
		t.Run(fmt.Sprint(leavers), func(t *testing.T) {
			r := newRig(t)
			r.staff(8)
			r.leave(1, leavers)
			_, v := r.cycle(false)
			if v.Held() != held {
				t.Fatalf("held = %v: %v", v.Held(), holdIDs(v.Holds))
			}
			for i := 1; i <= leavers; i++ {
				a := r.seen(i)
				if a.Enabled != held || (len(a.Entitlements) > 0) != held {
					t.Errorf("writer%d: %+v with held = %v", i, a, held)
				}
			}
			if held && len(v.Holds[0].Keys) != 2*leavers {
				t.Errorf("the hold has %d keys, want a disable and a revoke for each of %d", len(v.Holds[0].Keys), leavers)
			}
		})
	}
}

// Of 1,000, 60 are held while joiners and then 5 further leavers proceed; 60
// further make the hold grow; after its approval 60 more are a new hold.
func TestGuardOfAThousand(t *testing.T) {
	r := newRig(t)
	r.staff(1000)
	r.leave(1, 60)
	for i := 1001; i <= 1020; i++ {
		r.hire(i, "Writers")
	}
	p, v := r.cycle(false)
	if len(v.Holds) != 1 || v.Holds[0].Rule != "max_remove" || len(v.Holds[0].Keys) != 120 {
		t.Fatalf("holds: %v", holdIDs(v.Holds))
	}
	if !strings.Contains(v.Holds[0].Text, "60 accounts would be disabled or deleted; the limit is 50 of 1000 in 1d") {
		t.Errorf("text: %s", v.Holds[0].Text)
	}
	if r.seen(1001) == nil || !slices.Contains(r.seen(1001).Entitlements, "Writers") {
		t.Error("the joiners had to wait for the leavers")
	}
	if got := stageOf(t, p, v, 60); got.Stage != Held || !slices.Equal(got.Holds, []string{"h1"}) {
		t.Errorf("stage of a held leaver: %+v", got)
	}
	first := v.Holds[0].Version()

	r.now = r.now.Add(time.Hour)
	r.leave(61, 65)
	_, v = r.cycle(false)
	if len(v.Holds) != 1 || v.Holds[0].Version() != first {
		t.Fatalf("holds after five more: %v", holdIDs(v.Holds))
	}
	for i := 61; i <= 65; i++ {
		if r.seen(i).Enabled {
			t.Errorf("writer%d is still enabled", i)
		}
	}

	r.now = r.now.Add(time.Hour)
	r.leave(66, 125)
	_, v = r.cycle(false)
	if len(v.Holds) != 1 || len(v.Holds[0].Keys) != 240 || v.Holds[0].Version() == first || v.Holds[0].ID != "h1" {
		t.Fatalf("the hold did not grow: %v", holdIDs(v.Holds))
	}
	if !strings.HasPrefix(v.Holds[0].Text, "120 accounts would be disabled or deleted, after 5 before; the limit is 51 of 1020") {
		t.Errorf("text: %s", v.Holds[0].Text)
	}
	if k := v.Holds[0].Keys; !slices.ContainsFunc(k, func(h ledger.Held) bool { return h.Since.Equal(noon) }) ||
		!slices.ContainsFunc(k, func(h ledger.Held) bool { return h.Since.Equal(r.now) }) {
		t.Error("the hold forgot since when its changes wait")
	}

	r.approve("h1")
	r.leave(126, 185)
	_, v = r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove approved 240", "h2 max_remove waiting 120"}) {
		t.Fatalf("after the approval: %v", got)
	}
	for i := 1; i <= 125; i++ {
		if r.seen(i).Enabled {
			t.Fatalf("writer%d was approved and is enabled", i)
		}
	}
	for i := 126; i <= 185; i++ {
		if !r.seen(i).Enabled {
			t.Fatalf("writer%d was not approved and is disabled", i)
		}
	}
	_, v = r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h2 max_remove waiting 120"}) {
		t.Errorf("a used hold stays: %v", got)
	}
}

// What is approved spends nothing of the window; what passes does, and bleeding
// slowly trips.
func TestGuardWindow(t *testing.T) {
	r := newRig(t)
	r.staff(100)
	day := 0
	for i := 1; i <= 5; i++ { // the limit is 5 of 100
		r.leave(i, i)
		if _, v := r.cycle(false); v.Held() {
			t.Fatalf("leaver %d was held", i)
		}
		r.now = r.now.Add(time.Hour)
	}
	r.leave(6, 6)
	_, v := r.cycle(false)
	if len(v.Holds) != 1 {
		t.Fatalf("the sixth leaver of a day was not held: %v", r.spends)
	}
	if n := strings.Count(v.Holds[0].Text, "after 5 before"); n != 1 || !strings.Contains(v.Holds[0].Text, "of 100 in") {
		t.Errorf("text: %q", v.Holds[0].Text)
	}
	r.approve("h1")
	spent := len(r.spends)
	r.cycle(false)
	if len(r.spends) != spent || r.seen(6).Enabled {
		t.Errorf("an approved change spent, or was not done: %d spends, was %d", len(r.spends), spent)
	}
	r.now = r.now.Add(20 * time.Hour) // the first has left the window by now
	r.leave(7, 7)
	if _, v = r.cycle(false); v.Held() || r.seen(7).Enabled {
		t.Errorf("the window did not move on: %v", holdIDs(v.Holds))
	}
	_ = day
}

// A return refunds nothing.
func TestGuardIsGross(t *testing.T) {
	r := newRig(t)
	r.staff(100)
	r.leave(1, 5)
	r.cycle(false)
	for i := 1; i <= 5; i++ {
		r.standing(i, identity.Active)
	}
	r.cycle(false)
	if !r.seen(1).Enabled {
		t.Fatal("nobody came back")
	}
	r.leave(6, 6)
	if _, v := r.cycle(false); len(v.Holds) != 1 {
		t.Errorf("five returns made room for a leaver: %v", r.spends)
	}
}

// A part of a hold can be approved; the rest waits on, and what is approved is
// all that is done.
func TestApprovePart(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.approve("h1", 2, 3)
	_, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove waiting 12"}) {
		t.Fatalf("holds: %v", got)
	}
	for i := 1; i <= 6; i++ {
		if want := i != 2 && i != 3; r.seen(i).Enabled != want {
			t.Errorf("writer%d enabled = %v", i, !want)
		}
	}
	_, v = r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove waiting 8"}) {
		t.Errorf("holds after: %v", got)
	}
}

func TestApprovalExpires(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.approve("h1")
	r.now = r.now.Add(24 * time.Hour)
	_, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove waiting 12"}) || !r.seen(1).Enabled {
		t.Errorf("an old approval was used: %v", got)
	}
}

func TestRejectSilences(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.reject("h1")
	p, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove rejected 12"}) || !v.Cleared.Empty() {
		t.Fatalf("after the rejection: %v", got)
	}
	if s := stageOf(t, p, v, 1); s.Stage != Held || s.Why != "rejected" {
		t.Errorf("stage: %+v", s)
	}
	if v.Held() {
		t.Error("a rejection is not silent")
	}
	// Others are judged for themselves, and the rejected do not count.
	r.leave(7, 8)
	if _, v = r.cycle(false); r.seen(7).Enabled || r.seen(8).Enabled {
		t.Errorf("a rejection held others: %v", holdIDs(v.Holds))
	}
	// Who came back drops out.
	for i := 1; i <= 6; i++ {
		r.standing(i, identity.Active)
	}
	if _, v = r.cycle(false); len(v.Holds) != 0 {
		t.Errorf("holds of people who came back: %v", holdIDs(v.Holds))
	}
}

// People who came back drop out of a hold, and those who were not in the plan
// stay in it.
func TestHoldRebuilt(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.standing(1, identity.Active)
	_, v := r.cycle(false, 1)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove waiting 10"}) {
		t.Errorf("holds: %v", got)
	}
	// Nothing is known of a person now: what was held stays held.
	r.people[2].Desired.Standing, r.people[2].Standing = identity.Unknown, identity.Unknown
	if _, v = r.cycle(false); len(v.Holds) != 1 || len(v.Holds[0].Keys) != 10 {
		t.Errorf("holds: %v", holdIDs(v.Holds))
	}
	// A target that is down says nothing.
	r.down = "connection refused"
	if _, v = r.cycle(false); len(v.Holds) != 1 || len(v.Holds[0].Keys) != 10 || !v.Parked() {
		t.Errorf("holds: %v", holdIDs(v.Holds))
	}
	r.down = ""
	for i := 2; i <= 6; i++ {
		r.standing(i, identity.Active)
	}
	if _, v = r.cycle(false); len(v.Holds) != 0 {
		t.Errorf("holds: %v", holdIDs(v.Holds))
	}
}

// The first plan of a new target is one hold and nothing else goes there until
// it is approved whole; joiners who come later join it.
func TestFirstHold(t *testing.T) {
	r := newRig(t)
	r.fresh = true
	for i := 1; i <= 100; i++ {
		r.hire(i, "Writers")
	}
	_, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 first waiting 200"}) || !v.Cleared.Empty() {
		t.Fatalf("holds: %v", got)
	}
	r.approve("h1", 1, 2)
	r.hire(101, "Writers")
	_, v = r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 first waiting 202"}) || r.target().Linked != 2 {
		t.Fatalf("the pilot: %v, %d accounts", got, r.target().Linked)
	}
	// A pilot's new right is part of the first plan too.
	r.roles(1, "Writers", "Publishers")
	_, v = r.cycle(false)
	if !slices.Equal(r.seen(1).Entitlements, []string{"Writers"}) {
		t.Errorf("something went before the first hold was approved: %v", holdIDs(v.Holds))
	}
	r.approve("h1")
	r.cycle(false)
	if r.target().Linked != 101 || len(r.spends) != 0 {
		t.Errorf("%d accounts, %d spends", r.target().Linked, len(r.spends))
	}
	if _, v = r.cycle(false); len(v.Holds) != 0 || !v.Cleared.Empty() {
		t.Errorf("not idempotent: %v", holdIDs(v.Holds))
	}
}

// After a restore nothing goes to the target until it was agreed to, whatever the
// file says of first plans; but a person who is named is removed.
func TestRestoredHold(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		r := newRig(t)
		r.hire(1, "Writers")
		r.hire(2, "Writers")
		r.cycle(false)
		r.restored, r.fresh = "it is old", fresh
		r.rules.Guard.First = "apply"
		r.roles(1, "Writers", "Publishers") // no limit is on what is given
		r.leave(2, 2)
		for range 2 {
			_, v := r.cycle(false)
			if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 restored waiting 3"}) || !v.Cleared.Empty() || !strings.Contains(v.Holds[0].Text, "it is old") {
				t.Fatalf("holds: %v", got)
			}
		}
		r.approve("h1")
		r.cycle(false)
		if got := r.seen(1).Entitlements; !slices.Equal(got, []string{"Publishers", "Writers"}) && !slices.Equal(got, []string{"Writers", "Publishers"}) {
			t.Errorf("%v after the approval", got)
		}
	}
}

// An approval of the first plan that was interrupted goes on, whatever
// max_create says.
func TestFirstHoldInterrupted(t *testing.T) {
	r := newRig(t)
	r.fresh = true
	for i := 1; i <= 400; i++ {
		r.hire(i, "Writers")
	}
	r.cycle(false)
	r.approve("h1")
	_, v := r.plan(false)
	r.holds = v.Holds
	done := 0
	for _, wave := range v.Cleared.Waves("wiki") {
		for _, o := range wave {
			if done++; done > 130 {
				break
			}
			r.do(o)
		}
	}
	_, v = r.cycle(false)
	if v.Held() || r.target().Linked != 400 {
		t.Errorf("%d accounts; %v", r.target().Linked, holdIDs(v.Holds))
	}
	if _, v = r.cycle(false); !v.Cleared.Empty() || len(v.Holds) > 0 {
		t.Errorf("left: %d, %v", v.Cleared.Count(), holdIDs(v.Holds))
	}
}

// first = "apply" frees the first plan from max_create, and no later one.
func TestFirstApply(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	for i := 11; i <= 100; i++ {
		r.hire(i)
	}
	if _, v := r.cycle(false); !v.Held() {
		t.Error("90 creations of 10 accounts were not held")
	}
}

// Movers are judged per role: of eight holders three may lose what the role
// gives.
func TestGuardPerRole(t *testing.T) {
	r := newRig(t)
	r.staff(20)
	for i := 1; i <= 8; i++ {
		r.roles(i, "Writers", "Publishers")
	}
	r.cycle(false)
	for i := 1; i <= 4; i++ {
		r.roles(i, "Writers") // four of eight publishers: limit 3
	}
	for i := 9; i <= 12; i++ {
		r.roles(i) // four of twenty writers: limit 5
	}
	_, v := r.cycle(false)
	if len(v.Holds) != 1 || v.Holds[0].Rule != "max_revoke" || v.Holds[0].Role != "role-Publishers" || len(v.Holds[0].Keys) != 4 {
		t.Fatalf("holds: %v", holdIDs(v.Holds))
	}
	if len(r.seen(9).Entitlements) != 0 || len(r.seen(1).Entitlements) != 2 {
		t.Errorf("writer9 %v, writer1 %v", r.seen(9).Entitlements, r.seen(1).Entitlements)
	}
}

// One attribute that changes for many is held by itself.
func TestGuardPerAttribute(t *testing.T) {
	r := newRig(t)
	r.staff(100)
	for i := 1; i <= 100; i++ {
		r.attribute(i, "title", "Author")
		if i <= 50 {
			r.attribute(i, "mail", fmt.Sprintf("writer%d@example.org", i))
		}
	}
	_, v := r.cycle(false)
	if len(v.Holds) != 1 || v.Holds[0].Rule != "max_update" || v.Holds[0].Role != "title" || len(v.Holds[0].Keys) != 100 {
		t.Fatalf("holds: %v", holdIDs(v.Holds))
	}
	a := r.seen(1)
	if a.Attributes["title"][0] != "Writer" || len(a.Attributes["mail"]) == 0 {
		t.Errorf("account: %+v", a)
	}
}

func TestGuardRenamesAndReturns(t *testing.T) {
	r := newRig(t)
	r.staff(20)
	for i := 1; i <= 6; i++ {
		r.name(i, fmt.Sprintf("author%d", i))
	}
	_, v := r.cycle(false)
	if len(v.Holds) != 1 || v.Holds[0].Rule != "max_rename" {
		t.Fatalf("holds: %v", holdIDs(v.Holds))
	}
	r = newRig(t)
	r.staff(20)
	r.leave(1, 6)
	r.cycle(false)
	r.approve("h1")
	r.cycle(false)
	for i := 1; i <= 6; i++ {
		r.standing(i, identity.Active)
	}
	_, v = r.cycle(false)
	if len(v.Holds) != 1 || v.Holds[0].Rule != "max_enable" || len(v.Holds[0].Keys) != 12 {
		t.Fatalf("holds: %v", holdIDs(v.Holds))
	}
	if a := r.seen(1); a.Enabled || len(a.Entitlements) > 0 {
		t.Errorf("a held return went: %+v", a)
	}
}

// Naming a person approves their removal, a few an hour.
func TestNamed(t *testing.T) {
	r := newRig(t)
	r.staff(20)
	r.sources[0].MinPeople = true
	r.leave(1, 8)
	for i := 1; i <= 8; i++ {
		r.people[identity.Ordinal(i)].Named = true
	}
	_, v := r.cycle(false)
	disabled := 0
	for i := 1; i <= 8; i++ {
		if !r.seen(i).Enabled {
			disabled++
		}
	}
	if disabled != namedPerHour || len(v.Holds) != 1 || v.Holds[0].Rule != "min-people" {
		t.Fatalf("%d disabled, holds %v", disabled, holdIDs(v.Holds))
	}
	if _, v = r.cycle(false); v.Pending() {
		t.Error("naming went on within the hour")
	}
	r.now = r.now.Add(time.Hour)
	if r.cycle(false); r.seen(8).Enabled {
		t.Error("naming did not go on after an hour")
	}
}

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

// A change that waits in one hold and now needs another reason to be trusted is
// not let go by the approval of the first.
func TestApprovalCoversItsReason(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.approve("h1")
	r.sources[0].MinPeople = true
	_, v := r.cycle(false)
	if v.Pending() || !r.seen(1).Enabled {
		t.Errorf("an approval for max_remove let a removal of a shrunken source go: %v", holdIDs(v.Holds))
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

// An addition that needs a revocation waits while that is held.
func TestConflictWaitsForRevocation(t *testing.T) {
	r := newRig(t)
	r.staff(8)
	for i := 1; i <= 4; i++ {
		r.roles(i, "Publishers")
	}
	in := r.answer(r.input(false))
	p := Make(in)
	for i := range p.Subjects {
		s := &p.Subjects[i]
		if len(s.Changes) == 2 && s.Changes[0].Change.Verb == target.Grant {
			s.Changes[0].After = []target.Key{s.Changes[1].Key}
		}
	}
	book := Book{Now: r.now, Targets: in.Targets, FirstFreeHold: 1}
	v := Judge(p, book)
	if len(v.Holds) != 1 || !v.Cleared.Empty() {
		t.Fatalf("%d go, holds %v", v.Cleared.Count(), holdIDs(v.Holds))
	}
	if s := stageOf(t, p, v, 1); s.Stage != Held || s.Holds[0] != "h1" || s.Changes[0] != "waits for: revoke Writers of writer1" {
		t.Errorf("standing: %+v", s)
	}
	in.Targets[0].Rules.Guard.MaxRevoke = &Limit{Count: 10}
	v = Judge(p, book)
	waves := v.Cleared.Waves("wiki")
	if len(waves) != 2 || waves[0][0].Change.Verb != target.Revoke || waves[1][0].Change.Verb != target.Grant {
		t.Errorf("waves: %v", waves)
	}
}

func TestPaused(t *testing.T) {
	r := newRig(t)
	r.staff(8)
	r.leave(1, 1)
	r.paused = "maintenance"
	p, v := r.cycle(false)
	if v.Pending() || stageOf(t, p, v, 1).Why != "paused: maintenance" {
		t.Errorf("standing %+v", stageOf(t, p, v, 1))
	}
}

func TestOnly(t *testing.T) {
	r := newRig(t)
	r.hire(1, "Writers", "Readers")
	r.hire(2, "Writers")
	_, v := r.plan(false)
	if v.Cleared.Count() != 5 {
		t.Fatalf("%d changes", v.Cleared.Count())
	}
	all := v.Cleared.Keys()
	for _, o := range slices.Concat(v.Cleared.Waves("wiki")...) {
		if o.Change.Person == 2 || o.Change.Entitlement == "Readers" || o.Change.Verb == target.Create {
			delete(all, o.Change.Key())
		}
	}
	if got := v.Cleared.Only(all); !got.Empty() {
		t.Errorf("a grant without its account: %d", got.Count())
	}
	if got := v.Cleared.Only(v.Cleared.Keys()); got.Count() != 5 {
		t.Errorf("%d changes of 5", got.Count())
	}
}
