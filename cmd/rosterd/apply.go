package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// planFile is a plan as it is kept between plan and apply.
type planFile struct {
	FormatVersion int           `json:"format_version"`
	Digest        string        `json:"digest"`
	Cycle         string        `json:"cycle"`
	Made          time.Time     `json:"made"`
	State         string        `json:"state"`
	Policy        string        `json:"policy"`
	People        []plannedFile `json:"people"`
}

// plannedFile is what is planned for one person, and what it rests on.
type plannedFile struct {
	Person      identity.Ordinal `json:"person"`
	Login       string           `json:"login"`
	Fingerprint string           `json:"fingerprint"`
	Changes     []plannedChange  `json:"changes"`
}

type plannedChange struct {
	Key  target.Key `json:"key"`
	Text string     `json:"text"`
}

func writePlan(w io.Writer, e *rostersync.Engine, r *rostersync.Report) error {
	file := planFile{FormatVersion: 1, Digest: unsigned, Cycle: r.Cycle, Made: r.Began, State: e.Store.Serial(), Policy: r.PolicyHash}
	at := map[identity.Ordinal]int{}
	for _, o := range r.Cleared() {
		i, known := at[o.Change.Person]
		if !known {
			i = len(file.People)
			at[o.Change.Person] = i
			file.People = append(file.People, plannedFile{Person: o.Change.Person, Login: r.Login(o.Change.Person),
				Fingerprint: r.Fingerprints[o.Change.Person]})
		}
		file.People[i].Changes = append(file.People[i].Changes, plannedChange{Key: o.Change.Key(), Text: plan.Words(o.Change)})
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	if _, err := w.Write(append(signed(text), '\n')); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

// unsigned is where the digest of a plan stands while it is made.
var unsigned = strings.Repeat("0", 2*sha256.Size)

// signed puts the digest of the text into it, so that no byte of a plan changes
// on its way unnoticed. It is no signature: who may change the file may make
// another plan.
func signed(text []byte) []byte {
	return bytes.Replace(text, []byte(unsigned), []byte(digest(append(bytes.Clone(text), '\n'))), 1)
}

// whole says whether a plan is as it was written.
func whole(text []byte, is string) bool {
	return len(is) == len(unsigned) && digest(bytes.Replace(text, []byte(is), []byte(unsigned), 1)) == is
}

// readPlan reads a plan. Inside a service it is what the client sent: no file of
// the service is read for somebody else.
func (a *app) readPlan(path string) (planFile, error) {
	var file planFile
	text := []byte(nil)
	if a.service != nil {
		text = a.service.ask.Input
	} else {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return file, fmt.Errorf("read plan: %w", err)
		}
		a.input = text
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return file, fmt.Errorf("read plan %s: %w", path, err)
	}
	if file.FormatVersion != 1 {
		return file, fmt.Errorf("read plan %s: format version %d, and this rosterd knows 1", path, file.FormatVersion)
	}
	if !whole(text, file.Digest) {
		return file, fmt.Errorf("read plan %s: it is not as it was written", path)
	}
	return file, nil
}

func (a *app) applyCommand() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use: "apply FILE", GroupID: groupDaily, Short: "do a plan that was written by plan --out", Args: cobra.ExactArgs(1),
		Long: `apply does the plan in FILE, person by person, where entry, link and policy are as
they were when it was made. Who moved since is skipped, and the exit code is 5; with
--strict nothing is done then. What was held when the plan was made stays held.`,
		Example: `  rosterd plan --out plan.json
  rosterd apply --strict plan.json`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(c *cobra.Command, args []string) error {
			file, err := a.readPlan(args[0])
			if err != nil {
				return usage(err, "make one with: rosterd plan --out FILE")
			}
			return a.runApply(c.Context(), file, strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "do all of it, or nothing")
	a.verboseFlag(cmd)
	return cmd
}

func (a *app) runApply(ctx context.Context, file planFile, strict bool) error {
	s, err := a.open(ctx, waitForCycle, true)
	if err != nil {
		return err
	}
	defer s.close()
	if file.State != s.store.Serial() {
		return usage(errors.New("apply plan: it was made from another state file"), "make a new one: rosterd plan --out FILE")
	}
	if len(file.People) == 0 {
		fmt.Fprintln(a.stderr, "the plan is empty: nothing to do")
		return nil
	}
	ask := rostersync.Request{Verb: "apply", By: a.caller(), Stop: a.stop, Fingerprints: true, TakePolicy: true}
	for _, p := range file.People {
		ask.People = append(ask.People, p.Person)
	}
	skipped := 0
	ask.Review = func(r *rostersync.Report) (func(target.Key) bool, error) {
		allowed := map[target.Key]bool{}
		for _, p := range file.People {
			if why := moved(file, p, r); why != "" {
				skipped++
				fmt.Fprintf(a.stderr, "skipped %s: %s\n", printable(p.Login), printable(why))
				continue
			}
			for _, ch := range p.Changes {
				allowed[ch.Key] = true
			}
		}
		if strict && skipped > 0 {
			return nil, fmt.Errorf("apply plan: %d of %d people moved since it was made, and --strict was given", skipped, len(file.People))
		}
		return func(k target.Key) bool { return allowed[k] }, nil
	}
	err = a.cycle(ctx, s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
		ask.Progress = show
		return s.engine.Cycle(ctx, ask)
	})
	var x *exit
	switch {
	case skipped == 0:
		return err
	case err == nil, errors.As(err, &x) && (x.code == rostersync.ExitPending || strict):
		if x != nil && x.err != nil {
			return &exit{code: rostersync.ExitParked, err: x.err, tip: "make a new one: rosterd plan --out FILE"}
		}
		return code(rostersync.ExitParked)
	}
	return err
}

// moved says what is not as it was for a person; empty if all is.
func moved(file planFile, p plannedFile, r *rostersync.Report) string {
	if file.Policy != r.PolicyHash {
		return "the policy is another one"
	}
	if r.Fingerprints[p.Person] != p.Fingerprint {
		return "the entry or the link is not as it was"
	}
	cleared := map[target.Key]bool{}
	for _, o := range r.Cleared() {
		cleared[o.Change.Key()] = true
	}
	for _, ch := range p.Changes {
		if !cleared[ch.Key] {
			return ch.Text + " is not to be done any more"
		}
	}
	return ""
}
