package sync_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// copied is the same directory, read by other settings.
func (w *world) copied(name string, n int) *source.Source {
	out := source.New(name, source.Config{Attributes: []string{"employeeType", "sn"}, Key: "employeeNumber", Bases: []string{people, groups}}, func() time.Time { return w.now })
	dns := []string{"cn=writers," + groups, "cn=managers," + groups}
	for i := range n {
		dns = append(dns, fmt.Sprintf("uid=p%04d,%s", i, people))
	}
	for _, dn := range dns {
		if r, is := w.source.Get(w.source.At(dn)); is {
			out.Put(r)
		}
	}
	return out
}

// Half of the directory is missing, which is held. Whoever approves an edit that
// reads in another way was not shown that, and has not accepted it.
func TestPolicyApprovalAcceptsNoDropThatWasThere(t *testing.T) {
	w := staffed(t, 40)
	var gone []identity.ID
	for i := 20; i < 40; i++ {
		gone = append(gone, w.source.At(fmt.Sprintf("uid=p%04d,%s", i, people)))
	}
	w.source.Remove(gone...)
	for range 3 {
		w.sync()
		w.now = w.now.Add(2 * time.Minute)
	}
	if f, err := w.engine.Store.SourceFacts("corp"); err != nil || !f.MinPeople {
		t.Fatalf("the drop is not noticed: %+v, %v", f, err)
	}
	next := w.edit(func(c *mapping.Config, e *rostersync.Engine) {
		noPublishers(c, e)
		e.Sources[0].Source = w.copied("corp", 20)
	})
	next.Hash += "otherwise"
	w.sync()
	if _, err := w.approve(w.policyHold()); err != nil {
		t.Fatal(err)
	}
	w.inForce(next)
	w.sync()
	if f, err := w.engine.Store.SourceFacts("corp"); err != nil || !f.MinPeople {
		t.Errorf("an edit accepted the drop: %+v, %v", f, err)
	}
}

// Limits that were raised by a reload, however often, do not free the leavers that
// came with it.
func TestPolicyReloadedDoesNotFreeWhatCameWithIt(t *testing.T) {
	w := staffed(t, 20)
	next := w.edit(func(_ *mapping.Config, e *rostersync.Engine) {
		rules(e, func(r *plan.Rules) { r.Guard.MaxRemove = &plan.Limit{Count: 1000} })
	})
	for i := range 8 {
		w.leave(w.source.At(fmt.Sprintf("uid=p%04d,%s", i, people)))
	}
	reload := rostersync.Request{Verb: "reload", PolicyOnly: true}
	w.cycle(reload)
	w.inForce(next)
	again := &rostersync.Engine{Store: next.Store, Now: next.Now, Sources: next.Sources, Targets: next.Targets, Policy: next.Policy,
		PolicyText: next.PolicyText, Hash: next.Hash, File: next.File}
	if err := w.engine.Succeed(t.Context(), func() (*rostersync.Engine, error) { return again, nil }); err != nil {
		t.Fatal(err)
	}
	w.engine = again
	w.cycle(reload)
	who := []identity.Ordinal{w.find("p0009")}
	w.cycle(rostersync.Request{Verb: "sync", People: who})
	for range 2 {
		if r := w.sync(); r.Exit() != rostersync.ExitHeld || w.enabled() != 20 {
			t.Fatalf("exit %d, %d enabled\n%s", r.Exit(), w.enabled(), text(r))
		}
	}
	// From then on they are the limits.
	for i := 8; i < 15; i++ {
		w.leave(w.source.At(fmt.Sprintf("uid=p%04d,%s", i, people)))
	}
	if w.sync(); w.enabled() != 13 {
		t.Errorf("%d enabled, want the seven of the new limit gone", w.enabled())
	}
}

// An edit that reads groups in another way gives, or takes, what it makes of them:
// that is judged as if it stood in the rules.
func TestPolicyThatReadsGroupsOtherwise(t *testing.T) {
	dns := func(n int) (out []string) {
		for _, l := range logins("p", n) {
			out = append(out, "uid="+l+","+people)
		}
		return out
	}
	inner := source.Record{Kind: directory.Group, DN: "cn=inner," + groups}
	managers := "cn=managers," + groups
	hold := func(s *source.Source, members ...string) {
		s.Change(s.At(managers), func(r *source.Record) { r.Members = members })
	}
	for _, c := range []struct {
		name    string
		here    int // members of the group that is in force
		there   func(*source.Source)
		held    string // empty: it is taken
		revoked int
		granted int
	}{
		{"gives to many by a nested group", 0, func(s *source.Source) {
			g := inner
			g.Members = append(dns(60), managers)
			s.Put(g)
			hold(s, inner.DN)
		}, "60 accounts would change entitlement Publishers", 0, 0},
		{"gives to some by their logins", 0, func(s *source.Source) {
			g := inner
			g.Logins = []string{"P0001", "p0002", "nobody"}
			s.Put(g)
			hold(s, inner.DN)
		}, "", 0, 4},
		{"takes from many", 60, func(s *source.Source) { hold(s, dns(20)...) }, "40 people would lose what manager gives", 0, 0},
		{"takes from some", 20, func(s *source.Source) { hold(s, dns(18)...) }, "", 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := staffed(t, 0)
			w.joinMany("p", 60)
			w.allow(200)
			w.members("managers", logins("p", c.here)...)
			w.synced()
			w.restrict()
			old := w.engine
			other := w.copied("corp", 60)
			c.there(other)
			next := w.edit(func(_ *mapping.Config, e *rostersync.Engine) { e.Sources[0].Source = other })
			next.Hash += c.name
			r := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
			if c.held == "" && r.Policy.Fate != rostersync.Taken {
				t.Errorf("plan: %+v", r.Policy)
			}
			r = w.sync()
			if c.held != "" {
				if w.inForce(old); r.Exit() != rostersync.ExitHeld || !strings.Contains(r.Policy.Why, c.held) {
					t.Fatalf("exit %d, %+v", r.Exit(), r.Policy)
				}
				return
			}
			if w.inForce(next); r.Done[target.Revoke] != c.revoked || r.Done[target.Grant] != c.granted {
				t.Fatalf("done %v\n%s", r.Done, text(r))
			}
			w.quiet()
		})
	}
}

// A window that an edit makes shorter does not forget, for what came with it, what
// the longer one had spent.
func TestPolicyOfAShorterWindow(t *testing.T) {
	w := staffed(t, 20)
	window := func(d time.Duration) func(*mapping.Config, *rostersync.Engine) {
		return func(_ *mapping.Config, e *rostersync.Engine) {
			rules(e, func(r *plan.Rules) { r.Guard.Window = span.Duration(d) })
		}
	}
	leave := func(from, to int) {
		for i := from; i < to; i++ {
			w.leave(w.source.At(fmt.Sprintf("uid=p%04d,%s", i, people)))
		}
	}
	next := w.edit(window(7 * 24 * time.Hour))
	next.Hash += "long"
	w.sync()
	w.inForce(next)
	leave(0, 5)
	w.sync()
	w.now = w.now.Add(3 * 24 * time.Hour)
	next = w.edit(window(24 * time.Hour))
	next.Hash += "short"
	leave(5, 8)
	r := w.sync()
	if w.inForce(next); r.Exit() != rostersync.ExitHeld || w.enabled() != 15 {
		t.Errorf("exit %d, %d enabled\n%s", r.Exit(), w.enabled(), text(r))
	}
}

// A right that the policy names no more is looked at all the same where one that was
// to be taken is in doubt, and when it is read back.
func TestARightThatIsNamedNoMore(t *testing.T) {
	taken := func(w *world) *rostersync.Report {
		w.engine.Targets[0].Rules.Guard.MaxRevoke = &plan.Limit{Count: 100}
		w.edit(func(c *mapping.Config, e *rostersync.Engine) {
			noPublishers(c, e)
			e.Targets[0].Rules.Guard.MaxRevoke = &plan.Limit{Count: 100}
		})
		return w.sync()
	}
	w := staffed(t, 20)
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, write memory.Write) memory.Fault {
		if write.Verb == target.Revoke {
			return memory.Fault{Err: &target.Error{Class: target.InDoubt, Err: errors.New("no answer")}}
		}
		return memory.Fault{}
	}})
	taken(w)
	w.has("p0003", true, "Publishers", "Writers")
	w.wiki.SetFaults(memory.Faults{})
	for range 3 {
		w.now = w.now.Add(time.Hour)
		w.sync()
	}
	w.has("p0003", true, "Writers")

	w = staffed(t, 20)
	w.engine.Targets[0].Target = &liar{Target: w.wiki, about: target.Revoke}
	if r := taken(w); r.Exit() == 0 || r.Verified != 0 {
		t.Errorf("%d are verified, exit %d, though nothing was revoked", r.Verified, r.Exit())
	}
}

// A right is not given to an account that is still to be linked: the approval of the
// one does not carry the other out, and what was approved is done in its order.
func TestAnApprovedRightWaitsForItsAccount(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 3)
	w.wiki.Put(target.Account{ID: "native-7", Name: "p0001", Enabled: true})
	w.sync()
	first := w.onlyHold()
	if _, err := w.engine.Decide(rostersync.Approval{Hold: first.ID, Version: first.Version(), By: "admin"}); err != nil {
		t.Fatal(err)
	}
	w.members("managers", "p0001")
	w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.find("p0002")}})
	var second ledger.Hold
	for _, h := range w.openHolds() {
		if h.ID != first.ID {
			second = h
		}
	}
	if second.ID == "" || second.Rule != "adopt" {
		t.Fatalf("the holds are %+v", w.openHolds())
	}
	before := len(w.wiki.Writes())
	r, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: second.ID, Version: second.Version(), By: "admin"}, rostersync.Request{Verb: "approve"})
	if err != nil || len(w.wiki.Writes()) != before {
		t.Fatalf("%v, and wrote %v", err, w.wiki.Writes()[before:])
	}
	if r.Exit() == 0 {
		t.Error("nothing is said to be left")
	}
	w.sync()
	w.has("p0001", true, "Publishers", "Writers")
	w.quiet()
}

// Whoever leaves loses a right too that no rule names any more and whose revocation
// failed before.
func TestALeaverLosesWhatIsNamedNoMore(t *testing.T) {
	w := staffed(t, 20)
	w.engine.Targets[0].Rules.Guard.MaxRevoke = &plan.Limit{Count: 100}
	w.edit(func(c *mapping.Config, e *rostersync.Engine) {
		noPublishers(c, e)
		e.Targets[0].Rules.Guard.MaxRevoke = &plan.Limit{Count: 100}
	})
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, write memory.Write) memory.Fault {
		if write.Verb == target.Revoke {
			return memory.Fault{Err: &target.Error{Class: target.Refused, Err: errors.New("not now")}}
		}
		return memory.Fault{}
	}})
	w.sync()
	w.has("p0003", true, "Publishers", "Writers")
	w.wiki.SetFaults(memory.Faults{})
	w.leave(w.source.At("uid=p0003," + people))
	w.now = w.now.Add(time.Hour)
	w.sync()
	w.has("p0003", false)
}
