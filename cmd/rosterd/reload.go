package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

// errStopping: the service ends and takes no new file.
var errStopping = errors.New("reload: the service is stopping")

// reload takes the changed file between two cycles. One that is refused leaves
// the old one in force; its mistakes are written where whoever asked reads. A
// target that is to be forgotten is forgotten with it: a cycle in between would
// find its accounts to be nobody's.
func (u *unit) reload(ctx context.Context, by, forget string, mistakes io.Writer) (reloaded, error) {
	var none reloaded
	quietly := *u.app
	quietly.service, quietly.stderr = nil, mistakes
	c, err := quietly.load()
	old := u.session()
	var instead []string
	if isMistaken(err) {
		good, files, kerr := lastGood(u.app.config, old.store)
		if kerr != nil {
			return none, kerr
		}
		if good != nil {
			c, instead, err = good, files, nil
		}
	}
	if err != nil {
		return none, fmt.Errorf("reload: the file is refused, and the old one stays in force: %w", err)
	}
	if c.State.Path != old.config.State.Path || c.Control.Socket != old.config.Control.Socket {
		return none, errors.New("reload: state.path and control.socket take a restart: systemctl restart rosterd")
	}
	if forget != "" && c.Targets[forget] != nil {
		return none, inTheFile(forget)
	}
	if err := orphaned(c, old.store, forget); err != nil {
		return none, err
	}
	answer := make(chan error, 1)
	out := reloaded{said: "took " + c.File}
	swap := func() {
		fresh, err := u.succeed(ctx, func(store *state.Store) (*session, error) {
			// Asked again: a cycle that ran meanwhile may have made accounts.
			if err := orphaned(c, store, forget); err != nil {
				return nil, err
			}
			s, err := u.app.sessionOf(c, store)
			if err == nil {
				s.instead = instead
			}
			if err == nil && forget != "" {
				if err = store.ForgetTarget(forget, by); err != nil {
					s.closeTargets()
				}
			}
			return s, err
		})
		if err == nil {
			out, err = u.judge(ctx, fresh, by)
		}
		answer <- err
	}
	select {
	case u.calls <- swap:
	case <-ctx.Done():
		return none, ctx.Err()
	case <-u.stop:
		return none, errStopping
	}
	if err := <-answer; err != nil {
		return none, err
	}
	if len(instead) > 0 {
		out.said += "\n" + insteadText(instead) + ", and what governed before goes on"
		out.hint, out.code = first(out.hint, insteadHint), atLeastHeld(out.code)
	}
	level := slog.LevelInfo
	if out.code != 0 {
		level = slog.LevelWarn
	}
	u.log.Log(ctx, level, strings.TrimSpace(out.said), "MESSAGE_ID", eventReload, "hint", out.hint)
	return out, nil
}

// reloaded is what became of a file that was read again.
type reloaded struct {
	said, hint string
	// code is the exit code: 4 where its policy is held, 1 where it could not be
	// judged.
	code int
}

// judge lets a changed policy govern, or holds it. Nothing is written to a target
// for it: the next cycle does what the policy says.
func (u *unit) judge(ctx context.Context, s *session, by string) (reloaded, error) {
	out := reloaded{said: "took " + s.config.File}
	if p, err := s.engine.Pending(); err != nil {
		return out, err
	} else if p == nil {
		return out, s.engine.Settled()
	}
	u.notify.Idle(false)
	r, err := s.engine.Cycle(ctx, rostersync.Request{Verb: "reload", By: by, PolicyOnly: true, Stop: u.stop, Progress: u.progress})
	switch {
	case r == nil || r.Policy == nil:
		return out, err
	case err != nil:
		return out, fmt.Errorf("reload: the schedules and addresses of %s are taken, and its policy was not judged: %w", s.config.File, err)
	case r.Policy.Fate == rostersync.Taken:
		out.said += ": " + u.impactText(r.Policy)
		return out, nil
	case r.Policy.Fate == rostersync.Held:
		out.code = rostersync.ExitHeld
	case r.Policy.Fate != rostersync.Rejected:
		out.code = rostersync.ExitFailed
	}
	text, hint := pendingText(r.Policy)
	if r.Policy.Err != nil {
		text += ": " + r.Policy.Err.Error()
		hint = first(hintOf(r.Policy.Err), hint)
	}
	out.said, out.hint = "took "+s.config.File+", but for its policy: "+text, hint
	return out, nil
}

// impactText sums up what a policy does.
func (a *app) impactText(p *rostersync.Pending) string {
	if len(p.Impact) == 0 {
		return "its policy is in force, and changes nobody's account as things are"
	}
	lines := []string{"its policy is in force; the next cycle does"}
	for _, l := range p.Impact {
		lines = append(lines, "  "+l.Target+"  "+a.impactLine(l))
	}
	return strings.Join(lines, "\n")
}

// succeed puts a session in force. While a long sync by hand runs it waits, until
// whoever asked goes away or the service stops.
func (u *unit) succeed(ctx context.Context, next func(*state.Store) (*session, error)) (*session, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-u.stop:
			cancel(errStopping)
		case <-ctx.Done():
		}
	}()
	old := u.session() // the one of now: another reload may have come before
	var fresh *session
	err := old.engine.Succeed(ctx, func() (_ *rostersync.Engine, err error) {
		if fresh, err = next(old.store); err != nil {
			return nil, err
		}
		return fresh.engine, nil
	})
	if err != nil {
		return nil, fmt.Errorf("reload: %w", err)
	}
	old.closeTargets()
	u.inForce.Store(fresh)
	return fresh, nil
}

func (a *app) reloadCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reload", GroupID: groupDaily, Short: "let the service take the changed configuration", Args: cobra.NoArgs,
		Long: `reload lets the running service read the configuration again. It waits until the
running cycle has ended. A file with mistakes is refused, and the old one stays in force.
If its policy is another than the one in force, its impact is judged: within the limits it
governs from now on, beyond them it is held, and reload ends with 4 and says what to type.`,
		Example: `  rosterd reload`,
		RunE: func(c *cobra.Command, _ []string) error {
			if a.service == nil {
				// What is wrong in a file that it names is the service's to say, and to do without.
				if place := config.Place(a.config); place != nil {
					if err := a.elsewhere(c.Context(), place.Control.Socket, ofMain+place.Main); err != nil {
						return err
					}
				}
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
			return a.reloadService(c.Context(), "", "")
		},
	}
}

// reloadService has the service take the changed file, and forget a target with
// it; then it says so.
func (a *app) reloadService(ctx context.Context, forget, forgot string) error {
	said, err := a.service.reload(ctx, a.caller(), forget, a.stderr)
	if err != nil {
		var x *exit
		if errors.As(err, &x) {
			return usage(err, x.tip)
		}
		return usage(err, hintOf(err))
	}
	if forgot != "" {
		fmt.Fprintln(a.stdout, forgot)
	}
	for line := range strings.Lines(said.said) {
		fmt.Fprintln(a.stdout, printable(strings.TrimSuffix(line, "\n")))
	}
	if said.hint != "" {
		fmt.Fprintf(a.stderr, "%s %s\n", a.paint(a.stderr, yellow, "rosterd: hint:"), printable(said.hint))
	}
	return code(said.code)
}
