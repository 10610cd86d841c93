package state

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/rosterd/rosterd/ledger"
)

// onDisk counts what is committed of the runs.
func onDisk(k *kit) (cycles int, changes time.Time) {
	k.Helper()
	if err := k.s.view(func(tx *txn) error {
		if _, err := getJSON(tx.Bucket(bMeta), runKey("changes"), &changes); err != nil {
			return err
		}
		return tx.Bucket(bCycles).ForEach(func(_, _ []byte) error {
			cycles++
			return nil
		})
	}); err != nil {
		k.Fatal(err)
	}
	return cycles, changes
}

func (k *kit) idle(id string) {
	k.Helper()
	c := CycleRecord{ID: id, Verb: "changes", Began: k.clock.at, Ended: k.clock.at, Idle: true}
	if err := errors.Join(k.s.SaveCycle(c), k.s.NoteLastRun(k.clock.at, "changes")); err != nil {
		k.Fatal(err)
	}
}

func TestAnIdleCycleWaitsForTheNextCommit(t *testing.T) {
	k := newKit(t)
	before := k.s.Work()
	k.idle("a")
	k.clock.forward(time.Minute)
	k.idle("b")
	if w := k.s.Work().Less(before); w.Commits != 0 || w.Written != 0 {
		t.Fatalf("%+v", w)
	}
	if n, _ := onDisk(k); n != 0 {
		t.Fatal(n, "are written")
	}
	if c := must2(k.s.Cycles(1)); len(c) != 1 || c[0].ID != "b" {
		t.Fatalf("%+v", c)
	}
	if at := must2(k.s.LastRun("changes")); !at.Equal(k.clock.at) {
		t.Fatal(at)
	}
	k.s.before = func() error { return errors.New("no") }
	if err := k.s.Note("test", nil, nil); err == nil {
		t.Fatal("committed")
	}
	k.s.before = nil
	if c := must2(k.s.Cycles(0)); len(c) != 2 {
		t.Fatalf("a commit that failed lost what waited: %+v", c)
	}
	before = k.s.Work()
	ok(t, k.s.Note("test", nil, nil))
	if w := k.s.Work().Less(before); w.Commits != 1 {
		t.Fatalf("%+v", w)
	}
	if n, at := onDisk(k); n != 2 || !at.Equal(k.clock.at) {
		t.Fatal(n, at)
	}
	if c := must2(k.s.Cycles(0)); len(c) != 2 || c[0].ID != "b" || !k.s.later.empty() {
		t.Fatalf("%+v", c)
	}
	ok(t, k.s.SaveCycle(CycleRecord{ID: "c", Began: k.clock.at, Idle: true, Journal: true}))
	if n, _ := onDisk(k); n != 3 {
		t.Fatal("one that the journal is to have waits")
	}
}

func TestAnIdleCycleWaitsForAnHour(t *testing.T) {
	k := newKit(t)
	for range 60 {
		k.idle(k.clock.at.String())
		k.clock.forward(time.Minute)
	}
	before := k.s.Work()
	k.idle("an hour later")
	if n, at := onDisk(k); n != 61 || k.clock.at.Sub(at) > time.Minute || k.s.Work().Less(before).Commits != 1 {
		t.Fatal(n, at)
	}
	k.idle("set back")
	k.clock.forward(-time.Minute)
	k.idle("set back more")
	if n, _ := onDisk(k); n != 63 {
		t.Fatal("a clock that was set back keeps it from being written:", n)
	}
	k.idle("the last")
	k.reopen()
	if n, _ := onDisk(k); n != 64 {
		t.Fatal("the close lost it:", n)
	}
}

func TestWhereNothingIsWrittenThereIsNoCommit(t *testing.T) {
	k := newKit(t)
	h := ledger.Hold{ID: "h1", Target: "wiki", Rule: "remove", Keys: []ledger.Held{{Text: "x"}}, Opened: k.clock.at}
	ok(t, k.s.SaveHolds([]ledger.Hold{h}))
	ok(t, k.s.SaveTarget(TargetState{Name: "wiki", Since: k.clock.at}))
	ok(t, k.s.AddDue([]ledger.Due{{Person: 7, At: k.clock.at.Add(time.Hour), Reason: "later"}}))
	k.loose = true
	known := must2(k.s.Target("wiki"))
	must2(k.s.Take(k.clock.at))
	before := k.s.Work()
	ok(t, k.s.SaveHolds([]ledger.Hold{h}))
	ok(t, k.s.SaveTarget(known))
	ok(t, k.s.AddDue([]ledger.Due{{Person: 7, At: k.clock.at.Add(time.Hour), Reason: "later"}}))
	ok(t, k.s.PutLinks(nil))
	ok(t, k.s.SaveParked())
	ok(t, k.s.Unpark("wiki", 7, "x"))
	ok(t, k.s.KeepApprovals("wiki"))
	ok(t, k.s.EndOutage("wiki"))
	must2(k.s.Take(k.clock.at))
	must2(k.s.Settle(nil))
	must2(k.s.Pins("corp", []string{"cn=writers," + groups}))
	if w := k.s.Work().Less(before); w.Commits != 0 || w.Written != 0 {
		t.Fatalf("%+v", w)
	}
	// Where the disk was full, somebody must find out that it is not any more.
	k.s.before = func() error { return syscall.ENOSPC }
	if err := k.s.Note("test", nil, nil); err == nil || k.s.Trouble() == nil {
		t.Fatal(err)
	}
	k.s.before = nil
	must2(k.s.Take(k.clock.at))
	if k.s.Trouble() != nil {
		t.Fatal(k.s.Trouble())
	}
}

func TestOldCyclesGo(t *testing.T) {
	k := newKit(t)
	ok(t, k.s.update(func(tx *txn) error {
		for i := range cyclesKept + 2*pruneEvery {
			if err := putCycle(tx, CycleRecord{ID: "x", Began: k.clock.at.Add(time.Duration(i) * time.Second)}); err != nil {
				return err
			}
		}
		return nil
	}))
	c := must2(k.s.Cycles(0))
	if n, _ := onDisk(k); n < cyclesKept || n >= cyclesKept+pruneEvery || len(c) != cyclesKept {
		t.Fatal(n, len(c))
	}
	if newest := k.clock.at.Add((cyclesKept + 2*pruneEvery - 1) * time.Second); !c[0].Began.Equal(newest) {
		t.Fatal(c[0])
	}
}
