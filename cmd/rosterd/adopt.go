package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// adoptOptions are the flags of adopt.
type adoptOptions struct {
	match, people, states []string
	limit                 int
	recover, yes          bool
	version, csv          string
}

func (a *app) adoptCommand() *cobra.Command {
	var o adoptOptions
	cmd := &cobra.Command{
		Use: "adopt TARGET", GroupID: groupDecide, Short: "take over the accounts that exist in a target", Args: cobra.ExactArgs(1),
		Long: `adopt reads the directory and all accounts of a target, finds whose they are, and shows
it: what is found beyond doubt would be linked, everything else is named with its reason.
On a terminal it asks; elsewhere it takes --yes and the version that was shown. Linking
writes the mark of ownership and nothing else: what an account should have is the next
cycle's, within the limits. Protected and break-glass accounts are never linked.

An account is found beyond doubt by an attribute of which the file says adopt = "link";
--match ATTRIBUTE says it for once. With --recover it is by the mark on the account: for
when the state was lost. Nobody is created, disabled or changed by that either.`,
		Example: `  rosterd adopt wiki
  rosterd adopt wiki --csv wiki.csv
  rosterd adopt wiki --match mail --limit 10
  rosterd adopt wiki --version e974327341b6 --yes
  rosterd adopt wiki --recover`,
		RunE: func(c *cobra.Command, args []string) error { return a.runAdopt(c.Context(), args[0], o) },
	}
	cmd.Flags().StringArrayVar(&o.match, "match", nil, "take over by this `ATTRIBUTE` too; may be repeated")
	cmd.Flags().BoolVar(&o.recover, "recover", false, "link again by the marks that a lost state left")
	cmd.Flags().StringArrayVar(&o.states, "state", nil, "with --recover: by the marks of this `STATE`; may be repeated")
	cmd.Flags().StringArrayVar(&o.people, "person", nil, "link only accounts of this `PERSON`; may be repeated")
	cmd.Flags().IntVar(&o.limit, "limit", 0, "link only the accounts of the first `N` people")
	cmd.Flags().StringVar(&o.csv, "csv", "", "write all that was found to `FILE`, for a spreadsheet")
	cmd.Flags().StringVar(&o.version, "version", "", "the `VERSION` that you have seen")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask; needs --version")
	a.verboseFlag(cmd)
	return cmd
}

func (a *app) runAdopt(ctx context.Context, name string, o adoptOptions) error {
	switch {
	case o.limit < 0:
		return usage(fmt.Errorf("adopt %s: --limit %d is less than nothing", name, o.limit), "")
	case o.yes && o.version == "":
		return usage(fmt.Errorf("adopt %s: --yes needs the version that you have seen", name), "look at it first: rosterd adopt "+name+o.again())
	case len(o.states) > 0 && !o.recover:
		return usage(fmt.Errorf("adopt %s: --state is for --recover", name), "rosterd adopt "+name+" --recover --state "+o.states[0])
	}
	table, end, err := a.adoptFile(o.csv)
	if err != nil {
		return err
	}
	defer end()
	s, err := a.open(ctx, waitForCycle, false)
	if err != nil {
		return err
	}
	defer s.close()
	ask, err := a.adopting(s, name, o)
	if err != nil {
		return err
	}
	if o.yes {
		return a.adoptNow(ctx, s, ask, o.version, nil, table)
	}
	found, err := a.correlate(ctx, s, ask, table)
	if err != nil {
		return err
	}
	n := len(found.Chosen)
	switch {
	case o.version != "" && o.version != found.Version:
		return a.notFound(ctx, &rostersync.MovedError{Target: name, Shown: o.version, Now: found.Version, Count: n})
	case n == 0:
		return nil
	case a.json:
		return code(rostersync.ExitHeld)
	case !a.asks():
		fmt.Fprintf(a.stderr, "nothing was linked; to link %s:\n  rosterd adopt %s%s --version %s --yes\n", these(n), name, o.again(), found.Version)
		return code(rostersync.ExitHeld)
	}
	fmt.Fprintf(a.stderr, "Link %s? [y/N] ", these(n))
	answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
	if w := strings.ToLower(strings.TrimSpace(answer)); w != "y" && w != "yes" {
		fmt.Fprintln(a.stderr, "nothing was linked")
		return code(rostersync.ExitHeld)
	}
	return a.adoptNow(ctx, s, ask, found.Version, found, nil)
}

func these(n int) string {
	if n == 1 {
		return "this account"
	}
	return "these " + count(n, "account")
}

// again repeats the flags that say what is looked for.
func (o adoptOptions) again() string {
	out := ""
	if o.recover {
		out = " --recover"
	}
	for _, s := range o.states {
		out += " --state " + s
	}
	for _, m := range o.match {
		out += " --match " + m
	}
	return out + partly(o.people, o.limit)
}

// adoptFile opens the file for the table before the program becomes the owner of the
// state, who may not write there.
func (a *app) adoptFile(name string) (io.Writer, func(), error) {
	if name == "" {
		return nil, func() {}, nil
	}
	if a.service != nil {
		return a.service.streams.File, func() {}, nil // the client's
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, usage(fmt.Errorf("write the table: %w", err), "name a file in a folder that is there: --csv accounts.csv")
	}
	out := &overwriting{f: f}
	a.output = out
	return out, func() { closePlan(f) }, nil
}

// adopting makes of the flags what is asked.
func (a *app) adopting(s *session, name string, o adoptOptions) (rostersync.Adopting, error) {
	ask := rostersync.Adopting{Target: name, Match: o.match, Recover: o.recover, States: o.states, Limit: o.limit}
	e := s.engine.Current()
	i := slices.IndexFunc(e.Targets, func(t rostersync.Target) bool { return t.Name == name })
	if i < 0 {
		return ask, usage(noTarget(name, s.config), knownTargets(s.config))
	}
	d := e.Targets[i].Describe()
	known := append(e.Policy.Matches(name), d.NameAttribute)
	for _, m := range o.match {
		if !slices.Contains(known, m) {
			return ask, usage(fmt.Errorf("adopt %s: accounts are not found by %s", name, m),
				"they are found by "+strings.Join(slices.Compact(known), ", ")+"; others stand under match in [target."+name+".account]")
		}
	}
	if o.recover && !d.Marks {
		return ask, usage(fmt.Errorf("adopt %s --recover: its accounts carry no marks", name), markHint(name, d))
	}
	for _, text := range o.people {
		p, err := s.person(text)
		if err != nil {
			return ask, err
		}
		ask.People = append(ask.People, p.Ordinal)
	}
	return ask, nil
}

func markHint(name string, d target.Description) string {
	if d.Kind == "ldap" || d.Kind == "active-directory" {
		return "find them by an attribute: rosterd adopt " + name + "; and name an attribute for the mark, for the next time: mark = \"…\" in [target." + name + "]"
	}
	return "find them by an attribute: rosterd adopt " + name
}

// correlate finds whose the accounts are, and shows it.
func (a *app) correlate(ctx context.Context, s *session, ask rostersync.Adopting, table io.Writer) (*rostersync.Adoption, error) {
	var found *rostersync.Adoption
	report, rctx, err, end := a.runCycle(ctx, s, func(ctx context.Context, show func(rostersync.Progress)) (r *rostersync.Report, err error) {
		found, r, err = s.engine.Correlate(ctx, ask, rostersync.Request{Verb: "adopt", By: a.caller(), Progress: show, Stop: a.stop})
		return r, err
	})
	defer end()
	if err == nil {
		return found, a.showFound(report, found, table)
	}
	return nil, a.notFound(rctx, err)
}

func (a *app) showFound(report *rostersync.Report, found *rostersync.Adoption, table io.Writer) error {
	a.printTrouble(report)
	if table != nil {
		if err := writeFindings(table, found); err != nil {
			return failed(err)
		}
	}
	if a.json {
		return failed(a.printJSON(newAdoptDocument(found)))
	}
	a.printFindings(found)
	return nil
}

// adoptNow looks once more and links.
func (a *app) adoptNow(ctx context.Context, s *session, ask rostersync.Adopting, version string, shown *rostersync.Adoption, table io.Writer) error {
	var found *rostersync.Adoption
	report, rctx, err, end := a.runCycle(ctx, s, func(ctx context.Context, show func(rostersync.Progress)) (r *rostersync.Report, err error) {
		found, r, err = s.engine.Adopt(ctx, ask, version, shown, rostersync.Request{Verb: "adopt", By: a.caller(), Progress: show, Stop: a.stop})
		return r, err
	})
	defer end()
	if err != nil {
		return a.notFound(rctx, err)
	}
	if table != nil {
		if err := writeFindings(table, found); err != nil {
			return failed(err)
		}
	}
	a.printTrouble(report)
	if a.json {
		d := newAdoptDocument(found)
		linked := len(report.Carried)
		d.Linked, d.Failed = &linked, newFailures(report)
		if err := a.printJSON(d); err != nil {
			return failed(err)
		}
	} else {
		a.printLinked(report, found, shown)
	}
	return code(adoptExit(report))
}

// adoptExit is how linking ended: what is left to decide was told, and is no fault of it.
func adoptExit(r *rostersync.Report) int {
	if len(r.Failed)+len(r.Skipped)+len(r.Unverified)+len(r.Down) > 0 || r.Stopped {
		return rostersync.ExitParked
	}
	if r.Verdict.Held() {
		return rostersync.ExitHeld // it is paused
	}
	return rostersync.ExitDone
}

// notFound gives the errors of an adoption their exit codes.
func (a *app) notFound(ctx context.Context, err error) error {
	var moved *rostersync.MovedError
	var states *rostersync.StatesError
	switch {
	case errors.As(err, &moved):
		return &exit{code: rostersync.ExitHeld, err: moved, tip: moved.Hint()}
	case errors.As(err, &states):
		return usage(states, states.Hint())
	}
	return a.broke(ctx, err)
}
