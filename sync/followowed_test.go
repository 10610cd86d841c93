package sync_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

// That somebody is not there, and nothing tells why, is told once. If the listing that
// is to decide it fails, or the process is killed before it, the next cycle makes it.
func TestLaw07AListingThatIsOwed(t *testing.T) {
	for _, killed := range []bool{false, true} {
		w := follows(t, false)
		ids := w.joinMany("p", 20)
		w.synced()
		known := w.facts().deletions
		w.source.Remove(ids[3])
		ctx, kill := context.WithCancel(t.Context())
		w.source.SetFaults(source.Faults{Unproved: true, Read: func(context.Context, int) error {
			if killed {
				kill()
			}
			return errors.New("connection lost")
		}})
		w.now = w.now.Add(time.Hour)
		r, err := w.engine.Cycle(ctx, rostersync.Request{Verb: "changes", Scheduled: true})
		if killed {
			if err == nil {
				t.Fatal("it was not killed")
			}
			w.engine.Store.Close()
			w.open()
		} else if err != nil || ways(r) != "changes ids" || r.Exit() != rostersync.ExitFailed {
			t.Fatalf("%v, it went by %s", err, ways(r))
		}
		kill()
		if f := w.facts(); !f.deletions.Equal(known) {
			t.Errorf("killed %v: deletions are said to be known as of %v, and are as of %v", killed, f.deletions, known)
		}
		w.source.SetFaults(source.Faults{})
		w.now = w.now.Add(time.Minute)
		if _, how := w.followed(); how != "changes everything" || w.standing(ids[3]) != identity.Unknown {
			t.Fatalf("killed %v: it went by %s, they are %s", killed, how, w.standing(ids[3]))
		}
		w.has("p0003", true)
		if _, how := w.followed(); how != "changes" {
			t.Errorf("killed %v: it is owed no more, and went by %s", killed, how)
		}
		w.now = w.now.Add(2 * time.Minute)
		w.followed()
		w.has("p0003", false)
	}
}

// Who was hidden while their change was told is read again once they are shown.
func TestAChangeOfWhoWasHidden(t *testing.T) {
	w := follows(t, false)
	ids := w.joinMany("p", 20)
	w.synced()
	w.has("p0003", true)
	w.source.SetFaults(source.HideBelow("dc=example"))
	w.leave(ids[3])
	if r := w.cycle(rostersync.Request{Verb: "changes", Scheduled: true}); r.Exit() != rostersync.ExitFailed {
		t.Fatalf("exit %d by %s", r.Exit(), ways(r))
	}
	w.source.SetFaults(source.Faults{})
	w.now = w.now.Add(time.Minute)
	if _, how := w.followed(); how != "changes everything" {
		t.Errorf("it went by %s", how)
	}
	w.has("p0003", false)
	if _, how := w.followed(); how != "changes" {
		t.Errorf("then by %s", how)
	}
}

// So is who is shown again before the listing that the same cycle makes for them: a
// listing of IDs shows them, and what they changed is not told again.
func TestAChangeOfWhoWasHiddenForAMoment(t *testing.T) {
	for name, change := range map[string]func(*world, identity.ID){
		"left":      func(w *world, id identity.ID) { w.leave(id) },
		"a group":   func(w *world, _ identity.ID) { w.members("writers", "p0001") },
		"no change": nil,
	} {
		w := follows(t, false)
		ids := w.joinMany("p", 20)
		w.members("writers", "p0001", "p0003")
		w.synced()
		w.has("p0003", true, "Writers")
		writers := w.source.At("cn=writers," + groups)
		w.source.SetFaults(source.Faults{Hide: func(e directory.Entry) bool { return e.ID == ids[3] || e.ID == writers || e.ID == ids[7] },
			Follow: func(context.Context, int) error {
				w.source.SetFaults(source.Faults{})
				return nil
			}})
		w.source.Remove(ids[7])
		want := "changes everything"
		if change != nil {
			change(w, ids[3])
		} else {
			want = "changes" // it is proved who was deleted, and nobody else was told of
		}
		if r, how := w.followed(); how != want || r.Exit() != 0 {
			t.Errorf("%s: it went by %s, exit %d", name, how, r.Exit())
		}
		switch name {
		case "left":
			w.has("p0003", false)
		case "a group":
			w.has("p0003", true)
		default:
			w.has("p0003", true, "Writers")
		}
		if _, how := w.followed(); how != "changes" {
			t.Errorf("%s: then by %s", name, how)
		}
		w.quiet()
	}
}

// An approval rests on who is there now. A right that was given back is no change of
// any entry, so a follow alone does not bring back whom it had hidden.
func TestAnApprovalLooksWhoIsThere(t *testing.T) {
	for name, approve := range map[string]func(*world, rostersync.Approval){
		"at once": func(w *world, a rostersync.Approval) {
			if _, err := w.engine.Approve(w.t.Context(), a, rostersync.Request{Verb: "approve"}); err != nil {
				w.t.Fatal(err)
			}
		},
		"with the next cycle": func(w *world, a rostersync.Approval) {
			if _, err := w.engine.Decide(a); err != nil {
				w.t.Fatal(err)
			}
			w.followed()
		},
	} {
		w := follows(t, false)
		w.joinMany("p", 60)
		w.synced()
		w.source.SetFaults(source.Faults{Hide: func(e directory.Entry) bool { return e.Login >= "p0010" && e.Login < "p0020" }})
		for range 2 {
			w.cycle(rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true})
			w.now = w.now.Add(2 * time.Minute)
		}
		hold := w.onlyHold()
		if len(hold.Keys) < 10 {
			t.Fatalf("%d are held", len(hold.Keys))
		}
		w.source.SetFaults(source.Faults{})
		approve(w, rostersync.Approval{Hold: hold.ID, Version: hold.Version(), By: "admin"})
		if w.enabled() != 60 {
			t.Errorf("%s: %d of 60 are left, though all are there", name, w.enabled())
		}
	}
	// Who is named is looked for as well.
	w := follows(t, false)
	w.joinMany("p", 60)
	w.synced()
	who := w.find("p0010")
	w.engine.Targets[0].Rules.Guard.MaxRemove = &plan.Limit{Count: 1}
	w.source.SetFaults(source.Faults{Hide: func(e directory.Entry) bool { return e.Login >= "p0010" && e.Login < "p0014" }})
	for range 2 {
		w.cycle(rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true})
		w.now = w.now.Add(2 * time.Minute)
	}
	w.has("p0010", true)
	w.source.SetFaults(source.Faults{})
	w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{who}, Named: true})
	w.has("p0010", true)
}
