package sync_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// holdsOn says yes to the revocations of one account and does nothing.
type holdsOn struct {
	*memory.Target
	about target.NativeID
	looks int
}

func (l *holdsOn) Revoke(ctx context.Context, what string, accounts []target.Ref) []error {
	return l.Target.Revoke(ctx, what, slices.DeleteFunc(slices.Clone(accounts), func(a target.Ref) bool { return a.ID == l.about }))
}

func (l *holdsOn) Look(ctx context.Context, s target.Scope, q []target.Query) ([]target.Observation, error) {
	l.looks++
	return l.Target.Look(ctx, s, q)
}

// Of rights that exclude each other nobody gets the next by the target's word that the
// last is gone, and nobody else waits for that.
func TestAnExclusiveRightIsSeenToBeGone(t *testing.T) {
	w := newWorld(t)
	w.config.Targets["wiki"] = func() mapping.Target {
		c := w.config.Targets["wiki"]
		c.Entitlements = map[string][]string{"writer": {"Light"}, "manager": {"Full"}}
		c.Exclusive = map[string][]string{"seat": {"Full", "Light"}}
		return c
	}()
	w.engine.Policy = w.compile()
	l := &holdsOn{Target: w.wiki}
	w.engine.Targets[0].Target = l
	w.joinMany("p", 4)
	w.members("writers", "p0000", "p0001", "p0002")
	w.synced()
	w.has("p0000", true, "Light")

	l.about, l.looks = w.account("p0001").ID, 0
	w.members("managers", "p0000", "p0001")
	r := w.sync()
	if r.Exit() != rostersync.ExitParked || len(r.Skipped) != 1 || len(r.Unverified) != 1 || l.looks > 3 {
		t.Errorf("exit %d, %d skipped, %d unverified, %d looks\n%s", r.Exit(), len(r.Skipped), len(r.Unverified), l.looks, text(r))
	}
	w.has("p0000", true, "Full")
	w.has("p0001", true, "Light")

	l.about = ""
	w.now = w.now.Add(time.Hour)
	w.synced()
	w.has("p0001", true, "Full")
	w.has("p0002", true, "Light")
	w.quiet()
}

// A right that the target said to have taken, and that nobody read back since whoever was
// to was killed, is looked at: it is taken again where it is held still.
func TestLaw07TakenAndNeverReadBack(t *testing.T) {
	for _, held := range []bool{true, false} {
		w := newWorld(t)
		w.joinMany("p", 12)
		w.members("writers", logins("p", 12)...)
		w.synced()
		w.members("writers", logins("p", 12)[1:]...)
		if who := w.person("p0000"); held {
			links, err := w.engine.Store.Links(who)
			if err != nil {
				t.Fatal(err)
			}
			l := links[who]["wiki"]
			l.Granted, l.Taken = nil, []string{"Writers"}
			if err := w.engine.Store.PutLinks([]ledger.Link{l}); err != nil {
				t.Fatal(err)
			}
		}
		before := len(w.wiki.Writes())
		if r := w.sync(); r.Exit() != 0 {
			t.Errorf("exit %d\n%s", r.Exit(), text(r))
		}
		w.has("p0000", true)
		w.has("p0001", true, "Writers")
		if n := len(w.wiki.Writes()) - before; n != 1 {
			t.Errorf("%d writes", n)
		}
		links, err := w.engine.Store.Links(w.person("p0000"))
		if l := links[w.person("p0000")]["wiki"]; err != nil || len(l.Granted)+len(l.Taken) > 0 {
			t.Errorf("held %v: the link has %v and %v, %v", held, l.Granted, l.Taken, err)
		}
		w.quiet()
	}
}
