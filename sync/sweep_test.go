package sync_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
)

// swept runs a cycle that lists IDs, and says whether it had to read as well.
func (w *world) swept() (r *rostersync.Report, read bool) {
	w.t.Helper()
	before := w.source.Reads()
	r = w.cycle(rostersync.Request{Verb: "run", Sweep: true})
	return r, w.source.Reads() > before
}

// Two sweeps find who is gone, and so do a sweep and a read in either order. Who
// is there keeps what is known of them, though nothing of it was read. Of a group with
// somebody who is missed twice everything is read.
func TestASweepFindsWhoIsGone(t *testing.T) {
	for _, kinds := range [][3]bool{{true, true, false}, {true, true, true}, {true, false, true}, {false, true, true}} {
		w, member := newWorld(t), kinds[2]
		ids := w.joinMany("p", 20)
		in := []string{}
		w.members("writers", "p0001")
		if member {
			in = append(in, "Writers")
			w.members("writers", "p0001", "p0003")
		}
		w.synced()
		w.source.Remove(ids[3])
		for i, sweep := range kinds[:2] {
			if i == 0 {
				w.set(ids[1], "sn", "Changed")
			}
			if _, read := w.swept(); sweep && read != (i == 1 && member) {
				t.Fatalf("%v: sweep %d read everything: %t", kinds, i, read)
			}
			if !sweep {
				w.sync()
			}
			if i == 0 {
				w.has("p0003", true, in...)
			}
			w.now = w.now.Add(time.Hour)
		}
		w.has("p0003", false)
		w.has("p0001", true, "Writers")
		if p := w.standing(ids[3]); p != identity.PresumedGone {
			t.Errorf("%v: they are %s", kinds, p)
		}
		w.sync()
		if a := w.account("p0001"); a.Attributes["title"][0] != "Changed" {
			t.Errorf("%v: the read after a sweep does not see what changed: %v", kinds, a.Attributes)
		}
		w.quiet()
	}
}

func (w *world) standing(id identity.ID) identity.Standing {
	w.t.Helper()
	found, err := w.engine.Store.FindPerson(string(id))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("find %s: %d, %v", id, len(found), err)
	}
	return found[0].Standing
}

// What a sweep cannot decide is read at once: who is new, who is back, who is
// elsewhere, and whom a new ID may stand for.
func TestASweepReadsWhatItCannotDecide(t *testing.T) {
	for name, change := range map[string]func(*world, []identity.ID){
		"somebody new": func(w *world, _ []identity.ID) { w.join("late") },
		"somebody back": func(w *world, ids []identity.ID) {
			w.source.Remove(ids[0])
			w.sync()
			w.now = w.now.Add(time.Hour)
			w.sync()
			w.join("p0000")
		},
		"seen again": func(w *world, _ []identity.ID) {
			w.source.SetFaults(source.Faults{Hide: func(e directory.Entry) bool { return e.Login == "p0002" }})
			w.sync()
			w.source.SetFaults(source.Faults{})
		},
		"moved": func(w *world, ids []identity.ID) { w.move(ids[1], "uid=p0001,ou=north,"+people) },
		"a group": func(w *world, _ []identity.ID) {
			w.source.Put(source.Record{Kind: directory.Group, DN: "cn=new," + groups})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ids := w.joinMany("p", 20)
			w.synced()
			change(w, ids)
			r, read := w.swept()
			if !read || r.Exit() != 0 {
				t.Errorf("read %v, exit %d\n%s", read, r.Exit(), text(r))
			}
			if name == "somebody new" {
				w.has("late", true)
			}
			w.now = w.now.Add(time.Hour)
			if _, read := w.swept(); read {
				t.Error("it reads again where nothing is new")
			}
			w.sync()
			w.quiet()
		})
	}
}

// An account is not taken from who came back under another ID: a sweep does not
// see that it is them.
func TestASweepTakesNobodyForGoneWhoHasAnotherID(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 20)
	w.synced()
	before := len(w.wiki.Writes())
	w.source.Remove(ids[4])
	w.join("p0004")
	for range 3 {
		w.swept()
		w.now = w.now.Add(time.Hour)
	}
	w.has("p0004", true)
	if n := len(w.wiki.Writes()) - before; n != 0 {
		t.Errorf("%d writes for somebody who has another ID", n)
	}
}

// The laws of a read are those of a sweep.
func TestLaw01ASweepThatIsNotComplete(t *testing.T) {
	for name, c := range map[string]struct {
		faults source.Faults
		exit   int
	}{
		"cut off":             {source.FailRead(10), rostersync.ExitFailed},
		"look-up fails":       {source.FailFind(), rostersync.ExitFailed},
		"everybody is hidden": {source.HideBelow(people), rostersync.ExitFailed},
		"a container":         {source.HideBelow("ou=north," + people), rostersync.ExitHeld},
		"far fewer":           {source.Faults{Hide: func(e directory.Entry) bool { return e.Kind == directory.Person && e.Login >= "p0010" && e.Login < "q" }}, rostersync.ExitHeld},
		"behind":              {source.Faults{Knowledge: directory.Knowledge{"here": "1"}}, rostersync.ExitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ids := w.joinMany("p", 40)
			for _, id := range w.joinMany("q", 6) {
				r, _ := w.source.Get(id)
				w.move(id, "uid="+r.Attributes["uid"][0]+",ou=north,"+people)
			}
			w.source.SetFaults(source.Faults{Knowledge: directory.Knowledge{"here": "2"}})
			w.synced()
			if c.faults.Knowledge == nil {
				c.faults.Knowledge = directory.Knowledge{"here": "2"}
			}
			before := len(w.wiki.Writes())
			w.source.SetFaults(c.faults)
			if name == "look-up fails" {
				w.source.Remove(ids[0])
			}
			for range 3 {
				if r, _ := w.swept(); r.Exit() != c.exit {
					t.Errorf("exit %d, want %d\n%s", r.Exit(), c.exit, text(r))
				}
				w.now = w.now.Add(time.Hour)
			}
			if n := len(w.wiki.Writes()) - before; n != 0 {
				t.Errorf("%d writes by sweeps that prove nothing", n)
			}
		})
	}
}

// Law 13: knowledge comes by a sweep too, and does not go back by a read.
func TestLaw13ASweepIsKnowledge(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 20)
	w.source.SetFaults(source.Faults{Knowledge: directory.Knowledge{"here": "1"}})
	w.synced()
	w.source.SetFaults(source.Faults{Knowledge: directory.Knowledge{"here": "3"}})
	w.swept()
	w.source.SetFaults(source.Faults{Knowledge: directory.Knowledge{"here": "2"}})
	r := w.sync()
	var behind *directory.BehindError
	if r.Exit() != rostersync.ExitFailed || !errors.As(r.Reads[0].Err, &behind) {
		t.Errorf("exit %d: %v", r.Exit(), r.Reads[0].Err)
	}
}

// A deletion that waits for another complete read does not take a sweep for one.
func TestASweepIsNoReadOfEverything(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 20)
	w.synced()
	before, err := w.engine.Store.SourceFacts("corp")
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	w.swept()
	after, err := w.engine.Store.SourceFacts("corp")
	if err != nil || !after.LastComplete.Equal(before.LastComplete) || !after.LastSweep.After(before.LastComplete) {
		t.Errorf("complete %s, then %s, swept %s, %v", before.LastComplete, after.LastComplete, after.LastSweep, err)
	}
	// A policy that reads another attribute makes it a read.
	w.source.SetFaults(source.Faults{})
	other := source.New("corp", source.Config{Attributes: []string{"employeeType", "sn", "title"}, Key: "employeeNumber", Bases: []string{people, groups}}, func() time.Time { return w.now })
	w.engine.Sources[0].Source = other
	if r, _ := w.swept(); r.Exit() == 0 || other.Reads() != 1 {
		t.Errorf("exit %d after %d reads with another coverage", r.Exit(), other.Reads())
	}
}
