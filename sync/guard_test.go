package sync_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

func TestGuardOfEightAccounts(t *testing.T) {
	for _, c := range []struct{ leavers, closed, exit int }{{2, 2, 0}, {3, 0, 4}} {
		w := newWorld(t)
		ids := w.joinMany("p", 8)
		w.synced()
		w.leave(ids[:c.leavers]...)
		r := w.sync()
		if got := 8 - w.enabled(); got != c.closed || r.Exit() != c.exit {
			t.Errorf("of 8 accounts %d leavers: %d were closed and the exit was %d, want %d and %d\n%s", c.leavers, got, r.Exit(), c.closed, c.exit, text(r))
		}
	}
}

// A clock that runs ahead for a while does not make the limit whole again.
func TestLaw04AClockAheadDoesNotFreeTheLimit(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 8)
	w.synced()
	w.leave(ids[:2]...)
	w.sync()
	right := w.now
	w.now = right.AddDate(0, 0, 3)
	w.cycle(rostersync.Request{Verb: "run", Full: true})
	w.now = right.Add(time.Minute)
	w.leave(ids[2])
	if r := w.sync(); r.Exit() != rostersync.ExitHeld || w.enabled() != 6 {
		t.Errorf("one more left a minute later: exit %d with %d enabled\n%s", r.Exit(), w.enabled(), text(r))
	}
}

// The whole story of a hold, with 1,000 accounts.
func TestHoldGrowsAndIsApprovedAsShown(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 1000)
	w.allow(2000)
	w.synced()
	w.restrict()

	w.leave(ids[:60]...)
	w.joinMany("new", 3)
	r := w.sync()
	if r.Exit() != 4 || w.enabled() != 1003 {
		t.Fatalf("60 leavers of 1,000: exit %d with %d enabled, want 4 with 1003: held, joiners in", r.Exit(), w.enabled())
	}
	first := w.onlyHold()
	if len(first.Keys) != 60 {
		t.Fatalf("the hold covers %d changes, want 60", len(first.Keys))
	}

	w.leave(ids[60:65]...)
	r = w.sync()
	if r.Exit() != 4 || w.enabled() != 998 {
		t.Fatalf("5 further leavers: exit %d with %d enabled, want 4 with 998", r.Exit(), w.enabled())
	}
	if h := w.onlyHold(); h.Version() != first.Version() {
		t.Fatalf("the hold changed version though it did not grow")
	}

	w.leave(ids[65:125]...)
	w.sync()
	second := w.onlyHold()
	if len(second.Keys) != 120 || second.ID != first.ID || second.Version() == first.Version() {
		t.Fatalf("after 60 further leavers: hold %s with %d changes, want %s with 120 and a new version", second.ID, len(second.Keys), first.ID)
	}

	// Law 4: an approval covers what was shown and nothing else.
	before := w.enabled()
	_, err := w.approve(first)
	var grown *rostersync.GrownError
	if !errors.As(err, &grown) || len(grown.Added) != 60 {
		t.Fatalf("approving the version shown before: %v, want the 60 that came since", err)
	}
	if w.enabled() != before {
		t.Fatal("law 4: a refused approval changed something")
	}
	r, err = w.approve(second)
	if err != nil || r.Exit() != 0 {
		t.Fatalf("approve: %v, exit %d\n%s", err, r.Exit(), text(r))
	}
	if w.enabled() != 878 {
		t.Fatalf("after the approval %d are enabled, want 878", w.enabled())
	}
	for i, id := range ids[:125] {
		if w.enabledOf(id) {
			t.Fatalf("leaver %d still has an account", i)
		}
	}

	w.leave(ids[125:185]...)
	r = w.sync()
	if h := w.onlyHold(); h.ID == second.ID || len(h.Keys) != 60 || r.Exit() != 4 {
		t.Fatalf("60 more after the approval: hold %s with %d changes, exit %d; want a new hold with 60", h.ID, len(h.Keys), r.Exit())
	}
}

func TestApprovePartAndReject(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 8)
	w.synced()
	w.leave(ids[:4]...)
	w.sync()
	h := w.onlyHold()
	r, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: h.ID, Version: h.Version(), By: "admin", Limit: 1}, rostersync.Request{Verb: "approve"})
	if err != nil || w.enabled() != 7 {
		t.Fatalf("a pilot of one: %v, %d enabled, want 7\n%s", err, w.enabled(), text(r))
	}
	w.now = w.now.Add(time.Second)
	w.sync()
	if w.enabled() != 7 {
		t.Fatalf("the rest went too: %d enabled", w.enabled())
	}
	h = w.onlyHold()
	if _, err := w.engine.Reject(h.ID, "admin"); err != nil {
		t.Fatal(err)
	}
	if r := w.sync(); w.enabled() != 7 {
		t.Fatalf("rejected changes were made: %d enabled\n%s", w.enabled(), text(r))
	}
	// Who comes back drops out, and gets nothing done.
	for _, id := range ids[:4] {
		w.set(id, "employeeType", "staff")
	}
	w.sync()
	if w.enabled() != 8 {
		t.Fatalf("%d enabled after all came back, want 8", w.enabled())
	}
}

func TestFirstPlanIsHeldUntilApproved(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Guard.First = "hold"
	w.joinMany("p", 80)
	w.members("writers", "p0001", "p0002")
	r := w.sync()
	if r.Exit() != 4 || len(w.wiki.Writes()) != 0 {
		t.Fatalf("exit %d with %d writes, want 4 with none", r.Exit(), len(w.wiki.Writes()))
	}
	h := w.onlyHold()
	if h.Rule != "first" {
		t.Fatalf("held by rule %q, want first", h.Rule)
	}
	if r, err := w.approve(h); err != nil || r.Exit() != 0 {
		t.Fatalf("approve: %v, exit %d\n%s", err, r.Exit(), text(r))
	}
	w.has("p0001", true, "Writers")
	if w.enabled() != 80 {
		t.Fatalf("%d accounts, want 80", w.enabled())
	}
	w.quiet()
}

// Law 5: a break-glass account is never touched, a protected one only by a
// command that says so.
func TestLaw05ProtectedAccounts(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.BreakGlass = []string{"account:p0001"}
	w.engine.Targets[0].Rules.Protect = []string{"account:p0002"}
	ids := w.joinMany("p", 40)
	w.sync()
	w.leave(ids[1], ids[2])
	r := w.sync()
	if a := w.account("p0002"); a != nil && !a.Enabled {
		t.Error("law 5: a protected account was closed")
	}
	if r.Exit() != 4 {
		t.Errorf("exit %d, want 4\n%s", r.Exit(), text(r))
	}
	w.cycle(rostersync.Request{Verb: "sync", Protected: true})
	if a := w.account("p0002"); a != nil && a.Enabled {
		t.Error("--protected did not close the protected account")
	}
	for _, write := range w.wiki.Writes() {
		if write.Account.Name == "p0001" {
			t.Errorf("law 5: break-glass account was touched: %+v", write)
		}
	}
}

// allow lifts the limits on creating, for the setting up of tests.
func (w *world) allow(n float64) { w.engine.Targets[0].Rules.Guard.MaxCreate.Count = n }

func (w *world) restrict() { w.engine.Targets[0].Rules.Guard.MaxCreate.Count = 50 }

func (w *world) onlyHold() ledger.Hold {
	w.t.Helper()
	holds, err := w.engine.Store.Holds()
	if err != nil {
		w.t.Fatal(err)
	}
	var open []ledger.Hold
	for _, h := range holds {
		if h.Status == ledger.Waiting {
			open = append(open, h)
		}
	}
	if len(open) != 1 {
		w.t.Fatalf("%d open holds, want 1: %+v", len(open), open)
	}
	return open[0]
}

func (w *world) approve(h ledger.Hold) (*rostersync.Report, error) {
	defer func() { w.now = w.now.Add(time.Second) }()
	return w.engine.Approve(w.t.Context(), rostersync.Approval{Hold: h.ID, Version: h.Version(), By: "admin"}, rostersync.Request{Verb: "approve"})
}

func (w *world) enabledOf(id identity.ID) bool {
	r, _ := w.source.Get(id)
	a := w.account(r.Attributes["uid"][0])
	return a != nil && a.Enabled
}

// An approval that met a target which is down waits for it, for a week.
func TestApprovalOutlivesATargetThatFails(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 8)
	w.synced()
	w.leave(ids[:4]...)
	w.sync()
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		return memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("maintenance")}}
	}})
	if r, err := w.approve(w.onlyHold()); err != nil || r.Exit() != 5 || w.enabled() != 8 {
		t.Fatalf("approve: %v, exit %d, %d enabled\n%s", err, r.Exit(), w.enabled(), text(r))
	}
	w.wiki.SetFaults(memory.Faults{})
	w.now = w.now.Add(3 * 24 * time.Hour)
	w.sync()
	if w.enabled() != 4 {
		t.Fatalf("%d enabled three days after the approval, want 4", w.enabled())
	}
	w.quiet()
}

// One that met a target which cannot be read waits for it as long, and no longer.
func TestApprovalOutlivesATargetThatIsAway(t *testing.T) {
	for days, want := range map[int]int{5: 4, 9: 8} {
		w := newWorld(t)
		ids := w.joinMany("p", 8)
		w.synced()
		w.leave(ids[:4]...)
		w.sync()
		w.wiki.SetFaults(memory.Faults{Look: func([]target.Query) error { return errors.New("no route to host") }})
		w.approve(w.onlyHold())
		for range days * 4 {
			w.sync()
			w.now = w.now.Add(6 * time.Hour)
		}
		w.wiki.SetFaults(memory.Faults{})
		w.restart()
		if r := w.sync(); w.enabled() != want || (r.Exit() == 0) != (want == 4) {
			t.Errorf("after %d days: %d enabled, exit %d\n%s", days, w.enabled(), r.Exit(), text(r))
		}
	}
}

// An approval that nobody used ends after a day.
func TestApprovalExpires(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 8)
	w.synced()
	w.leave(ids[:4]...)
	w.sync()
	w.wiki.SetFaults(memory.Faults{Look: func([]target.Query) error { return errors.New("no route to host") }})
	w.approve(w.onlyHold())
	w.wiki.SetFaults(memory.Faults{})
	w.now = w.now.Add(26 * time.Hour)
	if r := w.sync(); w.enabled() != 8 || r.Exit() != 4 {
		t.Fatalf("%d enabled, exit %d: an approval of yesterday still counts\n%s", w.enabled(), r.Exit(), text(r))
	}
}
