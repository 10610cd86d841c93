package sync_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	gosync "sync"
	"testing"

	"golang.org/x/time/rate"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// batches is a wiki that is told how to answer each call for many accounts.
type batches struct {
	*memory.Target

	mu    gosync.Mutex
	sizes []int
	// answer, if set, is asked for each account of each call; with false the
	// call ends before it.
	answer func(call, i int, name string) (lost error, goOn bool)
}

func (b *batches) CreateAll(ctx context.Context, accounts []target.Creation, told func(int, target.Created) bool) {
	b.mu.Lock()
	b.sizes = append(b.sizes, len(accounts))
	call, answer := len(b.sizes), b.answer
	b.mu.Unlock()
	for i, a := range accounts {
		var lost error
		if answer != nil {
			var goOn bool
			if lost, goOn = answer(call, i, a.Name); !goOn {
				return
			}
		}
		c := target.Created{Err: lost}
		if lost == nil || target.ClassOf(lost) == target.InDoubt {
			ref, err := b.Create(ctx, a.Name, a.Set, a.Mark)
			if lost == nil {
				c = target.Created{Account: ref, Err: err}
			}
		}
		if !told(i, c) {
			return
		}
	}
}

// oneByOne makes many accounts by what the target does for one.
func oneByOne(ctx context.Context, t target.Target, accounts []target.Creation, told func(int, target.Created) bool) {
	for i, a := range accounts {
		ref, err := t.Create(ctx, a.Name, a.Set, a.Mark)
		if !told(i, target.Created{Account: ref, Err: err}) {
			return
		}
	}
}

func (w *world) batches(concurrency int) *batches {
	b := &batches{Target: w.wiki}
	w.engine.Targets[0].Target, w.engine.Targets[0].Concurrency = b, concurrency
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 10_000}
	return b
}

func (b *batches) made() int { return len(b.Accounts()) }

// Many accounts are made in calls that every worker has a share of; few in one.
func TestAccountsAreMadeTogether(t *testing.T) {
	for _, c := range []struct {
		people, concurrency, burst int
		most, calls                int
	}{
		{1, 4, 0, 0, 0}, // nobody to be made together with
		{10, 4, 0, 10, 1},
		{40, 4, 0, 16, 3},
		{128, 4, 0, 32, 4},
		{256, 1, 0, 100, 3},
		{40, 4, 5, 5, 8}, // no more at once than the rate lets go
		{3, 4, 1, 0, 0},
	} {
		w := newWorld(t)
		b := w.batches(c.concurrency)
		if c.burst > 0 {
			w.engine.Targets[0].Rate = rate.NewLimiter(1e6, c.burst)
		}
		w.joinMany("p", c.people)
		w.synced()
		if len(b.sizes) != c.calls || c.calls > 0 && slices.Max(b.sizes) != c.most {
			t.Errorf("%+v: calls of %v", c, b.sizes)
		}
		if b.made() != c.people {
			t.Errorf("%+v: %d accounts", c, b.made())
		}
	}
}

// One that is refused is parked with its reason; the others are made.
func TestLaw10OneOfManyIsRefused(t *testing.T) {
	w := newWorld(t)
	b := w.batches(2)
	b.answer = func(_, _ int, name string) (error, bool) {
		if name == "p0007" {
			return &target.Error{Class: target.Refused, Err: errors.New("no such title"), Tip: "correct the title"}, true
		}
		return nil, true
	}
	w.joinMany("p", 60)
	r := w.sync()
	if r.Exit() != rostersync.ExitParked || len(r.Failed) != 1 || r.Failed[0].Order.Change.Name != "p0007" || r.Failed[0].Outcome.Hint != "correct the title" {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	if b.made() != 59 {
		t.Fatalf("%d accounts, want 59", b.made())
	}
	w.now = w.now.Add(48 * 3600e9)
	b.answer = nil
	w.synced()
	if b.made() != 60 {
		t.Fatalf("%d accounts in the end", b.made())
	}
}

// Law 7: a call that broke in the middle. What had left is in doubt, looked for
// in the next cycle and ours; what had not left is made in the same one.
func TestLaw07ACallBreaksInTheMiddle(t *testing.T) {
	w := newWorld(t)
	b := w.batches(1)
	broke := false
	b.answer = func(_, i int, _ string) (error, bool) {
		if broke || i < 30 {
			return nil, true
		}
		if i < 62 {
			return &target.Error{Class: target.InDoubt, Err: errors.New("the connection broke")}, true
		}
		broke = true
		return nil, false
	}
	w.joinMany("p", 90)
	r := w.sync()
	// The target broke once: it is not left alone for it.
	if len(r.Failed) != 32 || len(r.Down) != 0 || r.Done[target.Create] != 58 || b.made() != 90 {
		t.Fatalf("%d failed, %d down, %d done, %d made", len(r.Failed), len(r.Down), r.Done[target.Create], b.made())
	}
	if r = w.sync(); r.Recovered != 32 || r.Exit() != 0 {
		t.Fatalf("%d recovered, exit %d\n%s", r.Recovered, r.Exit(), text(r))
	}
	w.quiet()
	if b.made() != 90 {
		t.Fatalf("%d accounts for 90 people", b.made())
	}
}

// A kind that says nothing at all is not asked for ever.
func TestATargetThatTellsNothing(t *testing.T) {
	w := newWorld(t)
	b := w.batches(1)
	b.answer = func(int, int, string) (error, bool) { return nil, false }
	w.joinMany("p", 40)
	r := w.sync()
	if r.Exit() == 0 || len(b.sizes) > 2*10 || len(r.Down) != 1 {
		t.Fatalf("exit %d after %d calls, %d down", r.Exit(), len(b.sizes), len(r.Down))
	}
	b.answer = nil
	w.now = w.now.Add(48 * 3600e9)
	w.sync()
	w.now = w.now.Add(48 * 3600e9)
	w.synced()
	if b.made() != 40 {
		t.Fatalf("%d accounts in the end", b.made())
	}
}

// A stop in the middle of a call sends nothing more, and what is left is made by
// the next cycle.
func TestAStopInTheMiddleOfACall(t *testing.T) {
	w := newWorld(t)
	b := w.batches(1)
	stop := make(chan struct{})
	b.answer = func(_, i int, _ string) (error, bool) {
		if i == 4 {
			close(stop)
		}
		return nil, true
	}
	w.joinMany("p", 40)
	r := w.cycle(rostersync.Request{Verb: "sync", Stop: stop})
	if !r.Stopped || b.made() != 5 || len(r.Failed) != 0 {
		t.Fatalf("stopped %v, %d made, %d failed", r.Stopped, b.made(), len(r.Failed))
	}
	b.answer = nil
	w.synced()
	if b.made() != 40 {
		t.Fatal(fmt.Sprint(b.made(), " accounts in the end"))
	}
}

// grants counts how many accounts each grant names.
type grants struct {
	*memory.Target
	mu    gosync.Mutex
	sizes map[string][]int
}

func (g *grants) Grant(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	g.mu.Lock()
	g.sizes[entitlement] = append(g.sizes[entitlement], len(accounts))
	g.mu.Unlock()
	return g.Target.Grant(ctx, entitlement, accounts)
}

// What many get is granted in few calls, whatever else some of them get at the
// same time: a kind that puts a hundred into a request sends ten for a thousand.
func TestMembershipsAreSentTogether(t *testing.T) {
	w := newWorld(t)
	g := &grants{Target: w.wiki, sizes: map[string][]int{}}
	w.engine.Targets[0].Target = g
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 10_000}
	var writers, managers []string
	for i := range 1000 {
		login := fmt.Sprintf("p%04d", i)
		w.join(login)
		if writers = append(writers, login); i%3 == 0 {
			managers = append(managers, login)
		}
	}
	w.members("writers", writers...)
	w.members("managers", managers...)
	w.synced()
	for entitlement, n := range map[string]int{"Writers": 1000, "Publishers": 334} {
		requests, all := 0, 0
		for _, size := range g.sizes[entitlement] {
			requests += (size + 99) / 100
			all += size
		}
		// A batch may end in the middle of an entitlement, once at its beginning
		// and once at its end.
		if all != n || requests > (n+99)/100+1 {
			t.Errorf("%s for %d in calls of %v", entitlement, all, g.sizes[entitlement])
		}
	}
}
