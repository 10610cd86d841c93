package sync_test

import (
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
)

// A policy group in which nobody was may be made anew: there is nothing to hold,
// and whoever is in the new one has its roles.
func TestEmptyGroupMadeAgainCounts(t *testing.T) {
	for _, apart := range []bool{false, true} {
		w := newWorld(t)
		w.joinMany("p", 20)
		w.synced()
		w.source.Remove(w.source.At("cn=writers," + groups))
		if apart {
			for range 3 {
				w.synced()
				w.now = w.now.Add(time.Hour)
			}
		}
		w.source.Put(source.Record{Kind: directory.Group, DN: "cn=writers," + groups})
		w.members("writers", "p0001", "p0002")
		w.synced()
		w.has("p0001", true, "Writers")
	}
}

// One in which somebody was is not passed over.
func TestGroupMadeAgainIsHeld(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 20)
	w.members("writers", "p0001")
	w.synced()
	w.source.Remove(w.source.At("cn=writers," + groups))
	w.source.Put(source.Record{Kind: directory.Group, DN: "cn=writers," + groups})
	w.members("writers", "p0001", "p0002")
	if r := w.sync(); r.Exit() != 4 {
		t.Errorf("exit %d, want 4\n%s", r.Exit(), text(r))
	}
	w.has("p0001", true, "Writers")
	w.has("p0002", true)
	if _, err := w.approve(w.onlyHold()); err != nil {
		t.Fatal(err)
	}
	w.synced()
	w.has("p0001", true, "Writers")
	w.has("p0002", true, "Writers")
}
