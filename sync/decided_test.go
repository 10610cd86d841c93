package sync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

var idle = rostersync.Request{Verb: "sync", Scheduled: true, Sweep: true}

// killedAfter approves a hold, the first limit people of it (0: all), and dies before
// anything was done.
func (w *world) killedAfter(h ledger.Hold, limit int) {
	w.t.Helper()
	if _, err := w.engine.Decide(rostersync.Approval{Hold: h.ID, Version: h.Version(), By: "admin", Limit: limit}); err != nil {
		w.t.Fatal(err)
	}
	w.restart()
	w.now = w.now.Add(time.Second)
}

// wards puts six guests without an account into a container, and six groups into
// another.
func (w *world) wards(more string) {
	w.t.Helper()
	for i, id := range w.joinMany("guest"+more, 6) {
		w.set(id, "employeeType", "guest")
		w.move(id, fmt.Sprintf("uid=guest%s%04d,ou=guests,%s", more, i, people))
		w.source.Put(source.Record{Kind: directory.Group, DN: fmt.Sprintf("cn=ward%s%d,ou=wards,%s", more, i, groups), Members: []string{"uid=p0001," + people}})
	}
}

// anyHold says whether one is left, decided or not.
func (w *world) anyHold() bool {
	w.t.Helper()
	holds, err := w.engine.Store.Holds()
	if err != nil {
		w.t.Fatal(err)
	}
	return len(holds) > 0
}

func (w *world) blackouts() []string {
	w.t.Helper()
	facts, err := w.engine.Store.SourceFacts("corp")
	if err != nil {
		w.t.Fatal(err)
	}
	return facts.Blackouts
}

// What was approved is done by the next cycle, though nobody lived to carry it out.
func TestLaw07ApprovedThatIsGoneThenKilled(t *testing.T) {
	for name, below := range map[string]string{"groups": "ou=wards," + groups, "people": "ou=guests," + people} {
		t.Run(name, func(t *testing.T) {
			w := follows(t, false)
			w.joinMany("p", 80)
			w.wards("")
			w.synced()
			w.source.SetFaults(source.HideBelow(below))
			w.cycle(idle)
			h := w.onlyHold()
			w.killedAfter(h, 0)
			if r := w.cycle(idle); r.Exit() != 0 || w.anyHold() || len(w.blackouts()) > 0 {
				t.Fatalf("exit %d, held %t\n%s", r.Exit(), w.anyHold(), text(r))
			}
			// It was used: back, and gone again within the day, is another decision.
			w.source.SetFaults(source.Faults{})
			w.cycle(idle)
			w.source.SetFaults(source.HideBelow(below))
			if r := w.cycle(idle); r.Exit() != rostersync.ExitHeld || w.onlyHold().ID == h.ID {
				t.Errorf("exit %d\n%s", r.Exit(), text(r))
			}
		})
	}
}

// An approval covers what was shown: where more vanished before it was carried out,
// nothing of it is done, and the hold is open again with all of it.
func TestLaw04MoreWentDarkThanWasApproved(t *testing.T) {
	w := follows(t, false)
	w.joinMany("p", 150)
	w.wards("")
	w.synced()
	w.source.SetFaults(source.HideBelow("ou=guests," + people))
	w.cycle(idle)
	h := w.onlyHold()
	// The cycle that saw six more vanish was killed before it could say so.
	w.source.SetFaults(source.Faults{})
	w.cycle(idle)
	w.wards("late")
	w.synced()
	w.source.SetFaults(source.HideBelow("ou=guests," + people))
	w.cycle(idle)
	if now := w.onlyHold(); len(now.Keys) != 12 {
		t.Fatalf("%+v", now)
	}
	if err := w.engine.Store.SaveHolds([]ledger.Hold{h}); err != nil {
		t.Fatal(err)
	}
	w.killedAfter(h, 0)
	for range 2 {
		if r := w.cycle(idle); r.Exit() != rostersync.ExitHeld {
			t.Fatalf("exit %d\n%s", r.Exit(), text(r))
		}
		now := w.onlyHold()
		if now.ID != h.ID || len(now.Keys) != 12 || len(now.Approved) != 0 || now.ApprovedBy != "" {
			t.Fatalf("held: %+v", now)
		}
	}
	if len(w.blackouts()) == 0 {
		t.Error("what was never shown was taken for gone")
	}
	if r, err := w.approve(w.onlyHold()); err != nil || r.Exit() != 0 || w.anyHold() {
		t.Fatalf("approve: %v\n%s", err, text(r))
	}
}

// Who came back drops out of what was approved, and the rest is done.
func TestSomeOfWhatWasApprovedCameBack(t *testing.T) {
	w := follows(t, false)
	w.joinMany("p", 80)
	w.wards("")
	w.synced()
	w.source.SetFaults(source.HideBelow("ou=guests," + people))
	w.cycle(idle)
	w.killedAfter(w.onlyHold(), 0)
	w.source.SetFaults(source.HideBelow("uid=guest0003,ou=guests," + people))
	w.cycle(idle)
	for i := range 6 {
		p, err := w.engine.Store.FindPerson(fmt.Sprintf("guest%04d", i))
		if err != nil || len(p) != 1 || (p[0].Standing == identity.Active) != (i != 3) {
			t.Errorf("%d: %+v, %v", i, p, err)
		}
	}
}

// An approval that nobody carried out in a day is over, and the hold can be approved
// again.
func TestWhatWasApprovedOfASourceLapses(t *testing.T) {
	w := follows(t, false)
	w.joinMany("p", 80)
	w.wards("")
	w.synced()
	w.source.SetFaults(source.HideBelow("ou=wards," + groups))
	w.cycle(idle)
	w.killedAfter(w.onlyHold(), 0)
	w.now = w.now.Add(25 * time.Hour)
	if r := w.cycle(idle); r.Exit() != rostersync.ExitHeld {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	if r, err := w.approve(w.onlyHold()); err != nil || r.Exit() != 0 || w.anyHold() {
		t.Fatalf("approve: %v\n%s", err, text(r))
	}
}

// People who came back under other IDs are relinked by the next cycle, as many as were
// approved; whoever comes after that waits.
func TestLaw07RekeyedThenKilled(t *testing.T) {
	for _, limit := range []int{0, 3} {
		w := newWorld(t)
		ids := w.joinMany("p", 40)
		w.members("writers", "p0001", "p0002")
		w.synced()
		before := w.account("p0001").ID
		w.source.Remove(ids[:20]...)
		w.joinMany("p", 20)
		w.sync()
		h := w.onlyHold()
		w.killedAfter(h, limit)
		r := w.sync()
		if limit > 0 {
			if now := w.onlyHold(); r.Exit() != rostersync.ExitHeld || now.ID != h.ID || len(now.Keys) != 17 {
				t.Fatalf("limit %d: exit %d, %+v\n%s", limit, r.Exit(), now, text(r))
			}
			if r, err := w.approve(w.onlyHold()); err != nil || r.Exit() != 0 {
				t.Fatalf("approve the rest: %v\n%s", err, text(r))
			}
		} else if r.Exit() != 0 {
			t.Fatalf("exit %d\n%s", r.Exit(), text(r))
		}
		if a := w.account("p0001"); a == nil || a.ID != before || len(w.wiki.Accounts()) != 40 || w.anyHold() {
			t.Fatalf("p0001 has %+v of %d accounts, and had %s; held %+v", a, len(w.wiki.Accounts()), before, w.openHolds())
		}
		w.has("p0001", true, "Writers")
		w.quiet()
	}
}

// One that was approved and that grew while it was carried out says that it waits.
func TestRekeyedThatGrewAfterItWasApproved(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 60)
	w.synced()
	w.source.Remove(ids[:20]...)
	w.joinMany("p", 20)
	w.sync()
	h := w.onlyHold()
	w.killedAfter(h, 0)
	w.source.Remove(ids[20:40]...)
	for i := 20; i < 40; i++ {
		w.join(fmt.Sprintf("p%04d", i))
	}
	r := w.sync()
	now := w.onlyHold()
	if r.Exit() != rostersync.ExitHeld || len(now.Keys) != 20 || slices.ContainsFunc(now.Keys, func(k ledger.Held) bool {
		return !strings.Contains(k.Text, "p002") && !strings.Contains(k.Text, "p003")
	}) {
		t.Fatalf("exit %d, %+v\n%s", r.Exit(), now, text(r))
	}
	if r, err := w.approve(now); err != nil || r.Exit() != 0 || w.anyHold() {
		t.Fatalf("approve: %v\n%s", err, text(r))
	}
	w.quiet()
}
