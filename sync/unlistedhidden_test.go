package sync_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
)

// flickering hides somebody while it lists, and shows them to whoever looks them up.
type flickering struct {
	*source.Source
	hide func(directory.Entry) bool
}

func (f *flickering) hidden(list func() (directory.Proof, error)) (directory.Proof, error) {
	f.SetFaults(source.Faults{Hide: f.hide})
	defer f.SetFaults(source.Faults{})
	return list()
}

func (f *flickering) Read(ctx context.Context, s directory.Stage) (directory.Proof, error) {
	return f.hidden(func() (directory.Proof, error) { return f.Source.Read(ctx, s) })
}

func (f *flickering) Sweep(ctx context.Context, s directory.Stage) (directory.Proof, error) {
	return f.hidden(func() (directory.Proof, error) { return f.Source.Sweep(ctx, s) })
}

// Law 2: whoever was hidden from a listing and is found by ID where they should have been
// listed is not out of scope, by whatever listing and however often: too few for the
// guard to notice, too.
func TestLaw02HiddenFromListingsAlone(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 60)
	w.members("writers", "p0001", "p0011")
	w.synced()
	w.engine.Sources[0].Source = &flickering{w.source, func(e directory.Entry) bool { return e.Login == "p0011" || e.Login == "p0012" || e.Name == "writers" }}
	for _, ask := range []rostersync.Request{{Verb: "sync", Full: true}, {Verb: "sweep", Scheduled: true, Sweep: true}, {Verb: "sync"}, {Verb: "sync", Full: true}} {
		if r := w.cycle(ask); w.enabled() != 60 {
			t.Fatalf("%s: %d of 60 are left\n%s", ask.Verb, w.enabled(), text(r))
		}
		w.has("p0001", true, "Writers")
		w.has("p0011", true, "Writers")
		w.now = w.now.Add(time.Hour)
	}
	if p := w.standing(w.source.At("uid=p0011," + people)); p != identity.Unknown {
		t.Errorf("they are %s", p)
	}
	w.engine.Sources[0].Source = w.source
	w.sync()
	w.quiet()
}

// blind finds those whom it hid, and does not say that it would list them: the filter
// does not find them.
type blind struct{ *flickering }

func (b *blind) Find(ctx context.Context, known []directory.Known) ([]directory.Finding, error) {
	out, err := b.flickering.Find(ctx, known)
	for i := range out {
		out[i].Listed = false
	}
	return out, err
}

// Law 2: where the filter finds nobody of a container any more it may be blind: all of
// them are held, and go if somebody says so. Who leaves beside others goes at once.
func TestLaw02AContainerThatTheFilterDoesNotFind(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 100)
	for i := range 6 {
		w.move(ids[10+i], fmt.Sprintf("uid=p%04d,ou=north,%s", 10+i, people))
	}
	w.synced()
	w.engine.Sources[0].Source = &blind{&flickering{w.source, func(e directory.Entry) bool { return e.Login >= "p0010" && e.Login < "p0016" || e.Login == "p0030" }}}
	var r *rostersync.Report
	for range 3 {
		if r = w.cycle(rostersync.Request{Verb: "sync", Full: true}); r.Exit() != rostersync.ExitHeld || w.enabled() != 99 {
			t.Fatalf("exit %d, %d of 100 are left\n%s", r.Exit(), w.enabled(), text(r))
		}
		w.now = w.now.Add(time.Hour)
	}
	w.has("p0030", false)
	if _, err := w.approve(w.onlyHold()); err != nil {
		t.Fatal(err)
	}
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	if w.enabled() != 93 {
		t.Errorf("%d are left, and it was approved", w.enabled())
	}
	w.quiet()
	w.engine.Sources[0].Source = w.source
	w.sync()
	if _, err := w.approve(w.onlyHold()); err != nil { // seven are to be opened at once
		t.Fatal(err)
	}
	w.synced()
	if w.enabled() != 100 {
		t.Errorf("%d are back", w.enabled())
	}
}
