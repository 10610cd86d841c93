package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// few is how many are shown where many have the same.
const few = 10

// line is one thing that a cycle did or left: a line of its own, so that who
// reads it among the lines of other programs understands it alone.
type line struct {
	status, target, text, aside string
	// kind is what lines must share to be counted instead of shown.
	kind string
}

// printOutcome says what a cycle did, what waits and, last, the totals.
func (a *app) printOutcome(r *rostersync.Report) error {
	w := bufio.NewWriter(a.stdout)
	a.printLines(w, doneLines(r))
	a.printLines(w, failedLines(r))
	a.printLines(w, waitingLines(r))
	a.printLines(w, a.heldLines(r))
	a.printLines(w, leftLines(r))
	fmt.Fprintln(w, totals(r))
	if err := w.Flush(); err != nil {
		return err
	}
	return a.printAbsent(r)
}

func (a *app) printLines(w io.Writer, lines []line) {
	slices.SortStableFunc(lines, func(x, y line) int { return strings.Compare(x.target, y.target) })
	wide := 0
	crowd := map[string]int{}
	for _, l := range lines {
		wide = max(wide, len(l.target))
		crowd[l.target+"\x00"+l.kind]++
	}
	hues := map[string]hue{"done": green, "failed": red, "unproved": red, "held": yellow, "parked": yellow, "waits": yellow, "next": yellow, "note": dim}
	write := func(l line) {
		fmt.Fprintf(w, "%s %-*s  %s", a.paint(a.stdout, hues[l.status], fmt.Sprintf("%-8s", l.status)), wide, l.target, printable(l.text))
		if l.aside != "" {
			fmt.Fprintf(w, "  %s", a.paint(a.stdout, dim, "["+printable(l.aside)+"]"))
		}
		fmt.Fprintln(w)
	}
	shown := map[string]int{}
	for _, l := range lines {
		of := l.target + "\x00" + l.kind
		shown[of]++
		switch {
		case a.verbose || l.kind == "" || shown[of] <= few:
			write(l)
		case shown[of] == few+1:
			write(line{status: l.status, target: l.target, text: fmt.Sprintf("… and %s more like these: %s (-v shows all)", grouped(crowd[of]-few), l.kind)})
		}
	}
}

func doneLines(r *rostersync.Report) []line {
	var out []line
	for _, o := range r.Carried {
		out = append(out, line{"done", o.Change.Target, plan.Words(o.Change), whose(r, o), o.Change.Verb.String() + ", " + o.Situation})
	}
	return out
}

// whose is the person of an order and the situation they are in.
func whose(r *rostersync.Report, o ledger.Order) string {
	login := r.Login(o.Change.Person)
	if login == "" || login == o.Change.Name {
		return o.Situation
	}
	return login + ", " + o.Situation
}

func failedLines(r *rostersync.Report) []line {
	var out []line
	for _, f := range r.Failed {
		text := plan.Words(f.Order.Change) + ": " + f.Outcome.Err
		switch {
		case f.Outcome.Class == target.InDoubt:
			text += "; whether it was done is looked up in the next cycle"
		case !f.Outcome.Next.IsZero():
			text += "; next attempt " + moment(f.Outcome.Next)
		}
		if f.Outcome.Hint != "" {
			text += "; " + f.Outcome.Hint
		}
		out = append(out, line{"failed", f.Order.Change.Target, text, whose(r, f.Order), f.Order.Change.Verb.String() + ", " + f.Outcome.Class.String()})
	}
	for _, s := range r.Skipped {
		out = append(out, line{"waits", s.Order.Change.Target, plan.Words(s.Order.Change) + ": " + s.Why, whose(r, s.Order), s.Order.Change.Verb.String()})
	}
	for _, u := range r.Unverified {
		out = append(out, line{"unproved", u.Target, strings.TrimPrefix(u.Subject, "verify ") + ": " + u.Error, "", "not read back as written"})
	}
	return out
}

// leftLines are changes that were not asked for, or not shown, and that nothing keeps.
func leftLines(r *rostersync.Report) []line {
	var out []line
	for _, o := range r.Left {
		out = append(out, line{"next", o.Change.Target, plan.Words(o.Change) + ": the next cycle does it", whose(r, o), "left to the next cycle"})
	}
	return out
}

// waitingLines are people for whom nothing is done, and findings that change
// nothing.
func waitingLines(r *rostersync.Report) []line {
	var out []line
	for i := range r.Shown.Subjects {
		s := &r.Shown.Subjects[i]
		why := s.Situation.String()
		if rests := plan.Rests(s); rests != "" {
			why += ": " + rests
		}
		switch {
		case s.Held != "":
			out = append(out, line{"held", s.Target, s.Login + " " + why, s.Held, s.Situation.String()})
		case s.Park != nil:
			if s.Park.Error != s.Why {
				why += "; " + s.Park.Error
			}
			out = append(out, line{"parked", s.Target, s.Login + " " + why, s.Park.Hint, s.Situation.String()})
		case s.Situation == plan.InDoubt:
			out = append(out, line{"parked", s.Target, s.Login + " " + why, "", s.Situation.String()})
		}
		for _, n := range s.Notes {
			out = append(out, line{"note", s.Target, s.Login + " " + n, "", "notes, " + s.Situation.String()})
		}
	}
	return out
}

// heldLines are the holds that wait, with a few of the people in them and the
// command that decides.
func (a *app) heldLines(r *rostersync.Report) []line {
	var out []line
	for _, h := range waiting(r.Holds) {
		names := a.names(people(h), r.Login)
		out = append(out, line{"held", h.Target, fmt.Sprintf("%s: %s: %s; look and decide: rosterd approve %s", h.ID, h.Text, names, h.ID), h.Rule, ""})
	}
	return out
}

// names lists people, the first few by name.
func (a *app) names(list []identity.Ordinal, login func(identity.Ordinal) string) string {
	const most = 5
	var names []string
	for _, p := range list {
		names = append(names, first(login(p), p.String()))
	}
	slices.Sort(names)
	if n := len(names) - most; n > 0 && !a.verbose {
		return strings.Join(names[:most], ", ") + " and " + grouped(n) + " more"
	}
	return strings.Join(names, ", ")
}

// people are those in a hold, each once.
func people(h ledger.Hold) []identity.Ordinal {
	var out []identity.Ordinal
	for _, k := range h.Keys {
		if k.Person.Valid() {
			out = append(out, k.Person)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// undecided is how many changes of a hold nobody has approved or rejected.
func undecided(h ledger.Hold) int {
	decided := make(map[target.Key]bool, len(h.Approved)+len(h.Refused))
	for _, k := range slices.Concat(h.Approved, h.Refused) {
		decided[k] = true
	}
	n := 0
	for _, k := range h.Keys {
		if !decided[k.Key] {
			n++
		}
	}
	return n
}

// totals is the line of totals of a cycle.
func totals(r *rostersync.Report) string {
	var done []string
	for _, v := range verbs(r.Done) {
		done = append(done, fmt.Sprintf("%s %s", v, grouped(r.Done[v])))
	}
	out := "Done: " + strings.Join(done, ", ")
	if len(done) == 0 {
		out = "Done: nothing"
	}
	if r.Verified > 0 {
		out += "; verified " + count(r.Verified, "account")
	}
	if r.Recovered > 0 {
		out += fmt.Sprintf("; %s of an interrupted cycle answered", count(r.Recovered, "write"))
	}
	held := 0
	for _, h := range waiting(r.Holds) {
		held += undecided(h)
	}
	for _, x := range []struct {
		n    int
		word string
	}{{held, "held"}, {len(r.Failed), "failed"}, {len(r.Parked), "parked"}, {len(r.Unverified), "not read back as written"}, {r.InDoubt, "in doubt"}, {len(r.Skipped), "waiting"}, {len(r.Left), "left to the next cycle"}} {
		if x.n > 0 {
			out += fmt.Sprintf("; %s %s", grouped(x.n), x.word)
		}
	}
	if r.Stopped {
		out += "; stopped by a signal, the rest is done by the next cycle"
	}
	var read []string
	for _, x := range r.Reads {
		if x.Err == nil {
			read = append(read, readText(x))
		}
	}
	seen := ""
	if len(read) > 0 {
		seen = strings.Join(read, ", ") + ", "
	}
	return fmt.Sprintf("%s  (%scycle %s, %s)", out, seen, r.Cycle, r.Ended.Sub(r.Began).Round(time.Millisecond))
}
