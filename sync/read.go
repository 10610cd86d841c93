package sync

import (
	"context"
	"errors"
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/state"
)

// findChunk is how many entries one look-up by ID is asked for.
const findChunk = 1000

// readAndSeal reads every source. An error of a source is kept in the report;
// an error of the state ends the cycle.
//
// There is one stage. While the running cycle fills it, a lane goes on from the
// snapshot as it is; else it reads as every cycle does, beside the other's
// writes, and takes the turn when it seals.
func (c *cycle) readAndSeal(ctx context.Context) error {
	if !c.ask.again {
		if err := c.readSources(ctx); err != nil {
			return err
		}
	}
	return c.alone(ctx)
}

func (c *cycle) readSources(ctx context.Context) error {
	if !c.lane {
		c.turn.reading.Lock()
	} else if !c.turn.reading.TryLock() {
		return nil
	}
	defer c.turn.reading.Unlock()
	if err := c.drainLeft(ctx); err != nil {
		return err
	}
	for _, s := range c.Sources {
		err := c.readOne(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drainLeft drains a stage that was sealed before a crash: it is proved.
func (c *cycle) drainLeft(ctx context.Context) error {
	left, err := c.Store.Undrained()
	if err != nil || !left {
		return err
	}
	if err := c.alone(ctx); err != nil {
		return err
	}
	defer c.section()()
	c.step("drain", "")
	if _, err := c.Store.Drain(ctx); err != nil {
		return fmt.Errorf("drain the sealed read: %w", err)
	}
	return nil
}

// bring fills a stage, seals it with its proof and drains it. What came of it, an
// error of the source included, is returned and put into the report by the caller;
// the error is one of the state, and ends the cycle.
func (c *cycle) bring(ctx context.Context, s Source, read *Read, fill func() (filled, error)) error {
	stage, err := fill()
	if err != nil || stage.seal == nil {
		read.Err = err
		return nil
	}
	under := c.Engine
	if err := c.alone(ctx); err != nil {
		read.Err = errors.Join(err, stage.discard())
		return nil
	}
	defer c.section()()
	if c.Engine != under {
		// It was read as a policy says that governs no more.
		read.Err = errors.Join(errOvertaken, stage.discard())
		return nil
	}
	c.step("seal", s.Name())
	if read.Sealed, read.Err = stage.seal(); read.Err != nil {
		return nil
	}
	c.step("drain", s.Name())
	if read.Drained, err = c.Store.Drain(ctx); err != nil {
		return fmt.Errorf("drain the read of %s: %w", s.Name(), err)
	}
	return nil
}

// errOvertaken: the next cycle reads anew.
var errOvertaken = errors.New("another policy came into force while the source was read")

// filled is a stage with all that a seal needs; seal is nil where there is nothing to
// seal.
type filled struct {
	seal    func() (state.Sealed, error)
	discard func() error
}

// list fills a stage with a listing.
func (c *cycle) list(ctx context.Context, s Source, l listing) (_ filled, err error) {
	c.step("read", s.Name())
	stage, err := c.Store.Stage(s.Name(), s.Coverage())
	if err != nil {
		return filled{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stage.Discard())
		}
	}()
	count := &counted{Stage: stage, cycle: c, source: s.Name()}
	stage.Evidence(l.gone)
	if l.of == IDs && !stage.OnlyIDs() {
		return filled{}, errUndecided
	}
	proof, err := l.fill(ctx, count)
	if err != nil {
		return filled{}, err
	}
	if more, err := c.undecided(ctx, s, l, stage); err != nil {
		return filled{}, err
	} else if more {
		return filled{}, errUndecided
	}
	missing, err := stage.Missing()
	if err != nil {
		return filled{}, err
	}
	for at := 0; at < len(missing); at += findChunk {
		chunk := missing[at:min(at+findChunk, len(missing))]
		found, err := s.Find(ctx, chunk)
		if err != nil {
			return filled{}, fmt.Errorf("look up %d entries that %s did not list: %w", len(missing), s.Name(), err)
		}
		if err := stage.Found(found); err != nil {
			return filled{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return filled{}, err
	}
	return filled{discard: stage.Discard, seal: func() (state.Sealed, error) {
		sealed, err := stage.Seal(proof, c.rules(s, l.why))
		if err != nil {
			err = errors.Join(err, stage.Discard())
		}
		return sealed, err
	}}, nil
}

// counted tells the progress of a read, and what the snapshot was taken from.
type counted struct {
	directory.Stage
	cycle  *cycle
	source string
	n      int
}

// Known is nothing where an older directory is to be believed.
func (s *counted) Known() directory.Knowledge {
	if s.cycle.ask.AcceptOlder {
		return nil
	}
	return directory.KnownTo(s.Stage)
}

func (s *counted) Add(entries []directory.Entry) error {
	s.n += len(entries)
	s.cycle.progress("read", s.source, s.n, 0)
	return s.Stage.Add(entries)
}
