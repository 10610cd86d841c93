package sync_test

import (
	"fmt"
	"slices"
	"testing"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/ledger"
)

// Law 7: what an approval says about the world is taken by the next cycle, though nobody
// lived to carry it out: the target is not new any more, the group is gone, the absence
// was meant. What comes after that is another decision.
func TestLaw07ApprovedThenKilledBeforeItWasSaidWhatItMeans(t *testing.T) {
	t.Run("first", func(t *testing.T) {
		w := newWorld(t)
		w.engine.Targets[0].Rules.Guard.First = "hold"
		w.joinMany("p", 3)
		w.sync()
		w.killedAfter(w.onlyHold(), 0)
		w.engine.Targets[0].Rules.Guard.First = "hold"
		w.synced()
		w.join("later")
		w.synced()
		w.has("later", true)
	})
	t.Run("group", func(t *testing.T) {
		w := newWorld(t)
		w.joinMany("p", 20)
		w.members("writers", "p0001", "p0002", "p0003")
		w.members("managers", "p0004", "p0005", "p0006")
		w.synced()
		w.source.Remove(w.source.At("cn=writers," + groups))
		w.sync()
		w.killedAfter(w.onlyHold(), 0)
		if r := w.sync(); r.Exit() != 0 || slices.ContainsFunc(r.Pins, func(p ledger.Pin) bool { return !p.Status.Sound() }) {
			t.Fatalf("exit %d, in doubt are %v\n%s", r.Exit(), r.Pins, text(r))
		}
		w.has("p0001", true)
		// Another group that goes within the day was not meant.
		w.source.Remove(w.source.At("cn=managers," + groups))
		if r := w.sync(); r.Exit() != 4 {
			t.Errorf("exit %d\n%s", r.Exit(), text(r))
		}
		w.has("p0004", true, "Publishers", "Writers")
	})
	t.Run("blackout", func(t *testing.T) {
		w := newWorld(t)
		w.joinMany("p", 80)
		for i, id := range w.joinMany("b", 6) {
			w.move(id, fmt.Sprintf("uid=b%04d,ou=branch,%s", i, people))
		}
		w.synced()
		w.source.SetFaults(source.HideBelow("ou=branch," + people))
		w.sync()
		w.killedAfter(w.onlyHold(), 0)
		if r := w.sync(); r.Exit() != 0 || len(w.blackouts()) != 0 {
			t.Fatalf("exit %d, dark are %v\n%s", r.Exit(), w.blackouts(), text(r))
		}
		w.has("b0001", false)
	})
	t.Run("min-people", func(t *testing.T) {
		w := newWorld(t)
		ids := w.joinMany("p", 40)
		w.synced()
		w.source.Remove(ids[:8]...)
		w.sync()
		w.now = w.now.AddDate(0, 0, 1)
		w.sync()
		w.killedAfter(w.onlyHold(), 0)
		w.sync()
		facts, err := w.engine.Store.SourceFacts("corp")
		if err != nil || facts.MinPeople {
			t.Errorf("it is a drop still: %+v, %v", facts, err)
		}
		w.has("p0001", false)
	})
}
