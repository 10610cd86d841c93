package main

import (
	"fmt"
	"path/filepath"
	"strings"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

// notePending remembers, before the state is closed, what became of a changed
// file.
func (a *app) notePending(s *session) {
	p, err := s.engine.Pending()
	if err == nil && p != nil {
		a.pending = p
	}
}

// settlePending says that a changed file does not govern, and gives the verb its
// exit code: whatever it did, it did under the policy in force.
func (a *app) settlePending(code int) int {
	p := a.pending
	if p == nil {
		return code
	}
	if text, hint := pendingText(p); a.verb != "status" && !a.told {
		rests := "this rests on the policy in force"
		if p.Frozen {
			rests = "nothing is done in any target until that is decided"
		}
		a.warn(text + "; " + rests + "; " + hint)
	}
	if p.Fate == rostersync.Held {
		return atLeastHeld(code)
	}
	return code
}

// pendingText says what became of a changed file, and what to type.
func pendingText(p *rostersync.Pending) (text, hint string) {
	file := filepath.Base(p.File)
	switch p.Fate {
	case rostersync.Taken:
		return file + " is another policy than the one in force, within its limits", "it is taken by: rosterd sync"
	case rostersync.Held:
		return fmt.Sprintf("%s is held: %s", p.Hold.ID, p.Why), fmt.Sprintf("look and decide: rosterd approve %s, or rosterd reject %s", p.Hold.ID, p.Hold.ID)
	case rostersync.Rejected:
		return fmt.Sprintf("%s was rejected (%s, by %s) and does not govern", file, p.Hold.ID, p.Hold.ApprovedBy), "change it, or put back what was there"
	case rostersync.Agreed:
		return file + " was approved and is not in force yet", "it is taken by: rosterd sync"
	}
	if p.Why != "" {
		return file + " is another policy than the one in force, and could not be judged: " + p.Why, "try again: rosterd plan"
	}
	return file + " is another policy than the one in force, and was not judged yet", "see what it would change: rosterd plan; take it: rosterd sync"
}

// printPending shows what a changed file would do, or does. That it does not
// govern is said at the end of every verb.
func (a *app) printPending(r *rostersync.Report) {
	p := r.Policy
	if p == nil || !r.DryRun && p.Fate != rostersync.Taken {
		return
	}
	w := a.stdout
	text, hint := pendingText(p)
	switch {
	case p.Fate == rostersync.Taken && !r.DryRun:
		text, hint = filepath.Base(p.File)+" is in force now", ""
	case p.Fate == rostersync.Taken:
		a.told = true
	default:
		hint += "\n  what follows rests on the policy in force"
	}
	fmt.Fprintf(w, "%s %s\n", a.paint(w, bold, "policy:"), printable(text))
	if p.Outside > 0 {
		fmt.Fprintf(w, "  not read any more: %s\n", count(p.Outside, "person"))
	}
	for _, l := range p.Impact {
		fmt.Fprintf(w, "  %s  %s\n", printable(l.Target), a.impactLine(l))
	}
	if hint != "" {
		fmt.Fprintf(w, "  %s\n\n", hint)
	}
}

// impactLine is one line of an impact: what, of whom, by which role.
func (a *app) impactLine(l plan.Line) string {
	names := l.People
	more := ""
	if len(names) > few && !a.verbose {
		more = fmt.Sprintf(" and %s more (-v shows all)", grouped(len(names)-few))
		names = names[:few]
	}
	by := ""
	if len(l.Roles) > 0 {
		by = " (" + strings.Join(l.Roles, ", ") + ")"
	}
	return printable(fmt.Sprintf("%s%s of %s: %s%s", l.What, by, count(len(l.People), "person"), strings.Join(names, ", "), more))
}

// pendingDocument is a changed file for machines.
type pendingDocument struct {
	File    string      `json:"file"`
	Hash    string      `json:"hash"`
	Fate    string      `json:"fate"`
	Text    string      `json:"text"`
	Hint    string      `json:"hint,omitempty"`
	Hold    string      `json:"hold,omitempty"`
	Outside int         `json:"outside,omitempty"`
	Impact  []plan.Line `json:"impact,omitempty"`
}

func newPendingDocument(p *rostersync.Pending) *pendingDocument {
	if p == nil {
		return nil
	}
	text, hint := pendingText(p)
	return &pendingDocument{p.File, p.Hash, p.Fate.String(), text, hint, p.Hold.ID, p.Outside, p.Impact}
}
