package sync_test

import (
	"context"
	"slices"
	"testing"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// lagging lists accounts as they were once, and shows each as it is.
type lagging struct {
	*memory.Target
	old *memory.Target
}

func (l *lagging) List(ctx context.Context, s target.Scope, yield func(target.Account) error) (target.Complete, error) {
	return l.old.List(ctx, s, yield)
}

// Law 3: a resync does not take somebody for closed, or for open, by a listing that is
// behind what was written since: an account that it shows otherwise than we left it is
// looked at.
func TestLaw03ListingThatLags(t *testing.T) {
	for _, leaves := range []bool{true, false} {
		w := newWorld(t)
		ids := w.joinMany("p", 12)
		w.members("writers", "p0003")
		w.synced()
		be := func(what string) { w.set(ids[3], "employeeType", what) }
		then, now := "staff", "former"
		if leaves {
			be("former")
			w.synced()
			then, now = "former", "staff"
		}
		old, err := memory.New(memory.Config{}, "wiki")
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range w.wiki.Accounts() {
			old.Put(a)
		}
		be(now)
		w.synced()
		w.engine.Targets[0].Target = &lagging{w.wiki, old}
		be(then)
		w.cycle(rostersync.Request{Verb: "sync", Full: true})
		if a := w.account("p0003"); a == nil || a.Enabled == leaves || slices.Contains(a.Entitlements, "Writers") == leaves {
			t.Errorf("somebody %s, and the listing is of before: %+v", map[bool]string{true: "left", false: "came back"}[leaves], a)
		}
	}
}

// Somebody disabled the account by hand, and enabled it again; then its owner left.
func TestLaw03ListingThatLagsBehindSomebodyElse(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.members("writers", "p0003")
	w.synced()
	full := rostersync.Request{Verb: "sync", Full: true}
	by := func(hand func(*target.Account)) {
		a := *w.account("p0003")
		hand(&a)
		w.wiki.Put(a)
	}
	by(func(a *target.Account) { a.Enabled = false })
	w.cycle(full)
	old, err := memory.New(memory.Config{}, "wiki")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range w.wiki.Accounts() {
		old.Put(a)
	}
	by(func(a *target.Account) { a.Enabled = true })
	w.engine.Targets[0].Target = &lagging{w.wiki, old}
	w.set(ids[3], "employeeType", "former")
	w.cycle(full)
	if a := w.account("p0003"); a.Enabled || len(a.Entitlements) > 0 {
		t.Errorf("somebody left, and the listing is of before: %+v", a)
	}
}
