package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

// statusCycles is how many past cycles status shows.
const statusCycles = 5

func (a *app) statusCommand() *cobra.Command {
	var exitCode bool
	var every time.Duration
	cmd := &cobra.Command{
		Use: "status", GroupID: groupKnow, Short: "show what needs a person, and how things stand", Args: cobra.NoArgs,
		Long: `status shows first what needs a person, each with the command to type: what is held,
what failed and is tried again. Then how old is what is known of the sources, the
accounts in each target, and the last cycles. It reads the state alone.`,
		Example: `  rosterd status
  rosterd status --watch                 drawn anew every two seconds
  rosterd status --exit-code --json      for a monitor`,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("watch") && a.service == nil {
				return a.watch(c.Context(), every, exitCode)
			}
			s, err := a.open(c.Context(), waitBriefly, true)
			if err != nil {
				return err
			}
			defer s.close()
			st, err := s.engine.Status(statusCycles)
			if err != nil {
				return failed(err)
			}
			if a.json {
				d := newStatusDocument(st, a.due())
				d.push(a.pushed())
				err = a.printJSON(d)
			} else {
				a.printStatus(st, s.login)
			}
			if err != nil || !exitCode {
				return failed(err)
			}
			return code(statusExit(st))
		},
	}
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "end with 4 if something is held, 5 if something is parked, 1 if the last read failed")
	cmd.Flags().DurationVar(&every, "watch", watchEvery, "draw it anew `EVERY` so often, until ^C")
	cmd.Flags().Lookup("watch").NoOptDefVal = watchEvery.String()
	return cmd
}

func waiting(holds []ledger.Hold) []ledger.Hold {
	return slices.DeleteFunc(slices.Clone(holds), func(h ledger.Hold) bool { return h.Status != ledger.Waiting || len(h.Keys) == 0 })
}

func statusExit(st *rostersync.Status) int {
	switch {
	case st.Trouble != nil, len(st.Cycles) > 0 && st.Cycles[0].Exit == rostersync.ExitFailed:
		return rostersync.ExitFailed
	case len(waiting(st.Holds)) > 0, st.Restored != nil, slices.ContainsFunc(st.Targets, func(t rostersync.TargetStatus) bool { return len(t.Kept) > 0 }):
		return rostersync.ExitHeld
	case len(st.Parked)+len(st.Outages)+st.InDoubt > 0:
		return rostersync.ExitParked
	}
	return rostersync.ExitDone
}

func (a *app) printStatus(st *rostersync.Status, login func(identity.Ordinal) string) {
	p := a.page()
	p.head("Needs a person", "")
	p.columns("in doubt")
	a.printNeeds(p, st, login)

	fmt.Fprintln(p.w)
	p.head("Sources", "")
	p.columns(sortedKeys(st.Sources)...)
	pushed := a.pushed()
	for _, name := range sortedKeys(st.Sources) {
		f := st.Sources[name]
		if f.LastComplete.IsZero() {
			p.row(name, "", "never read: rosterd plan")
			continue
		}
		p.row(name, "", fmt.Sprintf("%s, %s, read %s", count(f.People, "person"), count(f.Groups, "group"), ago(st.At, f.LastComplete)))
		if f.Engine != "" {
			p.more("", fmt.Sprintf("changes followed by %s, as of %s", f.Engine, moment(f.LastFollow)))
		}
		p.more("", "deletions known as of "+moment(f.Deletions()))
		if f.Why != "" {
			p.more("", "everything was read the last time because: "+f.Why)
		}
		if f.Server != "" {
			p.more(dim, "from "+f.Server)
		}
		if push, is := pushed[name]; is {
			h, text := pushText(push, st.At)
			p.more(h, text)
		}
		if !f.SecondLookAt.IsZero() {
			p.more("", "some people were not seen, and keep everything until a second look; it can be taken after "+moment(f.SecondLookAt))
		}
	}

	fmt.Fprintln(p.w)
	p.head("Targets", "")
	var names []string
	for _, t := range st.Targets {
		names = append(names, t.Name)
	}
	p.columns(names...)
	for _, t := range st.Targets {
		note := ""
		if t.New {
			note = "; new: its first plan is not approved yet"
		}
		p.row(t.Name, "", fmt.Sprintf("%s: %s open, %s closed%s", t.Kind, count(t.Open, "account"), grouped(t.All-t.Open), note))
	}

	if len(st.Denials) > 0 {
		fmt.Fprintln(p.w)
		p.head("Offboarded by hand", "")
		names = nil
		for _, d := range st.Denials {
			names = append(names, login(d.Person))
		}
		p.columns(names...)
		for i, d := range st.Denials {
			p.row(names[i], "", fmt.Sprintf("by %s, %s: %s", d.By, ago(st.At, d.At), d.Reason))
		}
	}

	a.printRejected(p, st)
	if len(st.Together) > 0 {
		fmt.Fprintln(p.w)
		a.printTogether(p, st.Together, login)
	}
	if len(st.Exceptions) > 0 {
		fmt.Fprintln(p.w)
		a.printExceptions(p, st.Exceptions, login)
	}

	fmt.Fprintln(p.w)
	p.head("Last cycles", "")
	if len(st.Cycles) == 0 {
		fmt.Fprintln(p.w, "  none yet: rosterd plan")
	}
	for _, c := range st.Cycles {
		fmt.Fprintf(p.w, "  %s  %-8s  %s  %s\n", moment(c.Began), c.Verb, a.paint(p.w, exitHue(c), fmt.Sprintf("%-24s", ended(c))), took(c))
	}
	fmt.Fprintln(p.w, "  "+a.nextRun())
	if st.Waiting > 0 {
		fmt.Fprintf(p.w, "  %s to be looked at by the next cycle\n", count(st.Waiting, "person"))
	}
}

// due is when the service runs the next cycle; zero where none does.
func (a *app) due() time.Time {
	if a.service == nil || a.service.next == nil {
		return time.Time{}
	}
	return a.service.next()
}

// nextRun says what runs the next cycle, and when.
func (a *app) nextRun() string {
	switch {
	case a.service == nil || a.service.next == nil && !a.service.current().engine.Busy():
		return "no service is running: rosterd run, or systemctl start rosterd"
	case a.service.current().engine.Busy():
		return "a cycle is running now: rosterd plan shows what is left of it"
	case a.service.next().IsZero():
		return "the service is starting"
	}
	return "the next cycle is due " + moment(a.service.next())
}

// printNeeds is what waits for a person, with the command to type.
func (a *app) printNeeds(p *page, st *rostersync.Status, login func(identity.Ordinal) string) {
	nothing := true
	say := func(name string, h hue, text, hint string) {
		nothing = false
		p.row(name, h, text)
		if hint != "" {
			p.more(bold, hint)
		}
	}
	if c := st.Cycles; len(c) > 0 && c[0].Exit == rostersync.ExitFailed {
		say("failed", red, "the last cycle: "+strings.ReplaceAll(first(c[0].Error, "see the journal of the service"), "\n", "; "), "rosterd check")
	}
	if st.Trouble != nil {
		say("failed", red, "writing the state: "+st.Trouble.Error(), hintOf(st.Trouble))
	}
	if r := st.Restored; r != nil {
		say("restored", red, fmt.Sprintf("the state may be old, since %s: %s%s", moment(r.At), r.Why, missing(*r)), "")
		if r.Resynced {
			p.more("", "all was read and compared since; what differs in a target is held until it is approved")
		} else {
			p.more(bold, "rosterd sync")
		}
	}
	for _, t := range st.Targets {
		if text, hint := looseText(t); text != "" {
			say("loose", red, text, hint)
		}
		for _, k := range t.Kept {
			text, hint := a.keptText(t.Name, k, login)
			say("kept", red, text, hint)
		}
	}
	files := a.instead
	if a.service != nil && strings.TrimPrefix(a.service.ask.Config, orAny) != a.service.current().config.Digest {
		files = a.service.current().instead
	}
	if len(files) > 0 {
		say("files", yellow, insteadText(files)+", and what governed before goes on", "rosterd check --offline")
	}
	if p := st.Policy; p != nil && p.Fate != rostersync.Rejected {
		text, hint := pendingText(p)
		say("policy", yellow, text, hint)
	}
	for _, x := range st.Pauses {
		say("paused", yellow, fmt.Sprintf("%s, by %s, %s: %s; %s", first(x.Target, "every target"), x.By, ago(st.At, x.At), x.Reason, pauseEnd(x)), "")
	}
	for _, o := range st.Outages {
		if !o.Broken() {
			say("failing", yellow, fmt.Sprintf("%s, since %s: %s; the next cycle tries again", o.Target, ago(st.At, o.Since), o.Error), first(o.Hint, "rosterd check"))
			continue
		}
		say("broken", red, fmt.Sprintf("%s, since %s: %s", o.Target, ago(st.At, o.Since), o.Error), o.Hint)
		p.more("", fmt.Sprintf("left alone after %s; next attempt %s, with one change first", count(o.Failures, "failed attempt"), ago(st.At, o.Next)))
		if who := parkedIn(st.Parked, o.Target); len(who) > 0 {
			p.more("", fmt.Sprintf("parked there: %s (%s)", count(len(who), "person"), a.names(who, login)))
		}
		p.more(bold, "rosterd retry --target "+o.Target)
	}
	for _, h := range waiting(st.Holds) {
		if st.Policy != nil && h.ID == st.Policy.Hold.ID {
			continue // stands above
		}
		say(h.ID, yellow, fmt.Sprintf("%s: %s", h.Target, h.Text), "")
		p.more("", fmt.Sprintf("%s of %s (%s), rule %s, since %s", count(len(h.Keys), "change"), count(len(people(h)), "person"),
			a.names(people(h), login), role(h), ago(st.At, h.Opened)))
		p.more(bold, "rosterd approve "+h.ID)
	}
	for _, name := range sortedKeys(st.Sources) {
		for _, c := range st.Sources[name].Blackouts {
			say("blackout", red, "everybody under "+c+" vanished in one read", "")
		}
	}
	// What is parked in a target that broke was counted there.
	parked := slices.DeleteFunc(slices.Clone(st.Parked), func(k ledger.Parked) bool {
		return slices.ContainsFunc(st.Outages, func(o ledger.Outage) bool { return o.Broken() && o.Target == k.Target })
	})
	causes := groupParked(parked)
	for i, g := range causes {
		if i == few {
			p.more("", fmt.Sprintf("and parked for %s more: rosterd status --json", count(len(causes)-few, "reason")))
			break
		}
		say("parked", red, a.parkedText(g, st.At, login), g.first.Hint)
	}
	if st.InDoubt > 0 {
		say("in doubt", yellow, count(st.InDoubt, "write")+" whose outcome is not known; the next cycle looks", "rosterd sync")
	}
	if nothing {
		fmt.Fprintln(p.w, "  "+a.paint(p.w, green, "nothing"))
	}
}

// parkedIn are the people who are parked in a target, each once.
func parkedIn(parked []ledger.Parked, target string) []identity.Ordinal {
	var who []identity.Ordinal
	for _, k := range parked {
		if k.Target == target {
			who = append(who, k.Person)
		}
	}
	slices.Sort(who)
	return slices.Compact(who)
}

// missing says what a state that was restored lacks, as far as it is known.
func missing(r state.Restored) string {
	text := ""
	if r.Commits > 0 {
		text = "; it lacks " + count(int(r.Commits), "commit")
	}
	if r.Records > 0 {
		text += "; the journal lacks " + count(int(r.Records), "record") + ", its head was " + r.Head
	}
	return text
}

// ended says how a cycle ended, in words.
func ended(c state.CycleRecord) string {
	if c.Ended.IsZero() {
		return "not ended"
	}
	words := map[int]string{rostersync.ExitDone: "done", rostersync.ExitFailed: "failed", rostersync.ExitPending: "changes pending",
		rostersync.ExitHeld: "something is held", rostersync.ExitParked: "something is parked"}
	return fmt.Sprintf("%d %s", c.Exit, words[c.Exit])
}

func exitHue(c state.CycleRecord) hue {
	switch {
	case c.Ended.IsZero(), c.Exit == rostersync.ExitFailed:
		return red
	case c.Exit == rostersync.ExitHeld, c.Exit == rostersync.ExitParked:
		return yellow
	}
	return green
}

func took(c state.CycleRecord) string {
	if c.Ended.IsZero() {
		return ""
	}
	return c.Ended.Sub(c.Began).Round(time.Millisecond).String()
}
