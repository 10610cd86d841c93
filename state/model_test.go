package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

// read reads, and may be killed at any commit on the way; then it is started
// again.
func (w *world) readKilled(kill int) {
	w.clock.forward(20 * time.Second)
	at, now := w.clock.at, w.listing()
	w.killer.left = kill
	_, err := w.tryRead()
	if err == nil {
		_, err = w.s.Drain(context.Background())
	}
	if kill == 0 || w.killer.left > 0 {
		ok(w, err)
	}
	w.killer.left = 0
	if err == nil {
		w.counted(at, now)
		return
	}
	if !errors.Is(err, errKilled) {
		w.Fatal(err)
	}
	w.restart()
	// Kill it once more while it drains.
	w.killer.left = kill
	d, err := w.s.Drain(context.Background())
	if w.killer.left = 0; errors.Is(err, errKilled) {
		w.restart()
		d, err = w.s.Drain(context.Background())
	}
	ok(w, err)
	if f, err := w.s.SourceFacts("corp"); err == nil && f.LastRead.Equal(at) {
		w.counted(at, now) // it was sealed before it was killed
	} else if d.Source != "" {
		w.Fatalf("drained %+v, but the facts are %+v", d, f)
	}
}

// toldGone takes into the model of whom was told that they were deleted.
func (w *world) toldGone() {
	for id := range w.removed {
		// Whoever is known is gone, also one who was missed before, and of whose return
		// nobody had heard.
		if _, known := w.ordinals[id]; known {
			w.deleted[id] = true
			delete(w.gone, id)
			delete(w.presumed, id)
		}
	}
}

// toldOf takes what changed until this instant into the model.
func (w *world) toldOf(now map[identity.ID]shown) {
	w.toldGone()
	for id := range now {
		delete(w.gone, id)
		delete(w.presumed, id)
		delete(w.deleted, id)
	}
	w.taken(now)
}

// followKilled follows, and may be killed at any commit on the way; then it is
// started again. What cannot be decided is read.
func (w *world) followKilled(kill int) {
	w.clock.forward(20 * time.Second)
	at, now := w.clock.at, w.listing()
	if since, _, err := w.s.Cursor("corp", w.src.Coverage()); err != nil || since.IsZero() {
		w.Fatalf("no cursor: %v", err)
	}
	w.killer.left = kill
	_, err := w.tryFollow()
	if err == nil {
		_, err = w.s.Drain(context.Background())
	}
	w.killer.left = 0
	var undecided *UndecidedError
	switch {
	case err == nil:
		w.toldOf(now)
		return
	case errors.As(err, &undecided):
		if w.told {
			w.toldGone() // what was proved counts for the listing
		}
		w.readKilled(0)
		return
	case !errors.Is(err, errKilled):
		w.Fatal(err)
	}
	w.restart()
	w.killer.left = kill // and once more while it drains
	_, err = w.s.Drain(context.Background())
	if w.killer.left = 0; errors.Is(err, errKilled) {
		w.restart()
		_, err = w.s.Drain(context.Background())
	}
	ok(w, err)
	if since, _, err := w.s.Cursor("corp", w.src.Coverage()); err == nil && since.At.Equal(at) {
		w.toldOf(now) // it was sealed before it was killed
	} else {
		ok(w, err)
	}
}

// contained: the containers are those of the directory, once it was read.
func (w *world) contained() {
	w.Helper()
	want, got := map[identity.ID]string{}, map[identity.ID]string{}
	if r, here := w.src.Get("container"); here {
		want["container"] = r.DN
	}
	ok(w, w.s.view(func(tx *txn) error {
		src, _, err := sourceOf(tx, "corp")
		if err != nil {
			return err
		}
		return eachContainer(tx, src.Num, func(id identity.ID, dn string) error {
			got[id] = dn
			return nil
		})
	}))
	if !reflect.DeepEqual(want, got) {
		w.Fatalf("containers are %v, must be %v", got, want)
	}
}

func (w *world) restart() {
	w.Helper()
	ok(w, w.s.Close())
	w.open()
	w.s.db.NoSync = true
}

func TestLaw07ReadsAndKills(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		w := &world{kit: &kit{tester: rt, path: filepath.Join(dir, fmt.Sprint(runs), "s.db"), clock: newClock()},
			seen: map[identity.ID]shown{}, ordinals: map[identity.ID]identity.Ordinal{}, gone: map[identity.ID]time.Time{},
			presumed: map[identity.ID]bool{}, removed: map[identity.ID]bool{}, deleted: map[identity.ID]bool{}, settled: map[identity.Ordinal]view{}}
		w.kit.before = w.killer.before
		w.start("title")
		w.s.db.NoSync = true
		defer os.RemoveAll(filepath.Dir(w.path))
		defer w.close()
		for i := range 12 { // so many that few absences are no silence
			w.put(rt, directory.Person, 28+i, "stays")
		}
		w.src.Put(memory.Record{Kind: directory.Container, ID: "container", DN: "ou=else," + people})
		w.readKilled(rapid.IntRange(0, 12).Draw(rt, "kill first"))
		w.readKilled(0)
		w.agree()
		rt.Repeat(map[string]func(*rapid.T){
			"person": func(rt *rapid.T) { w.put(rt, directory.Person, rapid.IntRange(0, 4).Draw(rt, "n"), "") },
			"group":  func(rt *rapid.T) { w.put(rt, directory.Group, rapid.IntRange(0, 4).Draw(rt, "n"), "") },
			"leaves": func(rt *rapid.T) {
				w.remove(identity.ID(fmt.Sprintf("person%d", rapid.IntRange(0, 4).Draw(rt, "n"))))
			},
			"read": func(rt *rapid.T) { w.readKilled(0) },
			"read and die": func(rt *rapid.T) {
				w.readKilled(rapid.IntRange(1, 9).Draw(rt, "at commit"))
			},
			"members": func(rt *rapid.T) {
				var lists [2][]string
				for i := range lists {
					for n := range 6 {
						if rapid.IntRange(0, 2).Draw(rt, "changes") == 0 {
							lists[i] = append(lists[i], rapid.SampledFrom([]string{dn(fmt.Sprintf("p%d", n)), cn(fmt.Sprintf("g%d", n))}).Draw(rt, "member"))
						}
					}
				}
				w.src.Edit(identity.ID(fmt.Sprintf("group%d", rapid.IntRange(0, 4).Draw(rt, "n"))), lists[0], lists[1])
			},
			"container": func(rt *rapid.T) {
				w.src.Rename("container", rapid.SampledFrom([]string{"ou=else,", "ou=other,", "ou=deep,ou=else,"}).Draw(rt, "called")+people)
			},
			"follow": func(rt *rapid.T) {
				w.followKilled(0)
				w.contained()
			},
			"follow and die": func(rt *rapid.T) {
				w.followKilled(rapid.IntRange(1, 9).Draw(rt, "at commit"))
			},
			"followed is read": func(rt *rapid.T) {
				w.followKilled(0)
				before, err := w.s.Take(w.clock.at)
				ok(w, err)
				_, err = w.tryRead()
				ok(w, err)
				d, err := w.s.Drain(context.Background())
				ok(w, err)
				after, err := w.s.Take(w.clock.at)
				ok(w, err)
				waits := len(w.gone) > len(w.presumed) // for this look, perhaps
				w.counted(w.clock.at, w.listing())
				if d.Changed+d.New != 0 || !waits && !reflect.DeepEqual(before, after) {
					w.Fatalf("what was followed differs from a listing by %+v\n before %v\n after %v", d, before, after)
				}
				w.contained()
			},
			"settle": func(rt *rapid.T) {
				views := w.views()
				marks, err := w.s.Take(w.clock.at)
				ok(w, err)
				_, err = w.s.Settle(marks)
				ok(w, err)
				w.settled = views
			},
			"again": func(rt *rapid.T) {
				w.readKilled(0)
				before, err := w.s.Take(w.clock.at)
				ok(w, err)
				w.clock.at = w.clock.at.Add(-19 * time.Second) // too soon for any second look
				if _, err := w.tryRead(); err != nil {
					w.Fatal(err)
				}
				d, err := w.s.Drain(context.Background())
				ok(w, err)
				w.clock.forward(19 * time.Second)
				after, err := w.s.Take(w.clock.at)
				ok(w, err)
				if d.Changed+d.New != 0 || !reflect.DeepEqual(before, after) {
					w.Fatalf("law 11: an unchanged read gave %+v\n before %v\n after %v", d, before, after)
				}
			},
			"": func(rt *rapid.T) { w.agree() },
		})
	})
}

// put makes or changes an entry of the directory.
func (w *world) put(rt *rapid.T, kind directory.Kind, n int, title string) {
	id := identity.ID(fmt.Sprintf("%s%d", kind, n))
	if title == "" {
		title = rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "title")
	}
	r := memory.Record{Kind: kind, ID: id, Attributes: map[string][]string{"uid": {string(id)}, "cn": {string(id)}, "title": {title}}}
	if kind == directory.Person {
		r.DN = dn(fmt.Sprintf("p%d", n))
		if title != "stays" && rapid.Bool().Draw(rt, "moved") {
			r.DN = fmt.Sprintf("uid=p%d,ou=else,%s", n, people)
		}
	} else {
		r.DN = cn(fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"g", "h"}).Draw(rt, "called"), n))
		for i := range 5 {
			if rapid.IntRange(0, 2).Draw(rt, "has") == 0 {
				r.Members = append(r.Members, dn(fmt.Sprintf("p%d", i)))
			}
			if rapid.IntRange(0, 3).Draw(rt, "nests") == 0 {
				r.Members = append(r.Members, cn(fmt.Sprintf("g%d", i)))
			}
		}
	}
	w.src.Put(r)
	delete(w.removed, id)
}

func (w *world) remove(id identity.ID) {
	if _, here := w.src.Get(id); here {
		w.src.Remove(id)
		w.removed[id] = true
	}
}
