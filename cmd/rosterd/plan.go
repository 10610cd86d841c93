package main

import (
	"context"
	"fmt"
	"io"
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
	var file io.Writer
	if out != "" && a.service != nil {
		file = a.service.streams.File // the client's
	} else if out != "" {
		// Before the program becomes the owner of the state, who may not write here.
		f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return usage(fmt.Errorf("write plan: %w", err), "name a file in a folder that is there: --out plan.json")
		}
		defer closePlan(f)
		file = &overwriting{f: f}
		a.output = file
	}
	s, err := a.open(ctx, waitBriefly, false)
	if err != nil {
		return err
	}
	defer s.close()
	ask, err := a.request(s, o, "plan")
	if err != nil {
		return err
	}
	ask.DryRun, ask.Fingerprints = true, out != ""
	// A running cycle is not waited for, but for a plan of everything.
	ask.Still = a.service != nil && !o.full && ask.People == nil && s.engine.Busy()
	return a.cycle(ctx, s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
		ask.Progress = show
		report, err := s.engine.Cycle(ctx, ask)
		if err == nil && out != "" {
			err = writePlan(file, s.engine, report)
		}
		return report, err
	})
}

// overwriting empties the file when the first byte of a new content comes.
type overwriting struct {
	f     *os.File
	begun bool
}

func (o *overwriting) Write(b []byte) (int, error) {
	if !o.begun {
		o.begun = true
		if err := o.f.Truncate(0); err != nil {
			return 0, err
		}
	}
	return o.f.Write(b)
}

// closePlan leaves no empty file behind where no plan was made.
func closePlan(f *os.File) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		_ = os.Remove(f.Name())
	}
	_ = f.Close()
}

func noTarget(name string, c *config.Config) error {
	return fmt.Errorf("find target %q: the configuration has none of that name", name)
}

// knownTargets is the hint for a name that is not among them.
func knownTargets(c *config.Config) string {
	return "the targets are: " + strings.Join(sortedKeys(c.Targets), ", ")
}
