package sync_test

import (
	"context"
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
