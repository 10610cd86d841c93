package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// An account that we deleted and that is there again is ours: closed for a
// leaver, opened for a rehire.
func TestDeletedAndBack(t *testing.T) {
	for _, rehired := range []bool{false, true} {
		r := newRig(t)
		r.rules.Leaver.Delete = map[string]string{"gone": "1d"}
		r.staff(20)
		a := *r.seen(1)
		r.leave(1, 1)
		r.cycle(false)
		r.now = r.now.Add(2 * day)
		r.sources[0].LastComplete = r.now
		if r.cycle(false); r.seen(1) != nil {
			t.Fatal("not deleted")
		}
		a.Entitlements = []string{"Admins"}
		r.mem.Put(a)
		if rehired {
			r.standing(1, identity.Active)
			r.cycle(false)
			if got := r.seen(1); !got.Enabled || !slices.Equal(got.Entitlements, []string{"Admins", "Writers"}) || len(r.mem.Accounts()) != 20 {
				t.Errorf("rehired: %+v", got)
			}
			continue
		}
		r.cycle(true)
		if got := r.seen(1); got.Enabled || len(got.Entitlements) > 0 || r.links[1].Phase != ledger.Closed {
			t.Errorf("a leaver: %+v, %s", got, r.links[1].Phase)
		}
	}
}

// What was not shown is not approved: a right that came after the approval of a
// creation waits in the first hold, and is free where no limit is on it.
func TestRightAfterApproval(t *testing.T) {
	r := newRig(t)
	r.fresh = true
	r.hire(1, "Writers")
	r.hire(2, "Writers")
	r.cycle(false)
	r.approve("h1", 1)
	r.roles(1, "Admins", "Writers")
	_, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 first waiting 5"}) || !slices.Equal(r.seen(1).Entitlements, []string{"Writers"}) {
		t.Errorf("holds %v, %v", got, r.seen(1).Entitlements)
	}

	r = newRig(t)
	r.staff(10)
	r.rules.Guard.MaxCreate = &Limit{Count: 1}
	r.hire(11, "Writers")
	r.hire(12, "Writers")
	r.cycle(false)
	r.approve("h1")
	r.roles(11, "Admins", "Writers")
	r.cycle(false)
	if got := r.seen(11).Entitlements; !slices.Equal(got, []string{"Admins", "Writers"}) {
		t.Errorf("%v", got)
	}
}

// Approving an account without one of its rights leaves that right waiting.
func TestApproveOneKey(t *testing.T) {
	r := newRig(t)
	r.fresh = true
	r.hire(1, "Admins", "Writers")
	p, _ := r.cycle(false)
	for i := range r.holds {
		for _, c := range subjectOf(t, p, 1).Changes {
			if c.Change.Entitlement != "Admins" {
				r.holds[i].Approved = append(r.holds[i].Approved, c.Key)
			}
		}
		r.holds[i].Expires = r.now.Add(day)
	}
	_, v := r.cycle(false)
	if got := r.seen(1).Entitlements; !slices.Equal(got, []string{"Writers"}) || v.Cleared.Count() != 2 {
		t.Errorf("%v, %d went", got, v.Cleared.Count())
	}
	// A right without its account does not go at all.
	r = newRig(t)
	r.fresh = true
	r.hire(1, "Admins")
	p, _ = r.cycle(false)
	r.holds[0].Approved, r.holds[0].Expires = []target.Key{subjectOf(t, p, 1).Changes[1].Key}, r.now.Add(day)
	if _, v = r.cycle(false); v.Pending() {
		t.Errorf("%v", places(v.Cleared))
	}
}

// A change that failed keeps those that wait for it, and not the rest of a
// leaver's removal.
func TestBackOffOfOthers(t *testing.T) {
	r := newRig(t)
	r.staff(20)
	r.fail = func(c target.Change) bool { return c.Verb == target.Rename || c.Verb == target.Disable }
	r.name(1, "author1")
	r.leave(2, 2)
	_, v := r.plan(false)
	for _, o := range slices.Concat(v.Cleared.Waves("wiki")...) {
		if o.Change.Verb != target.Revoke {
			r.do(o)
		}
	}
	r.fail = nil
	r.hire(30, "Writers")
	r.name(30, "writer1")
	r.match(30, "mail", "none@example.org", "link")
	p, v := r.cycle(false)
	if st := stageOf(t, p, v, 30); st.Stage != Parked || st.Changes[0] != "waits for: rename writer1 to author1" {
		t.Errorf("who needs the name: %+v", st)
	}
	if st := stageOf(t, p, v, 2); st.Stage != Parked || !st.Parked || !slices.Equal(st.Changes, []string{"waits for its next attempt", ""}) {
		t.Errorf("the leaver: %+v", st)
	}
	if a := r.seen(2); !a.Enabled || len(a.Entitlements) > 0 {
		t.Errorf("the leaver: %+v", a)
	}
	if n := len(r.spends); n != 1 || r.spends[0].Person != 2 {
		t.Errorf("spends: %+v", r.spends)
	}
}

// A held change that also failed stays in its hold.
func TestBackOffInHold(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.parked[1] = ledger.Parked{Target: "wiki", Person: 1, Subject: "disable writer1", Since: r.now, Next: r.now.Add(day)}
	if _, v := r.cycle(false); len(v.Holds) != 1 || len(v.Holds[0].Keys) != 12 {
		t.Errorf("holds %v", holdIDs(v.Holds))
	}
}

func TestPoorTargets(t *testing.T) {
	r := newRig(t)
	r.rules.Leaver.Delete = map[string]string{"gone": "1d"}
	r.caps.CanRename, r.caps.CanDelete, r.caps.Entitlements = false, false, false
	r.staff(5)
	if a := r.seen(1); len(a.Entitlements) > 0 {
		t.Errorf("rights in a target without: %v", a.Entitlements)
	}
	r.name(1, "author1")
	for _, full := range []bool{false, true} {
		p, v := r.cycle(full)
		s := subjectOf(t, p, 1)
		if v.Pending() || full && !strings.Contains(strings.Join(s.Notes, ""), "cannot rename") {
			t.Errorf("full %v: %v %v", full, said(s), s.Notes)
		}
	}
	r.leave(2, 2)
	p, _ := r.cycle(false)
	wantWords(t, subjectOf(t, p, 2), "disable writer2")
	r.now = r.now.Add(3 * day)
	r.sources[0].LastComplete = r.now
	p, v := r.cycle(false)
	if s := subjectOf(t, p, 2); v.Pending() || !strings.Contains(strings.Join(s.Notes, ""), "cannot delete") {
		t.Errorf("%v %v", said(s), s.Notes)
	}
}

// Rules that were never filled in do not open the gate, and a target of which
// the judge knows nothing gets nothing.
func TestEmptyRules(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.rules = Rules{}
	r.leave(1, 2)
	if _, v := r.plan(false); v.Pending() || len(v.Holds) != 1 {
		t.Errorf("%v goes, %v", places(v.Cleared), holdIDs(v.Holds))
	}
	in := r.answer(r.input(false))
	if v := Judge(Make(in), Book{Now: r.now, FirstFreeHold: 1}); v.Pending() {
		t.Errorf("%v goes to a target that nobody knows", places(v.Cleared))
	}
}

// A right that we gave, that is wanted, and that was not read is neither given
// again nor called lost.
func TestRightThatWasNotRead(t *testing.T) {
	r := newRig(t)
	r.staff(2)
	r.ents = []string{"Readers"}
	p, v := r.cycle(true)
	if s := subjectOf(t, p, 1); s.Situation != InSync || v.Pending() || len(r.links[1].Granted) != 1 {
		t.Errorf("%s %v", s.Situation, said(s))
	}
}

// A break-glass right is never given: it would make a break-glass account of
// whoever holds it.
func TestSealedRight(t *testing.T) {
	r := newRig(t)
	r.rules.BreakGlass = []string{"entitlement:Admins"}
	r.staff(1)
	r.hire(2, "Admins", "Writers")
	r.roles(1, "Admins", "Writers")
	for range 2 {
		p, v := r.cycle(true)
		for n := 1; n <= 2; n++ {
			if s := subjectOf(t, p, n); slices.Contains(r.seen(n).Entitlements, "Admins") || !strings.Contains(strings.Join(s.Notes, ""), "never given") {
				t.Errorf("writer%d: %v %v", n, said(s), s.Notes)
			}
		}
		_ = v
	}
	if _, v := r.cycle(false); v.Pending() {
		t.Error("not idempotent")
	}
}

// Two limits on one revocation: each role counts, and one that trips holds it.
func TestRevokeOfTwoRoles(t *testing.T) {
	r := newRig(t)
	r.staff(20)
	for i := 1; i <= 20; i++ {
		r.account(i).Entitlements[0].Roles = []string{"author", "writer"}
		if i > 4 {
			r.account(i).Entitlements[0].Roles = []string{"writer"}
		}
	}
	r.cycle(false)
	for i := 1; i <= 4; i++ {
		r.roles(i)
	}
	_, v := r.cycle(false)
	if len(v.Holds) != 1 || v.Holds[0].Role != "author" || v.Pending() { // 4 of 4 authors, 4 of 20 writers
		t.Fatalf("holds %v", holdIDs(v.Holds))
	}
	r.roles(4, "Writers")
	r.account(4).Entitlements[0].Roles = []string{"author", "writer"}
	r.holds = nil
	r.cycle(false)
	roles := map[string]int{}
	for _, s := range r.spends {
		roles[s.Role]++
	}
	if roles["author"] != 3 || roles["writer"] != 3 {
		t.Errorf("spends %v", roles)
	}
}

// A hold is told from another by target, rule and role, and numbers are never
// given twice.
func TestHoldsAreApart(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.next = 41
	r.leave(1, 6)
	for i := 7; i <= 10; i++ {
		r.name(i, "author"+r.people[identity.Ordinal(i)].Login)
	}
	r.rules.Guard.MaxRename = &Limit{Count: 1}
	_, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h41 max_remove waiting 12", "h42 max_rename waiting 4"}) || v.NextFreeHold != 43 {
		t.Errorf("%v, next %d", got, v.NextFreeHold)
	}
	if _, v = r.cycle(false); v.NextFreeHold != 43 || len(v.Holds) != 2 {
		t.Errorf("%v, next %d", holdIDs(v.Holds), v.NextFreeHold)
	}
}

// An approval outlives a pause, and a wait for somebody else's change.
func TestApprovalOutlivesAWait(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.approve("h1")
	r.paused = "maintenance"
	if _, v := r.cycle(false); len(v.Holds) != 1 || len(v.Holds[0].Approved) != 12 {
		t.Fatalf("holds %v", holdIDs(v.Holds))
	}
	r.paused = ""
	if r.cycle(false); r.seen(1).Enabled {
		t.Error("the approval was forgotten")
	}

	r = newRig(t)
	r.staff(40)
	r.rules.Guard.MaxRename, r.rules.Guard.MaxCreate = &Limit{Count: 1}, &Limit{Count: 1}
	r.name(1, "author1")
	r.name(2, "author2")
	for n := 50; n <= 51; n++ {
		r.hire(n, "Writers")
		r.name(n, r.people[identity.Ordinal(n-49)].Login)
		r.match(n, "mail", "none@example.org", "link")
	}
	_, v := r.cycle(false)
	var create string
	for _, h := range v.Holds {
		if h.Rule == "max_create" {
			create = h.ID
		}
	}
	r.approve(create)
	if _, v = r.cycle(false); len(v.Holds) != 2 || v.Pending() {
		t.Fatalf("holds %v, %v goes", holdIDs(v.Holds), places(v.Cleared))
	}
	for _, h := range r.holds {
		if h.Rule == "max_rename" {
			r.approve(h.ID)
		}
	}
	if r.cycle(false); r.seen(50) == nil || r.seen(50).Name != "writer1" {
		t.Errorf("holds %v", holdIDs(r.holds))
	}
}

// Whoever is only presumed gone keeps everything while the source cannot be
// read, approved or not.
func TestPresumedGoneWaitsForARead(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	for i := 1; i <= 6; i++ {
		r.standing(i, identity.PresumedGone)
	}
	r.cycle(false)
	r.approve("h1")
	r.sources[0].Unread = true
	r.standing(7, identity.Gone)
	_, v := r.cycle(false)
	if !r.seen(1).Enabled || len(v.Holds) != 1 || len(v.Holds[0].Approved) != 12 {
		t.Fatalf("holds %v", holdIDs(v.Holds))
	}
	if r.seen(7).Enabled {
		t.Error("who is proved gone waits for a read")
	}
	r.people[2].Denial = &ledger.Denial{Person: 2}
	if r.cycle(false); r.seen(2).Enabled {
		t.Error("an offboard waits for a read")
	}
	r.sources[0].Unread = false
	if r.cycle(false); r.seen(1).Enabled {
		t.Error("the approval was forgotten")
	}
}

// A release names its person: it needs no room in the limit, and takes none.
func TestReleaseNeedsNoRoom(t *testing.T) {
	r := newRig(t)
	r.staff(3)
	r.edit(1, func(a *target.Account) { a.Enabled = false })
	r.rules.Guard.MaxEnable = &Limit{Count: 1}
	r.spends = []ledger.Spend{{Target: "wiki", Rule: "max_enable", Person: 2, At: r.now}}
	r.release = 1
	if r.cycle(false); !r.seen(1).Enabled || len(r.spends) != 1 {
		t.Errorf("%+v, spends %v", r.seen(1), r.spends)
	}
}

// What waits for its next attempt takes no room in the limit.
func TestBackOffTakesNoRoom(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.rules.Guard.MaxRename = &Limit{Count: 1}
	r.name(1, "author1")
	r.parked[1] = ledger.Parked{Target: "wiki", Person: 1, Subject: "rename writer1 to author1", Next: r.now.Add(day)}
	r.name(2, "author2")
	if _, v := r.cycle(false); len(v.Holds) > 0 || r.seen(2).Name != "author2" || r.seen(1).Name != "writer1" {
		t.Errorf("holds %v", holdIDs(v.Holds))
	}
}

// A leaver whose account is gone from the target is closed in our books; but not
// on the word of a reading that is itself in question.
func TestLeaverWhoseAccountIsGone(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	for i := 1; i <= 2; i++ {
		r.mem.Drop(r.links[identity.Ordinal(i)].Account)
	}
	r.leave(1, 1)
	p := r.people[2]
	p.Standing, p.Desired.Standing, p.Doubt = identity.Unknown, identity.Unknown, identity.Blackout
	r.cycle(true)
	if l := r.links[1]; l.Phase != ledger.Deleted || l.Cause != "gone" || !l.PhaseSince.Equal(r.now) {
		t.Errorf("link %+v", l)
	}
	if l := r.links[2]; l.Phase != ledger.Open {
		t.Errorf("link in a blackout %+v", l)
	}
	if _, v := r.cycle(true); v.Pending() || v.Held() {
		t.Errorf("%v, %v", places(v.Cleared), holdIDs(v.Holds))
	}
}
