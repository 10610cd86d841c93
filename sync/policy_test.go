package sync_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// edit is a changed file that does not govern yet: the policy of the world with
// what the function changes in it.
func (w *world) edit(change func(*mapping.Config, *rostersync.Engine)) *rostersync.Engine {
	w.t.Helper()
	force := w.engine.Current()
	old := w.config
	next := &rostersync.Engine{Store: force.Store, Now: force.Now, Sources: slices.Clone(force.Sources), Targets: slices.Clone(force.Targets), File: "rosterd.toml"}
	w.config.Roles, w.config.Targets = maps.Clone(old.Roles), maps.Clone(old.Targets)
	for name, t := range w.config.Targets {
		t.Attributes, t.Entitlements = maps.Clone(t.Attributes), maps.Clone(t.Entitlements)
		w.config.Targets[name] = t
	}
	change(&w.config, next)
	next.Policy, next.PolicyText = w.compile(), fmt.Sprint(w.config)
	next.Hash = next.Policy.Hash() + fmt.Sprint(guardsOf(next))
	w.config = old
	force.Next = next
	return next
}

func guardsOf(e *rostersync.Engine) []string {
	var out []string
	for _, t := range e.Targets {
		g := t.Rules.Guard
		out = append(out, fmt.Sprint(t.Name, t.Rules.Protect, t.Rules.BreakGlass, g.MaxRemove.Count, g.MaxRevoke.Count))
	}
	return out
}

func rules(e *rostersync.Engine, change func(*plan.Rules)) { change(&e.Targets[0].Rules) }

// policyHold is the hold of the pending policy.
func (w *world) policyHold() ledger.Hold {
	w.t.Helper()
	p, err := w.engine.Pending()
	if err != nil || p == nil || p.Hold.ID == "" {
		w.t.Fatalf("no hold of a pending policy: %+v, %v", p, err)
	}
	return p.Hold
}

func (w *world) holdCount() int {
	w.t.Helper()
	holds, err := w.engine.Store.Holds()
	if err != nil {
		w.t.Fatal(err)
	}
	return len(holds)
}

func (w *world) inForce(e *rostersync.Engine) {
	w.t.Helper()
	if w.engine.Current() != e {
		w.t.Fatal("the policy that governs is not the one expected")
	}
}

func titled(c *mapping.Config, _ *rostersync.Engine) {
	c.Targets["wiki"].Attributes["title"] = mapping.AttributeRule{From: "Content Writer"}
}

// noPublishers takes the right that managers have.
func noPublishers(c *mapping.Config, _ *rostersync.Engine) {
	c.Targets["wiki"].Entitlements["manager"] = []string{"Writers"}
}

func staffed(t *testing.T, n int) *world {
	w := newWorld(t)
	w.joinMany("p", n)
	w.members("managers", logins("p", n)...)
	w.allow(float64(2 * n))
	w.synced()
	w.restrict()
	return w
}

func logins(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%04d", prefix, i)
	}
	return out
}

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

// A narrower source makes nobody a leaver before it is judged.
func TestPolicyReadsFewer(t *testing.T) {
	for _, gone := range []int{2, 8} {
		w := newWorld(t)
		inner := "ou=inner," + people
		for i := range 20 {
			under := inner
			if i < gone {
				under = people
			}
			login := fmt.Sprintf("p%04d", i)
			w.source.Put(source.Record{Kind: directory.Person, DN: "uid=" + login + "," + under, Attributes: map[string][]string{
				"uid": {login}, "cn": {login}, "employeeType": {"staff"}, "employeeNumber": {"n-" + login}}})
		}
		w.allow(50)
		w.synced()
		w.restrict()
		old := w.engine
		narrow := source.New("corp", source.Config{Attributes: []string{"employeeType", "sn"}, Key: "employeeNumber", Bases: []string{inner, groups}}, func() time.Time { return w.now })
		for i := range 40 {
			for _, dn := range []string{fmt.Sprintf("uid=p%04d,%s", i, people), fmt.Sprintf("uid=p%04d,%s", i, inner), "cn=writers," + groups, "cn=managers," + groups} {
				if r, is := w.source.Get(w.source.At(dn)); is {
					narrow.Put(r)
				}
			}
		}
		next := w.edit(func(_ *mapping.Config, e *rostersync.Engine) { e.Sources[0].Source = narrow })
		next.Hash += "narrow"
		r := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
		if r.Policy.Outside != gone {
			t.Fatalf("%d would not be read, want %d", r.Policy.Outside, gone)
		}
		if w.enabled() != 20 {
			t.Fatal("a plan wrote")
		}
		r = w.sync()
		if gone == 2 {
			w.inForce(next)
			if w.enabled() != 18 || r.Exit() != 0 {
				t.Fatalf("two who are not read any more: %d enabled, exit %d\n%s", w.enabled(), r.Exit(), text(r))
			}
			w.quiet()
			continue
		}
		w.inForce(old)
		if w.enabled() != 20 || r.Exit() != 4 {
			t.Fatalf("eight who would not be read any more: %d enabled, exit %d\n%s", w.enabled(), r.Exit(), text(r))
		}
		// A base that is not there is no base where nobody is.
		narrow.SetFaults(source.FailRead(0))
		if r = w.sync(); r.Policy.Err == nil || r.Exit() != 1 || w.enabled() != 20 {
			t.Fatalf("exit %d, %+v", r.Exit(), r.Policy)
		}
		narrow.SetFaults(source.Faults{})
		w.sync()
		if _, err := w.approve(w.policyHold()); err != nil {
			t.Fatal(err)
		}
		w.inForce(next)
		if w.enabled() != 12 {
			t.Fatalf("approved: %d enabled, want 12", w.enabled())
		}
		w.quiet()
	}
}

// What cannot be read cannot be judged: the policy in force stays.
func TestPolicyIsNotJudgedUnread(t *testing.T) {
	w := staffed(t, 8)
	old := w.engine
	w.edit(titled)
	w.source.SetFaults(source.FailRead(0))
	r := w.sync()
	if r.Exit() != 1 || r.Policy.Fate != rostersync.Unjudged {
		t.Fatalf("exit %d, %+v", r.Exit(), r.Policy)
	}
	w.inForce(old)
}

// A new target of a changed file is held as any new one is.
func TestPolicyWithANewTarget(t *testing.T) {
	w := staffed(t, 8)
	shop, err := memory.New(memory.Config{}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	next := w.edit(func(c *mapping.Config, e *rostersync.Engine) {
		c.Targets["shop"] = c.Targets["wiki"]
		e.Targets = append([]rostersync.Target{{Name: "shop", Target: shop, Rules: plan.DefaultRules(), Concurrency: 1}}, e.Targets...)
	})
	r := w.sync()
	if r.Exit() != 4 || r.Policy.Fate != rostersync.Taken || len(shop.Accounts()) != 0 {
		t.Fatalf("exit %d, %+v, %d accounts", r.Exit(), r.Policy, len(shop.Accounts()))
	}
	w.inForce(next)
	if h := w.onlyHold(); h.Rule != plan.RuleFirst.String() || h.Target != "shop" {
		t.Fatalf("held by %s of %s", h.Rule, h.Target)
	}
}

// A policy that this version cannot read governs nothing; the next one does only
// once it is approved.
func TestPolicyThatCannotBeRead(t *testing.T) {
	w := staffed(t, 8)
	next := w.edit(titled)
	old := w.engine
	frozen := next
	w.engine = &rostersync.Engine{Store: frozen.Store, Now: frozen.Now, Sources: frozen.Sources, Targets: frozen.Targets, Policy: frozen.Policy,
		Hash: frozen.Hash, File: "rosterd.toml", Frozen: "the policy in force cannot be read by this version", Next: next}
	before, _, _ := old.Store.Policy()
	w.leave(w.source.At("uid=p0001," + people))
	writes := len(w.wiki.Writes())
	for range 2 {
		if r := w.sync(); r.Exit() != 4 || r.Policy.Fate != rostersync.Held || len(w.wiki.Writes()) != writes {
			t.Fatalf("exit %d, %+v", r.Exit(), r.Policy)
		}
	}
	if now, _, _ := old.Store.Policy(); now.Hash != before.Hash {
		t.Fatal("another policy was noted")
	}
	if _, err := w.approve(w.policyHold()); err != nil {
		t.Fatal(err)
	}
	w.inForce(next)
	w.sync()
	w.has("p0001", false)
	w.quiet()
}

// Killed at any commit of the cycle that takes a policy, the next one does it.
func TestPolicyTakenOverAKill(t *testing.T) {
	for at := 1; ; at++ {
		w := staffed(t, 6)
		w.edit(titled)
		ctx, kill := context.WithCancel(t.Context())
		var n atomic.Int32
		w.engine.Next.Now = func() time.Time {
			if int(n.Add(1)) == at {
				kill()
			}
			return w.now
		}
		_, err := w.engine.Cycle(ctx, rostersync.Request{Verb: "sync"})
		kill()
		if err == nil {
			if at < 4 {
				t.Fatalf("it never stopped: %d", at)
			}
			break
		}
		w.engine.Store.Close()
		w.open()
		force, _, ferr := w.engine.Store.Policy()
		if ferr != nil {
			t.Fatal(ferr)
		}
		next := w.edit(titled)
		if force.Hash == next.Hash {
			w.engine = next // a start finds the file in force
		}
		w.sync()
		r := w.cycle(rostersync.Request{Verb: "sync", Full: true}) // what failed is not waited for
		if a := w.account("p0003"); strings.Join(a.Attributes["title"], "") != "Content Writer" {
			t.Fatalf("killed at %d: %+v\n%v\n%s%v", at, a, r.Policy, text(r), force.Hash == next.Hash)
		}
		w.quiet()
		w.engine.Store.Close()
	}
}

// A lane that waited while a policy was taken works under that one.
func TestPolicyAndALane(t *testing.T) {
	w := staffed(t, 8)
	next := w.edit(titled)
	done := make(chan error, 1)
	who := []identity.Ordinal{w.find("p0002")}
	// The clock of the next engine is asked while it is judged: a lane that comes
	// then has the turn only when the policy was taken.
	first := w.engine
	begun := false
	next.Now = func() time.Time {
		if !begun {
			begun = true
			go func() {
				_, err := first.Cycle(context.Background(), rostersync.Request{Verb: "sync", People: who, Named: true})
				done <- err
			}()
			time.Sleep(50 * time.Millisecond)
		}
		return w.now
	}
	if _, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync"}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Second)
	w.inForce(next)
	w.sync()
	for _, a := range w.wiki.Accounts() {
		if strings.Join(a.Attributes["title"], "") != "Content Writer" {
			t.Fatalf("%s was left under the old policy: %v", a.Name, a.Attributes)
		}
	}
}
