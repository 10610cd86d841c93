package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	dates "github.com/rosterd/rosterd/internal/moment"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/internal/tomltext"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

// decreeFlags are those of the verbs that decide an exception.
type decreeFlags struct {
	reason, ticket, from, until string
}

func (f *decreeFlags) bind(c *cobra.Command, from bool) {
	c.Flags().StringVar(&f.reason, "reason", "", "why, for the journal and whoever asks")
	c.Flags().StringVar(&f.ticket, "ticket", "", "where it was decided")
	c.Flags().StringVar(&f.until, "until", "", "the last `DAY`, or a moment, or a length of time: 2026-12-31, 3d")
	if from {
		c.Flags().StringVar(&f.from, "from", "", "the first `DAY`; left out: at once")
	}
}

// fill puts the flags into an exception.
func (f *decreeFlags) fill(e *ledger.Exception, now time.Time, zone *time.Location) error {
	e.Reason, e.Ticket, e.At = strings.TrimSpace(f.reason), strings.TrimSpace(f.ticket), now
	if e.Reason == "" {
		return usage(fmt.Errorf("%s: no reason was given", e.Kind), `say why: --reason "…"`)
	}
	var err error
	if f.from != "" {
		if e.From, err = bound(f.from, now, zone, false); err != nil {
			return usage(fmt.Errorf("read --from %q: %w", f.from, err), "write a day or a moment: --from 2026-12-01")
		}
	}
	const hint = "write a day, a moment or a length of time: --until 2026-12-31, --until 3d"
	switch {
	case f.until == "never":
		if e.Kind == ledger.Grant {
			return usage(errors.New("grant: one by hand has an end"), hint+"; what has none belongs in the file: [grant.NAME]")
		}
		return nil
	case f.until == "":
		return usage(fmt.Errorf("%s: no end was given", e.Kind), hint)
	}
	if e.Until, err = bound(f.until, now, zone, true); err != nil {
		return usage(fmt.Errorf("read --until %q: %w", f.until, err), hint)
	}
	switch {
	case !e.Until.Set():
		return usage(fmt.Errorf("read --until %q: it says never", f.until), hint)
	case !now.Before(e.Until.At):
		return usage(fmt.Errorf("%s: it would be over already, %s", e.Kind, e.End()), hint)
	case e.From.Set() && !e.From.At.Before(e.Until.At):
		return usage(fmt.Errorf("%s: it would be over before it begins", e.Kind), hint)
	}
	return nil
}

// bound reads a length of time, a day or a moment. A day as an end lasts until it
// is over, in the zone of the policy.
func bound(text string, now time.Time, zone *time.Location, end bool) (identity.Bound, error) {
	if d, err := span.Parse(text); err == nil {
		return identity.Bound{At: now.Add(d).UTC().Truncate(time.Second)}, nil
	}
	m, err := dates.Parse(text, zone)
	if err != nil || m.Never {
		return identity.Bound{}, err
	}
	if end {
		return identity.Bound{At: m.After.UTC(), Day: m.Day}, nil
	}
	return identity.Bound{At: m.At.UTC(), Day: m.Day}, nil
}

func (a *app) grantCommand() *cobra.Command {
	var f decreeFlags
	cmd := &cobra.Command{
		Use: "grant PERSON ROLE", GroupID: groupDecide, Short: "give one person a role, until a day", Args: cobra.ExactArgs(2),
		Long: `grant gives one person a role that no rule gives them, until a day, at once. It ends by
itself. What the role requires is still required, what excludes it still does, a deny
wins, and protected rights and conflicts hold: it is judged like any other change. It
is of the person: whoever gets their login later has nothing by it.`,
		Example: `  rosterd grant writer7 content-manager --until 2026-12-31 --reason "covers for the head of content" --ticket T-4711
  rosterd exceptions             those that there are
  rosterd exceptions --toml      the same for the file`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.decree(c.Context(), args[0], &f, func(s *session, e *ledger.Exception) error {
				e.Kind, e.Role = ledger.Grant, args[1]
				return s.knows(args[1])
			})
		},
	}
	f.bind(cmd, true)
	a.verboseFlag(cmd)
	return cmd
}

// knows refuses a role that there is not.
func (s *session) knows(role string) error {
	known := s.engine.Current().Policy.Roles()
	if slices.Contains(known, role) {
		return nil
	}
	tip := "one of: " + strings.Join(known, ", ")
	if meant := tomltext.Suggest(role, known); meant != "" {
		tip = "did you mean " + meant + "?"
	}
	return usage(fmt.Errorf("there is no role %q", role), tip)
}

func (a *app) ungrantCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "ungrant PERSON ROLE", GroupID: groupDecide, Short: "take back what grant gave", Args: cobra.ExactArgs(2),
		Long: `ungrant ends a grant that was given by hand, at once. What the rules give stays. One that
stands in the file is taken out of the file.`,
		Example: `  rosterd ungrant writer7 content-manager --reason "is back"`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.undo(c.Context(), args[0], reason, ledger.Exception{Kind: ledger.Grant, Role: args[1]})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the journal")
	a.verboseFlag(cmd)
	return cmd
}

func (a *app) retainCommand() *cobra.Command {
	var f decreeFlags
	var name string
	cmd := &cobra.Command{
		Use: "retain PERSON", GroupID: groupDecide, Short: "keep accounts from being deleted: a legal hold", Args: cobra.ExactArgs(1),
		Long: `retain keeps the accounts of one person from being deleted, and the person from being
forgotten, until a day or, with --until never, until unretain. They are closed and
stripped as ever.`,
		Example: `  rosterd retain writer9 --until never --reason "legal hold" --ticket S-12`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.decree(c.Context(), args[0], &f, func(s *session, e *ledger.Exception) error {
				e.Kind, e.Target = ledger.Retain, name
				if name != "" && s.config.Targets[name] == nil {
					return usage(noTarget(name, s.config), knownTargets(s.config))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&name, "target", "", "in this `TARGET` alone")
	f.bind(cmd, false)
	a.verboseFlag(cmd)
	return cmd
}

func (a *app) unretainCommand() *cobra.Command {
	var reason, name string
	cmd := &cobra.Command{
		Use: "unretain PERSON", GroupID: groupDecide, Short: "take back what retain keeps", Args: cobra.ExactArgs(1),
		Long: `unretain ends a retain that was decided by hand: the leaver rules count again. One that
stands in the file is taken out of the file.`,
		Example: `  rosterd unretain writer9 --reason "the suit is settled"`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.undo(c.Context(), args[0], reason, ledger.Exception{Kind: ledger.Retain, Target: name})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the journal")
	cmd.Flags().StringVar(&name, "target", "", "the one of this `TARGET`")
	a.verboseFlag(cmd)
	return cmd
}

// decree decides an exception about a person and carries it out.
func (a *app) decree(ctx context.Context, who string, f *decreeFlags, of func(*session, *ledger.Exception) error) error {
	s, err := a.open(ctx, waitForCycle, true)
	if err != nil {
		return err
	}
	defer s.close()
	d := rostersync.Decree{}
	if err := of(s, &d.Exception); err != nil {
		return err
	}
	if err := f.fill(&d.Exception, a.now(), s.config.Schedule.Timezone); err != nil {
		return err
	}
	p, err := s.person(who)
	if err != nil {
		return err
	}
	d.Person, d.By = p.Ordinal, a.caller()
	ask := rostersync.Request{Verb: d.Kind.String(), By: a.caller(), Stop: a.stop}
	return a.cycle(ctx, s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
		ask.Progress = show
		r, err := s.engine.Except(ctx, &d, ask)
		if err == nil && !a.json {
			fmt.Fprintf(a.stdout, "decided: %s %s, %s\n", printable(s.login(p.Ordinal)), doing(d.Exception), lasts(d.Exception))
		}
		if d.Was.Kind != 0 {
			a.warn(fmt.Sprintf("this takes the place of an earlier one: %s", d.Was.Text()))
		}
		return r, err
	})
}

// lasts is from when until when an exception is.
func lasts(e ledger.Exception) string {
	if e.From.Set() {
		return "from " + e.From.String() + " " + e.End()
	}
	return e.End()
}

// undo takes back an exception that was decided by hand.
func (a *app) undo(ctx context.Context, who, reason string, e ledger.Exception) error {
	s, err := a.open(ctx, waitForCycle, true)
	if err != nil {
		return err
	}
	defer s.close()
	p, err := s.person(who)
	if err != nil {
		return err
	}
	e.Person = p.Ordinal
	had, err := s.store.Exceptions()
	if err != nil {
		return failed(err)
	}
	if !slices.ContainsFunc(had[e.Person], e.Same) {
		what := "un" + e.Kind.String()
		return usage(fmt.Errorf("%s %s: there is none by hand that does this", what, s.login(p.Ordinal)), "see those that there are: rosterd exceptions")
	}
	d := rostersync.Decree{Exception: e}
	ask := rostersync.Request{Verb: "un" + e.Kind.String(), By: a.caller(), Stop: a.stop}
	return a.cycle(ctx, s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
		ask.Progress = show
		r, err := s.engine.Unexcept(ctx, &d, a.caller(), reason, ask)
		if err == nil && !a.json {
			fmt.Fprintf(a.stdout, "taken back: %s %s\n", printable(s.login(p.Ordinal)), doing(d.Exception))
		}
		return r, err
	})
}
