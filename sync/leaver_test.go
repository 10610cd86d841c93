package sync_test

import (
	"errors"
	"testing"
	"time"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// Law 6: a leaver is stripped also where closing the account fails, and closed
// also where stripping fails; what failed is tried again.
func TestLaw06LeaverLosesWhatCanBeTaken(t *testing.T) {
	for _, refused := range []target.Verb{target.Disable, target.Revoke} {
		w := newWorld(t)
		ids := w.joinMany("p", 12)
		w.members("managers", "p0003")
		w.synced()
		w.leave(ids[3])
		w.wiki.SetFaults(memory.Faults{Write: func(_ int, x memory.Write) memory.Fault {
			if x.Verb == refused {
				return memory.Fault{Err: &target.Error{Class: target.Refused, Err: errors.New("not today")}}
			}
			return memory.Fault{}
		}})
		if r := w.sync(); r.Exit() != 5 {
			t.Errorf("%s refused: exit %d, want 5\n%s", refused, r.Exit(), text(r))
		}
		if refused == target.Disable {
			w.has("p0003", true)
		} else {
			w.has("p0003", false, "Publishers", "Writers")
		}
		w.wiki.SetFaults(memory.Faults{})
		if r := w.sync(); r.Exit() != 5 {
			t.Errorf("%s waits for its next attempt: exit %d, want 5\n%s", refused, r.Exit(), text(r))
		}
		w.now = w.now.Add(time.Hour)
		w.synced()
		w.has("p0003", false)
	}
}

// The limit is a share of the accounts there are: one that was closed and is
// open again is one account.
func TestGuardCountsWhoCameBackOnce(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.synced()
	w.leave(ids[:2]...)
	w.synced()
	for _, id := range ids[:2] {
		w.set(id, "employeeType", "staff")
	}
	w.synced()
	w.leave(ids[2:4]...)
	if r := w.sync(); r.Exit() != 4 || w.enabled() != 12 {
		t.Fatalf("two leavers after two of 12 on one day: exit %d with %d enabled, want 4 with 12: the limit is 3.6\n%s", r.Exit(), w.enabled(), text(r))
	}
}

// Law 6: an account is deleted when its grace is over, by a cycle like any
// other, and not before a complete read after that date.
func TestLaw06DeletedAtTheEndOfGrace(t *testing.T) {
	for _, found := range []bool{false, true} {
		w := newWorld(t)
		w.engine.Targets[0].Rules.Leaver.Delete = map[string]string{"unentitled": "2d"}
		ids := w.joinMany("p", 12)
		w.synced()
		w.set(ids[3], "employeeType", "guest")
		if found { // closed already, by hand
			a := *w.account("p0003")
			a.Enabled = false
			w.wiki.Put(a)
		}
		w.sync()
		w.now = w.now.Add(47 * time.Hour)
		w.sync()
		w.has("p0003", false)
		w.now = w.now.Add(2 * time.Hour)
		w.source.SetFaults(source.FailRead(0))
		w.sync()
		w.has("p0003", false)
		w.source.SetFaults(source.Faults{})
		w.now = w.now.Add(time.Minute)
		if r := w.sync(); w.account("p0003") != nil {
			t.Errorf("not deleted at the end of its grace\n%s", text(r))
		}
		w.quiet()
	}
}

// Law 6: a leaver whose account somebody enabled before they came back is closed
// when they leave again: what the look corrected is not overwritten.
func TestLaw06EnabledByHandAndBackAndGone(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.synced()
	w.leave(ids[3])
	w.synced()
	a := *w.account("p0003")
	a.Enabled = true
	w.wiki.Put(a)
	w.set(ids[3], "employeeType", "staff")
	w.set(ids[3], "sn", "Back")
	w.sync()
	w.leave(ids[3])
	w.synced()
	w.has("p0003", false)
}

// Law 7: who waits for a name that a held rename would free gets it once that
// is approved.
func TestLaw07WhoWaitsForAHeldNameGetsIt(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Guard.MaxRename.Count = 0
	w.engine.Targets[0].Rules.Guard.MaxRename.Percent = 0
	ids := w.joinMany("p", 12)
	w.synced()
	w.set(ids[0], "uid", "q0")
	w.set(ids[1], "uid", "q1")
	w.sync() // of two renames, none passes
	heir := w.join("p0000x")
	w.set(heir, "uid", "p0000")
	w.sync()
	w.sync()
	if r, err := w.approve(w.onlyHold()); err != nil {
		t.Fatalf("%v\n%s", err, text(r))
	}
	for range 2 {
		w.sync()
		w.now = w.now.Add(time.Hour)
	}
	w.has("q0", true)
	w.has("p0000", true)
	w.quiet()
}
