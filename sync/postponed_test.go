package sync_test

import (
	"testing"
	"time"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
)

// Law 7: a removal of somebody presumed gone that waits, because the directory
// could not be read, is made after the next complete read, which has nothing new
// to say of them.
func TestLaw07APostponedRemovalIsNotForgotten(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.synced()
	w.source.Remove(ids[3])
	w.sync() // absent once
	w.now = w.now.Add(time.Hour)
	// Absent twice, in a cycle that is about somebody else.
	w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{w.find("p0005")}})
	w.source.SetFaults(source.FailRead(2))
	for range 2 {
		if r := w.sync(); r.Exit() != rostersync.ExitFailed {
			t.Fatalf("exit %d without a read", r.Exit())
		}
		w.has("p0003", true)
	}
	w.source.SetFaults(source.Faults{})
	w.sync()
	w.has("p0003", false)
	w.quiet()
}
