package sync_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// backup copies the state file, or its whole folder, of a world that is closed.
func (w *world) backup(whole bool) string {
	w.t.Helper()
	if err := w.engine.Store.Close(); err != nil {
		w.t.Fatal(err)
	}
	to := w.t.TempDir()
	if err := os.CopyFS(to, os.DirFS(filepath.Dir(w.path))); err != nil {
		w.t.Fatal(err)
	}
	if !whole {
		if err := os.Remove(filepath.Join(to, "state.db.last")); err != nil {
			w.t.Fatal(err)
		}
	}
	w.open()
	return to
}

// restore puts the copies over what is there.
func (w *world) restore(from string) {
	w.t.Helper()
	if err := w.engine.Store.Close(); err != nil {
		w.t.Fatal(err)
	}
	list, err := os.ReadDir(from)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range list {
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(filepath.Dir(w.path), f.Name()), b, 0o600)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	w.open()
}

func (w *world) openHolds() []ledger.Hold {
	w.t.Helper()
	holds, err := w.engine.Store.Holds()
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(holds, func(h ledger.Hold) bool { return h.Status != ledger.Waiting })
}

func (w *world) isRestored() bool {
	w.t.Helper()
	_, is, err := w.engine.Store.Restored()
	if err != nil {
		w.t.Fatal(err)
	}
	return is
}

// Law 2, DESIGN "Losing or restoring the file must never fail open or closed".
func TestLaw02ARestoredStateFailsNeitherOpenNorClosed(t *testing.T) {
	for _, whole := range []bool{false, true} {
		w := newWorld(t)
		ids := w.joinMany("p", 6)
		w.members("writers", "p0000", "p0001")
		w.synced()
		old := w.backup(whole)

		// What the old state knows nothing of.
		w.leave(ids[0])
		w.join("joiner")
		w.members("writers", "p0001", "p0002")
		if r := w.sync(); r.Exit() != 0 {
			t.Fatal(text(r))
		}
		denied, err := w.engine.Store.FindPerson("p0003")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.engine.Offboard(context.Background(), ledger.Denial{Person: denied[0].Ordinal, By: "me", Reason: "fraud", At: w.now}, rostersync.Request{Verb: "offboard"}); err != nil {
			t.Fatal(err)
		}
		w.has("p0003", false)
		w.leave(ids[4]) // of this neither knows

		w.restore(old)
		writes := len(w.wiki.Writes())
		serial := w.engine.Store.Serial()
		r := w.sync()
		if n := len(w.wiki.Writes()) - writes; n != 0 || r.Exit() != 4 || !w.isRestored() {
			t.Fatalf("whole %v: %d writes, exit %d, restored %v\n%s", whole, n, r.Exit(), w.isRestored(), text(r))
		}
		if whole && serial == w.engine.Store.Serial() {
			t.Error("marks that it did not give would be taken for its own")
		}
		for range 3 {
			if r = w.sync(); len(w.wiki.Writes()) != writes || r.Exit() != 4 {
				t.Fatalf("whole %v: it wrote without being agreed to\n%s", whole, text(r))
			}
		}
		holds := w.openHolds()
		if holds[0].Rule != "restored" || !strings.Contains(holds[0].Text, "restored") {
			t.Fatalf("%+v", holds)
		}
		for _, h := range holds {
			for _, k := range h.Keys {
				if strings.Contains(k.Text, "enable") {
					t.Errorf("whole %v: it would give back what was taken: %s", whole, k.Text)
				}
			}
		}
		// By name somebody can be removed meanwhile.
		gone, err := w.engine.Store.FindPerson("p0004")
		if err != nil {
			t.Fatal(err)
		}
		w.cycle(rostersync.Request{Verb: "sync --person", People: []identity.Ordinal{gone[0].Ordinal}, Named: true})
		w.has("p0004", false)
		if !w.isRestored() {
			t.Fatal("a removal by name was taken for an agreement")
		}
		// Restarted and approved, it goes on as ever.
		w.engine.Store.Close()
		w.open()
		w.sync()
		for _, h := range w.openHolds() {
			if _, err := w.approve(h); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			w.sync()
		}
		w.has("p0000", false)
		w.has("p0002", true, "Writers")
		w.has("p0003", false)
		if w.account("joiner") == nil || len(w.wiki.Accounts()) != 7 {
			t.Errorf("whole %v: %v", whole, w.wiki.Accounts())
		}
		if w.isRestored() {
			t.Errorf("whole %v: it is restored for ever", whole)
		}
		// The newcomer's number was never given to somebody else.
		w.join("another")
		w.sync()
		marks := map[string]string{}
		for _, a := range w.wiki.Accounts() {
			if other, twice := marks[a.Mark]; twice {
				t.Errorf("whole %v: %s and %s have the mark %s", whole, a.Name, other, a.Mark)
			}
			marks[a.Mark] = a.Name
		}
	}
}

// Where nothing differs there is nothing to agree to.
func TestARestoredStateThatIsRightGoesOnByItself(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 6)
	w.synced()
	old := w.backup(false)
	w.quiet()
	w.restore(old)
	if !w.isRestored() {
		t.Fatal("it is not noticed")
	}
	// A plan looks, and agrees to nothing.
	w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
	if !w.isRestored() {
		t.Fatal("a plan agreed to it")
	}
	before := len(w.wiki.Writes())
	if r := w.sync(); r.Exit() != 0 || len(w.wiki.Writes()) != before {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	if w.isRestored() {
		t.Fatal("it asks for an agreement to nothing")
	}
	w.join("joiner")
	w.synced()
}

// A target that cannot be read is not agreed to.
func TestARestoredStateIsNotAgreedToUnseen(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 6)
	w.synced()
	old := w.backup(false)
	w.quiet()
	w.restore(old)
	w.wiki.SetFaults(memory.Faults{List: func(int) error { return errors.New("down") }})
	w.sync()
	if !w.isRestored() {
		t.Fatal("it was agreed to though the target was not read")
	}
	w.wiki.SetFaults(memory.Faults{})
	w.sync()
	if w.isRestored() {
		t.Fatal("it was read, and is as it should be")
	}
}

// Nor by the approval of what was drawn for somebody who was named, before everything
// was compared: who waited in a hold that went with the restore would be forgotten.
func TestARestoredStateIsNotAgreedToForOne(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 6)
	w.wiki.Put(target.Account{ID: "native-7", Name: "p0003", Enabled: true})
	w.sync() // p0003 waits in a hold
	old := w.backup(false)
	w.join("later")
	w.sync()
	w.restore(old)
	if !w.isRestored() {
		t.Fatal("it is not known to be a restored one")
	}
	w.members("managers", "p0001")
	w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.find("p0001")}})
	hold := w.onlyHold()
	if _, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: hold.ID, Version: hold.Version(), By: "admin"}, rostersync.Request{Verb: "approve"}); err != nil {
		t.Fatal(err)
	}
	w.has("p0001", true, "Publishers", "Writers")
	if !w.isRestored() {
		t.Error("it was agreed to, and only one person was looked at")
	}
	r := w.sync()
	if len(r.Holds) != 1 || len(r.Holds[0].Keys) != 2 { // and whom the copy does not know
		t.Errorf("who was waiting is not held: %s", text(r))
	}
}
