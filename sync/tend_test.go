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
	// The first resync after months does not believe the clock yet.
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	months, err := w.engine.Store.Months()
	if j, jerr := w.engine.Store.CheckJournal(); err != nil || jerr != nil || j.From == 1 || len(months) != 0 {
		t.Fatalf("%+v %v %v %v", j, jerr, months, err)
	}
}

// A resync forgets who left longer ago than they are remembered, all of them in
// one go, and nobody else; the next one has nothing to do.
func TestLeaversAreForgotten(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 14)
	w.synced()
	w.leave(ids[0]) // disabled, and still in the directory
	w.source.Remove(ids[1], ids[2], ids[3])
	w.sync()
	w.now = w.now.Add(time.Hour)
	w.sync()
	w.has("p0001", false)
	w.engine.KeepLeavers = 30 * 24 * time.Hour
	full := rostersync.Request{Verb: "run", Full: true}
	known := func(login string) int {
		found, err := w.engine.Store.FindPerson(login)
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	w.now = w.now.Add(29 * 24 * time.Hour)
	if r := w.cycle(full); r.Forgotten != 0 {
		t.Fatalf("%d were forgotten before their time", r.Forgotten)
	}
	w.now = w.now.Add(2 * 24 * time.Hour)
	if r := w.sync(); r.Forgotten != 0 {
		t.Fatal("forgotten by what is no resync")
	}
	if r := w.cycle(rostersync.Request{Verb: "plan", Full: true, DryRun: true}); r.Forgotten != 0 || known("p0002") != 1 {
		t.Fatal("forgotten by a plan")
	}
	r := w.cycle(full)
	if r.Forgotten != 3 || known("p0001")+known("p0002")+known("p0003") != 0 || known("p0000") != 1 || known("p0004") != 1 {
		t.Fatalf("%d were forgotten: %v", r.Forgotten, r.Err)
	}
	if j, err := w.engine.Store.CheckJournal(); err != nil || j.Forgotten == 0 {
		t.Fatalf("%+v %v", j, err)
	}
	if r := w.cycle(full); r.Forgotten != 0 || r.Exit() != rostersync.ExitDone {
		t.Fatalf("%d more, exit %d: %s", r.Forgotten, r.Exit(), text(r))
	}
	w.has("p0001", false)
	w.has("p0004", true)
}

// A clock that runs years ahead for a while erases nobody and no month.
func TestAClockFarAheadErasesNothing(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 14)
	w.synced()
	w.source.Remove(ids[1])
	w.sync()
	w.now = w.now.Add(time.Hour)
	w.sync()
	w.engine.KeepLeavers, w.engine.KeepJournal = 400*24*time.Hour, 700*24*time.Hour
	full := rostersync.Request{Verb: "run", Full: true}
	w.now = w.now.AddDate(0, 1, 1)
	w.cycle(full)
	right := w.now.Add(24 * time.Hour)
	w.now = right
	w.cycle(full)
	whole := func(what string) {
		t.Helper()
		found, err := w.engine.Store.FindPerson("p0001")
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: somebody was forgotten: %v %v", what, found, err)
		}
		if j, err := w.engine.Store.CheckJournal(); err != nil || j.From != 1 {
			t.Fatalf("%s: %+v %v", what, j, err)
		}
	}
	for range 3 {
		w.now = right.AddDate(70, 0, 0)
		w.sync()
		w.cycle(full)
		whole("ahead")
		w.now = right.Add(time.Hour)
		w.cycle(full)
		whole("right again")
	}
	// Years later, resync by resync, they go.
	w.now = right.AddDate(3, 0, 0)
	w.cycle(full)
	whole("after a long stop")
	w.now = w.now.Add(24 * time.Hour)
	if r := w.cycle(full); r.Forgotten != 1 {
		t.Fatalf("%d were forgotten", r.Forgotten)
	}
}

// The account of somebody who was forgotten stays where it is, with our mark on
// it. That the journal tells of it no more does not make the state an old one.
func TestAForgottenAccountIsNoSignOfARestore(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 14)
	w.synced()
	w.source.Remove(ids[1])
	w.sync()
	w.now = w.now.Add(time.Hour)
	w.sync()
	w.has("p0001", false)
	w.engine.KeepLeavers, w.engine.KeepJournal = 30*24*time.Hour, 40*24*time.Hour
	full := rostersync.Request{Verb: "run", Full: true}
	serial, gone := w.engine.Store.Serial(), false
	for range 12 {
		w.now = w.now.AddDate(0, 0, 20)
		gone = w.cycle(full).Forgotten == 1 || gone
	}
	if j, err := w.engine.Store.CheckJournal(); err != nil || j.From == 1 || !gone {
		t.Fatalf("the journal still tells of everything: %+v %v, forgotten %v", j, err, gone)
	}
	// A state that takes itself for an old one has another serial from then on.
	if r := w.cycle(full); w.isRestored() || w.engine.Store.Serial() != serial || r.Exit() != rostersync.ExitDone {
		t.Fatalf("exit %d, serial %s, now %s: %s", r.Exit(), serial, w.engine.Store.Serial(), text(r))
	}
	w.has("p0001", false)
}
