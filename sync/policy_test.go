package sync_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// Within the limits an edit is taken and done in the same cycle, and noted.
func TestPolicyWithinTheLimits(t *testing.T) {
	w := staffed(t, 20)
	before, _, err := w.engine.Store.Policy()
	if err != nil {
		t.Fatal(err)
	}
	old := w.engine
	next := w.edit(titled)
	r := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
	if r.Exit() != 3 || r.Policy == nil || r.Policy.Fate != rostersync.Taken || len(r.Plan.Subjects) == 0 {
		t.Fatalf("plan: exit %d, %+v\n%s", r.Exit(), r.Policy, text(r))
	}
	if l := r.Policy.Impact; len(l) != 1 || l[0].What != "update title" || len(l[0].People) != 20 {
		t.Fatalf("the impact is %+v", l)
	}
	if now, _, _ := old.Store.Policy(); now.Hash != before.Hash {
		t.Fatal("a plan let a policy govern")
	}
	w.inForce(old)
	r = w.sync()
	if r.Exit() != 0 || r.Policy.Fate != rostersync.Taken || r.Done[target.Update] != 20 {
		t.Fatalf("sync: exit %d, %+v, done %v\n%s", r.Exit(), r.Policy, r.Done, text(r))
	}
	w.inForce(next)
	if now, _, _ := old.Store.Policy(); now.Hash != next.Hash || now.Epoch != before.Epoch+1 || now.Text != next.PolicyText {
		t.Fatalf("the record is %+v", now)
	}
	w.quiet()
}

// The whole story of an edit that is beyond the limits: only the edit waits.
func TestPolicyBeyondTheLimits(t *testing.T) {
	w := staffed(t, 20)
	old := w.engine
	next := w.edit(noPublishers)
	leaver := w.source.At("uid=p0007," + people)
	w.leave(leaver)
	w.join("joiner")
	for range 3 {
		r := w.sync()
		if r.Exit() != 4 || r.Policy.Fate != rostersync.Held {
			t.Fatalf("exit %d, %+v\n%s", r.Exit(), r.Policy, text(r))
		}
	}
	w.inForce(old)
	// Leavers and joiners do not wait for it.
	w.has("p0007", false)
	w.has("joiner", true)
	w.has("p0001", true, "Publishers", "Writers")
	h := w.policyHold()
	if h.Rule != ledger.RulePolicy || len(h.Keys) != 19+1 || !strings.Contains(h.Text, "19 people would lose what manager gives") {
		t.Fatalf("hold %s: %s, %d keys, want 19 and the policy itself", h.ID, h.Text, len(h.Keys))
	}
	if n := w.holdCount(); n != 1 {
		t.Fatalf("%d holds, want one", n)
	}
	// A part is not taken.
	for _, a := range []rostersync.Approval{{Limit: 2}, {People: []identity.Ordinal{w.find("p0001")}}} {
		a.Hold, a.Version = h.ID, h.Version()
		if _, err := w.engine.Approve(t.Context(), a, rostersync.Request{Verb: "approve"}); err == nil || !strings.Contains(err.Error(), "taken whole") {
			t.Fatalf("a part of a policy: %v", err)
		}
	}
	// Another edit with the same impact is another hold: what is approved is what was shown.
	other := w.edit(func(c *mapping.Config, e *rostersync.Engine) {
		noPublishers(c, e)
		rules(e, func(r *plan.Rules) { r.Guard.MaxRemove = &plan.Limit{Count: 1000} })
	})
	w.sync()
	if _, err := w.approve(h); err == nil {
		t.Fatal("an approval of one file let another govern")
	}
	if now := w.policyHold(); len(now.Keys) != len(h.Keys) || now.Version() == h.Version() {
		t.Fatalf("the hold of another file has version %s", now.Version())
	}
	w.inForce(old)

	// Approved whole it governs, and those shown lose the right.
	old.Next = next
	w.sync()
	r, err := w.approve(w.policyHold())
	if err != nil || r.Exit() != 0 || r.Done[target.Revoke] != 19 {
		t.Fatalf("approve: %v, exit %d, done %v\n%s", err, r.Exit(), r.Done, text(r))
	}
	w.inForce(next)
	_ = other
	w.has("p0001", true, "Writers")
	w.quiet()
	if w.holdCount() != 0 {
		t.Fatal("a hold is left")
	}
}

// What was not shown meets the guard, also right after the approval.
func TestPolicyApprovalCoversWhatWasShown(t *testing.T) {
	w := staffed(t, 20)
	w.edit(noPublishers)
	w.sync()
	h := w.policyHold()
	// Nine more than the limit allows come as managers, after it was shown.
	w.joinMany("q", 9)
	w.members("managers", append(logins("p", 20), logins("q", 9)...)...)
	w.sync()
	r := w.sync()
	if r.Exit() != 4 {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	if now := w.policyHold(); len(now.Keys) != 30 || now.Version() == h.Version() {
		t.Fatalf("the hold did not grow: %d keys", len(now.Keys))
	}
	if _, err := w.approve(h); !errors.As(err, new(*rostersync.GrownError)) {
		t.Fatalf("the version shown before: %v", err)
	}
	h = w.policyHold()
	// Decided, and grown between the decision and the cycle that takes it.
	if _, err := w.engine.Decide(rostersync.Approval{Hold: h.ID, Version: h.Version(), By: "admin"}); err != nil {
		t.Fatal(err)
	}
	w.joinMany("r", 12)
	w.members("managers", slices.Concat(logins("p", 20), logins("q", 9), logins("r", 12))...)
	r = w.sync()
	for _, l := range slices.Concat(logins("p", 20), logins("q", 9)) {
		w.has(l, true, "Writers")
	}
	if r.Done[target.Revoke] != 29 {
		t.Fatalf("%d revoked, want the 29 that were shown\n%s", r.Done[target.Revoke], text(r))
	}
	w.quiet()
}

// Rejected it is silent until the file changes; put back, nothing is left of it.
func TestPolicyRejectedAndPutBack(t *testing.T) {
	w := staffed(t, 20)
	old := w.engine
	w.edit(noPublishers)
	w.sync()
	h := w.policyHold()
	if _, err := w.engine.Reject(h.ID, "admin"); err != nil {
		t.Fatal(err)
	}
	r := w.sync()
	if r.Exit() != 0 || r.Policy.Fate != rostersync.Rejected {
		t.Fatalf("exit %d, %+v", r.Exit(), r.Policy)
	}
	w.inForce(old)
	// What it would have done may come from the directory: that was not rejected.
	leaver := w.source.At("uid=p0003," + people)
	w.leave(leaver)
	if r := w.sync(); r.Exit() != 0 {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	w.has("p0003", false)
	// Who rejected it may think better of it.
	if _, err := w.engine.Decide(rostersync.Approval{Hold: h.ID, Version: w.policyHold().Version(), By: "admin"}); err != nil {
		t.Fatal(err)
	}
	if p, err := w.engine.Pending(); err != nil || p.Fate != rostersync.Agreed {
		t.Fatalf("approved after all: %+v, %v", p, err)
	}
	if _, err := w.engine.Reject(h.ID, "admin"); err != nil {
		t.Fatal(err)
	}
	// Another file is judged anew.
	w.edit(func(c *mapping.Config, e *rostersync.Engine) { noPublishers(c, e); titled(c, e) })
	if r := w.sync(); r.Exit() != 4 || r.Policy.Fate != rostersync.Held {
		t.Fatalf("another file: exit %d, %+v", r.Exit(), r.Policy)
	}
	// Put back.
	old.Next = nil
	if r := w.sync(); r.Exit() != 0 || r.Policy != nil {
		t.Fatalf("put back: exit %d, %+v", r.Exit(), r.Policy)
	}
	if w.holdCount() != 0 {
		t.Fatal("a hold is left of a file that is not there any more")
	}
	w.quiet()
}

// An edit does not free itself, nor what came with it, by raising limits.
func TestPolicyRaisesItsOwnLimit(t *testing.T) {
	loose := func(_ *mapping.Config, e *rostersync.Engine) {
		rules(e, func(r *plan.Rules) {
			r.Guard.MaxRevoke, r.Guard.MaxRemove = &plan.Limit{Count: 1000}, &plan.Limit{Count: 1000}
		})
	}
	w := staffed(t, 20)
	old := w.engine
	w.edit(func(c *mapping.Config, e *rostersync.Engine) { noPublishers(c, e); loose(c, e) })
	if r := w.sync(); r.Exit() != 4 || r.Policy.Fate != rostersync.Held {
		t.Fatalf("an edit that raises its own limit: exit %d, %+v", r.Exit(), r.Policy)
	}
	w.inForce(old)
	// Alone it is taken; the leavers of that cycle, and those held before, stay held.
	next := w.edit(loose)
	for i := range 8 {
		w.leave(w.source.At(fmt.Sprintf("uid=p%04d,%s", i, people)))
	}
	for range 2 {
		if r := w.sync(); r.Exit() != 4 || w.enabled() != 20 {
			t.Fatalf("limits were raised with eight leavers: exit %d, %d enabled\n%s", r.Exit(), w.enabled(), text(r))
		}
	}
	w.inForce(next)
}

// What the policy in force protects is not touched by an edit, however little it is.
func TestPolicyThatEndsProtection(t *testing.T) {
	for _, glass := range []bool{false, true} {
		w := staffed(t, 20)
		guard := func(list []string) func(*plan.Rules) {
			return func(r *plan.Rules) {
				if glass {
					r.BreakGlass = list
				} else {
					r.Protect = list
				}
			}
		}
		w.edit(func(_ *mapping.Config, e *rostersync.Engine) { rules(e, guard([]string{"account:p0001"})) })
		w.sync()
		protected := w.engine.Current()
		w.leave(w.source.At("uid=p0001," + people))
		w.sync()
		w.has("p0001", true, "Publishers", "Writers")
		w.edit(func(_ *mapping.Config, e *rostersync.Engine) { rules(e, guard(nil)) })
		r := w.sync()
		if r.Exit() != 4 || r.Policy.Fate != rostersync.Held || !strings.Contains(r.Policy.Why, "what the policy in force leaves alone would be changed") {
			t.Fatalf("glass %v: exit %d, %+v", glass, r.Exit(), r.Policy)
		}
		w.inForce(protected)
		w.has("p0001", true, "Publishers", "Writers")
		if _, err := w.approve(w.policyHold()); err != nil {
			t.Fatal(err)
		}
		w.has("p0001", false)
	}
}

// A right that everybody would get is held too.
func TestPolicyThatGivesToMany(t *testing.T) {
	w := staffed(t, 120)
	old := w.engine
	w.edit(func(c *mapping.Config, _ *rostersync.Engine) {
		c.Targets["wiki"].Entitlements["employee"] = []string{"Administrators"}
	})
	r := w.sync()
	if r.Exit() != 4 || r.Policy.Fate != rostersync.Held || !strings.Contains(r.Policy.Why, "120 accounts would change entitlement Administrators") {
		t.Fatalf("exit %d, %+v", r.Exit(), r.Policy)
	}
	w.inForce(old)
	w.has("p0001", true, "Publishers", "Writers")
}

// Nor does it come to everybody in slices, each of them within the limit.
func TestPolicyThatGivesInSlices(t *testing.T) {
	w := staffed(t, 120)
	slice := func(n int) *rostersync.Engine {
		var logins []string
		for i := range n {
			logins = append(logins, fmt.Sprintf("%q", fmt.Sprintf("p%04d", i)))
		}
		return w.edit(func(c *mapping.Config, _ *rostersync.Engine) {
			c.Roles["admin"] = mapping.Role{When: "person.uid in [" + strings.Join(logins, ", ") + "]"}
			c.Targets["wiki"].Entitlements["admin"] = []string{"Administrators"}
		})
	}
	first := slice(40)
	w.sync()
	w.inForce(first)
	w.has("p0001", true, "Administrators", "Publishers", "Writers")
	slice(80)
	r := w.sync()
	if r.Exit() != rostersync.ExitHeld || r.Policy.Fate != rostersync.Held || !strings.Contains(r.Policy.Why, "after 40 before") {
		t.Fatalf("exit %d, %+v", r.Exit(), r.Policy)
	}
	w.inForce(first)
	w.now = w.now.Add(25 * time.Hour)
	last := w.engine.Current().Next
	w.sync()
	w.inForce(last)
}
