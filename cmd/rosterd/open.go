package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

// session is an opened configuration with its state and engine.
type session struct {
	config *config.Config
	store  *state.Store
	engine *rostersync.Engine
	close  func()
	// closeTargets closes what the targets hold, and leaves the state open.
	closeTargets func()
	// instead are files in place of which what governed before is used.
	instead []string
}

// load reads the configuration, and prints every mistake in it.
func (a *app) load() (*config.Config, error) {
	c, problems, err := config.Load(a.config, kinds())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage(err, "name the file with -c FILE, or see it work without one: rosterd demo")
	}
	if err != nil {
		return nil, usage(err, hintOf(err))
	}
	if a.verb == "" || warned[a.verb] || problems.Broken() {
		if werr := problems.Write(a.stderr); werr != nil {
			return nil, failed(werr)
		}
	}
	if problems.Broken() {
		return nil, usage(&mistaken{a.config, problems.Mistakes()}, "correct the file, then: rosterd check --offline")
	}
	return c, nil
}

// warned are the verbs that take a file, or look at it, and so tell what is odd in it.
// Every day's sync and status would repeat it until nobody reads it.
var warned = map[string]bool{"check": true, "reload": true, "run": true, "what-if": true}

// open loads the configuration, opens the state and makes the engine. A verb
// that changes nothing outside the state and meets a running cycle waits as
// long as wait says.
//
// Where a service or another command holds the state and serves its socket, the
// verb is run there, and the error says how it ended.
func (a *app) open(ctx context.Context, wait time.Duration, mustExist bool) (*session, error) {
	if a.service != nil {
		s := *a.service.current()
		s.close = func() { a.notePending(&s) }
		return &s, nil
	}
	c, err := a.load()
	if errors.Is(err, fs.ErrPermission) {
		// Who may not read the file may still look.
		if there := a.elsewhere(ctx, usualSocket, ""); there != nil {
			return nil, there
		}
	}
	var s *session
	if isMistaken(err) {
		if there := a.lastGoodElsewhere(ctx); there != nil {
			return nil, there
		}
		if there := a.takenElsewhere(ctx); there != nil {
			return nil, there
		}
		s, err = a.openLastGood(wait, err)
	} else if err == nil {
		ask := c.Digest
		if whatever[a.verb] {
			ask = orAny + ask
		}
		if there := a.elsewhere(ctx, c.Control.Socket, ask); there != nil {
			return nil, there
		}
		s, err = a.openHere(c, wait, mustExist)
	}
	if err != nil {
		return nil, err
	}
	a.instead = s.instead
	end := s.close
	s.close = func() {
		a.notePending(s)
		end()
	}
	return s, nil
}

// openHere opens the state in this process.
func (a *app) openHere(c *config.Config, wait time.Duration, mustExist bool) (*session, error) {
	store, err := a.openState(c, wait, mustExist)
	if err != nil {
		return nil, err
	}
	return a.sessionOn(c, store)
}

// sessionOn makes a session of an open state, which it closes where that fails.
func (a *app) sessionOn(c *config.Config, store *state.Store) (*session, error) {
	if err := orphaned(c, store, ""); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s, err := a.sessionOf(c, store)
	if err != nil {
		return nil, failed(errors.Join(err, store.Close()))
	}
	return s, nil
}

// sessionOf makes the engine of a configuration on an open state.
func (a *app) sessionOf(c *config.Config, store *state.Store) (*session, error) {
	engine, closeTargets, err := a.engine(c, store)
	if err != nil {
		return nil, err
	}
	return &session{config: c, store: store, engine: engine, closeTargets: closeTargets, close: func() {
		closeTargets()
		if err := store.Close(); err != nil {
			a.complain(err, "")
		}
	}}, nil
}

// usualSocket is where the service is that the package installs.
const usualSocket = "/run/rosterd/control.sock"

// digest tells one text of a configuration from another.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (a *app) openState(c *config.Config, wait time.Duration, mustExist bool) (*state.Store, error) {
	a.caller() // while we are whoever typed the command
	if err := becomeOwner(c.State.Path); err != nil {
		return nil, failed(err)
	}
	store, err := state.Open(c.State.Path, state.Options{Timeout: wait, Now: a.now, MustExist: mustExist, Committed: a.beat})
	if err != nil {
		return nil, failed(err)
	}
	a.sayOpening(store.Opening())
	return store, nil
}

// sayOpening says what was found when the state was opened.
func (a *app) sayOpening(o state.Opening) {
	if o.Torn {
		a.warn("one of the two pages that begin the state file was damaged, and the other one is used: look at the disk")
	}
	if r := o.Restored; r != nil {
		a.warn("the state may be old: " + r.Why + missing(*r) + "; rosterd sync reads and compares everything, and what differs is held")
	}
}

// becomeOwner lets root act as the owner of the state folder, so that a command
// typed by hand leaves no file that the service cannot open.
func becomeOwner(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil // made by state.Open, and then it is root's
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	for _, err := range []error{syscall.Setgroups(groupsOf(owner)), syscall.Setgid(int(owner.Gid)), syscall.Setuid(int(owner.Uid))} {
		if err != nil {
			return fmt.Errorf("become the owner of %s: %w", filepath.Dir(path), err)
		}
	}
	return nil
}

// groupsOf are the groups that the service has too: its targets and credentials
// may be open to one of them only.
func groupsOf(owner *syscall.Stat_t) []int {
	groups := []int{int(owner.Gid)}
	u, err := user.LookupId(strconv.FormatUint(uint64(owner.Uid), 10))
	if err != nil {
		return groups // an owner without a name has no others
	}
	ids, err := u.GroupIds()
	if err != nil {
		return groups
	}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil && !slices.Contains(groups, n) {
			groups = append(groups, n)
		}
	}
	return groups
}

// caller is who typed the command, for the journal: also after the program
// became somebody else.
func (a *app) caller() string {
	if a.by == "" {
		a.by = a.typist()
	}
	return a.by
}

func (a *app) typist() string {
	// Everybody may set a variable; only root is believed.
	if name := a.getenv("SUDO_USER"); name != "" && os.Geteuid() == 0 {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// person finds the one person that a text names.
func (s *session) person(text string) (identity.Person, error) {
	found, err := s.store.FindPerson(text)
	if err != nil {
		return identity.Person{}, failed(err)
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return identity.Person{}, usage(fmt.Errorf("find person %q: nobody of that login, mail, DN or ID was read", text),
			"somebody new is known after the next read: rosterd sync")
	}
	var who []string
	for _, p := range found {
		who = append(who, fmt.Sprintf("%s  %s  %s", p.Ordinal, p.DN, p.Standing))
	}
	return identity.Person{}, usage(fmt.Errorf("find person %q: %d people are called so:\n%s", text, len(found), strings.Join(who, "\n")),
		"name one by the number in front: rosterd explain '"+found[0].Ordinal.String()+"'")
}

// login is how people call somebody; a number where that is not known.
func (s *session) login(who identity.Ordinal) string {
	p, err := s.store.People(who)
	if err != nil {
		return who.String()
	}
	return first(p[0].Login, p[0].Name, who.String())
}

// runCycle runs one cycle with a progress bar. The function ends what it began.
func (a *app) runCycle(ctx context.Context, s *session, run func(context.Context, func(rostersync.Progress)) (*rostersync.Report, error)) (*rostersync.Report, context.Context, error, func()) {
	ctx, abort := context.WithCancel(ctx)
	listening := a.listen(abort)
	end := func() {
		listening()
		abort()
	}
	if a.service == nil {
		// While this holds the state, others are answered by it.
		if open, err := a.serve(func() *session { return s }, service{}); err == nil {
			before := end
			end = func() {
				open.close()
				before()
			}
		}
	}
	show, hide := a.progress()
	report, err := run(ctx, show)
	hide()
	if a.service != nil && a.service.log != nil {
		a.service.log(report, err)
	}
	return report, ctx, err, end
}

// cycle runs one cycle, and prints what came of it.
func (a *app) cycle(ctx context.Context, s *session, run func(context.Context, func(rostersync.Progress)) (*rostersync.Report, error)) error {
	report, ctx, err, end := a.runCycle(ctx, s, run)
	defer end()
	if report == nil {
		return decided(err)
	}
	// A plan that was not made must not be taken for an empty one.
	if err == nil || !report.DryRun {
		if err := a.printReport(report); err != nil {
			return failed(err)
		}
	}
	if err == nil {
		return code(report.Exit())
	}
	return a.broke(ctx, err)
}

// broke is how a cycle ended that an error ended.
func (a *app) broke(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, rostersync.ErrStopped):
		return &exit{code: rostersync.ExitParked, err: rostersync.ErrStopped}
	case ctx.Err() != nil:
		return &exit{code: rostersync.ExitFailed, err: fmt.Errorf("aborted by a signal: %w", err), tip: "the next cycle looks at what was under way: rosterd sync"}
	}
	return failed(err)
}

// decided gives the errors of a decision their exit codes.
func decided(err error) error {
	var grown *rostersync.GrownError
	var none *rostersync.NoHoldError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &grown):
		return &exit{code: rostersync.ExitHeld, err: withAdded(grown)}
	case errors.As(err, &none):
		return usage(err, none.Hint())
	}
	return failed(err)
}

// withAdded says what has come since the version that was shown.
func withAdded(g *rostersync.GrownError) error {
	if len(g.Added) == 0 {
		return g
	}
	const most = 20
	lines := g.Added
	more := ""
	if len(lines) > most {
		more = fmt.Sprintf("\nand %d more", len(lines)-most)
		lines = lines[:most]
	}
	return fmt.Errorf("%w\n%d came since:\n+ %s%s", g, len(g.Added), strings.Join(lines, "\n+ "), more)
}
