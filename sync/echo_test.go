package sync_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// echo says yes to what one account is to lose, does nothing, and lists that account as
// it was wished once. Asked for it, it shows it as it is.
type echo struct {
	*memory.Target
	about   target.NativeID
	wished  target.Account
	listed  int // listings
	queries int // accounts that were asked for
}

func (e *echo) List(ctx context.Context, s target.Scope, yield func(target.Account) error) (target.Complete, error) {
	e.listed++
	if e.about == "" {
		return e.Target.List(ctx, s, yield)
	}
	shown, err := memory.New(memory.Config{}, "wiki")
	if err != nil {
		return target.Complete{}, err
	}
	for _, a := range e.Accounts() {
		if a.ID == e.about {
			a.Enabled, a.Entitlements = e.wished.Enabled, e.wished.Entitlements
		}
		a.Attributes = maps.Clone(a.Attributes)
		shown.Put(a)
	}
	return shown.List(ctx, s, yield)
}

func (e *echo) Look(ctx context.Context, s target.Scope, q []target.Query) ([]target.Observation, error) {
	e.queries += len(q)
	return e.Target.Look(ctx, s, q)
}

func (e *echo) Disable(ctx context.Context, a target.Ref) error {
	if a.ID == e.about {
		return nil
	}
	return e.Target.Disable(ctx, a)
}

func (e *echo) Revoke(ctx context.Context, what string, accounts []target.Ref) []error {
	return e.Target.Revoke(ctx, what, slices.DeleteFunc(slices.Clone(accounts), func(a target.Ref) bool { return a.ID == e.about }))
}

// echoes is a wiki of 230, of whom 215 are writers.
func echoes(t *testing.T) (*world, *echo, func(from, to int) []string) {
	w := newWorld(t)
	e := &echo{Target: w.wiki}
	w.engine.Targets[0].Target = e
	guard := &w.engine.Targets[0].Rules.Guard
	for _, l := range []*float64{&guard.MaxRemove.Count, &guard.MaxRevoke.Count, &guard.MaxCreate.Count} {
		*l = 10_000
	}
	guard.MaxRemove.CapPercent, guard.MaxRemove.Ceiling = nil, nil
	w.joinMany("p", 230)
	named := func(from, to int) (out []string) {
		for i := from; i < to; i++ {
			out = append(out, fmt.Sprintf("p%04d", i))
		}
		return out
	}
	w.members("writers", named(0, 215)...)
	w.synced()
	e.listed, e.queries = 0, 0
	return w, e, named
}

// Law 9: that a right is gone, or an account closed, is said of what was asked for: a
// listing may show what was wished, and not what is.
func TestLaw09AListingThatEchoes(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		for _, beside := range []string{"many who lose as much", "many who are given something"} {
			w, e, named := echoes(t)
			one, first, last := "p0003", 0, 214
			if leaves {
				one, first, last = "p0220", 10, 224 // who has no right to lose
			}
			e.about, e.wished = w.account(one).ID, target.Account{Enabled: !leaves}
			losers := named(first, last)
			if beside == "many who are given something" {
				losers = []string{one}
				w.members("managers", named(4, 214)...)
			}
			if leaves {
				for _, n := range losers {
					w.set(w.source.At("uid="+n+","+people), "employeeType", "former")
				}
			} else {
				w.members("writers", slices.DeleteFunc(named(0, 215), func(n string) bool { return slices.Contains(losers, n) })...)
			}
			if r := w.sync(); r.Exit() != rostersync.ExitParked || len(r.Unverified) != 1 {
				t.Errorf("leaves %v beside %s: exit %d with %d unverified, want 5 and 1", leaves, beside, r.Exit(), len(r.Unverified))
			}
			e.about = ""
			w.now = w.now.Add(time.Hour)
			w.sync()
			if a := w.account(one); a.Enabled == leaves || len(a.Entitlements) > 0 {
				t.Errorf("leaves %v beside %s: %+v", leaves, beside, a)
			}
			w.quiet()
		}
	}
}

// What a listing shows otherwise than it was left is asked for: one that lags makes
// nobody unverified. What was given, and is listed, is not asked for again.
func TestAListingThatLagsIsNoFailure(t *testing.T) {
	w, e, named := echoes(t)
	e.about, e.wished = w.account("p0003").ID, target.Account{Enabled: true}
	w.members("managers", named(0, 215)...)
	if r := w.sync(); r.Exit() != rostersync.ExitDone {
		t.Errorf("exit %d with %d unverified", r.Exit(), len(r.Unverified))
	}
	w.has("p0003", true, "Publishers", "Writers")
	if e.listed != 2 || e.queries > 2 {
		t.Errorf("%d listings and %d queries, to look and to read back", e.listed, e.queries)
	}
}
