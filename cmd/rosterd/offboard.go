package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) offboardCommand() *cobra.Command {
	var reason string
	var protected bool
	cmd := &cobra.Command{
		Use: "offboard PERSON", Short: "close every account of a person now", Args: cobra.ExactArgs(1),
		Long: `offboard disables and strips a person everywhere at once, without waiting for the
directory, and keeps it so until the directory agrees or release lifts it.`,
		Example: `  rosterd offboard writer7 --reason "left today, ticket 4711"`,
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usage(errors.New("offboard: no reason was given"), `say why: rosterd offboard `+args[0]+` --reason "…"`)
			}
			s, err := a.open(waitForCycle, true)
			if err != nil {
				return err
			}
			defer s.close()
			p, err := s.person(args[0])
			if err != nil {
				return err
			}
			denial := ledger.Denial{Person: p.Ordinal, Reason: reason, By: a.caller(), At: a.now()}
			ask := rostersync.Request{Verb: "offboard", By: a.caller(), Stop: a.stop, Protected: protected}
			return a.cycle(c.Context(), s, func(ctx context.Context) (*rostersync.Report, error) {
				return s.engine.Offboard(ctx, denial, ask)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the journal")
	cmd.Flags().BoolVar(&protected, "protected", false, "let protected accounts be changed")
	return cmd
}

func (a *app) releaseCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "release PERSON", Short: "lift an offboard, enable what somebody else disabled", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(waitForCycle, true)
			if err != nil {
				return err
			}
			defer s.close()
			p, err := s.person(args[0])
			if err != nil {
				return err
			}
			ask := rostersync.Request{Verb: "release", By: a.caller(), Stop: a.stop}
			return a.cycle(c.Context(), s, func(ctx context.Context) (*rostersync.Report, error) {
				return s.engine.Release(ctx, p.Ordinal, a.caller(), reason, ask)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the journal")
	return cmd
}
