package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
)

const (
	// waitForCycle is how long sync waits for a cycle that is under way.
	waitForCycle = 10 * time.Minute
	// waitBriefly is how long a verb that only looks waits for the state.
	waitBriefly = 2 * time.Second
)

// choice is what plan and sync can be restricted to.
type choice struct {
	full, protected bool
	person, target  string
	dryRun          bool
	acceptOlder     bool
}

func (o *choice) flags(a *app, c *cobra.Command) {
	c.Flags().BoolVar(&o.full, "full", false, "look at everybody and read every target, drift too")
	c.Flags().StringVar(&o.person, "person", "", "only this `PERSON`: login, mail, DN or ID")
	c.Flags().StringVar(&o.target, "target", "", "only this `TARGET`")
	c.Flags().BoolVar(&o.protected, "protected", false, "let protected accounts be changed")
	a.verboseFlag(c)
}

// verboseFlag is of the verbs that show what many people have in common.
func (a *app) verboseFlag(c *cobra.Command) {
	c.Flags().BoolVarP(&a.verbose, "verbose", "v", false, "show everybody and every reason, however many there are")
}

func (a *app) syncCommand() *cobra.Command {
	var o choice
	cmd := &cobra.Command{
		Use: "sync", GroupID: groupDaily, Short: "run one cycle: read, plan, do what may be done, verify", Args: cobra.NoArgs,
		Long: `sync runs one cycle and exits; it waits for one that is under way. With --full it is
the one-shot full resync: everybody is looked at afresh and every target is read. It says one line a change,
what is held or parked and the command to type, and the totals last.`,
		Example: `  rosterd sync
  rosterd sync --full           after an incident: read everything again
  rosterd sync --person writer7`,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.dryRun {
				return a.runPlan(c.Context(), o, "")
			}
			return a.runSync(c.Context(), o)
		},
	}
	o.flags(a, cmd)
	cmd.Flags().BoolVar(&o.acceptOlder, "accept-older", false, "believe a directory that has seen less than before: it was restored")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be done: the same as plan")
	return cmd
}

func (a *app) runSync(ctx context.Context, o choice) error {
	s, err := a.open(ctx, waitForCycle, false)
	if err != nil {
		return err
	}
	defer s.close()
	ask, err := a.request(s, o, "sync")
	if err != nil {
		return err
	}
	return a.cycle(ctx, s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
		ask.Progress = show
		return s.engine.Cycle(ctx, ask)
	})
}

// request makes of the flags what a cycle is asked.
func (a *app) request(s *session, o choice, verb string) (rostersync.Request, error) {
	ask := rostersync.Request{Verb: verb, By: a.caller(), Full: o.full, OnlyTarget: o.target, Protected: o.protected, AcceptOlder: o.acceptOlder, Stop: a.stop}
	if o.target != "" && s.config.Targets[o.target] == nil {
		return ask, usage(noTarget(o.target, s.config), knownTargets(s.config))
	}
	if o.person != "" {
		p, err := s.person(o.person)
		if err != nil {
			return ask, err
		}
		ask.People, ask.Named = []identity.Ordinal{p.Ordinal}, true
	}
	return ask, nil
}
