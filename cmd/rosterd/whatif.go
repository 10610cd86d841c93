package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/directory"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

func (a *app) whatIfCommand() *cobra.Command {
	var live bool
	c := &cobra.Command{
		Use: "what-if NEW", GroupID: groupKnow, Short: "say what another configuration would change", Args: cobra.ExactArgs(1),
		Long: `what-if compares the policy in NEW, a file or a folder with the file in it, with the one
in force, and says for each target and right who would get what, and who would lose it.
It asks nobody but the state: no directory, no target, and it keeps nothing. What was
not read it cannot know: it says so, whom that concerns, and ends with 6; --live reads
the directory for it. It ends with 0 when nothing would change, 3 when something would,
4 when that would be held.`,
		Example: `  rosterd what-if new.toml
  rosterd what-if ~/checkout            the file in it, and what it includes
  rosterd what-if new.toml --live       read what was not read yet
  rosterd what-if new.toml --json       everybody by name, for machines`,
		RunE: func(c *cobra.Command, args []string) error { return a.runWhatIf(c.Context(), args[0], live) },
	}
	c.Flags().BoolVar(&live, "live", false, "read the directory as either policy would, and keep nothing of it")
	a.verboseFlag(c)
	return c
}

func (a *app) runWhatIf(ctx context.Context, path string, live bool) error {
	next, err := a.proposal(path)
	if err != nil {
		return err
	}
	s, err := a.open(ctx, waitBriefly, true)
	if err != nil {
		return err
	}
	defer s.close()
	if live && a.service != nil && !rightsOf(s).MayDecide(a.service.peer) {
		// It reads what no policy in force asks for.
		return &exit{code: rostersync.ExitFailed, err: fmt.Errorf("what-if --live: %s may look, and not have the directory read", a.service.peer.Name),
			tip: "those may who are named under decide in [control], and root: sudo rosterd what-if --live"}
	}
	if live {
		if err := reachable(s.config, next); err != nil {
			return err
		}
	}
	if err := orphaned(next, s.store, ""); err != nil {
		return err
	}
	force, other, end, err := a.beside(s, next)
	if err != nil {
		return failed(err)
	}
	defer end()
	show, done := a.progress()
	w, err := force.WhatIf(ctx, other, rostersync.WhatIfRequest{Live: live, Progress: show})
	done()
	if err != nil {
		return failed(err)
	}
	same := other.Hash == force.Hash
	if a.json {
		err = a.printJSON(newWhatIfDocument(next.File, same, w))
	} else {
		err = a.printWhatIf(filepath.Base(next.File), same, w)
	}
	if err != nil {
		return failed(err)
	}
	return code(w.Exit())
}

// reachable refuses a source of which the configuration at hand does not say where it
// is: its hosts, and who hears the password, would be of the other one's choosing.
func reachable(here, next *config.Config) error {
	for _, name := range sortedKeys(next.Sources) {
		if at := here.Sources[name]; at == nil || at.Kind != next.Sources[name].Kind {
			return usage(fmt.Errorf("what-if --live: the configuration in use has no source %q of this kind", name), "a source is read as the one in use is reached; without --live nothing is read")
		}
	}
	return nil
}

// proposal reads the configuration that is asked about. Inside a service it is what
// the client sent: no file of the service is read for somebody else.
func (a *app) proposal(path string) (*config.Config, error) {
	var c *config.Config
	var problems config.Problems
	if a.service != nil {
		c, problems = config.Parse(path, a.service.ask.Input, kinds())
	} else {
		file, err := a.fileOf(path)
		if err == nil {
			path = file
			c, problems, err = config.Load(path, kinds())
		}
		if err != nil {
			return nil, usage(err, hintOf(err))
		}
	}
	if err := problems.Write(a.stderr); err != nil {
		return nil, failed(err)
	}
	if c == nil {
		return nil, usage(fmt.Errorf("read %s: %s", path, count(len(problems), "mistake")), "correct the file first: rosterd check --offline -c "+path)
	}
	a.input = c.Text
	return c, nil
}

// fileOf is the file itself, or the one of a checkout: it is called as the one in use
// is, or is the only one.
func (a *app) fileOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read configuration: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	same := filepath.Join(path, filepath.Base(a.config))
	if _, err := os.Stat(same); err == nil {
		return same, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read configuration: %w", err)
	}
	all, err := filepath.Glob(filepath.Join(path, "*.toml"))
	if err == nil && len(all) == 1 {
		return all[0], nil
	}
	return "", usage(fmt.Errorf("read configuration: there is no %s in %s", filepath.Base(a.config), path), "name the file itself")
}

// beside makes two engines on the state, with sources and targets of their own: one
// of the policy in force and one of the other. How to get anywhere is said by the
// configuration at hand alone, so that nobody is asked whom the other one names.
func (a *app) beside(s *session, next *config.Config) (force, other *rostersync.Engine, end func(), err error) {
	attributes := slices.Concat(s.config.Policy.Attributes(), next.Policy.Attributes())
	slices.Sort(attributes)
	m := &maker{app: a, store: s.store, attributes: slices.Compact(attributes), sources: map[string]directory.Source{}, targets: map[string]target.Target{}}
	if force, err = m.engines(s.config); err == nil {
		targets := next.Targets
		next = s.config.Under(next)
		for name, t := range targets {
			if next.Targets[name] == nil {
				next.Targets[name] = t
			}
		}
		other, err = m.engine(next)
	}
	if err != nil {
		m.close()
		return nil, nil, nil, err
	}
	return force, other, m.close, nil
}

// printWhatIf shows it to people.
func (a *app) printWhatIf(file string, same bool, w *rostersync.WhatIf) error {
	out := a.stdout
	asOf := "by what is in the directory now"
	if !w.Live && len(w.Sources) > 0 {
		// Of several sources the one that is furthest behind.
		known := lastOf(w.Sources[0].LastRead, w.Sources[0].LastFollow)
		for _, f := range w.Sources[1:] {
			if at := lastOf(f.LastRead, f.LastFollow); at.Before(known) {
				known = at
			}
		}
		asOf = "by what is known as of " + moment(known)
	}
	text := fmt.Sprintf("%s against the policy in force, %s", file, asOf)
	if same {
		text = file + " says the policy in force"
	}
	fmt.Fprintf(out, "%s %s\n", a.paint(out, bold, "what-if:"), printable(text))
	if n := len(w.Outside); n > 0 {
		fmt.Fprintf(out, "  not read any more: %s: %s\n", count(n, "person"), printable(a.someOf(w.Outside)))
	}
	for _, l := range w.Impact {
		fmt.Fprintf(out, "  %s  %s\n", printable(l.Target), a.impactLine(l))
	}
	for _, l := range w.Ruled {
		fmt.Fprintf(out, "  %s  %s; held, whatever the limits\n", printable(l.Target), a.impactLine(l))
	}
	if len(w.Impact)+len(w.Ruled) == 0 {
		fmt.Fprintln(out, "  nothing would change for anybody, as far as is known")
	}
	for _, b := range w.Beyond {
		fmt.Fprintf(out, "  %s %s\n", a.paint(out, yellow, "it would be held:"), printable(b))
	}
	for _, t := range w.Whole {
		fmt.Fprintf(out, "  %s the plan of %s waits for an approval as a whole\n", a.paint(out, yellow, "it would be held:"), printable(t))
	}
	for _, u := range w.Unread {
		fmt.Fprintf(out, "%s %s\n", a.paint(out, yellow, "not known:"), printable(u.Text))
		for _, c := range []struct {
			who  []string
			what string
		}{{u.Have, "have what rests on it"}, {u.May, "may get something by it"}} {
			if len(c.who) > 0 {
				fmt.Fprintf(out, "  %s: %s: %s\n", c.what, count(len(c.who), "person"), printable(a.someOf(c.who)))
			}
		}
		if u.Others {
			fmt.Fprintln(out, "  people who were not read may be concerned, too")
		}
		fmt.Fprintf(out, "  %s\n", printable(u.Hint))
	}
	return nil
}

// someOf lists the first few of many names.
func (a *app) someOf(names []string) string {
	if len(names) <= few || a.verbose {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %s more (-v shows all)", strings.Join(names[:few], ", "), grouped(len(names)-few))
}

// whatIfDocument is what another configuration would change, for machines.
type whatIfDocument struct {
	FormatVersion int    `json:"format_version"`
	File          string `json:"file"`
	// InForce: the file says the policy in force.
	InForce bool `json:"in_force"`
	Live    bool `json:"live"`
	// AsOf is when the sources were read, by name.
	AsOf []asOfDocument `json:"as_of"`
	// Impact is what the policy would be judged by; Ruled what is held in any case.
	Impact []plan.Line `json:"impact"`
	Ruled  []plan.Line `json:"ruled"`
	// Held are the limits that it is beyond, Whole the targets that wait as a whole.
	Held    []string   `json:"held"`
	Whole   []string   `json:"whole"`
	Outside []string   `json:"outside"`
	Unknown []plan.Gap `json:"unknown"`
	Exit    int        `json:"exit"`
}

type asOfDocument struct {
	Source   string     `json:"source"`
	Read     *time.Time `json:"read,omitempty"`
	Followed *time.Time `json:"followed,omitempty"`
}

// lastOf is the later of two moments.
func lastOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func newWhatIfDocument(file string, same bool, w *rostersync.WhatIf) whatIfDocument {
	d := whatIfDocument{1, file, same, w.Live, []asOfDocument{}, listed(w.Impact), listed(w.Ruled), listed(w.Beyond), listed(w.Whole), listed(w.Outside), listed(w.Unread), w.Exit()}
	for i, f := range w.Sources {
		d.AsOf = append(d.AsOf, asOfDocument{w.Names[i], some(f.LastRead), some(f.LastFollow)})
	}
	return d
}

// listed is an empty list rather than none.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
