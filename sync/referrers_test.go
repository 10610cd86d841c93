package sync_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// bosses counts who has which manager.
func (w *world) bosses() map[string]int {
	out := map[string]int{}
	for _, a := range w.wiki.Accounts() {
		out[strings.Join(a.Attributes["boss"], " ")]++
	}
	return out
}

// The first plan of a new target is one hold, and the second pass completes what it
// made: it is no second hold, of which nobody was told. The plan says what waits.
func TestASecondPassAfterTheFirstHold(t *testing.T) {
	for _, empty := range []string{"clear", "keep", "park"} {
		t.Run(empty, func(t *testing.T) {
			w := referring(t, mapping.AttributeRule{From: boss.From, Empty: empty})
			w.engine.Targets[0].Rules.Guard.First = "hold"
			w.engine.Targets[0].Rules.Guard.MaxUpdate.Percent = 0
			var ids []identity.ID
			for i := range 55 {
				ids = append(ids, w.under(fmt.Sprintf("p%03d", i), "p054"))
			}
			r := w.sync()
			if len(r.Holds) != 1 || strings.Count(text(r), "boss is written once whom it refers to has an account here") != 55 {
				t.Fatalf("%d holds\n%s", len(r.Holds), text(r))
			}
			if _, err := w.approve(r.Holds[0]); err != nil {
				t.Fatal(err)
			}
			w.settles()
			top := string(w.account("p054").ID)
			if n := w.bosses(); n[top] != 55 {
				t.Fatalf("managers: %v", n)
			}

			// Whatever comes after that counts: another manager of all of them.
			w.under("other", "other")
			w.settles()
			for _, id := range ids {
				w.reports(id, "other")
			}
			if r := w.sync(); len(r.Holds) != 1 || r.Holds[0].Rule != "max_update" || w.bosses()[top] != 55 {
				t.Errorf("another manager for all is not held\n%s", text(r))
			}
		})
	}
}

// What an edit would write into accounts that wait for something else counts as ever, and
// so does what is written where somebody else wrote meanwhile.
func TestASecondPassIsNoWayRoundTheLimit(t *testing.T) {
	w := referring(t, boss)
	w.engine.Targets[0].Rules.Guard.MaxUpdate.Percent = 0
	for i := range 55 {
		w.under(fmt.Sprintf("p%03d", i), "late")
	}
	w.settles()
	for _, a := range w.wiki.Accounts() {
		a.Attributes["boss"] = []string{"somebody"}
		w.wiki.Put(a)
	}
	w.join("late")
	w.sync()
	r := w.sync()
	if len(r.Holds) != 1 || r.Holds[0].Rule != "max_update" || w.bosses()["somebody"] != 55 {
		t.Errorf("what others wrote is overwritten at any count\n%s", text(r))
	}
}

// The plan says of an account that comes, goes or is renamed who refers to it. They are
// not in it, and are written in the second pass.
func TestThePlanTellsWhoRefersToAnAccount(t *testing.T) {
	w := referring(t, boss)
	w.engine.Targets[0].Target = named{w.wiki}
	for i := range 12 {
		w.under(fmt.Sprintf("p%03d", i), "late")
	}
	gone := w.under("gone", "late")
	w.settles()
	late := w.join("late")
	w.leave(gone)
	w.sync() // gone's account is closed, and is no more spoken of
	if n := w.bosses()["uid=late"]; n != 12 {
		t.Fatalf("managers: %v", w.bosses())
	}
	w.settles()
	told := func(want string) {
		t.Helper()
		shown := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
		note := "boss of 12 others refers to this account, and is looked at again after it: p000, p001, p002, p003, p004, p005, p006, p007, p008, p009 and 2 more"
		if got := text(shown); strings.Contains(got, note) != (want == "told") {
			t.Errorf("want it %s\n%s", want, got)
		}
	}
	w.set(late, "sn", "another title")
	told("silent")
	w.settles()
	w.move(late, "uid=late,ou=left,dc=corp,dc=example")
	told("silent") // it is closed, and others refer to it still
	w.sync()
	w.now = w.now.AddDate(0, 0, 3)
	told("told") // it is deleted
	w.sync()
	if w.account("late") != nil {
		t.Fatal("late is not deleted")
	}
	w.move(late, "uid=late,"+people)
	w.set(late, "uid", "later")
	told("told") // made anew
	w.settles()
	w.set(late, "uid", "latest")
	told("told") // renamed
	w.settles()
	if n := w.bosses()["uid=latest"]; n != 12 {
		t.Errorf("managers: %v", w.bosses())
	}
}

// Whoever others refer to is found at the cost of who was worked on: nobody is in the
// second pass who is marked for something else.
func TestASecondPassIsForThoseWhoRefer(t *testing.T) {
	w := referring(t, boss)
	w.under("a", "late")
	w.under("b", "other")
	w.settles()
	marked := 0
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		if marked++; marked == 1 {
			// Meanwhile somebody else's reference means another, which is not ours to do.
			if err := w.engine.Store.Mark(state.ReferReason, w.person("b")); err != nil {
				t.Error(err)
			}
		}
		return memory.Fault{}
	}})
	w.join("late")
	r := w.sync()
	if r.Then == nil || len(r.Referring) != 1 || r.Referring[0] != w.person("a") {
		t.Errorf("in the second pass are %v, want a alone", r.Referring)
	}
}

// Law 7: that an account waits is known as well when the answer to its making was lost.
func TestLaw07AnAccountInDoubtWaitsToo(t *testing.T) {
	w := referring(t, boss)
	w.wiki.SetFaults(memory.LoseAnswer(1))
	w.under("a", "b")
	w.under("b", "a")
	w.sync()
	w.sync()
	w.settles()
	w.wantBoss("a", "b")
	for _, login := range []string{"a", "b"} {
		who := w.person(login)
		links, err := w.engine.Store.Links(who)
		if l := links[who]["wiki"]; err != nil || !slices.Equal(l.Awaits, []string{"boss"}) {
			t.Errorf("%s waits for %q, %v", login, l.Awaits, err)
		}
	}
}

// Whoever gets a manager who comes in the same cycle keeps the old one until the new one
// has an account: it is one write. Where they get none it is cleared, all the same.
func TestAReferenceIsNotClearedToBeWrittenAgain(t *testing.T) {
	w := referring(t, boss)
	a, b := w.under("a", "top"), w.under("b", "top")
	w.under("top")
	w.settles()
	w.reports(a, "late")
	w.join("late")
	before := len(w.wiki.Writes())
	w.settles()
	if n := len(w.wiki.Writes()) - before; n != 2 {
		t.Errorf("%d writes, want 2: an account, and the manager", n)
	}
	w.wantBoss("a", "late")
	out := w.join("out")
	w.set(out, "employeeType", "guest")
	w.reports(b, "out")
	shown := text(w.cycle(rostersync.Request{Verb: "plan", DryRun: true}))
	if !strings.Contains(shown, "boss waits for the account of whom it refers to") {
		t.Errorf("the plan does not say what waits\n%s", shown)
	}
	before = len(w.wiki.Writes())
	w.settles()
	if n := len(w.wiki.Writes()) - before; n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
	w.wantBoss("b", "")
}

// A manager whose making is held is named as soon as it is approved; until then nothing
// is written of whom refers to them, and no cycle does more than look.
func TestAReferenceToWhoIsInAnOpenHold(t *testing.T) {
	w := referring(t, boss)
	a := w.under("a", "top")
	w.under("top")
	w.settles()
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 1}
	w.joinMany("n", 3)
	w.reports(a, "n0001")
	var r *rostersync.Report
	for range 3 {
		if r = w.sync(); len(r.Holds) != 1 {
			t.Fatalf("nothing is held\n%s", text(r))
		}
	}
	if n := len(w.wiki.Writes()); w.boss("a") != "" || n != 4 {
		t.Errorf("the manager is %q after %d writes, want none after 4", w.boss("a"), n)
	}
	if _, err := w.approve(r.Holds[0]); err != nil {
		t.Fatal(err)
	}
	w.settles()
	w.wantBoss("a", "n0001")
}

// Law 7: whoever is killed after an account was made or renamed, and before it was read
// back, has told nobody by what it is referred to. The next cycle does.
func TestLaw07KilledBeforeAReferenceWasReadBack(t *testing.T) {
	w := referring(t, boss)
	w.engine.Targets[0].Target = named{w.wiki}
	wiki := w.config.Targets["wiki"]
	wiki.Attributes["number"] = mapping.AttributeRule{From: "${person.employeeNumber}"}
	wiki.Account.Match = []string{"number"}
	w.config.Targets["wiki"] = wiki
	w.engine.Policy = w.compile()
	a := w.under("a", "top")
	w.under("top")
	w.settles()
	killed := func() {
		t.Helper()
		ctx, kill := context.WithCancel(t.Context())
		wrote := false
		w.wiki.SetFaults(memory.Faults{
			Write: func(int, memory.Write) memory.Fault { wrote = true; return memory.Fault{} },
			Look: func([]target.Query) error {
				if wrote {
					kill()
					return ctx.Err()
				}
				return nil
			}})
		if _, err := w.engine.Cycle(ctx, rostersync.Request{Verb: "sync"}); err == nil {
			t.Fatal("nobody was killed")
		}
		w.wiki.SetFaults(memory.Faults{})
	}
	late := w.join("late")
	w.reports(a, "late")
	killed()
	w.settles()
	w.wantBoss("a", "?uid=late")
	w.set(late, "uid", "later")
	killed()
	w.settles()
	w.wantBoss("a", "?uid=later")
}
