package sync_test

import (
	"context"
	"testing"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// A cycle for somebody, or one that lets some changes pass alone, does nothing else
// for those who refer to whom it made an account. The next one writes the reference.
func TestLaw04ASecondPassDoesNothingThatWasNotShown(t *testing.T) {
	subject := func(r *rostersync.Report, login string) identity.Ordinal {
		for _, s := range r.Plan.Subjects {
			if s.Login == login {
				return s.Person
			}
		}
		return 0
	}
	for name, ask := range map[string]func(w *world) rostersync.Request{
		"one person": func(w *world) rostersync.Request {
			shown := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
			return rostersync.Request{Verb: "sync", People: []identity.Ordinal{subject(shown, "late")}}
		},
		"some changes": func(*world) rostersync.Request {
			return rostersync.Request{Verb: "sync", Review: func(r *rostersync.Report) (func(target.Key) bool, error) {
				late := map[target.Key]bool{}
				for _, s := range r.Plan.Subjects {
					for _, c := range s.Changes {
						late[c.Key] = s.Login == "late"
					}
				}
				return func(k target.Key) bool { return late[k] }, nil
			}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := referring(t, boss)
			x := w.under("x", "late")
			w.under("seed")
			w.settles()
			w.join("late")
			w.leave(x)
			if r := w.cycle(ask(w)); !w.account("late").Enabled {
				t.Fatalf("late has no account\n%s", text(r))
			}
			if !w.account("x").Enabled {
				t.Error("x was disabled by what was to be done for late alone")
			}
			w.settles()
			if w.account("x").Enabled {
				t.Error("x was forgotten")
			}
		})
	}
}

// Of a state that was lost the accounts are taken over one by one. Who names somebody
// whose account is not taken over yet keeps what stands there.
func TestLaw02WhoIsNotLinkedYetIsNotNobody(t *testing.T) {
	w := referring(t, boss)
	w.under("a", "top")
	w.under("top")
	w.settles()
	targets := w.engine.Targets
	w.engine.Store.Close()
	w.path += ".new"
	w.open()
	w.engine.Targets = targets
	r := w.sync()
	h := r.Holds[0]
	if _, err := w.engine.Approve(context.Background(), rostersync.Approval{Hold: h.ID, Version: h.Version(), By: "me",
		People: []identity.Ordinal{r.Plan.Subjects[0].Person}}, rostersync.Request{Verb: "approve"}); err != nil {
		t.Fatal(err)
	}
	w.sync()
	w.wantBoss("a", "top")
	for _, write := range w.wiki.Writes() {
		for _, v := range write.Set {
			if v.Name == "boss" && write.Verb == target.Update && len(v.Values) == 0 {
				t.Errorf("it was cleared: %+v", write)
			}
		}
	}
}
