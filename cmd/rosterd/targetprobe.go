package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

func (a *app) probeCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "probe TARGET", Short: "try what a target does, and print the settings for it", Args: cobra.ExactArgs(1),
		Long: `probe makes up to four closed accounts and a group in the target, whose names begin with
rosterd-probe-, tries on them in which forms the target takes changes, and deletes them
again. One of them is open for a moment. Nothing that it did not make is changed. What
it found is printed as a table for the configuration; what no setting says is told
beside it. Best is a test tenant. The state is not touched.`,
		Example: `  rosterd target probe wiki >> rosterd.toml`,
		RunE:    func(c *cobra.Command, args []string) error { return a.probe(c.Context(), args[0], yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do it without asking")
	return cmd
}

func (a *app) probe(ctx context.Context, name string, yes bool) error {
	if a.service != nil {
		return usage(errors.New("target probe: the service does not do that"), "")
	}
	c, err := a.load()
	if err != nil {
		return err
	}
	if c.Targets[name] == nil {
		return usage(fmt.Errorf("target probe: there is no target %s in %s", name, a.config), "")
	}
	e, closeAll, err := a.engine(c, nil)
	if err != nil {
		return failed(err)
	}
	defer closeAll()
	for _, t := range e.Targets {
		if t.Name != name {
			continue
		}
		prober, can := t.Target.(target.Prober)
		if !can {
			return usage(fmt.Errorf("target probe: %s is of the kind %s, of which nothing needs to be tried", name, t.Describe().Kind), "rosterd check says what may be done there")
		}
		return a.probeWith(ctx, name, prober, yes)
	}
	return failed(fmt.Errorf("target probe: %s could not be opened", name))
}

// probeJSON is what a probe found, for machines.
type probeJSON struct {
	FormatVersion int         `json:"format_version"`
	Target        string      `json:"target"`
	Settings      string      `json:"settings"`
	Notes         []checkNote `json:"notes"`
	OK            bool        `json:"ok"`
}

func (a *app) probeWith(ctx context.Context, name string, prober target.Prober, yes bool) error {
	if !yes {
		if !a.asks() {
			return usage(fmt.Errorf("target probe: it would make accounts and a group in %s, and delete them", name), "if that is meant: rosterd target probe "+name+" --yes")
		}
		fmt.Fprintf(a.stderr, "Make accounts and a group called %s… in %s, change and delete them? [y/N] ", target.ProbeName, name)
		answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
		if w := strings.ToLower(strings.TrimSpace(answer)); w != "y" && w != "yes" {
			fmt.Fprintln(a.stderr, "nothing was made")
			return code(rostersync.ExitDone)
		}
	}
	// Nobody else has the name: what is found by it was made by this probe.
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return failed(err)
	}
	out, err := prober.Probe(ctx, target.ProbeName+hex.EncodeToString(random[:]), func(step string) {
		if !a.json {
			fmt.Fprintf(a.stderr, "%s …\n", printable(step))
		}
	})
	found := probeJSON{FormatVersion: 1, Target: name, OK: err == nil}
	if err == nil {
		found.Settings = fmt.Sprintf("[target.%s.%s]\n%s", name, out.Table, out.Settings)
	}
	for _, n := range out.Notes {
		level := "ok"
		if n.Broken {
			level, found.OK = "error", false
		}
		found.Notes = append(found.Notes, checkNote{Where: "target " + name, Level: level, Text: n.Text, Hint: n.Hint})
	}
	if a.json {
		if err := a.printJSON(found); err != nil {
			return failed(err)
		}
	} else {
		a.printProbe(found)
	}
	switch {
	case err != nil:
		return failed(err)
	case !found.OK:
		return code(rostersync.ExitFailed)
	}
	return nil
}

// printProbe prints notes beside the output, and settings to it, so that they can
// be put into a file.
func (a *app) printProbe(found probeJSON) {
	for _, n := range found.Notes {
		glyph, h := "!", yellow
		if n.Level == "error" {
			glyph, h = "✗", red
		}
		fmt.Fprintf(a.stderr, "  %s %s\n", a.paint(a.stderr, h, glyph), printable(n.Text))
		if n.Hint != "" {
			fmt.Fprintf(a.stderr, "      %s\n", printable(n.Hint))
		}
	}
	fmt.Fprint(a.stdout, found.Settings)
}
