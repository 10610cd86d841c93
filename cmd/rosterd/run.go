package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
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
	push    *daemon.Push
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
	u.push = &daemon.Push{Clock: a.clock, Said: u.sayPushed}
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
	socket, err := a.serve(u.session, service{later: u.background, reload: u.reload, next: u.due, pushed: u.push.States, progress: u.verbProgress, log: u.logVerb})
	if errors.Is(err, fs.ErrNotExist) {
		folder := filepath.Dir(u.session().config.Control.Socket)
		return &exit{code: rostersync.ExitFailed, err: err, tip: "systemd makes the folder for the unit; by hand: install -d -m 0755 " + folder + ", or name another socket under [control]"}
	}
	if err != nil {
		return failed(err)
	}
	defer socket.close()
	defer u.listen(abort)()
	u.later.Go(func() { u.notify.Watch(ctx) })
	u.notify.Beat()
	u.notify.Ready()
	if o := s.store.Opening(); o.Unclean {
		u.log.Info(fmt.Sprintf("the state was not closed the last time: every page and all %d values were checked", o.Values))
	}
	u.log.Info(fmt.Sprintf("started: %s, state %s, socket %s", s.config.File, s.config.State.Path, s.config.Control.Socket), "MESSAGE_ID", eventStarted)
	if len(s.instead) > 0 {
		u.log.Error(insteadText(s.instead)+", and what governed before goes on", "MESSAGE_ID", eventReload, "hint", insteadHint)
	}
	defer u.push.Close()
	u.push.Follow(ctx, u.pushers())
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
	if isMistaken(err) {
		return a.openLastGood(waitBriefly, err)
	}
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
			return []daemon.Schedule{{Kind: daemon.Changes, Next: c.Changes.Next, AtOnce: true}, {Kind: daemon.Sweep, Next: c.Sweep.Next}, {Kind: daemon.Resync, Next: c.Resync.Next}}
		},
		Last: func(k daemon.Kind) time.Time {
			at, err := u.session().store.LastRun(string(k))
			u.complainOf(err)
			return at
		},
		Ran:   u.ran,
		Cycle: u.cycle,
		Panicked: func(v any, stack []byte) {
			u.log.Error(fmt.Sprintf("a cycle panicked: %v; the service goes on\n%s", v, stack), "MESSAGE_ID", eventPanic)
		},
		Idle: func(next time.Time) {
			u.next.Store(&next)
			u.push.Follow(u.ctx, u.pushers()) // the file, or the policy, may have changed
			u.notify.Idle(true)
			u.sayIdle()
		},
		Calls: u.calls,
		Woken: u.push.Woken(),
	}
}

// ran remembers when a kind ran. That changes or IDs were asked for is written with the
// next commit: a cycle in which nothing changed makes none.
func (u *unit) ran(k daemon.Kind, at time.Time) {
	keep := u.session().store.SetLastRun
	if k != daemon.Resync {
		keep = u.session().store.NoteLastRun
	}
	u.complainOf(keep(at, string(k)))
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
	ask := rostersync.Request{Verb: string(k), Scheduled: true, By: u.caller(), Full: k == daemon.Resync, Sweep: k == daemon.Sweep, Stop: u.stop, Progress: u.progress}
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
				if _, err := u.reload(u.ctx, u.caller(), "", u.stderr); err != nil {
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
