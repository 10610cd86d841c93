package sync_test

import (
	"context"
	"errors"
	"testing"
	"time"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// shy is a target that lists not all that it has, as one does whose listing has a filter,
// and that can fail to list and to answer.
type shy struct {
	*memory.Target
	hides           string // by name
	listing, short  bool   // the listing fails; looks by ID are answered by too few
	listed, lookups int    // listings, and queries
}

func (s *shy) List(ctx context.Context, scope target.Scope, yield func(target.Account) error) (target.Complete, error) {
	s.listed++
	if s.listing {
		return target.Complete{}, &target.Error{Class: target.Denied, Err: errors.New("list accounts: not allowed")}
	}
	if s.hides == "" {
		return s.Target.List(ctx, scope, yield)
	}
	part, err := memory.New(memory.Config{}, "part")
	if err != nil {
		return target.Complete{}, err
	}
	if _, err := s.Target.List(ctx, scope, func(a target.Account) error {
		if a.Name != s.hides {
			part.Put(a)
		}
		return nil
	}); err != nil {
		return target.Complete{}, err
	}
	return part.List(ctx, scope, yield)
}

func (s *shy) Look(ctx context.Context, scope target.Scope, queries []target.Query) ([]target.Observation, error) {
	s.lookups += len(queries)
	out, err := s.Target.Look(ctx, scope, queries)
	if s.short && err == nil {
		out = out[:len(out)-1]
	}
	return out, err
}

// manyDoubts has 205 accounts made and one closed, and no answer to any of it.
func manyDoubts(t *testing.T) (*world, *shy) {
	w := newWorld(t)
	s := &shy{Target: w.wiki}
	w.engine.Targets[0].Target = s
	w.joinMany("old", 12)
	w.members("writers", "old0003")
	w.synced()
	w.engine.Targets[0].Rules.Guard.MaxCreate.Count = 10_000
	w.engine.Targets[0].Concurrency = 1
	w.joinMany("new", 205)
	w.set(w.source.At("uid=old0003,"+people), "employeeType", "former")
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, x memory.Write) memory.Fault {
		switch x.Verb {
		case target.Create, target.Disable, target.Revoke:
			return memory.Fault{Applied: true, Err: &target.Error{Class: target.InDoubt, Err: errors.New("the answer was lost")}}
		}
		return memory.Fault{}
	}})
	w.sync()
	w.wiki.SetFaults(memory.Faults{})
	doubts, err := w.engine.Store.InDoubt()
	if err != nil || len(doubts) < 206 {
		t.Fatalf("%d in doubt, %v", len(doubts), err)
	}
	s.listed, s.lookups = 0, 0
	return w, s
}

// settled: everything was answered, and nothing was done a second time.
func settled(w *world, r *rostersync.Report, before int) {
	w.t.Helper()
	for _, x := range w.wiki.Writes()[before:] {
		w.t.Errorf("done again: %v of %s", x.Verb, x.Name)
	}
	if r.Recovered < 206 || r.InDoubt != 0 {
		w.t.Errorf("%d recovered, %d in doubt\n%s", r.Recovered, r.InDoubt, text(r))
	}
	w.has("old0003", false)
	w.has("new0204", true)
}

// Law 2: what no listing shows is asked for by its ID, and what was done to it was done.
// Law 9: whose right is gone and whose account is closed no listing says, two queries do.
func TestLaw02ManyDoubtsAndOneUnlisted(t *testing.T) {
	for _, hides := range []string{"", "old0003"} {
		w, s := manyDoubts(t)
		s.hides = hides
		before := len(w.wiki.Writes())
		settled(w, w.sync(), before)
		if hides == "" && s.lookups != 2 || s.listed == 0 || s.lookups > 8 {
			t.Errorf("hidden %q: %d listings and %d queries", hides, s.listed, s.lookups)
		}
	}
}

// Law 1: a listing that is not complete answers no doubt; looks do.
func TestLaw01ManyDoubtsWithoutAListing(t *testing.T) {
	w, s := manyDoubts(t)
	before := len(w.wiki.Writes())
	s.listing = true
	r := w.sync()
	if r.Recovered < 206 || s.lookups < 206 {
		t.Errorf("%d recovered, by %d queries\n%s", r.Recovered, s.lookups, text(r))
	}
	s.listing = false
	w.now = w.now.Add(24 * time.Hour)
	r.Recovered += w.sync().Recovered
	settled(w, r, before)
	w.quiet()
}

// Law 2: fewer answers than queries are none: everything stays in doubt, beside a listing
// too, and the target is down for the cycle.
func TestLaw02ManyDoubtsAndTooFewAnswers(t *testing.T) {
	for _, listing := range []bool{false, true} {
		w, s := manyDoubts(t)
		before := len(w.wiki.Writes())
		s.short, s.listing, s.hides = true, !listing, "old0003"
		if r := w.sync(); r.Exit() != rostersync.ExitParked || len(r.Down) != 1 || r.InDoubt == 0 || len(w.wiki.Writes()) != before {
			t.Errorf("exit %d, %d down, %d in doubt, %d writes", r.Exit(), len(r.Down), r.InDoubt, len(w.wiki.Writes())-before)
		}
		s.short, s.listing = false, false
		w.now = w.now.Add(24 * time.Hour)
		r := w.sync()
		for at, n := range []int{r.Recovered, r.InDoubt} {
			if at == 0 && n == 0 || at == 1 && n != 0 {
				t.Errorf("%d recovered, %d in doubt\n%s", r.Recovered, r.InDoubt, text(r))
			}
		}
		for _, x := range w.wiki.Writes()[before:] {
			t.Errorf("done again: %v of %s", x.Verb, x.Name)
		}
		w.has("old0003", false)
	}
}
