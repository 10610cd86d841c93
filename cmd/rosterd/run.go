package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	gosync "sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/daemon"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) runCommand() *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use: "run", GroupID: groupDaily, Short: "the service: run cycles by the schedule, answer the other verbs", Args: cobra.NoArgs,
		Long: `run follows [schedule] until it is stopped. It holds the state, so the other verbs are
done by it: status, approve, sync and the rest work at any time. The first signal
lets the running change end, the second one aborts; SIGHUP is reload. Under systemd
it says when it is ready, feeds the watchdog and writes fields to the journal.`,
		Example: `  rosterd run
  systemctl enable --now rosterd`,
		RunE: func(c *cobra.Command, _ []string) error { return a.runService(c.Context(), form) },
	}
	cmd.Flags().StringVar(&form, "log", "auto", "write the log as auto, journald, text, logfmt or json")
	return cmd
}

// unit is the running service.
type unit struct {
	*app
	clock  clock.Clock
	log    *slog.Logger
	notify *daemon.Notifier
	teller *teller
	// inForce is the session that reload replaces.
	inForce atomic.Pointer[session]
	calls   chan func()
	ctx     context.Context
	later   gosync.WaitGroup
	// next is when the next cycle is due.
	next atomic.Pointer[time.Time]
}

func (a *app) runService(ctx context.Context, form string) error {
	log, closeLog, err := a.logger(form)
	if err != nil {
		return usage(err, "")
	}
	defer closeLog()
	if a.clock == nil {
		a.clock = clock.Real{}
	}
	u := &unit{app: a, clock: a.clock, log: log, notify: daemon.NewNotifier(a.clock), calls: make(chan func())}
	u.teller = &teller{notify: u.notify, clock: a.clock}
	a.beat = u.notify.Beat
	s, err := a.hold()
	if err != nil {
		return err
	}
	u.inForce.Store(s)
	defer func() { u.inForce.Load().close() }()
	ctx, abort := context.WithCancel(ctx)
	defer abort()
	u.ctx = ctx
	defer u.later.Wait()
	socket, err := a.serve(u.session, service{later: u.background, reload: u.reload, next: u.due, progress: u.verbProgress, log: u.logVerb})
	if err != nil {
		return failed(err)
	}
	defer socket.close()
	defer u.listen(abort)()
	u.later.Go(func() { u.notify.Watch(ctx) })
	u.notify.Beat()
	u.notify.Ready()
	u.log.Info(fmt.Sprintf("started: %s, state %s, socket %s", s.config.File, s.config.State.Path, s.config.Control.Socket), "MESSAGE_ID", eventStarted)
	u.loop().Run(ctx, a.stop)
	u.notify.Stopping()
	u.sayHead()
	u.log.Info("stopping", "MESSAGE_ID", eventStopping)
	abort()
	return nil
}

// hold opens the state for the service itself, or says who has it.
func (a *app) hold() (*session, error) {
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	return a.openHere(c, waitBriefly, false)
}

func (u *unit) session() *session { return u.inForce.Load() }

func (u *unit) loop() *daemon.Loop {
	return &daemon.Loop{
		Clock: u.clock,
		Schedules: func() []daemon.Schedule {
			c := u.session().config.Schedule
			return []daemon.Schedule{{Kind: daemon.Changes, Next: c.Changes.Next, AtOnce: true}, {Kind: daemon.Resync, Next: c.Resync.Next}}
		},
		Last: func(k daemon.Kind) time.Time {
			at, err := u.session().store.LastRun(string(k))
			u.complainOf(err)
			return at
		},
		Ran:   func(k daemon.Kind, at time.Time) { u.complainOf(u.session().store.SetLastRun(at, string(k))) },
		Cycle: u.cycle,
		Panicked: func(v any, stack []byte) {
			u.log.Error(fmt.Sprintf("a cycle panicked: %v; the service goes on\n%s", v, stack), "MESSAGE_ID", eventPanic)
		},
		Idle: func(next time.Time) {
			u.next.Store(&next)
			u.notify.Idle(true)
			u.sayIdle()
		},
		Calls: u.calls,
	}
}

func (u *unit) complainOf(err error) {
	if err != nil {
		u.log.Error(err.Error(), "hint", hintOf(err))
	}
}

// cycle runs one cycle, logs what it did, and says whether it came to its end.
func (u *unit) cycle(ctx context.Context, k daemon.Kind) bool {
	u.notify.Idle(false)
	s := u.session()
	ask := rostersync.Request{Verb: string(k), Scheduled: true, By: u.caller(), Full: k == daemon.Resync, Stop: u.stop, Progress: u.progress}
	r, err := s.engine.Cycle(ctx, ask)
	cut := errors.Is(err, rostersync.ErrStopped) || r != nil && r.Stopped || ctx.Err() != nil
	u.logCycle(r, err)
	return !cut
}

// logCycle writes what a cycle did, and the head of the journal if it wrote.
func (u *unit) logCycle(r *rostersync.Report, err error) {
	logReport(u.log, r, err)
	if r != nil && len(r.Carried)+len(r.Failed) > 0 {
		u.sayHead()
	}
}

// logVerb does so for a cycle that somebody asked for. One that only looked, or
// was refused, is nobody's business but theirs.
func (u *unit) logVerb(r *rostersync.Report, err error) {
	if r != nil && !r.DryRun {
		u.logCycle(r, err)
	}
}

// progress feeds the watchdog and the line of systemctl status.
func (u *unit) progress(p rostersync.Progress) {
	u.notify.Beat()
	u.teller.tell(p)
}

// verbProgress is the progress of a cycle that somebody asked for.
func (u *unit) verbProgress() (show func(rostersync.Progress), end func()) {
	return u.progress, func() {
		if !u.session().engine.Busy() {
			u.sayIdle()
		}
	}
}

// sayIdle says that nothing is to be done until the next cycle.
func (u *unit) sayIdle() {
	if next := u.due(); !next.IsZero() {
		u.notify.Status("idle, next cycle %s", moment(next))
	}
}

// sayHead writes the head of the journal where nobody who changes the state can
// change it.
func (u *unit) sayHead() {
	n, head, err := u.session().store.JournalHead()
	if err != nil {
		u.complainOf(err)
		return
	}
	u.log.Info(fmt.Sprintf("the journal has %d records, head %s", n, head), "MESSAGE_ID", eventHead, "head", head, "records", n)
}

// due is when the next cycle is; zero before the first one.
func (u *unit) due() time.Time {
	if at := u.next.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// background runs what nobody waits for; the end of the service waits.
func (u *unit) background(f func(context.Context, func(*rostersync.Report, error))) {
	u.later.Go(func() { f(u.ctx, u.logCycle) })
}

// listen makes the first signal a stop, the second an abort, and SIGHUP a reload.
func (u *unit) listen(abort func()) func() {
	end := u.app.listen(abort)
	hups := make(chan os.Signal, 1)
	signal.Notify(hups, syscall.SIGHUP)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-hups:
				if _, err := u.reload(u.ctx, u.stderr); err != nil {
					u.log.Error(err.Error(), "MESSAGE_ID", eventReload, "hint", hintOf(err))
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hups)
		close(done)
		<-ended
		end()
	}
}

// errStopping: the service ends and takes no new file.
var errStopping = errors.New("reload: the service is stopping")

// reload takes the changed file between two cycles. One that is refused leaves
// the old one in force; its mistakes are written where whoever asked reads.
func (u *unit) reload(ctx context.Context, mistakes io.Writer) (string, error) {
	quietly := *u.app
	quietly.service, quietly.stderr = nil, mistakes
	c, err := quietly.load()
	if err != nil {
		return "", fmt.Errorf("reload: the file is refused, and the old one stays in force: %w", err)
	}
	old := u.session()
	if c.State.Path != old.config.State.Path || c.Control.Socket != old.config.Control.Socket {
		return "", errors.New("reload: state.path and control.socket take a restart: systemctl restart rosterd")
	}
	if err := orphaned(c, old.store); err != nil {
		return "", err
	}
	answer := make(chan error, 1)
	swap := func() {
		fresh, err := u.app.sessionOf(c, old.store)
		if err == nil {
			err = u.succeed(ctx, old, fresh)
		}
		answer <- err
	}
	select {
	case u.calls <- swap:
	case <-ctx.Done():
		return "", ctx.Err()
	case <-u.stop:
		return "", errStopping
	}
	if err := <-answer; err != nil {
		return "", err
	}
	u.log.Info("took "+c.File, "MESSAGE_ID", eventReload)
	return "took " + c.File, nil
}

// succeed puts a session in force. While a long sync by hand runs it waits, until
// whoever asked goes away or the service stops.
func (u *unit) succeed(ctx context.Context, old, fresh *session) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-u.stop:
			cancel(errStopping)
		case <-ctx.Done():
		}
	}()
	if err := old.engine.Succeed(ctx, fresh.engine); err != nil {
		fresh.closeTargets()
		return fmt.Errorf("reload: %w", err)
	}
	old.closeTargets()
	u.inForce.Store(fresh)
	return nil
}

func (a *app) reloadCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reload", GroupID: groupDaily, Short: "let the service take the changed configuration", Args: cobra.NoArgs,
		Long: `reload lets the running service read the configuration again. It waits until the
running cycle has ended. A file with mistakes is refused, and the old one stays in force.`,
		Example: `  rosterd reload`,
		RunE: func(c *cobra.Command, _ []string) error {
			if a.service == nil {
				conf, err := a.load()
				if err != nil {
					return err
				}
				if err := a.elsewhere(c.Context(), conf.Control.Socket, conf.Digest); err != nil {
					return err
				}
				return usage(errors.New("reload: no service is running"), "a command reads the file each time; nothing is to be reloaded")
			}
			if a.service.reload == nil {
				return usage(errors.New("reload: no service is running, only a command"), "try again when it has ended")
			}
			said, err := a.service.reload(c.Context(), a.stderr)
			if err != nil {
				var x *exit
				if errors.As(err, &x) {
					return usage(err, x.tip)
				}
				return usage(err, hintOf(err))
			}
			fmt.Fprintln(a.stdout, said)
			return nil
		},
	}
}
