package sync_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target/memory"
)

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
