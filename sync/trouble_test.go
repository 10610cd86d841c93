package sync_test

import (
	"errors"
	"testing"
	"time"

	source "github.com/rosterd/rosterd/directory/memory"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// Law 1 and 2: whatever goes wrong with the read, nobody loses anything.
func TestLaw01BadReadsTakeNothing(t *testing.T) {
	for name, c := range map[string]struct {
		faults source.Faults
		exit   int
	}{
		"fails at once":          {source.FailRead(0), 1},
		"fails in the middle":    {source.FailRead(20), 1},
		"look-up fails":          {source.FailFind(), 1},
		"everything is hidden":   {source.HideBelow("dc=example"), 1},
		"people are hidden":      {source.HideBelow(people), 1},
		"loses employeeType":     {source.Lose("employeeType"), 1},
		"loses the login":        {source.Lose("uid"), 1},
		"loses member":           {source.Lose("member"), 1},
		"one container vanishes": {source.HideBelow("ou=north," + people), 4},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.joinMany("p", 40)
			ids := w.joinMany("north", 9)
			for _, id := range ids {
				r, _ := w.source.Get(id)
				w.move(id, "uid="+r.Attributes["uid"][0]+",ou=north,"+people)
			}
			for _, g := range []string{"a", "b", "c", "d", "e", "f"} {
				w.source.Put(source.Record{Kind: 2, DN: "cn=" + g + "," + groups, Members: []string{"uid=p0001," + people}})
			}
			w.members("writers", "p0001", "p0002", "p0003", "p0004", "p0005")
			w.members("managers", "p0001")
			w.synced()
			before := len(w.wiki.Writes())
			w.source.SetFaults(c.faults)
			if c.faults.Find != nil {
				w.source.Remove(ids[0]) // so that there is something to look up
			}
			for range 3 {
				r := w.sync()
				if r.Exit() != c.exit {
					t.Errorf("exit %d, want %d\n%s", r.Exit(), c.exit, text(r))
				}
				w.now = w.now.Add(time.Hour)
			}
			if n := len(w.wiki.Writes()) - before; n != 0 {
				t.Errorf("%d writes after bad reads", n)
			}
			w.source.SetFaults(source.Faults{})
			w.sync()
			if c.faults.Find != nil {
				return
			}
			w.quiet()
			if w.enabled() != 49 {
				t.Errorf("%d enabled, want 49", w.enabled())
			}
		})
	}
}

// A policy group that is missing or emptied revokes nothing until approved.
func TestPolicyGroupTrouble(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"deleted": func(w *world) { w.source.Remove(w.source.At("cn=writers," + groups)) },
		"emptied": func(w *world) { w.members("writers") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.joinMany("p", 40)
			w.members("writers", "p0001", "p0002", "p0003", "p0004", "p0005", "p0006")
			w.synced()
			spoil(w)
			for range 3 {
				if r := w.sync(); r.Exit() != 4 {
					t.Errorf("exit %d, want 4\n%s", r.Exit(), text(r))
				}
				w.now = w.now.Add(time.Hour)
			}
			w.has("p0001", true, "Writers")
			if r, err := w.approve(w.onlyHold()); err != nil || r.Exit() != 0 {
				t.Fatalf("approve: %v, exit %d\n%s", err, r.Exit(), text(r))
			}
			w.has("p0001", true)
			w.quiet()
		})
	}
	t.Run("renamed", func(t *testing.T) {
		w := newWorld(t)
		w.joinMany("p", 40)
		w.members("writers", "p0001", "p0002", "p0003", "p0004", "p0005", "p0006")
		w.synced()
		w.move(w.source.At("cn=writers,"+groups), "cn=authors,"+groups)
		r := w.sync()
		if r.Exit() != 0 || len(r.Pins) != 1 {
			t.Errorf("exit %d with %d warnings, want 0 with one\n%s", r.Exit(), len(r.Pins), text(r))
		}
		w.has("p0001", true, "Writers")
	})
}

// Law 10: one account that cannot be written does not keep the others.
func TestLaw10OneBadApple(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 20)
	w.members("writers", "p0007", "p0008")
	broken := true
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, x memory.Write) memory.Fault {
		if broken && x.Name == "p0007" && x.Verb == target.Create {
			return memory.Fault{Err: &target.Error{Class: target.Refused, Err: errors.New("bad value")}}
		}
		return memory.Fault{}
	}})
	r := w.sync()
	if r.Exit() != 5 || w.enabled() != 19 || len(r.Failed) != 1 {
		t.Fatalf("exit %d with %d accounts and %d failures, want 5, 19 and 1\n%s", r.Exit(), w.enabled(), len(r.Failed), text(r))
	}
	w.has("p0008", true, "Writers")
	// It waits for its time, and then it is tried again.
	writes := len(w.wiki.Writes())
	if r := w.sync(); r.Exit() != 5 || len(w.wiki.Writes()) != writes {
		t.Fatalf("tried again at once: exit %d\n%s", r.Exit(), text(r))
	}
	broken = false
	w.now = w.now.Add(time.Hour)
	w.synced()
	w.has("p0007", true, "Writers")
}

// Law 10: a target that is down keeps nothing but itself.
func TestLaw10TargetDown(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 20)
	w.synced()
	w.leave(ids[0])
	w.wiki.SetFaults(memory.Faults{Look: func([]target.Query) error { return errors.New("no route to host") },
		List: func(int) error { return errors.New("no route to host") }})
	r := w.sync()
	if r.Exit() != 5 || len(r.Down) != 1 {
		t.Fatalf("exit %d, %d down, want 5 and 1\n%s", r.Exit(), len(r.Down), text(r))
	}
	w.wiki.SetFaults(memory.Faults{})
	w.synced()
	w.has("p0000", false)
}

// Law 7: an answer that never came is looked up, and nothing is done twice.
func TestLaw07LostAnswers(t *testing.T) {
	for lost := 1; lost <= 8; lost++ {
		w := newWorld(t)
		id := w.join("p1")
		w.join("p2")
		w.members("writers", "p1")
		w.wiki.SetFaults(memory.LoseAnswer(lost))
		w.sync()
		w.sync()
		w.set(id, "sn", "New Name")
		w.set(id, "uid", "p9")
		w.sync()
		w.sync()
		w.now = w.now.Add(time.Hour)
		w.sync()
		if n := len(w.wiki.Accounts()); n != 2 {
			t.Fatalf("answer %d lost: %d accounts, want 2", lost, n)
		}
		w.has("p9", true, "Writers")
		w.quiet()
	}
}

// Law 5: what exists and is not ours is reported and not touched.
func TestLaw05UnownedAccounts(t *testing.T) {
	w := newWorld(t)
	w.wiki.Put(target.Account{Name: "p0003", Enabled: true, Attributes: map[string][]string{"title": {"theirs"}}})
	w.wiki.Put(target.Account{Name: "stranger", Enabled: true})
	w.joinMany("p", 20)
	r := w.sync()
	if s := situation(r, "p0003"); s != "adoptable" {
		t.Errorf("situation %s, want adoptable\n%s", s, text(r))
	}
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	for _, x := range w.wiki.Writes() {
		if x.Account.Name == "p0003" || x.Account.Name == "stranger" {
			t.Errorf("law 5: wrote to an account that is not ours: %+v", x)
		}
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 20)
	r := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
	if r.Exit() != 3 || len(w.wiki.Writes()) != 0 {
		t.Fatalf("exit %d with %d writes, want 3 with none", r.Exit(), len(w.wiki.Writes()))
	}
	w.synced()
	if w.enabled() != 20 {
		t.Fatalf("%d accounts", w.enabled())
	}
}

// Law 7: a cycle for one target does not lose what it left for the others.
func TestLaw07OneTargetLeavesTheOthersDue(t *testing.T) {
	w := newWorld(t)
	second, err := memory.New(memory.Config{}, "chat")
	if err != nil {
		t.Fatal(err)
	}
	w.config.Targets["chat"] = w.config.Targets["wiki"]
	w.engine.Policy = w.compile()
	member := w.engine.Targets[0]
	member.Name, member.Target = "chat", second
	w.engine.Targets = append([]rostersync.Target{member}, w.engine.Targets...)
	w.joinMany("p", 20)
	w.cycle(rostersync.Request{Verb: "sync", OnlyTarget: "chat"})
	if len(second.Accounts()) != 20 || len(w.wiki.Accounts()) != 0 {
		t.Fatalf("%d and %d accounts, want 20 and none", len(second.Accounts()), len(w.wiki.Accounts()))
	}
	w.synced()
	if len(w.wiki.Accounts()) != 20 {
		t.Fatalf("law 7: %d accounts in the target that was left out", len(w.wiki.Accounts()))
	}
}

// What one target may not write is noted before another begins to write: with
// the race detector on, a worker that starts too early is found.
func TestRestrictedWritesOfTwoTargets(t *testing.T) {
	w := newWorld(t)
	second, err := memory.New(memory.Config{}, "zulip")
	if err != nil {
		t.Fatal(err)
	}
	w.config.Targets["zulip"] = w.config.Targets["wiki"]
	w.engine.Policy = w.compile()
	member := w.engine.Targets[0]
	member.Name, member.Target = "zulip", second
	w.engine.Targets = append(w.engine.Targets, member)
	w.joinMany("p", 40)
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		return memory.Fault{Err: &target.Error{Class: target.InDoubt, Err: errors.New("no answer")}}
	}})
	w.cycle(rostersync.Request{Verb: "sync", OnlyTarget: "wiki"})
	w.wiki.SetFaults(memory.Faults{})
	w.now = w.now.Add(5 * time.Minute) // it is left alone until then
	w.sync()
	w.synced()
	if a, b := len(w.wiki.Accounts()), len(second.Accounts()); a != 40 || b != 40 {
		t.Fatalf("%d and %d accounts, want 40 each", a, b)
	}
}

// An approved blackout is an absence like any other.
func TestApprovedBlackout(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 80)
	ids := w.joinMany("north", 6)
	for _, id := range ids {
		r, _ := w.source.Get(id)
		w.move(id, "uid="+r.Attributes["uid"][0]+",ou=north,"+people)
	}
	w.sync()
	w.source.SetFaults(source.HideBelow("ou=north," + people))
	if r := w.sync(); r.Exit() != 4 || w.enabled() != 86 {
		t.Fatalf("exit %d with %d enabled, want 4 with 86\n%s", r.Exit(), w.enabled(), text(r))
	}
	if r, err := w.approve(w.onlyHold()); err != nil || w.enabled() != 80 {
		t.Fatalf("approve: %v, %d enabled, want 80\n%s", err, w.enabled(), text(r))
	}
	w.quiet()
	// They come back; so many at once are held in their turn.
	w.source.SetFaults(source.Faults{})
	w.sync()
	if r, err := w.approve(w.onlyHold()); err != nil || w.enabled() != 86 {
		t.Fatalf("approve the return: %v, %d enabled, want 86\n%s", err, w.enabled(), text(r))
	}
	w.quiet()
}
