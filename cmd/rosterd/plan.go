package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/config"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) planCommand() *cobra.Command {
	var o choice
	var out string
	cmd := &cobra.Command{
		Use: "plan", GroupID: groupDaily, Short: "show what a cycle would do, and do nothing", Args: cobra.NoArgs,
		Long: `plan reads the source and shows what sync would do. No target is changed. It ends
with 0 when nothing is to be done, 3 when changes are pending, 4 when something is
or would be held. What comes to many people is shown of a few; -v shows all.`,
		Example: `  rosterd plan
  rosterd plan --person writer7 -v
  rosterd plan --out plan.json && rosterd apply plan.json`,
		RunE: func(c *cobra.Command, _ []string) error { return a.runPlan(c.Context(), o, out) },
	}
	o.flags(a, cmd)
	cmd.Flags().StringVar(&out, "out", "", "write the plan to `FILE`, for: rosterd apply FILE")
	return cmd
}

func (a *app) runPlan(ctx context.Context, o choice, out string) error {
	var file *os.File
	if out != "" {
		// Before the program becomes the owner of the state, who may not write here.
		var err error
		if file, err = os.OpenFile(out, os.O_WRONLY|os.O_CREATE, 0o600); err != nil {
			return usage(fmt.Errorf("write plan: %w", err), "name a file in a folder that is there: --out plan.json")
		}
		defer file.Close()
	}
	s, err := a.open(waitBriefly, false)
	if err != nil {
		return err
	}
	defer s.close()
	ask, err := a.request(s, o, "plan")
	if err != nil {
		return err
	}
	ask.DryRun, ask.Fingerprints = true, out != ""
	return a.cycle(ctx, s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
		ask.Progress = show
		report, err := s.engine.Cycle(ctx, ask)
		if err == nil && out != "" {
			err = writePlan(file, s.engine, report)
		}
		return report, err
	})
}

func noTarget(name string, c *config.Config) error {
	return fmt.Errorf("find target %q: the configuration has none of that name", name)
}

// knownTargets is the hint for a name that is not among them.
func knownTargets(c *config.Config) string {
	return "the targets are: " + strings.Join(sortedKeys(c.Targets), ", ")
}
