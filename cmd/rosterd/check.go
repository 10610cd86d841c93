package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/internal/handover"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

func (a *app) checkCommand() *cobra.Command {
	var offline, people, schema bool
	cmd := &cobra.Command{
		Use: "check", GroupID: groupBegin, Short: "validate the configuration, then connect to everything", Args: cobra.NoArgs,
		Long: `check reads the configuration and prints every mistake in it, with its place. Then it
connects to the source and each target and reports what was found there, what may be
read and written, when a service would run, and whether the file is in force. Of the
people who are known it lists the values that no rule names, and roles that nobody
holds; of each target, patterns that protect nothing there. --offline stops after the
file, --people looks at the people alone. --schema prints what editors check the file by.`,
		Example: `  rosterd check -c rosterd.toml
  rosterd check --offline      in a hook of the repository that the file lives in`,
		RunE: func(c *cobra.Command, _ []string) error {
			if schema {
				_, err := a.stdout.Write(config.Schema)
				return failed(err)
			}
			if people {
				return a.runCensus(c.Context())
			}
			if a.service != nil {
				// Nobody has a file read with the rights of the service.
				return usage(errors.New("check: the service does check --people alone"), "")
			}
			return a.runCheck(c.Context(), offline)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "only the file")
	cmd.Flags().BoolVar(&people, "people", false, "only what the policy makes of the people who are known")
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of the configuration, for editors")
	cmd.MarkFlagsMutuallyExclusive("offline", "people", "schema")
	return cmd
}

// checkJSON is what check found, for machines.
type checkJSON struct {
	FormatVersion int         `json:"format_version"`
	File          string      `json:"file"`
	Roles         int         `json:"roles"`
	Notes         []checkNote `json:"notes"`
	OK            bool        `json:"ok"`
}

type checkNote struct {
	Where string `json:"where"`
	Level string `json:"level"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"`
	// Group is one that the file calls as it was called once, Now its name.
	Group string `json:"group,omitempty"`
	Now   string `json:"now,omitempty"`
	// System is where the accounts of a target are that we manage.
	System string `json:"system,omitempty"`
}

func (a *app) runCheck(ctx context.Context, offline bool) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	if err := c.Over(a.now()).Write(a.stderr); err != nil {
		return failed(err)
	}
	found := checkJSON{FormatVersion: 1, File: a.config, OK: true}
	note := func(where, level, text, hint string) {
		found.Notes = append(found.Notes, checkNote{Where: where, Level: level, Text: text, Hint: hint})
		if level == "error" {
			found.OK = false
		}
	}
	note(a.config, "ok", fmt.Sprintf("%s, %s, %s", count(len(c.Sources), "source"), count(len(c.Policy.Groups()), "group")+" named by the policy",
		count(len(c.Targets), "target")), "")
	for _, x := range c.Policy.Twice() {
		note(a.config, "ok", fmt.Sprintf("%s gives %s in %s, which %s, that it includes, gives already (%s)", x.Role, x.Entitlement, x.Target, x.Included, x.Where), "")
	}
	a.overdue(c, note)
	if !offline {
		known := a.census(ctx, c)
		if err := a.connect(ctx, c, known, note); err != nil {
			return err
		}
		a.nextRuns(c, note)
		for _, n := range known {
			if n.Group == "" && n.System == "" {
				note(n.Where, n.Level, n.Text, n.Hint)
			}
		}
		level, text, hint := a.standing(ctx, c, note)
		note("policy", level, text, hint)
	}
	if a.json {
		if err := a.printJSON(found); err != nil {
			return failed(err)
		}
	} else {
		a.printNotes(found.Notes)
	}
	if !found.OK {
		return code(rostersync.ExitFailed)
	}
	return nil
}

// connect asks the source and each target what may be done there.
// Known is what was found without that.
func (a *app) connect(ctx context.Context, c *config.Config, known []checkNote, note taker) error {
	e, closeAll, err := a.engine(c, nil)
	if err != nil {
		return failed(err)
	}
	defer closeAll()
	for _, s := range e.Sources {
		report, err := s.Check(ctx)
		if err != nil {
			note("source "+s.Name(), "error", err.Error(), hintOf(err))
			continue
		}
		if report.Server != "" {
			note("source "+s.Name(), "ok", report.Server, "")
		}
		notes := report.Notes
		if g, can := s.Source.(interface {
			CheckGroups(context.Context, []string) ([]directory.Note, error)
		}); can {
			groups := c.Policy.Groups()
			for _, n := range known {
				if i := slices.Index(groups, n.Group); i >= 0 && n.Where == "source "+s.Name() {
					groups[i] = n.Now
					note(n.Where, n.Level, n.Text, n.Hint)
				}
			}
			more, err := g.CheckGroups(ctx, groups)
			if err != nil {
				note("source "+s.Name(), "error", err.Error(), hintOf(err))
			}
			notes = append(notes, more...)
		}
		for _, n := range notes {
			note("source "+s.Name(), [...]string{"ok", "warning", "error"}[n.Level], n.Text, n.Hint)
		}
	}
	for _, t := range e.Targets {
		scope := target.Scope{Attributes: c.Policy.AttributeNames(t.Name), Entitlements: c.Policy.Entitlements(t.Name)}
		a.idle(ctx, c.Policy, t, note)
		if desk, is := t.Passwords.(*handover.Desk); is {
			if found, err := desk.Ready(); err != nil {
				note("target "+t.Name, "error", "no password can be handed over "+desk.Way()+": "+err.Error(), "docs/passwords.md")
			} else {
				note("target "+t.Name, "ok", found, "")
			}
		}
		if err := foreign(ctx, t, known); err != nil {
			note("target "+t.Name, "error", err.Error(), hintOf(err))
			continue
		}
		checker, can := t.Target.(target.Checker)
		if !can {
			continue
		}
		notes, err := checker.Check(ctx, scope)
		if err != nil {
			note("target "+t.Name, "error", err.Error(), hintOf(err))
			continue
		}
		for _, n := range notes {
			level := "ok"
			if n.Broken {
				level = "error"
			}
			note("target "+t.Name, level, n.Text, n.Hint)
		}
	}
	return nil
}

// foreign is the error of a target that is another system than the one where the accounts
// are.
func foreign(ctx context.Context, t rostersync.Target, known []checkNote) error {
	i := slices.IndexFunc(known, func(n checkNote) bool { return n.System != "" && n.Where == "target "+t.Name })
	if i < 0 {
		return nil
	}
	found, err := t.Identity(ctx)
	if err != nil || found == known[i].System {
		return nil //nolint:nilerr // the check of the target says why
	}
	return &rostersync.ForeignError{Target: t.Name, Known: known[i].System, Found: found}
}

// nextRuns tells when the service of the next version would run.
func (a *app) nextRuns(c *config.Config, note func(where, level, text, hint string)) {
	for _, run := range []struct {
		name string
		cron config.Cron
	}{{"changes", c.Schedule.Changes}, {"sweep", c.Schedule.Sweep}, {"resync", c.Schedule.Resync}} {
		at := run.cron.Next(a.now().In(c.Schedule.Timezone))
		note("schedule", "ok", fmt.Sprintf("%s  %s, would be next %s", run.name, run.cron.Text, at.Format(time.RFC1123)), "")
	}
}

func (a *app) printNotes(notes []checkNote) {
	last := ""
	for _, n := range notes {
		if n.Where != last {
			fmt.Fprintln(a.stdout, a.paint(a.stdout, bold, n.Where))
			last = n.Where
		}
		glyph, h := "✓", green
		switch n.Level {
		case "warning":
			glyph, h = "!", yellow
		case "error":
			glyph, h = "✗", red
		}
		fmt.Fprintf(a.stdout, "  %s %s\n", a.paint(a.stdout, h, glyph), printable(n.Text))
		if n.Hint != "" {
			fmt.Fprintf(a.stdout, "      %s\n", printable(n.Hint))
		}
	}
}
