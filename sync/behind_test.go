package sync_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	rostersync "github.com/rosterd/rosterd/sync"
)

// Law 13: a replica that is an hour behind is complete, and wrong. It still shows
// who left, and lacks who came.
func TestLaw13AReplicaThatIsBehind(t *testing.T) {
	w := newWorld(t)
	place := "dc=corp,dc=example server 000"
	current := source.Faults{Server: "one", Knowledge: directory.Knowledge{place: "20260302080000.000000Z#000000#000#000000"}}
	w.source.SetFaults(current)
	ids := w.joinMany("p", 10)
	w.synced()
	w.leave(ids[0])
	joiner := w.join("joiner")
	w.synced()
	w.has("p0000", false)
	// Half an hour's changes come while the last of it is read.
	current.Shown = directory.Knowledge{place: "20260302083000.000000Z#000000#000#000000"}
	w.source.SetFaults(current)
	w.sync()

	// The first URL is dead; the second one does not know of either.
	behind := source.Faults{Server: "two", Knowledge: directory.Knowledge{place: "20260302070000.000000Z#000000#000#000000"}}
	w.source.SetFaults(behind)
	w.set(ids[0], "employeeType", "staff")
	w.source.Remove(joiner)
	for _, full := range []bool{false, true} {
		before := len(w.wiki.Writes())
		w.now = w.now.Add(time.Hour)
		r := w.cycle(rostersync.Request{Verb: "sync", Full: full})
		var late *directory.BehindError
		if r.Exit() != rostersync.ExitFailed || !errors.As(r.Reads[0].Err, &late) || late.Server != "two" {
			t.Fatalf("exit %d, %v", r.Exit(), r.Reads[0].Err)
		}
		if len(w.wiki.Writes()) != before {
			t.Fatalf("law 13: %d writes by a server that is behind", len(w.wiki.Writes())-before)
		}
	}
	// What the listing may have shown counts, not what was sure to be in it.
	w.source.SetFaults(source.Faults{Server: "two", Knowledge: directory.Knowledge{place: "20260302081500.000000Z#000000#000#000000"}})
	if r := w.sync(); r.Exit() != rostersync.ExitFailed {
		t.Fatalf("exit %d by a server that lacks what came while the snapshot was read", r.Exit())
	}
	// One that does not say is no better.
	w.source.SetFaults(source.Faults{Server: "three"})
	if r := w.sync(); r.Exit() != rostersync.ExitFailed {
		t.Fatalf("exit %d by a server that does not say what it has seen", r.Exit())
	}
	// It has caught up, and more.
	w.set(ids[0], "employeeType", "former")
	w.join("joiner2")
	w.source.SetFaults(source.Faults{Server: "two", Knowledge: directory.Knowledge{place: "20260302120000.000000Z#000000#000#000000"}})
	if r := w.sync(); r.Exit() != 0 && len(r.Reads) > 0 && r.Reads[0].Err != nil {
		t.Fatalf("%v", r.Reads[0].Err)
	}
	w.has("p0000", false)
	// A directory that was restored is believed when somebody says so, and it is
	// kept that they did.
	w.source.SetFaults(behind)
	if r := w.cycle(rostersync.Request{Verb: "sync", AcceptOlder: true}); r.Reads[0].Err != nil {
		t.Fatal(r.Reads[0].Err)
	}
	if r := w.sync(); r.Reads[0].Err != nil {
		t.Fatalf("what was accepted is known from then on: %v", r.Reads[0].Err)
	}
}

func TestKnowledge(t *testing.T) {
	known := directory.Knowledge{"a": "2", "b": "5"}
	for _, c := range []struct {
		now   directory.Knowledge
		place string
	}{{directory.Knowledge{"a": "2", "b": "5"}, ""}, {directory.Knowledge{"a": "3", "b": "5", "c": "1"}, ""}, {directory.Knowledge{"a": "9", "b": "4"}, "b"},
		{directory.Knowledge{"a": "9"}, "b"}, {nil, "a"}} {
		if place, _ := c.now.Behind(known); place != c.place {
			t.Errorf("%v: behind in %q, want %q", c.now, place, c.place)
		}
	}
	if place, _ := (directory.Knowledge{}).Behind(nil); place != "" {
		t.Error("behind nothing")
	}
}
