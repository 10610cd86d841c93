package sync_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// liar says of one verb that it was done, and does nothing. While it hides, it
// shows an empty account where one is.
type liar struct {
	*memory.Target
	about target.Verb
	hide  atomic.Bool
}

func (l *liar) Look(ctx context.Context, s target.Scope, q []target.Query) ([]target.Observation, error) {
	out, err := l.Target.Look(ctx, s, q)
	for i := range out {
		for k := range out[i].Accounts {
			if l.hide.Load() {
				out[i].Accounts[k].Attributes = nil
			}
		}
	}
	return out, err
}

func (l *liar) CreateAll(ctx context.Context, accounts []target.Creation, told func(int, target.Created) bool) {
	oneByOne(ctx, l, accounts, told)
}

func (l *liar) Create(ctx context.Context, name string, set []target.Value, mark string) (target.Ref, error) {
	if l.about == target.Create {
		return target.Ref{ID: "never", Name: name}, nil
	}
	return l.Target.Create(ctx, name, set, mark)
}

func (l *liar) Update(ctx context.Context, a target.Ref, set []target.Value) error {
	if l.about == target.Update {
		return nil
	}
	return l.Target.Update(ctx, a, set)
}

func (l *liar) Rename(ctx context.Context, a target.Ref, name string) (target.Ref, error) {
	if l.about == target.Rename {
		return target.Ref{ID: a.ID, Name: name}, nil
	}
	return l.Target.Rename(ctx, a, name)
}

func (l *liar) Enable(ctx context.Context, a target.Ref) error {
	if l.about == target.Enable {
		return nil
	}
	return l.Target.Enable(ctx, a)
}

func (l *liar) Disable(ctx context.Context, a target.Ref) error {
	if l.about == target.Disable {
		return nil
	}
	return l.Target.Disable(ctx, a)
}

func (l *liar) Grant(ctx context.Context, e string, a []target.Ref) []error {
	if l.about == target.Grant {
		return nil
	}
	return l.Target.Grant(ctx, e, a)
}

func (l *liar) Revoke(ctx context.Context, e string, a []target.Ref) []error {
	if l.about == target.Revoke {
		return nil
	}
	return l.Target.Revoke(ctx, e, a)
}

func (l *liar) Delete(ctx context.Context, a target.Ref) error {
	if l.about == target.Delete {
		return nil
	}
	return l.Target.Delete(ctx, a)
}

// Law 9: an account that was said to be deleted and is there is closed, and
// deleted when its grace is over again.
func TestLaw09ADeletionThatWasNotMade(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Leaver.Delete = map[string]string{"unentitled": "1d"}
	l := &liar{Target: w.wiki, about: target.Delete}
	w.engine.Targets[0].Target = l
	ids := w.joinMany("p", 12)
	w.synced()
	w.set(ids[3], "employeeType", "guest")
	w.sync()
	// The end of the grace is a due date: no resync is needed for it.
	w.now = w.now.Add(25 * time.Hour)
	if r := w.sync(); len(r.Unverified) != 1 || r.Exit() != 5 {
		t.Fatalf("%d unverified, exit %d, want 1 and 5\n%s", len(r.Unverified), r.Exit(), text(r))
	}
	l.about = 0
	for range 4 {
		w.now = w.now.Add(25 * time.Hour)
		w.cycle(rostersync.Request{Verb: "sync", Full: true})
	}
	if w.account("p0003") != nil {
		t.Error("the account is still there")
	}
	w.quiet()
}

// Law 9: what a target says it did and does not show is unverified, and done
// again; it is not somebody else's drift, whatever the file says of that.
func TestLaw09ATargetThatLies(t *testing.T) {
	for _, verb := range []target.Verb{target.Create, target.Enable, target.Rename, target.Update, target.Grant, target.Revoke, target.Disable} {
		t.Run(verb.String(), func(t *testing.T) {
			w := newWorld(t)
			drift := &w.engine.Targets[0].Rules.Drift
			drift.Attributes, drift.Lost = "report", "report"
			l := &liar{Target: w.wiki}
			w.engine.Targets[0].Target = l
			ids := w.joinMany("p", 12)
			w.members("writers", "p0003")
			w.members("managers", "p0004")
			w.leave(ids[5])
			w.sync()
			w.leave(ids[6])
			w.synced()

			l.about = verb
			w.join("late")
			w.set(ids[2], "uid", "new2")
			w.set(ids[1], "sn", "Name")
			w.members("writers", "p0001")
			w.set(ids[6], "employeeType", "staff")
			w.leave(ids[4])
			if r := w.sync(); r.Exit() != 5 || len(r.Unverified) == 0 {
				t.Errorf("exit %d with %d unverified, want 5 and some\n%s", r.Exit(), len(r.Unverified), text(r))
			}
			l.about = 0
			if r := w.sync(); r.Exit() != 5 {
				t.Errorf("before the next attempt: exit %d, want 5\n%s", r.Exit(), text(r))
			}
			w.now = w.now.Add(time.Hour)
			if r := w.sync(); r.Exit() != 0 {
				t.Errorf("the next attempt: exit %d\n%s", r.Exit(), text(r))
			}
			w.has("late", true)
			w.has("new2", true)
			w.has("p0001", true, "Writers")
			w.has("p0003", true)
			w.has("p0004", false)
			w.has("p0006", true)
			if v := w.account("p0001").Attributes["title"]; len(v) != 1 || v[0] != "Name" {
				t.Errorf("title %v", v)
			}
			for _, full := range []bool{false, true} {
				if r := w.cycle(rostersync.Request{Verb: "sync", Full: full}); r.Exit() != 0 || len(r.Carried) > 0 {
					t.Errorf("law 11: exit %d, did %v", r.Exit(), r.Carried)
				}
			}
		})
	}
}
