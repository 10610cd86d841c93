package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

// mistaken: there are mistakes in the file, or in those that it names.
type mistaken struct {
	file  string
	count int
}

func (m *mistaken) Error() string {
	return fmt.Sprintf("read %s: %s", m.file, count(m.count, "mistake"))
}

// isMistaken says whether a file was read and has mistakes.
func isMistaken(err error) bool {
	var m *mistaken
	return errors.As(err, &m)
}

// openLastGood opens where a file that the main one names cannot be taken. Whoever keeps
// it could otherwise keep leavers from being disabled: what it said when it governed
// goes on, loudly. The main file has to be right, and to have governed.
func (a *app) openLastGood(wait time.Duration, broken error) (*session, error) {
	place := config.Place(a.config)
	if place == nil {
		return nil, broken
	}
	store, err := a.openState(place, wait, true)
	if errors.Is(err, state.ErrMissing) {
		return nil, broken
	}
	if err != nil {
		return nil, err
	}
	c, instead, err := lastGood(a.config, store)
	if err == nil && c == nil {
		err = broken
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s, err := a.sessionOn(c, store)
	if err != nil {
		return nil, err
	}
	s.instead = instead
	return s, nil
}

// lastGood is the configuration with what governed in place of the files that cannot be
// taken; nil where the mistake is another.
func lastGood(path string, store *state.Store) (*config.Config, []string, error) {
	kept, known, err := store.Policy()
	if err != nil || !known {
		return nil, nil, failed(err)
	}
	c, instead := config.LastGood(path, kinds(), []byte(kept.Text))
	return c, instead, nil
}

// lastGoodElsewhere has the verb run by whoever serves the socket, who goes on with what
// it took, if the main file is as it was taken.
func (a *app) lastGoodElsewhere(ctx context.Context) error {
	place := config.Place(a.config)
	if place == nil {
		return nil
	}
	there := a.elsewhere(ctx, place.Control.Socket, ofMain+place.Main)
	if there != nil {
		a.instead = []string{"what " + a.config + " names"}
	}
	return there
}

// whatever are the verbs that tell what a service knows, or close and stop, and so do not
// wait until somebody has corrected a file, or taken a changed one: what the service took
// goes on, and that is said.
var whatever = map[string]bool{"status": true, "explain": true, "exceptions": true, "audit": true, "offboard": true, "pause": true}

// orAny stands before the digest where another file will do.
const orAny = "any:"

// takenElsewhere has such a verb run by whoever serves the socket, where the file has
// mistakes. In one that is no TOML the socket is not found, but for that of the package.
func (a *app) takenElsewhere(ctx context.Context) error {
	if !whatever[a.verb] {
		return nil
	}
	socket, ask := usualSocket, ""
	if home := config.Home(a.config); home != nil {
		socket, ask = home.Control.Socket, ofState+home.State.Path
	} else if a.config != defaultConfig {
		return nil
	}
	there := a.elsewhere(ctx, socket, ask)
	if there != nil {
		a.instead = []string{a.config}
	}
	return there
}

// ofMain stands before the digest of a main file alone, where those that it names
// cannot be read.
const ofMain = "main:"

// insteadText says which files are not taken.
func insteadText(files []string) string {
	return strings.Join(files, ", ") + " cannot be taken as it is now"
}

const insteadHint = "correct it, or have it corrected by whoever keeps it: rosterd check --offline"

// settleInstead says that files of others were not taken, and gives the verb its exit
// code, as that of a policy that is held.
func (a *app) settleInstead(code int) int {
	if len(a.instead) == 0 || code == rostersync.ExitUsage {
		return code
	}
	a.warn(insteadText(a.instead) + ", and what governed before goes on; " + insteadHint)
	return atLeastHeld(code)
}

// atLeastHeld is the exit code of a verb that did what it does, under a policy that is
// not the one of the files.
func atLeastHeld(code int) int {
	switch code {
	case rostersync.ExitDone, rostersync.ExitPending, rostersync.ExitParked, rostersync.ExitUnknown:
		return rostersync.ExitHeld
	}
	return code
}
