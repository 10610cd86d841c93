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
