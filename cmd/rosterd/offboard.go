package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) offboardCommand() *cobra.Command {
	var reason, ticket, until string
	var protected bool
	cmd := &cobra.Command{
		Use: "offboard PERSON", GroupID: groupDecide, Short: "close every account of a person now", Args: cobra.ExactArgs(1),
		Long: `offboard disables and strips a person everywhere at once, without waiting for the
directory, and keeps it so until the directory agrees or release lifts it, or until a
day. Accounts are never deleted by it. Naming a person is the approval, for a few an
hour.`,
		Example: `  rosterd offboard writer7 --reason "left today" --ticket T-4711
  rosterd offboard writer8 --reason "lost the badge" --until 3d`,
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usage(errors.New("offboard: no reason was given"), `say why: rosterd offboard `+args[0]+` --reason "…"`)
			}
			s, err := a.open(c.Context(), waitForCycle, true)
			if err != nil {
				return err
			}
			defer s.close()
			p, err := s.person(args[0])
			if err != nil {
				return err
			}
			if err := a.sayDenied(s, p); err != nil {
				return err
			}
			denial := ledger.Denial{Person: p.Ordinal, Reason: reason, By: a.caller(), At: a.now(), Ticket: ticket}
			if until != "" && until != "never" {
				denial.Until, err = bound(until, a.now(), s.config.Schedule.Timezone, true)
				if err == nil && denial.Over(a.now()) {
					err = errors.New("that is over already")
				}
				if err != nil {
					return usage(fmt.Errorf("read --until %q: %w", until, err), "write a day, a moment or a length of time: --until 2026-12-31, --until 3d")
				}
			}
			ask := rostersync.Request{Verb: "offboard", By: a.caller(), Stop: a.stop, Protected: protected}
			return a.cycle(c.Context(), s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
				ask.Progress = show
				r, err := s.engine.Offboard(ctx, denial, ask)
				if err == nil && !a.json {
					e := denial.Exception()
					end := "until release"
					if e.Until.Set() {
						end = e.End()
					}
					fmt.Fprintf(a.stdout, "decided: %s %s, %s\n", printable(s.login(p.Ordinal)), doing(e), end)
				}
				return r, err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the journal")
	cmd.Flags().StringVar(&ticket, "ticket", "", "where it was decided")
	cmd.Flags().StringVar(&until, "until", "", "the last `DAY`, or a moment, or a length of time; left out: until release")
	cmd.Flags().BoolVar(&protected, "protected", false, "let protected accounts be changed")
	a.verboseFlag(cmd)
	return cmd
}

// sayDenied says that somebody is offboarded already; the new reason takes the
// place of the old one, and what is still open is closed.
func (a *app) sayDenied(s *session, p identity.Person) error {
	denials, err := s.store.Denials()
	if err != nil {
		return failed(err)
	}
	if d, is := denials[p.Ordinal]; is && !d.Over(a.now()) {
		a.warn(fmt.Sprintf("%s is offboarded already, by %s, %s: %s; the new reason takes its place", s.login(p.Ordinal), d.By, ago(a.now(), d.At), d.Reason))
	}
	return nil
}

func (a *app) releaseCommand() *cobra.Command {
	var reason string
	var protected bool
	cmd := &cobra.Command{
		Use: "release PERSON", GroupID: groupDecide, Short: "lift an offboard, enable what somebody else disabled", Args: cobra.ExactArgs(1),
		Long: `release takes back an offboard: the person gets what the directory and the policy give
them, in the same accounts. It also enables accounts that somebody disabled in a
target by hand, which rosterd otherwise leaves as they are.`,
		Example: `  rosterd release writer7 --reason "was a mistake, ticket 4712"`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context(), waitForCycle, true)
			if err != nil {
				return err
			}
			defer s.close()
			p, err := s.person(args[0])
			if err != nil {
				return err
			}
			lifts, err := released(s, p)
			if err != nil {
				return failed(err)
			}
			ask := rostersync.Request{Verb: "release", By: a.caller(), Stop: a.stop, Protected: protected}
			return a.cycle(c.Context(), s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
				ask.Progress = show
				r, err := s.engine.Release(ctx, p.Ordinal, a.caller(), reason, ask)
				if err == nil && !lifts && len(r.Carried) == 0 {
					a.warn(s.login(p.Ordinal) + " is neither offboarded nor disabled by somebody else: there is nothing to release")
				}
				return r, err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the journal")
	cmd.Flags().BoolVar(&protected, "protected", false, "let protected accounts be changed")
	a.verboseFlag(cmd)
	return cmd
}

// released says whether there is anything to release, as far as is known before
// the targets are looked at.
func released(s *session, p identity.Person) (bool, error) {
	x, err := s.engine.Explain(p.Ordinal)
	if err != nil || x.Denial != nil {
		return true, err
	}
	for _, l := range x.Links {
		if l.Phase == ledger.ClosedElsewhere {
			return true, nil
		}
	}
	return false, nil
}
