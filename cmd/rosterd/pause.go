package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) pauseCommand() *cobra.Command {
	var reason, until string
	cmd := &cobra.Command{
		Use: "pause [TARGET]", GroupID: groupDecide, Short: "write nothing to a target, or to any, for a while", Args: cobra.MaximumNArgs(1),
		Long: `pause keeps rosterd from writing to a target, or to all of them, until a time or until
resume. Reading and planning go on, and what is to be done waits: the access of
people who leave too.`,
		Example: `  rosterd pause wiki --until 2h --reason "the wiki is being upgraded"`,
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usage(errors.New("pause: no reason was given"), `say why: rosterd pause `+strings.Join(args, " ")+` --reason "…"`)
			}
			p := ledger.Pause{Target: strings.Join(args, ""), Reason: reason, At: a.now()}
			var err error
			if p.Until, err = parseUntil(until, a.now()); err != nil {
				return usage(err, `write a length of time or a moment to come: --until 2h, --until "2026-11-30 18:00"`)
			}
			s, err := a.open(c.Context(), waitForCycle, false)
			if err != nil {
				return err
			}
			defer s.close()
			p.By = a.caller()
			if p.Target != "" && s.config.Targets[p.Target] == nil {
				return usage(noTarget(p.Target, s.config), knownTargets(s.config))
			}
			if err := s.store.Pause(p); err != nil {
				return failed(err)
			}
			fmt.Fprintf(a.stdout, "paused %s: nothing is written there %s\n", first(p.Target, "every target"), pauseEnd(p))
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever looks at the status")
	cmd.Flags().StringVar(&until, "until", "", "end by itself at this `TIME`: 2h, 2026-11-30")
	return cmd
}

// pauseEnd says when a pause ends.
func pauseEnd(p ledger.Pause) string {
	if p.Until.IsZero() {
		return "until: rosterd resume " + p.Target
	}
	return "until " + moment(p.Until)
}

func parseUntil(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := span.Parse(text); err == nil {
		return now.Add(d), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil && t.After(now) {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("read --until %q: neither a length of time nor a moment to come", text)
}

func (a *app) resumeCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "resume [TARGET]", GroupID: groupDecide, Short: "end a pause", Args: cobra.MaximumNArgs(1),
		Long:    `resume ends the pause of a target, or the one of all of them. What waited is done by the next cycle.`,
		Example: `  rosterd resume wiki`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context(), waitForCycle, true)
			if err != nil {
				return err
			}
			defer s.close()
			name := strings.Join(args, "")
			was, err := s.store.Resume(name, a.caller(), reason)
			if err != nil {
				return failed(err)
			}
			if !was {
				return usage(fmt.Errorf("resume %s: it is not paused", first(name, "every target")), "see what is: rosterd status")
			}
			fmt.Fprintf(a.stdout, "resumed %s: the next cycle does what waited\n", first(name, "every target"))
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the journal")
	return cmd
}

func (a *app) retryCommand() *cobra.Command {
	var person, name string
	cmd := &cobra.Command{
		Use: "retry", GroupID: groupDaily, Short: "try parked work now", Args: cobra.NoArgs,
		Long: `retry tries now what failed and waits for its next attempt: all of it, or what is
parked for a person or in a target. A target that was left alone because it failed
is tried at once, with one change before the rest.`,
		Example: `  rosterd retry
  rosterd retry --target wiki`,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.open(c.Context(), waitForCycle, true)
			if err != nil {
				return err
			}
			defer s.close()
			if name != "" && s.config.Targets[name] == nil {
				return usage(noTarget(name, s.config), knownTargets(s.config))
			}
			var who identity.Ordinal
			if person != "" {
				p, err := s.person(person)
				if err != nil {
					return err
				}
				who = p.Ordinal
			}
			broken := 0
			if person == "" {
				if broken, err = s.store.RetryTarget(name, a.caller()); err != nil {
					return failed(err)
				}
			}
			people, err := s.store.Retry(name, who, a.caller())
			if err != nil {
				return failed(err)
			}
			ask := rostersync.Request{Verb: "retry", By: a.caller(), Stop: a.stop, People: people, OnlyTarget: name}
			switch {
			case broken > 0:
				ask.People = nil // everybody waits for a target that was left alone
			case len(people) == 0:
				fmt.Fprintln(a.stdout, "nothing is parked")
				return nil
			}
			return a.cycle(c.Context(), s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
				ask.Progress = show
				return s.engine.Cycle(ctx, ask)
			})
		},
	}
	cmd.Flags().StringVar(&person, "person", "", "only what is parked for this `PERSON`")
	cmd.Flags().StringVar(&name, "target", "", "only what is parked in this `TARGET`")
	a.verboseFlag(cmd)
	return cmd
}
