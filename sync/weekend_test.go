package sync_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// Forty of five hundred are held on Friday. All week-end joiners and single
// leavers go on, the hold stays what it is, and on Monday it is approved as it
// was shown, without those who came back.
func TestHeldOverTheWeekend(t *testing.T) {
	w := newWorld(t)
	w.now = time.Date(2026, 3, 6, 16, 0, 0, 0, time.UTC) // a Friday
	ids := w.joinMany("p", 500)
	w.synced()
	w.leave(ids[:40]...)
	if r := w.sync(); r.Exit() != rostersync.ExitHeld || w.enabled() != 500 {
		t.Fatalf("exit %d, %d enabled: forty at once are held\n%s", r.Exit(), w.enabled(), text(r))
	}
	shown := w.onlyHold()
	if len(shown.Keys) != 40 {
		t.Fatalf("%d changes are held", len(shown.Keys))
	}
	joined, left := 0, 0
	monday := time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)
	for hour := 0; w.now.Before(monday); hour++ {
		switch {
		case hour%6 == 1:
			w.join(fmt.Sprintf("joiner%d", joined))
			joined++
		case hour%12 == 2:
			w.leave(ids[400+left])
			left++
		}
		r := w.cycle(rostersync.Request{Verb: "changes", Scheduled: true, Full: w.now.Hour() == 2})
		if r.Exit() != rostersync.ExitHeld {
			t.Fatalf("%s: exit %d\n%s", w.now, r.Exit(), text(r))
		}
		if got := w.onlyHold(); got.ID != shown.ID || got.Version() != shown.Version() {
			t.Fatalf("%s: the hold became %s, version %s with %d changes", w.now, got.ID, got.Version(), len(got.Keys))
		}
		if want := 500 + joined - left; w.enabled() != want {
			t.Fatalf("%s: %d enabled, want %d: somebody waited for the hold\n%s", w.now, w.enabled(), want, text(r))
		}
		if hour%24 == 5 {
			w.restart()
		}
		w.now = w.now.Add(time.Hour)
	}
	if joined < 8 || left < 4 {
		t.Fatalf("%d joined and %d left: the week-end was too short to show anything", joined, left)
	}
	// Two of them were a mistake.
	w.set(ids[0], "employeeType", "staff")
	w.set(ids[1], "employeeType", "staff")
	w.sync()
	now := w.onlyHold()
	if now.ID != shown.ID || len(now.Keys) != 38 {
		t.Fatalf("%s with %d changes, want %s with 38", now.ID, len(now.Keys), shown.ID)
	}
	if _, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: shown.ID, Version: shown.Version(), By: "test"}, rostersync.Request{Verb: "approve"}); err == nil {
		t.Fatal("the version of Friday was approved")
	}
	before := w.enabled()
	w.join("late")
	r, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: now.ID, Version: now.Version(), By: "test"}, rostersync.Request{Verb: "approve"})
	if err != nil || r.Done[target.Disable] != 38 || w.enabled() != before-38 {
		t.Fatalf("%d disabled, %v\n%s", r.Done[target.Disable], err, text(r))
	}
	var keys, carried []target.Key
	for _, k := range now.Keys {
		keys = append(keys, k.Key)
	}
	for _, o := range r.Carried {
		carried = append(carried, o.Change.Key())
	}
	order := func(a, b target.Key) int { return slices.Compare(a[:], b[:]) }
	slices.SortFunc(keys, order)
	slices.SortFunc(carried, order)
	if !slices.Equal(keys, carried) {
		t.Errorf("law 4: what was done is not what was shown: %d and %d changes", len(carried), len(keys))
	}
	w.now = w.now.Add(time.Minute)
	w.synced()
	if w.account("late") == nil {
		t.Error("the joiner of Monday has no account")
	}
	holds, err := w.engine.Store.Holds()
	if err != nil || slices.ContainsFunc(holds, func(h ledger.Hold) bool { return h.Status == ledger.Waiting }) {
		t.Errorf("something is still held: %v %v", holds, err)
	}
}

// restart closes the state and opens it again.
func (w *world) restart() {
	w.t.Helper()
	if err := w.engine.Store.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}
