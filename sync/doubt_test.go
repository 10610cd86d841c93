package sync_test

import (
	"context"
	"errors"
	"testing"
	"time"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// Law 7: an account that somebody deleted is made again under an approval, and
// the answer to that is lost: what is found under our mark is ours.
func TestLaw07LostAnswerOfARecreation(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 12)
	w.members("writers", "p0003")
	w.synced()
	w.wiki.Drop(w.account("p0003").ID)
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	w.wiki.SetFaults(loseNext(target.Create))
	if _, err := w.approve(w.onlyHold()); err != nil {
		t.Fatal(err)
	}
	w.wiki.SetFaults(memory.Faults{})
	for range 3 {
		w.sync()
		w.now = w.now.Add(time.Hour)
	}
	w.has("p0003", true, "Writers")
	w.quiet()
}

// Law 7: another system at the address of a target answers no doubt.
func TestLaw07AnotherSystemSettlesNothing(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 12)
	w.synced()
	w.join("late")
	w.wiki.SetFaults(loseNext(target.Create))
	w.sync()
	other, err := memory.New(memory.Config{}, "other")
	if err != nil {
		t.Fatal(err)
	}
	w.engine.Targets[0].Target = other
	if r := w.sync(); r.Exit() != 1 || r.Recovered != 0 || r.InDoubt != 1 {
		t.Errorf("exit %d with %d answered and %d in doubt, want 1, 0 and 1", r.Exit(), r.Recovered, r.InDoubt)
	}
	if n := len(other.Writes()); n != 0 {
		t.Errorf("%d writes to another system", n)
	}
	w.engine.Targets[0].Target = w.wiki
	w.wiki.SetFaults(memory.Faults{})
	if r := w.sync(); r.Recovered != 1 || r.Exit() != 0 {
		t.Errorf("%d answered, exit %d, want 1 and 0\n%s", r.Recovered, r.Exit(), text(r))
	}
	w.has("late", true)
	w.quiet()
}

// plainTarget keeps no ownership marks.
type plainTarget struct{ *memory.Target }

func (t plainTarget) Describe() target.Description {
	d := t.Target.Describe()
	d.Marks = false
	return d
}

func (t plainTarget) Create(ctx context.Context, name string, set []target.Value, _ string) (target.Ref, error) {
	return t.Target.Create(ctx, name, set, "")
}

func (t plainTarget) CreateAll(ctx context.Context, accounts []target.Creation, told func(int, target.Created) bool) {
	oneByOne(ctx, t, accounts, told)
}

// Law 5: a create without outcome claims no account that is somebody else's by
// the time that the target can be asked.
func TestLaw05DoubtClaimsNothingOfAnother(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Target = plainTarget{w.wiki}
	w.joinMany("p", 12)
	w.synced()
	w.join("late")
	// The request is lost, and nobody knows that it was.
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		return memory.Fault{Err: errors.New("connection reset")}
	}})
	if r := w.sync(); r.Exit() != 5 {
		t.Fatalf("exit %d, want 5", r.Exit())
	}
	// While it waits, another person gets the name by hand.
	a := *w.account("p0003")
	a.Name = "late"
	w.wiki.Put(a)
	w.wiki.SetFaults(memory.Faults{})
	r := w.sync()
	if r.Err != nil {
		t.Fatalf("law 10: one doubt ends the cycle: %v", r.Err)
	}
	owner, owned, err := w.engine.Store.LinkOwner("wiki", a.ID)
	if err != nil || !owned || owner != w.person("p0003") {
		t.Fatalf("law 5: the account of p0003 is now of %v", owner)
	}
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	w.now = w.now.Add(time.Hour)
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	w.has("late", true)
	w.has("p0003", true)
	w.quiet()
}

// Law 5: an account that somebody else made while a create was in doubt is not
// taken for ours, where no mark tells.
func TestLaw05DoubtClaimsNothingOfAStranger(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Target = plainTarget{w.wiki}
	w.joinMany("p", 12)
	w.synced()
	w.set(w.join("late"), "sn", "Late")
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		return memory.Fault{Err: errors.New("connection reset")}
	}})
	w.sync()
	w.wiki.SetFaults(memory.Faults{})
	stranger := w.wiki.Put(target.Account{Name: "late", Enabled: true, Attributes: map[string][]string{"title": {"Director"}}})
	r := w.sync()
	if s := situation(r, "late"); s != "adoptable" {
		t.Errorf("situation %s, want adoptable\n%s", s, text(r))
	}
	if owner, owned, _ := w.engine.Store.LinkOwner("wiki", stranger); owned {
		t.Fatalf("law 5: the stranger's account is now of %v", owner)
	}
}

// Law 5: where marks tell, an account without the mark of that very create is not taken
// for ours, however much it looks like what was to be made.
func TestLaw05DoubtClaimsNothingWithoutItsMark(t *testing.T) {
	for _, mark := range []string{"", "a mark of somebody else"} {
		w := newWorld(t)
		w.joinMany("p", 12)
		w.synced()
		w.join("late")
		w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
			return memory.Fault{Err: errors.New("connection reset")}
		}})
		if r := w.sync(); r.Exit() != rostersync.ExitParked {
			t.Fatalf("exit %d\n%s", r.Exit(), text(r))
		}
		w.wiki.SetFaults(memory.Faults{})
		like := *w.account("p0003")
		like.ID, like.Name, like.Mark = "", "late", mark
		stranger := w.wiki.Put(like)
		r := w.sync()
		if owner, owned, _ := w.engine.Store.LinkOwner("wiki", stranger); owned {
			t.Fatalf("law 5: the account with the mark %q is now of %v\n%s", mark, owner, text(r))
		}
		if r.Recovered != 1 || situation(r, "late") != "adoptable" {
			t.Errorf("%d recovered, %s\n%s", r.Recovered, situation(r, "late"), text(r))
		}
	}
}

// loseNext does the next write with the verb and loses the answer.
func loseNext(verb target.Verb) memory.Faults {
	lost := false
	return memory.Faults{Write: func(_ int, x memory.Write) memory.Fault {
		if lost || x.Verb != verb {
			return memory.Fault{}
		}
		lost = true
		return memory.Fault{Applied: true, Err: &target.Error{Class: target.InDoubt, Err: errors.New("the answer was lost")}}
	}}
}

// Law 7: drift that a resync found and could not mend is tried again, though
// nothing but the target tells of it.
func TestLaw07DriftThatFailedIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 12)
	w.members("writers", "p0003")
	w.synced()
	a := *w.account("p0003")
	a.Entitlements = nil
	w.wiki.Put(a)
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		return memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("maintenance")}}
	}})
	if r := w.cycle(rostersync.Request{Verb: "sync", Full: true}); r.Exit() != 5 {
		t.Fatalf("exit %d, want 5\n%s", r.Exit(), text(r))
	}
	w.wiki.SetFaults(memory.Faults{})
	w.set(w.source.At("uid=p0003,"+people), "sn", "changed") // looked at before its time
	if r := w.sync(); r.Exit() != 5 {
		t.Errorf("exit %d, want 5: a change still waits\n%s", r.Exit(), text(r))
	}
	w.now = w.now.Add(time.Hour)
	w.synced()
	w.has("p0003", true, "Writers")
}
