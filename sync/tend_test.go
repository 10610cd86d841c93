package sync_test

import (
	"testing"
	"time"

	rostersync "github.com/rosterd/rosterd/sync"
)

// A cycle closes the months that are over, and a resync takes those away that
// are older than they are kept.
func TestJournalIsTended(t *testing.T) {
	w := newWorld(t)
	w.join("writer1")
	w.synced()
	w.engine.KeepJournal = 100 * 24 * time.Hour
	w.now = w.now.AddDate(0, 1, 0)
	if r := w.sync(); len(r.Closed) != 1 || r.Closed[0].Name != "2026-03.journal" || r.Closed[0].From != 1 {
		t.Fatalf("%+v", r.Closed)
	}
	w.now = w.now.AddDate(0, 4, 0)
	w.sync() // not a resync: nothing goes
	if j, err := w.engine.Store.CheckJournal(); err != nil || j.From != 1 {
		t.Fatalf("%+v %v", j, err)
	}
	w.cycle(rostersync.Request{Verb: "sync", Full: true, DryRun: true})
	if j, err := w.engine.Store.CheckJournal(); err != nil || j.From != 1 {
		t.Fatalf("a plan dropped months: %+v %v", j, err)
	}
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	months, err := w.engine.Store.Months()
	if j, jerr := w.engine.Store.CheckJournal(); err != nil || jerr != nil || j.From == 1 || len(months) != 0 {
		t.Fatalf("%+v %v %v %v", j, jerr, months, err)
	}
}
