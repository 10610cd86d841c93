package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/target"
)

// readOne brings the snapshot of one source up to date: by what changed, where that
// can be followed; by a listing of IDs after that, where somebody may be gone and
// nothing tells it; by everything, where neither is enough. What came of it is in the
// report; the error is one of the state, and ends the cycle.
func (c *cycle) readOne(ctx context.Context, s Source) error {
	w, err := c.way(s)
	if err != nil {
		return err
	}
	if !w.cursor.IsZero() {
		if err := c.follow(ctx, s, &w); err != nil || w.failed {
			return err
		}
	}
	if w.sweep != "" && w.why == "" {
		if err := c.sweep(ctx, s, &w); err != nil || w.failed {
			return err
		}
	}
	if w.why == "" {
		return nil
	}
	read := Read{Source: s.Name(), Way: Everything, Why: w.reason(), Cause: w.cause}
	err = c.bring(ctx, s, &read, func() (filled, error) {
		return c.list(ctx, s, listing{of: Everything, fill: s.Read, gone: w.gone, why: read.Why})
	})
	if err == nil && read.Err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	c.report.Reads = append(c.report.Reads, read)
	return err
}

// way is how a source is read in this cycle.
type way struct {
	follower directory.Follower
	cursor   directory.Cursor
	known    directory.Knowledge
	// sweep says why IDs are listed, why says why everything is read; empty: it is
	// not.
	sweep, why string
	// cause is the error behind why, if there is one.
	cause error
	// usual: everything is read because that was asked for, or there is nothing else.
	usual bool
	// gone are those who were proved to be deleted.
	gone []directory.Gone
	// unseen are those whose change was told while they were not shown.
	unseen []identity.ID
	// failed: the source could not be read, and is left as it was.
	failed bool
}

// reason is why everything was read, where that is worth a word.
func (w *way) reason() string {
	if w.usual {
		return ""
	}
	return w.why
}

func (w *way) everything(why string, usual bool) { w.why, w.usual = why, usual }

// way chooses.
func (c *cycle) way(s Source) (w way, err error) {
	facts, err := c.Store.SourceFacts(s.Name())
	if err != nil {
		return w, err
	}
	_, sweeps := s.Source.(directory.Sweeper)
	if sweeps && c.ask.Sweep {
		w.sweep = "it is time for one"
	}
	follower, follows := s.Source.(directory.Follower)
	switch {
	case c.ask.Full, c.ask.AcceptOlder:
		w.everything("it was asked for", true)
		return w, nil
	case follows:
		w.follower = follower
		if w.cursor, w.known, err = c.Store.Cursor(s.Name(), s.Coverage()); err != nil {
			return w, err
		}
	}
	if w.cursor.IsZero() {
		switch {
		case facts.Engine != "":
			w.everything("it reads other attributes than before", false)
		case w.sweep == "":
			w.everything("changes cannot be followed", true)
		}
		return w, nil
	}
	switch {
	case facts.Owed != "":
		// Whoever was not shown then, and is now, may have changed in between: that was
		// told, and is not told again.
		w.everything(facts.Owed, false)
	case w.sweep != "":
	case !facts.SecondLookAt.IsZero() && !c.Now().Before(facts.SecondLookAt):
		w.sweep = "some people were not seen, and this is the second look"
	case !w.cursor.Deletes && !c.ask.Scheduled:
		w.sweep = "the server does not tell who was deleted"
	case len(facts.Blackouts) > 0 || facts.MinPeople || facts.Rekeyed > 0:
		// A right that is given back is no change of any entry.
		w.needs("the last listing left a doubt", s)
	default:
		rests, err := c.restsOnAbsence()
		if err != nil {
			return w, err
		}
		if rests {
			w.needs("what was approved rests on who is not there", s)
		}
	}
	return w, nil
}

// restsOnAbsence says whether this cycle may take from somebody, by a person's word,
// what they lose for not being seen. Whoever is shown again since did not change, so
// that no follow tells of it.
func (c *cycle) restsOnAbsence() (bool, error) {
	if c.ask.Allow != nil {
		return true, nil
	}
	var who []identity.Ordinal
	if c.ask.Named {
		who = append(who, c.ask.People...)
	}
	holds, err := c.Store.Holds()
	if err != nil {
		return false, err
	}
	for _, h := range holds {
		approved := make(map[target.Key]bool, len(h.Approved))
		for _, k := range h.Approved {
			approved[k] = true
		}
		for _, k := range h.Keys {
			if approved[k.Key] && k.Person.Valid() {
				who = append(who, k.Person)
			}
		}
	}
	if len(who) == 0 {
		return false, nil
	}
	slices.Sort(who)
	people, err := c.Store.People(slices.Compact(who)...)
	return slices.ContainsFunc(people, func(p identity.Person) bool { return p.Standing == identity.PresumedGone }), err
}

// follow asks for what changed since the cursor.
func (c *cycle) follow(ctx context.Context, s Source, w *way) error {
	read := Read{Source: s.Name(), Way: Changes, Engine: w.cursor.Engine}
	f := following{cycle: c, source: s, way: w}
	err := c.bring(ctx, s, &read, func() (filled, error) { return f.fill(ctx) })
	if err != nil {
		return err
	}
	var lost *directory.LostError
	var undecided *state.UndecidedError
	switch {
	case read.Err == nil:
		w.needs(f.proof.Facts().Sweep, s)
		w.unseen = f.proof.Facts().Unseen
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(read.Err, &undecided): // also where it stopped the source
		w.everything(undecided.Why, false)
		w.gone = f.gone
		return nil
	case errors.As(read.Err, &lost):
		w.everything(lost.Why, false)
		w.cause = lost.Err
		return nil
	default:
		w.failed = true
	}
	c.report.Reads = append(c.report.Reads, read)
	return nil
}

// needs notes that a follow found that somebody is not there any more.
func (w *way) needs(sweep string, s Source) {
	if sweep == "" {
		return
	}
	if _, sweeps := s.Source.(directory.Sweeper); sweeps {
		w.sweep = sweep
	} else {
		w.everything(sweep, false)
	}
}

// following is one follow in progress.
type following struct {
	*cycle
	source Source
	way    *way
	stage  *state.Changes
	proof  directory.Followed
	gone   []directory.Gone
}

func (f *following) fill(ctx context.Context) (_ filled, err error) {
	f.step("read", f.source.Name())
	defer func() {
		if err != nil && f.stage != nil {
			f.gone = f.evidence(err)
			err = errors.Join(err, f.stage.Discard())
		}
	}()
	f.proof, err = f.way.follower.Follow(ctx, f.way.cursor, f.way.known, f.open)
	switch {
	case err != nil:
		return filled{}, err
	case !f.proof.Valid():
		return filled{}, fmt.Errorf("follow %s: there is no proof that all was told", f.source.Name())
	case ctx.Err() != nil:
		return filled{}, ctx.Err()
	case f.stage == nil:
		return filled{}, f.Store.Unchanged(f.proof, f.rules(f.source, ""))
	}
	return filled{discard: f.stage.Discard, seal: func() (state.Sealed, error) {
		sealed, err := f.stage.Seal(f.proof, f.rules(f.source, ""))
		if err != nil {
			f.gone = f.evidence(err)
			err = errors.Join(err, f.stage.Discard())
		}
		return sealed, err
	}}, nil
}

// evidence is kept where everything must be read because of something else. What an
// engine told that lost its way does not count.
func (f *following) evidence(err error) []directory.Gone {
	var undecided *state.UndecidedError
	if !errors.As(err, &undecided) || !f.proof.Valid() {
		return nil
	}
	return f.stage.Evidence()
}

// open begins a stage, once there is something to tell.
func (f *following) open() (directory.Changes, error) {
	if f.stage != nil {
		return nil, fmt.Errorf("follow %s: a stage was begun already", f.source.Name())
	}
	stage, err := f.Store.Changes(f.source.Name(), f.source.Coverage())
	if err != nil {
		return nil, err
	}
	f.stage = stage
	return &countedChanges{Changes: stage, cycle: f.cycle, source: f.source.Name()}, nil
}

// countedChanges tells the progress of a follow.
type countedChanges struct {
	*state.Changes
	cycle  *cycle
	source string
	n      int
}

func (s *countedChanges) Put(entries []directory.Entry) error {
	s.n += len(entries)
	s.cycle.progress("read", s.source, s.n, 0)
	return s.Changes.Put(entries)
}

// sweep lists IDs.
func (c *cycle) sweep(ctx context.Context, s Source, w *way) error {
	sweeper, can := s.Source.(directory.Sweeper)
	if !can {
		w.everything(w.sweep, false)
		return nil
	}
	read := Read{Source: s.Name(), Way: IDs, Why: w.sweep}
	err := c.bring(ctx, s, &read, func() (filled, error) {
		return c.list(ctx, s, listing{of: IDs, fill: sweeper.Sweep, gone: w.gone, unseen: w.unseen, deletesTold: w.cursor.Deletes})
	})
	if err != nil {
		return err
	}
	if errors.Is(read.Err, errUndecided) {
		// So it is meant: somebody new, back or elsewhere is read whole.
		w.everything("a listing of IDs showed what only everything can decide", true)
		return nil
	}
	if read.Err != nil && ctx.Err() != nil {
		return ctx.Err() // whoever stopped it knows
	}
	if unanswered := (*unansweredError)(nil); errors.As(read.Err, &unanswered) {
		w.everything("a listing of IDs was not answered whom groups name", false)
		w.cause = unanswered.err
		return nil
	}
	w.failed = read.Err != nil
	c.report.Reads = append(c.report.Reads, read)
	return nil
}

func (c *cycle) rules(s Source, why string) state.SealRules {
	return state.SealRules{VanishAfter: s.VanishAfter, MinPeople: s.MinPeople, MaxRekey: s.MaxRekey,
		AcceptOlder: c.ask.AcceptOlder, By: c.ask.By, Why: why, Now: c.Now()}
}
