package main

import (
	"context"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/state"
)

// held is an open state without an engine: caring for it needs none.
type held struct {
	store *state.Store
	close func()
}

// openForCare opens the state that the configuration names, or has the verb run
// by whoever holds it.
func (a *app) openForCare(ctx context.Context) (*held, error) {
	if a.service != nil {
		return &held{a.service.current().store, func() {}}, nil
	}
	c, err := a.home()
	if err != nil {
		return nil, err
	}
	if err := a.elsewhere(ctx, c.Control.Socket, ofState+c.State.Path); err != nil {
		return nil, err
	}
	store, err := a.openState(c, waitForCycle, true)
	if err != nil {
		return nil, err
	}
	return &held{store, func() {
		if err := store.Close(); err != nil {
			a.complain(err, "")
		}
	}}, nil
}

// home says where the state and the socket are. Nothing else in the file is asked: a
// backup is not to wait until somebody has corrected a policy.
func (a *app) home() (*config.Config, error) {
	if c := config.Home(a.config); c != nil {
		return c, nil
	}
	return a.load()
}

// ofState stands before the path of the state, where a verb asks for no more of a
// configuration.
const ofState = "state:"
