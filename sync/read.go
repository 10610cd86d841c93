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
func (c *cycle) readAndSeal(ctx context.Context) error {
	// A stage that was sealed before a crash is proved: it is drained first.
	if _, err := c.Store.Drain(ctx); err != nil {
		return fmt.Errorf("drain the sealed read: %w", err)
	}
	for _, s := range c.Sources {
		read := Read{Source: s.Name()}
		sealed, err := c.readOne(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			read.Err = err
			c.report.Reads = append(c.report.Reads, read)
			continue
		}
		read.Sealed = sealed
		if read.Drained, err = c.Store.Drain(ctx); err != nil {
			return fmt.Errorf("drain the read of %s: %w", s.Name(), err)
		}
		c.report.Reads = append(c.report.Reads, read)
	}
	return nil
}

// readOne reads one source into a stage and seals it with its proof.
func (c *cycle) readOne(ctx context.Context, s Source) (sealed state.Sealed, err error) {
	stage, err := c.Store.Stage(s.Name(), s.Coverage())
	if err != nil {
		return sealed, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stage.Discard())
		}
	}()
	count := &counted{Stage: stage, cycle: c, source: s.Name()}
	proof, err := s.Read(ctx, count)
	if err != nil {
		return sealed, err
	}
	missing, err := stage.Missing()
	if err != nil {
		return sealed, err
	}
	for at := 0; at < len(missing); at += findChunk {
		chunk := missing[at:min(at+findChunk, len(missing))]
		found, err := s.Find(ctx, chunk)
		if err != nil {
			return sealed, fmt.Errorf("look up %d entries that %s did not list: %w", len(missing), s.Name(), err)
		}
		if err := stage.Found(found); err != nil {
			return sealed, err
		}
	}
	if err := ctx.Err(); err != nil {
		return sealed, err
	}
	return stage.Seal(proof, state.SealRules{VanishAfter: s.VanishAfter, MinPeople: s.MinPeople, MaxRekey: s.MaxRekey, Now: c.Now()})
}

// counted tells the progress of a read.
type counted struct {
	directory.Stage
	cycle  *cycle
	source string
	n      int
}

func (s *counted) Add(entries []directory.Entry) error {
	s.n += len(entries)
	s.cycle.progress("read", s.source, s.n, 0)
	return s.Stage.Add(entries)
}
