package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

// statusCycles is how many past cycles status shows.
const statusCycles = 5

func (a *app) statusCommand() *cobra.Command {
	var exitCode bool
	cmd := &cobra.Command{
		Use: "status", Short: "what needs a person, and how things stand", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.open(waitBriefly, true)
			if err != nil {
				return err
			}
			defer s.close()
			st, err := s.engine.Status(statusCycles)
			if err != nil {
				return failed(err)
			}
			if a.json {
				err = a.printJSON(statusDocument(st))
			} else {
				a.printStatus(st)
			}
			if err != nil || !exitCode {
				return failed(err)
			}
			return code(statusExit(st))
		},
	}
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "end with 4 if something is held, 5 if something is parked, 1 if the last read failed")
	return cmd
}

func waiting(holds []ledger.Hold) []ledger.Hold {
	return slices.DeleteFunc(slices.Clone(holds), func(h ledger.Hold) bool { return h.Status != ledger.Waiting || len(h.Keys) == 0 })
}

func statusExit(st *rostersync.Status) int {
	switch {
	case len(st.Cycles) > 0 && st.Cycles[0].Exit == rostersync.ExitFailed:
		return rostersync.ExitFailed
	case len(waiting(st.Holds)) > 0:
		return rostersync.ExitHeld
	case len(st.Parked)+st.InDoubt > 0:
		return rostersync.ExitParked
	}
	return rostersync.ExitDone
}

func (a *app) printStatus(st *rostersync.Status) {
	w := a.stdout
	head := func(text string) { fmt.Fprintln(w, a.paint(w, bold, text)) }

	head("Needs a person")
	nothing := true
	for _, h := range waiting(st.Holds) {
		nothing = false
		fmt.Fprintf(w, "  %s  %s:%s, %s held since %s\n      look and decide: rosterd approve %s\n", a.paint(w, yellow, h.ID), h.Target,
			role(h), count(len(h.Keys), "change"), ago(st.At, h.Opened), h.ID)
	}
	if len(st.Cycles) > 0 && st.Cycles[0].Exit == rostersync.ExitFailed {
		nothing = false
		fmt.Fprintf(w, "  %s  the last cycle failed: %s\n      find out more: rosterd check\n", a.paint(w, red, "!"), st.Cycles[0].Error)
	}
	for _, p := range st.Parked {
		nothing = false
		fmt.Fprintf(w, "  %s  %s: %s: %s (attempt %d, next %s)\n", a.paint(w, red, "parked"), p.Target, p.Subject, p.Error, p.Attempts, ago(st.At, p.Next))
		if p.Hint != "" {
			fmt.Fprintf(w, "      %s\n", p.Hint)
		}
	}
	if st.InDoubt > 0 {
		nothing = false
		fmt.Fprintf(w, "  %s whose outcome is not known: looked up by the next cycle: rosterd sync\n", count(st.InDoubt, "write"))
	}
	if nothing {
		fmt.Fprintln(w, "  nothing")
	}

	head("Sources")
	for _, name := range sortedKeys(st.Sources) {
		f := st.Sources[name]
		fmt.Fprintf(w, "  %s  %s, last complete read %s", name, count(f.People, "person"), ago(st.At, f.LastComplete))
		if f.Server != "" {
			fmt.Fprintf(w, " from %s", f.Server)
		}
		fmt.Fprintln(w)
		for _, c := range f.Blackouts {
			fmt.Fprintf(w, "    %s %s\n", a.paint(w, red, "blackout:"), c)
		}
		if !f.SecondLookAt.IsZero() {
			fmt.Fprintf(w, "    some people were not seen; the second look is due %s\n", moment(f.SecondLookAt))
		}
	}

	head("Targets")
	for _, t := range st.Targets {
		note := ""
		if t.New {
			note = ", new: its first plan was not approved yet"
		}
		fmt.Fprintf(w, "  %s  %s  %s open, %d closed%s\n", t.Name, t.Kind, count(t.Open, "account"), t.All-t.Open, note)
	}

	if len(st.Denials) > 0 {
		head("Offboarded by hand")
		for _, d := range st.Denials {
			fmt.Fprintf(w, "  %s  %s, by %s, %s\n", d.Person, d.Reason, d.By, ago(st.At, d.At))
		}
	}

	head("Last cycles")
	if len(st.Cycles) == 0 {
		fmt.Fprintln(w, "  none yet: rosterd plan")
	}
	for _, c := range st.Cycles {
		fmt.Fprintf(w, "  %s  %-7s exit %d  %s\n", moment(c.Began), c.Verb, c.Exit, c.Ended.Sub(c.Began).Round(time.Millisecond))
	}
	if st.Waiting > 0 {
		fmt.Fprintf(w, "%s to be looked at by the next cycle\n", count(st.Waiting, "person"))
	}
}

// statusJSON is the status for machines.
type statusJSON struct {
	FormatVersion int             `json:"format_version"`
	At            time.Time       `json:"at"`
	Exit          int             `json:"exit"`
	Holds         []holdDocument  `json:"holds"`
	Parked        []ledger.Parked `json:"parked"`
	InDoubt       int             `json:"in_doubt"`
	Waiting       int             `json:"waiting"`
	Sources       map[string]any  `json:"sources"`
	Targets       []targetJSON    `json:"targets"`
	Cycles        []cycleJSON     `json:"cycles"`
}

type targetJSON struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Open int    `json:"open"`
	All  int    `json:"all"`
	New  bool   `json:"new"`
}

type cycleJSON struct {
	ID    string         `json:"id"`
	Verb  string         `json:"verb"`
	Began time.Time      `json:"began"`
	Ended time.Time      `json:"ended"`
	Exit  int            `json:"exit"`
	Count map[string]int `json:"counts"`
	Error string         `json:"error,omitempty"`
}

func statusDocument(st *rostersync.Status) statusJSON {
	d := statusJSON{FormatVersion: 1, At: st.At, Exit: statusExit(st), Holds: []holdDocument{}, Parked: []ledger.Parked{}, InDoubt: st.InDoubt,
		Waiting: st.Waiting, Sources: map[string]any{}, Targets: []targetJSON{}, Cycles: []cycleJSON{}}
	d.Parked = append(d.Parked, st.Parked...)
	for _, h := range st.Holds {
		d.Holds = append(d.Holds, toHoldDocument(h))
	}
	for name, f := range st.Sources {
		d.Sources[name] = map[string]any{"people": f.People, "largest": f.Peak, "last_complete": f.LastComplete, "server": f.Server,
			"blackouts": f.Blackouts, "min_people": f.MinPeople, "second_look_at": f.SecondLookAt}
	}
	for _, t := range st.Targets {
		d.Targets = append(d.Targets, targetJSON(t))
	}
	for _, c := range st.Cycles {
		d.Cycles = append(d.Cycles, cycleJSON{c.ID, c.Verb, c.Began, c.Ended, c.Exit, c.Counts, c.Error})
	}
	return d
}
