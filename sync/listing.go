package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state"
)

// listing is how a source is to be listed, and what is known before that.
type listing struct {
	// of says what is listed: Everything or IDs.
	of Way
	// fill is Read or Sweep.
	fill func(context.Context, directory.Stage) (directory.Proof, error)
	// gone are those who were proved to be deleted before.
	gone []directory.Gone
	// unseen are those whose change was told just before, when they were not shown.
	unseen []identity.ID
	// deletesTold says that a follow tells who was deleted.
	deletesTold bool
	// why says why everything is read where changes could have been followed.
	why string
}

// errUndecided: a sweep showed what takes a whole read.
var errUndecided = errors.New("a sweep does not decide it")

// unansweredError: what a sweep asks beside the listing was not answered. A listing of
// everything need not ask it.
type unansweredError struct{ err error }

func (e *unansweredError) Error() string { return e.err.Error() }
func (e *unansweredError) Unwrap() error { return e.err }

// undecided says whether a sweep showed what only a whole read decides.
func (c *cycle) undecided(ctx context.Context, s Source, l listing, stage *state.Stage) (bool, error) {
	if l.of != IDs {
		return false, nil
	}
	// They were hidden for a moment. What they changed was told then, and is not told
	// again.
	if stage.Shows(l.unseen) {
		return true, nil
	}
	if more, err := stage.Undecided(); more || err != nil || l.deletesTold {
		return more, err
	}
	return c.unlinked(ctx, s, stage)
}

// unlinked says whether somebody out of scope was deleted and taken out of a group, of
// which no sweep and no follow shows anything.
func (c *cycle) unlinked(ctx context.Context, s Source, stage *state.Stage) (bool, error) {
	u, can := s.Source.(directory.Unlinker)
	if !can {
		return false, nil
	}
	named, err := stage.Named()
	if err != nil {
		return false, err
	}
	for chunk := range slices.Chunk(named, findChunk) {
		is, err := u.Unlinked(ctx, chunk)
		if err != nil {
			return false, &unansweredError{fmt.Errorf("look up %d entries out of the scope of %s that groups name: %w", len(named), s.Name(), err)}
		}
		if is {
			return true, nil
		}
	}
	return false, nil
}
