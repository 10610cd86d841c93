package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/term"

	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// printReport shows what a cycle planned, or did: the result on stdout, what
// went wrong on stderr.
func (a *app) printReport(r *rostersync.Report) error {
	a.printTrouble(r)
	if a.json {
		return a.printJSON(reportDocument(r))
	}
	a.printPending(r)
	if !r.DryRun {
		if err := a.printOutcome(r); err != nil || r.Then == nil {
			return err
		}
		return a.printOutcome(r.Then)
	}
	if r.Still {
		for _, s := range r.Sources {
			fmt.Fprintf(a.stdout, "a cycle is running: this is what is left, as of the read at %s\n\n", moment(s.LastComplete))
		}
	}
	unread := false
	for _, read := range r.Reads {
		if read.Err != nil {
			unread = true
			fmt.Fprintf(a.stdout, "%s was not read: this rests on what was known of it before\n\n", read.Source)
		}
	}
	if err := plan.Text(a.stdout, r.Shown, r.ShownVerdict, plan.TextOptions{Color: a.colored(a.stdout), Width: a.width(), Verbose: a.verbose, Unread: unread}); err != nil {
		return err
	}
	return a.printAbsent(r)
}

// printAbsent says whom a second look must confirm to be gone, and when.
func (a *app) printAbsent(r *rostersync.Report) error {
	for _, read := range r.Reads {
		if read.Drained.SecondLookAt.IsZero() {
			continue
		}
		_, err := fmt.Fprintf(a.stdout, "%s of %s not seen this time: whoever it is keeps everything until a second look; run again after %s\n",
			count(read.Drained.Missing, "entry"), read.Source, moment(read.Drained.SecondLookAt))
		if err != nil {
			return err
		}
	}
	return nil
}

// width of the terminal, 0 elsewhere.
func (a *app) width() int {
	if a.service != nil {
		return a.service.ask.Width
	}
	if a.columns > 0 {
		return a.columns
	}
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
			a.complain(fmt.Errorf("%w\nnobody's standing has changed by it; what was known stays in force, dates too", read.Err), first(hintOf(read.Err), "find out more: rosterd check"))
		} else if text := rereadText(read); text != "" {
			a.warn(text)
		}
	}
	if p := r.Policy; p != nil && p.Err != nil {
		a.complain(fmt.Errorf("judge %s: %w\nthe policy in force goes on, and nobody's standing has changed", filepath.Base(p.File), p.Err), first(hintOf(p.Err), "correct the file; find out more: rosterd check"))
	}
	for _, d := range r.Down {
		a.complain(fmt.Errorf("target %s: %w", d.Target, d.Err), first(hintOf(d.Err), "find out more: rosterd check"))
	}
	for _, p := range r.Pauses {
		a.warn(fmt.Sprintf("%s is paused by %s: %s; what is to be done there waits %s", first(p.Target, "every target"), p.By, p.Reason, pauseEnd(p)))
	}
	for _, p := range r.Pins {
		if p.Status != ledger.PinUnseen || !unread(r, p.Source) {
			a.warn(pinText(p))
		}
	}
	for _, s := range r.Sources {
		for _, container := range s.Blackouts {
			a.warn(fmt.Sprintf("everybody under %s vanished in one read: their standing is unknown, and nothing is taken from them; look at the rights of the bind identity, or approve the hold if they are really gone", container))
		}
		if s.MinPeople {
			a.warn(fmt.Sprintf("only %d of %d people were read: every removal is held", s.People, s.Peak))
		}
		if s.Rekeyed > 0 {
			a.warn(fmt.Sprintf("%d people came back under other IDs at once: nobody is relinked or removed", s.Rekeyed))
		}
	}
	// The plan is of targets; the hold of a source stands here.
	for _, h := range r.Holds {
		if (h.Rule == "rekeyed" || h.Rule == "gone-dark") && h.Status == ledger.Waiting {
			a.warn(fmt.Sprintf("%s: %s: rosterd approve %s", h.ID, h.Text, h.ID))
		}
	}
}

// unread says whether a source could not be read: that no such group was seen in it is
// no news then.
func unread(r *rostersync.Report, source string) bool {
	return slices.ContainsFunc(r.Reads, func(x rostersync.Read) bool { return x.Source == source && x.Err != nil })
}

func (a *app) warn(text string) {
	fmt.Fprintf(a.stderr, "%s %s\n", a.paint(a.stderr, yellow, "rosterd: warning:"), printable(text))
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
	Policy        *pendingDocument  `json:"policy,omitempty"`
	Plan          plan.Document     `json:"plan"`
	Holds         []holdDocument    `json:"holds"`
	Done          map[string]int    `json:"done"`
	Failed        []failedDocument  `json:"failed,omitempty"`
	Verified      int               `json:"verified"`
	// Left is what the next cycle does.
	Left []leftDocument `json:"left,omitempty"`
	// Then is the second pass: of references, and of what waited for another target.
	Then *document `json:"then,omitempty"`
}

type leftDocument struct {
	Target string `json:"target"`
	Change string `json:"change"`
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
		Holds: []holdDocument{}, Done: map[string]int{}, Verified: r.Verified, Reads: []readDocument{}, Policy: newPendingDocument(r.Policy)}
	for _, read := range r.Reads {
		d.Reads = append(d.Reads, newReadDocument(read))
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
	for _, o := range r.Left {
		d.Left = append(d.Left, leftDocument{o.Change.Target, plan.Words(o.Change)})
	}
	if r.Then != nil {
		then := reportDocument(r.Then)
		d.Then = &then
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
