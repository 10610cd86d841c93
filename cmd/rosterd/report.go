package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// printReport shows what a cycle planned and did: the result on stdout, what
// went wrong on stderr.
func (a *app) printReport(s *session, r *rostersync.Report) error {
	a.printTrouble(r)
	if a.json {
		return a.printJSON(reportDocument(r))
	}
	if err := plan.Text(a.stdout, r.Shown, r.ShownVerdict, plan.TextOptions{Color: a.colored(a.stdout), Width: a.width()}); err != nil {
		return err
	}
	if !r.DryRun {
		a.printOutcome(r)
	}
	for _, read := range r.Reads {
		if !read.Drained.SecondLookAt.IsZero() {
			fmt.Fprintf(a.stdout, "%s not seen this time: whoever it is keeps everything until a second look; run again after %s\n",
				count(read.Drained.Missing, "entry"), moment(read.Drained.SecondLookAt))
		}
	}
	return nil
}

// width of the terminal, 0 elsewhere.
func (a *app) width() int {
	if f, ok := a.stdout.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return w
		}
	}
	return 0
}

// printTrouble says on stderr what went wrong and what to do.
func (a *app) printTrouble(r *rostersync.Report) {
	for _, read := range r.Reads {
		if read.Err != nil {
			a.complain(fmt.Errorf("%w\nnobody's standing has changed; what was known stays in force", read.Err), "")
		}
	}
	for _, d := range r.Down {
		a.complain(fmt.Errorf("target %s: %w", d.Target, d.Err), "")
	}
	for _, p := range r.Pins {
		a.warn(pinText(p))
	}
	for _, s := range r.Sources {
		for _, container := range s.Blackouts {
			a.warn(fmt.Sprintf("everybody under %s vanished in one read: their standing is unknown, and nothing is taken from them; if they are really gone, delete or move them one by one, or look at the rights of the bind identity", container))
		}
		if s.MinPeople {
			a.warn(fmt.Sprintf("only %d of %d people were read: every removal is held", s.People, s.Peak))
		}
		if s.Rekeyed > 0 {
			a.warn(fmt.Sprintf("%d people came back under other IDs at once: nobody is relinked or removed", s.Rekeyed))
		}
	}
}

func (a *app) warn(text string) {
	fmt.Fprintf(a.stderr, "%s %s\n", a.paint(a.stderr, yellow, "rosterd: warning:"), text)
}

func pinText(p ledger.Pin) string {
	switch p.Status {
	case ledger.PinRenamed:
		return fmt.Sprintf("the group %s is now %s: it is followed; correct the configuration", p.Written, p.DN)
	case ledger.PinUnseen:
		return fmt.Sprintf("the policy names the group %s, and no such group was ever read: it gives nothing", p.Written)
	}
	return fmt.Sprintf("the group %s is %s: the roles that it gives are unknown, and nothing is revoked because of it", p.Written, p.Status)
}

// printOutcome says what was done, in one line of totals, and what failed.
func (a *app) printOutcome(r *rostersync.Report) {
	for _, f := range r.Failed {
		fmt.Fprintf(a.stdout, "%s %s in %s: %s", a.paint(a.stdout, red, "failed"), plan.Words(f.Order.Change), f.Order.Change.Target, f.Outcome.Err)
		switch {
		case f.Outcome.Class == target.InDoubt:
			fmt.Fprint(a.stdout, "; whether it was done is looked up in the next cycle")
		case !f.Outcome.Next.IsZero():
			fmt.Fprintf(a.stdout, "; next attempt %s", moment(f.Outcome.Next))
		}
		fmt.Fprintln(a.stdout)
		if f.Outcome.Hint != "" {
			fmt.Fprintf(a.stdout, "  hint: %s\n", f.Outcome.Hint)
		}
	}
	for _, u := range r.Unverified {
		fmt.Fprintf(a.stdout, "%s %s in %s: %s\n", a.paint(a.stdout, red, "unverified"), strings.TrimPrefix(u.Subject, "verify "), u.Target, u.Error)
	}
	var done []string
	for _, v := range verbs(r.Done) {
		done = append(done, fmt.Sprintf("%s %d", v, r.Done[v]))
	}
	if len(done) == 0 {
		done = []string{"nothing"}
	}
	line := "done: " + strings.Join(done, ", ")
	if r.Verified > 0 {
		line += fmt.Sprintf("; verified %s", count(r.Verified, "account"))
	}
	if r.Recovered > 0 {
		line += fmt.Sprintf("; %s of an interrupted cycle answered", count(r.Recovered, "write"))
	}
	if n := len(r.Skipped); n > 0 {
		line += fmt.Sprintf("; %d wait for what failed", n)
	}
	if r.Stopped {
		line += "; stopped by a signal, the rest is done by the next cycle"
	}
	fmt.Fprintf(a.stdout, "%s  (cycle %s, %s)\n", line, r.Cycle, r.Ended.Sub(r.Began).Round(1e6))
}

func verbs(m map[target.Verb]int) []target.Verb {
	out := make([]target.Verb, 0, len(m))
	for v := range m {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// document is a report for machines.
type document struct {
	FormatVersion int               `json:"format_version"`
	Cycle         string            `json:"cycle"`
	Verb          string            `json:"verb"`
	Exit          int               `json:"exit"`
	Reads         []readDocument    `json:"reads"`
	Down          map[string]string `json:"down,omitempty"`
	Warnings      []string          `json:"warnings,omitempty"`
	Plan          plan.Document     `json:"plan"`
	Holds         []holdDocument    `json:"holds"`
	Done          map[string]int    `json:"done"`
	Failed        []failedDocument  `json:"failed,omitempty"`
	Verified      int               `json:"verified"`
}

type readDocument struct {
	Source string `json:"source"`
	Error  string `json:"error,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

type failedDocument struct {
	Target string `json:"target"`
	Change string `json:"change"`
	Error  string `json:"error"`
	Hint   string `json:"hint,omitempty"`
	Class  string `json:"class"`
}

type holdDocument struct {
	ID      string   `json:"id"`
	Target  string   `json:"target"`
	Rule    string   `json:"rule"`
	Role    string   `json:"role,omitempty"`
	Status  string   `json:"status"`
	Version string   `json:"version"`
	Text    string   `json:"text"`
	Changes []string `json:"changes"`
	Approve string   `json:"approve"`
}

func reportDocument(r *rostersync.Report) document {
	d := document{FormatVersion: 1, Cycle: r.Cycle, Verb: r.Verb, Exit: r.Exit(), Plan: plan.NewDocument(r.Shown, r.ShownVerdict),
		Holds: []holdDocument{}, Done: map[string]int{}, Verified: r.Verified, Reads: []readDocument{}}
	for _, read := range r.Reads {
		x := readDocument{Source: read.Source}
		if read.Err != nil {
			x.Error, x.Hint = read.Err.Error(), hintOf(read.Err)
		}
		d.Reads = append(d.Reads, x)
	}
	for _, x := range r.Down {
		if d.Down == nil {
			d.Down = map[string]string{}
		}
		d.Down[x.Target] = x.Err.Error()
	}
	for _, p := range r.Pins {
		d.Warnings = append(d.Warnings, pinText(p))
	}
	for _, h := range r.Holds {
		d.Holds = append(d.Holds, toHoldDocument(h))
	}
	for v, n := range r.Done {
		d.Done[v.String()] = n
	}
	for _, f := range r.Failed {
		d.Failed = append(d.Failed, failedDocument{f.Order.Change.Target, plan.Words(f.Order.Change), f.Outcome.Err, f.Outcome.Hint, f.Outcome.Class.String()})
	}
	return d
}

func toHoldDocument(h ledger.Hold) holdDocument {
	x := holdDocument{ID: h.ID, Target: h.Target, Rule: h.Rule, Role: h.Role, Status: h.Status.String(), Version: h.Version(), Text: h.Text,
		Changes: []string{}, Approve: fmt.Sprintf("rosterd approve %s --version %s --yes", h.ID, h.Version())}
	for _, k := range h.Keys {
		x.Changes = append(x.Changes, k.Text)
	}
	return x
}
