package sync

import (
	"context"
	"slices"
	gosync "sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

const (
	// intentBatch is how many orders are put on disk together before the first
	// of them is sent: a multiple of what kinds put into one request, so that they
	// send no half ones.
	intentBatch = 400
	// breakAfter is how many requests may fail in a row before a target is left
	// alone for a while.
	breakAfter = 10
)

// apply does what was cleared, target by target side by side, wave by wave.
func (c *cycle) apply(ctx context.Context) error {
	var ready []func(context.Context) error
	for _, t := range c.Targets {
		waves := c.waves(t.Name)
		if len(waves) == 0 {
			if err := c.nothingToTry(t.Name); err != nil {
				return err
			}
			continue
		}
		a := &applier{cycle: c, target: t, probing: c.outages[t.Name].Broken(), refs: map[identity.Ordinal]target.Ref{}, links: map[identity.Ordinal]ledger.Link{},
			blocked: map[identity.Ordinal]string{}, attempts: map[identity.Ordinal]int{}, sequences: map[identity.Ordinal]uint64{}}
		a.remember()
		a.needs = c.cleared.Needs(t.Name)
		for _, w := range waves {
			a.total += len(w)
		}
		ready = append(ready, func(ctx context.Context) error {
			c.progress("apply", a.target.Name, 0, a.total)
			return a.run(ctx, waves)
		})
	}
	// Started only when the waves of every target are drawn: drawing them notes
	// whose marks stay, and so does the applying.
	group, gctx := errgroup.WithContext(ctx)
	for _, run := range ready {
		group.Go(func() error { return run(gctx) })
	}
	return group.Wait()
}

// applier does the waves of one target.
type applier struct {
	*cycle
	target Target
	total  int

	mu       gosync.Mutex
	refs     map[identity.Ordinal]target.Ref
	links    map[identity.Ordinal]ledger.Link
	attempts map[identity.Ordinal]int
	// sequences are those of the marks that this cycle took.
	sequences map[identity.Ordinal]uint64
	// needs are the changes that each waits for.
	needs map[target.Key][]target.Key
	// blocked are people for whom an earlier step failed, with that step.
	blocked map[identity.Ordinal]string
	failing int  // requests that failed in a row
	took    bool // it took one of this cycle
	// probing: the target broke before, and is tried with one change at a time
	// until one is done.
	probing bool
	broken  error // set when the target is left alone
	learnt  bool  // that is kept
	// lost are passwords in a row that were set and not handed over.
	lost int
	// people are those of the cycle, once somebody asked.
	people map[identity.Ordinal]*identity.Person
	done   int
	sent   int // of batches that are under way
}

// remember takes the links and earlier failures from the plan: a link that was
// corrected by what was observed is the one to go on from.
func (a *applier) remember() {
	for _, m := range a.marks {
		a.sequences[m.Person] = m.Sequence
	}
	for _, p := range a.input.People {
		s := p.Seen[a.target.Name]
		if s.Link != nil {
			a.links[p.Ordinal] = *s.Link
			a.refs[p.Ordinal] = target.Ref{ID: s.Link.Account, Name: s.Link.Name}
		}
		if s.Parked != nil {
			a.attempts[p.Ordinal] = s.Parked.Attempts
		}
	}
	for _, s := range a.report.Plan.Subjects {
		if s.Target == a.target.Name && s.Link != nil {
			a.links[s.Person] = *s.Link
			a.refs[s.Person] = target.Ref{ID: s.Link.Account, Name: s.Link.Name}
		}
	}
}

// batchSize is how many orders go on disk together.
func (a *applier) batchSize() int {
	if a.probing {
		return 1
	}
	return intentBatch
}

// gaveUp says whether the target is left alone.
func (a *applier) gaveUp() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken != nil
}

// tell tells how far it has come: with a rate a batch may take longer than a
// watchdog waits.
func (a *applier) tell(n int) {
	a.mu.Lock()
	a.sent += n
	done := min(a.done+a.sent, a.total)
	a.mu.Unlock()
	a.progress("apply", a.target.Name, done, a.total)
}

// learn remembers that the target broke, once, or that one that had broken works.
func (a *applier) learn(results []state.Result) error {
	a.mu.Lock()
	broken, known := a.broken, a.learnt
	a.learnt = broken != nil
	a.mu.Unlock()
	a.shared.Lock()
	defer a.shared.Unlock()
	if broken != nil {
		if known {
			return nil
		}
		return a.failed(a.target.Name, broken, true)
	}
	if !a.probing || !slices.ContainsFunc(results, func(r state.Result) bool { return r.Outcome.Done }) {
		return nil
	}
	a.probing = false
	return a.mended(a.target.Name)
}

// ready leaves out what depends on a step that failed or on a person that was
// marked again since the plan was drawn, and fills in the account.
func (a *applier) ready(orders []ledger.Order) []ledger.Order {
	out := make([]ledger.Order, 0, len(orders))
	paused := a.paused()
	for _, o := range orders {
		who := o.Change.Person
		if paused != "" {
			a.skip(o, "paused "+paused)
			continue
		}
		step, is, ref, known := a.before(who)
		if is && dependent(o) {
			a.skip(o, step)
			continue
		}
		if a.markedAgain(who) {
			a.skip(o, "the person changed again")
			continue
		}
		if known && o.Change.Verb != target.Create && o.Change.Verb != target.Link {
			o.Change.Account = ref.ID
			if o.Change.Verb != target.Rename {
				o.Change.Name = ref.Name
			}
		}
		if o.Change.Verb == target.Create || o.Change.Verb == target.Link {
			o.Mark = a.mark(who)
		}
		if o.By == "" && (a.ask.Named || a.ask.Released) && a.ask.names(who) {
			o.By = a.ask.By
		}
		out = append(out, o)
	}
	return out
}

// before is what became of earlier steps: the one that failed, and the account.
func (a *applier) before(who identity.Ordinal) (step string, failed bool, ref target.Ref, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	step, failed = a.blocked[who]
	ref, known = a.refs[who]
	return step, failed, ref, known
}

// paused is why nothing is written any more: somebody may say so in the middle of
// an apply.
func (a *applier) paused() string {
	pauses, err := a.Store.Pauses(a.Now())
	if err != nil {
		return "for all that is known: " + err.Error()
	}
	return pausedBy(pauses, a.target.Name)
}

// dependent says whether a change waits when an earlier step for the same
// account failed. What is taken from a leaver never waits for anything.
func dependent(o ledger.Order) bool {
	switch o.Change.Verb {
	case target.Disable:
		return false
	case target.Revoke:
		s, err := plan.ParseSituation(o.Situation)
		return err != nil || !s.Leaver()
	}
	return true
}

func (a *applier) markedAgain(who identity.Ordinal) bool {
	now, err := a.Store.Sequence(who)
	return err != nil || now != a.sequences[who]
}

func (a *applier) skip(o ledger.Order, why string) {
	a.shared.Lock()
	defer a.shared.Unlock()
	a.open[o.Change.Person] = true
	a.report.Skipped = append(a.report.Skipped, Skipped{Order: o, Why: why})
}

// leaveOpen keeps the marks of everybody whose orders were not reached.
func (a *applier) leaveOpen(waves [][]ledger.Order) {
	a.shared.Lock()
	defer a.shared.Unlock()
	for _, w := range waves {
		for _, o := range w {
			a.cycle.open[o.Change.Person] = true
		}
	}
	if a.broken != nil {
		a.report.Down = append(a.report.Down, Down{Target: a.target.Name, Err: a.broken})
	} else {
		a.report.Stopped = true
	}
}

// note remembers what the results mean for the orders that follow, and returns
// the orders that gave way to a lane.
func (a *applier) note(results []state.Result) (later []ledger.Order) {
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.sent -= len(results)
		a.done += len(results) - len(later)
	}()
	a.shared.Lock()
	defer a.shared.Unlock()
	for _, r := range results {
		o := r.Intent.Order()
		if r.Outcome.Err == gaveWay {
			later = append(later, o)
			continue
		}
		if r.Outcome.Done {
			a.orders[a.target.Name] = append(a.orders[a.target.Name], o)
			a.report.Carried = append(a.report.Carried, o)
			a.report.Done[o.Change.Verb]++
			continue
		}
		if r.Outcome.Err == unsent {
			a.report.Stopped, a.open[o.Change.Person] = true, true
			continue
		}
		a.report.Failed = append(a.report.Failed, Failed{Order: o, Outcome: r.Outcome})
		a.open[o.Change.Person] = a.open[o.Change.Person] || r.Parked == nil
	}
	return later
}

// pace waits until the target's rate lets so many writes go.
func (a *applier) pace(ctx context.Context, n int) error {
	if a.target.Rate == nil {
		return nil
	}
	return a.target.Rate.WaitN(ctx, n)
}

func (a *applier) parkUntil(who identity.Ordinal) (attempts int, next time.Time) {
	attempts = a.attempts[who] + 1
	return attempts, a.Now().Add(a.parkedFor(attempts))
}
