package sync

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/target"
)

// batch are orders that go on disk together, before the first of them is sent.
type batch struct {
	intents []state.Intent
	results []state.Result // once all is sent
}

// stretch does batches of a wave until a lane waits or the writing ends, and
// returns what is left of the wave. While one batch is at the target, the outcomes
// of the one before and the intents of the one after go on disk: the target does
// not wait for our disk, nor the disk for the target.
func (a *applier) stretch(ctx context.Context, wave []ledger.Order) ([]ledger.Order, error) {
	defer a.section()()
	s := stretch{applier: a, left: wave}
	now, err := s.next(ctx)
	if err != nil {
		return nil, err
	}
	for now != nil {
		wait := a.send(ctx, now)
		err := s.settle()
		var next *batch
		if err == nil && !a.probing && now.intents[0].Order().Change.Verb != target.SetPassword {
			next, err = s.next(ctx)
		}
		wait()
		s.sent = now
		if next == nil || err != nil {
			if failed := s.settle(); err == nil {
				err = failed
			}
		}
		if next == nil && err == nil {
			next, err = s.next(ctx)
		}
		if err != nil {
			return nil, err
		}
		now = next
	}
	return s.left, ctx.Err()
}

// stretch is one under way.
type stretch struct {
	*applier
	left []ledger.Order
	sent *batch // its outcomes are not on disk yet
}

// next puts the next batch on disk; nil where there is none, or none should begin.
func (s *stretch) next(ctx context.Context) (*batch, error) {
	for len(s.left) > 0 && ctx.Err() == nil && !s.ask.stopped() && !s.yields() && !s.gaveUp() {
		n := min(s.batchSize(), len(s.left))
		if s.left[0].Change.Verb == target.SetPassword {
			n = min(n, max(1, s.target.Concurrency)) // few people get another letter if this is the end
		}
		orders := s.left[:n]
		s.left = s.left[n:]
		ready, err := s.stillFree(s.ready(orders))
		if err != nil {
			return nil, err
		}
		if len(ready) == 0 {
			continue
		}
		intents, err := s.Store.Intend(s.report.Cycle, ready)
		if err != nil {
			return nil, err
		}
		return &batch{intents: intents}, nil
	}
	return nil, nil
}

// settle puts the outcomes of the batch that was sent on disk. What it left to let
// a lane in comes before what is left of the wave.
func (s *stretch) settle() error {
	b := s.sent
	if b == nil {
		return nil
	}
	s.sent = nil
	s.lastLinks(b.results)
	if err := s.Store.Record(b.results); err != nil {
		return err
	}
	if later := s.note(b.results); len(later) > 0 {
		s.left = append(later, s.left...)
	}
	if err := s.learn(b.results); err != nil {
		return err
	}
	s.tell(0)
	return nil
}

// lastLinks makes the links those where they ended: two units may have moved the
// same person's.
func (a *applier) lastLinks(results []state.Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range results {
		if results[i].Link != nil {
			l := a.links[results[i].Intent.Order().Change.Person]
			results[i].Link = &l
		}
	}
}

// send begins to write the batch, and returns how to wait for its end.
func (a *applier) send(ctx context.Context, b *batch) (wait func()) {
	units := group(b.intents, a.together(b.intents))
	done := make(chan struct{})
	go func() {
		defer close(done)
		results := make([][]state.Result, len(units))
		var workers errgroup.Group
		workers.SetLimit(max(1, a.target.Concurrency))
		for i, u := range units {
			workers.Go(func() error {
				results[i] = a.do(ctx, u)
				a.tell(len(u.intents))
				return nil
			})
		}
		_ = workers.Wait() // none of them fails: results say what became of each
		for _, r := range results {
			b.results = append(b.results, r...)
		}
	}()
	return func() { <-done }
}

// run does the waves, each before the next.
func (a *applier) run(ctx context.Context, waves [][]ledger.Order) error {
	for _, wave := range waves {
		byEntitlement(wave)
		if err := a.awaited(ctx, wave); err != nil {
			return err
		}
		for len(wave) > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if a.ask.stopped() || a.gaveUp() {
				a.leaveOpen(waves)
				return nil
			}
			var err error
			if wave, err = a.stretch(ctx, wave); err != nil {
				return fmt.Errorf("apply to %s: %w", a.target.Name, err)
			}
		}
	}
	if a.gaveUp() {
		a.leaveOpen(waves)
	}
	return nil
}
