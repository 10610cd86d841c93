package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain PERSON", Short: "say why a person has what they have", Args: cobra.ExactArgs(1),
		Long: `explain shows, from what rosterd knows, where a person stands in each target, which
roles they hold, and for each right and attribute the chain that gave it. PERSON is a
login, a mail address, a DN or an ID.`,
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.open(waitBriefly, true)
			if err != nil {
				return err
			}
			defer s.close()
			p, err := s.person(args[0])
			if err != nil {
				return err
			}
			x, err := s.engine.Explain(p.Ordinal)
			if err != nil {
				return failed(err)
			}
			if a.json {
				return failed(a.printJSON(explainDocument(x)))
			}
			a.printExplanation(a.stdout, x)
			return nil
		},
	}
}

func (a *app) printExplanation(w io.Writer, x *rostersync.Explanation) {
	p := x.Person
	fmt.Fprintf(w, "%s  %s\n", a.paint(w, bold, first(p.Login, p.Name, p.Ordinal.String())), p.DN)
	fmt.Fprintf(w, "  %s since %s", x.Desired.Standing, moment(p.Since))
	if x.Desired.Why != "" {
		fmt.Fprintf(w, ": %s", x.Desired.Why)
	}
	fmt.Fprintf(w, "\n  ID %s in source %s\n", p.Key.ID, p.Key.Source)
	if d := x.Denial; d != nil {
		fmt.Fprintf(w, "  %s by %s, %s: %s\n", a.paint(w, red, "offboarded"), d.By, moment(d.At), d.Reason)
	}
	for _, why := range x.Desired.Invalid {
		fmt.Fprintf(w, "  %s %s\n", a.paint(w, red, "invalid:"), why)
	}
	fmt.Fprintln(w, a.paint(w, bold, "Roles"))
	if len(x.Desired.Roles)+len(x.Desired.Doubts) == 0 {
		fmt.Fprintln(w, "  none")
	}
	for _, r := range x.Desired.Roles {
		fmt.Fprintf(w, "  %s\n", a.paint(w, green, r.Role))
		a.printReasons(w, "    ", r.Because)
	}
	for _, d := range x.Desired.Doubts {
		fmt.Fprintf(w, "  %s  in doubt: %s\n", a.paint(w, yellow, d.Role), d.Doubt.Text)
	}
	for _, s := range x.Subjects {
		a.printSubject(w, x, s)
	}
}

func (a *app) printSubject(w io.Writer, x *rostersync.Explanation, s plan.Subject) {
	stage := "done"
	if len(s.Changes) > 0 || s.Look != nil {
		stage = "due"
	}
	for _, h := range x.Holds {
		if h.Target == s.Target {
			stage = "held (" + h.ID + ")"
		}
	}
	for _, k := range x.Parked {
		if k.Target == s.Target {
			stage = fmt.Sprintf("parked (%s; next attempt %s)", k.Error, moment(k.Next))
		}
	}
	fmt.Fprintf(w, "%s  %s, %s\n", a.paint(w, bold, "Target "+s.Target), s.Situation, stage)
	if s.Why != "" {
		fmt.Fprintf(w, "  %s\n", s.Why)
	}
	account := wanted(x.Desired, s.Target)
	link, linked := x.Links[s.Target]
	if !linked {
		fmt.Fprintln(w, "  no account")
	} else {
		fmt.Fprintf(w, "  account %s, %s", link.Name, link.Owner)
		if link.By != "" {
			fmt.Fprintf(w, " by %s", link.By)
		}
		fmt.Fprintf(w, ", %s since %s, ID %s\n", link.Phase, moment(link.PhaseSince), link.Account)
		if !link.Verified.IsZero() {
			fmt.Fprintf(w, "  verified %s\n", moment(link.Verified))
		}
	}
	if account == nil {
		return
	}
	if account.Entitled {
		fmt.Fprintln(w, "  has an account here because")
		a.printReasons(w, "    ", account.Because)
	}
	for _, e := range account.Entitlements {
		fmt.Fprintf(w, "  %s%s\n", a.paint(w, green, e.Name), since(link, e.Name))
		a.printReasons(w, "    ", e.Because)
		if e.Doubt.Any() {
			fmt.Fprintf(w, "    in doubt: %s\n", e.Doubt.Text)
		}
	}
	for _, v := range account.Attributes {
		fmt.Fprintf(w, "  %s = %s  (%s)\n", v.Name, strings.Join(v.Values, ", "), v.Reason.Where)
	}
}

// printReasons shows chains: the way through the groups, then the rule.
func (a *app) printReasons(w io.Writer, indent string, reasons []mapping.Reason) {
	for _, r := range reasons {
		fmt.Fprint(w, indent)
		for _, step := range r.Path {
			fmt.Fprintf(w, "%s ▸ ", step.Name)
		}
		fmt.Fprintf(w, "%s", r.Text)
		if r.Rule != "" {
			fmt.Fprintf(w, "  %s", a.paint(w, dim, "["+strings.TrimSpace(r.Rule+" "+r.Where)+"]"))
		}
		fmt.Fprintln(w)
	}
}

func since(l ledger.Link, entitlement string) string {
	for _, g := range l.Granted {
		if g.Entitlement == entitlement {
			return "  since " + moment(g.Since)
		}
	}
	return "  not yet given"
}

func wanted(d mapping.Desired, name string) *mapping.Account {
	for i := range d.Accounts {
		if d.Accounts[i].Target == name {
			return &d.Accounts[i]
		}
	}
	return nil
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// explanationJSON is an explanation for machines.
type explanationJSON struct {
	FormatVersion int                `json:"format_version"`
	Person        identity.Ordinal   `json:"person"`
	ID            identity.ID        `json:"id"`
	Source        string             `json:"source"`
	DN            string             `json:"dn"`
	Login         string             `json:"login"`
	Standing      string             `json:"standing"`
	Why           string             `json:"why,omitempty"`
	Invalid       []string           `json:"invalid,omitempty"`
	Roles         []mapping.Held     `json:"roles"`
	Doubts        []mapping.Doubtful `json:"doubts,omitempty"`
	Targets       []subjectJSON      `json:"targets"`
	Offboarded    *ledger.Denial     `json:"offboarded,omitempty"`
	Parked        []ledger.Parked    `json:"parked,omitempty"`
}

type subjectJSON struct {
	Target    string           `json:"target"`
	Situation string           `json:"situation"`
	Why       string           `json:"why,omitempty"`
	Account   *ledger.Link     `json:"account,omitempty"`
	Wanted    *mapping.Account `json:"wanted,omitempty"`
	Holds     []string         `json:"holds,omitempty"`
}

func explainDocument(x *rostersync.Explanation) explanationJSON {
	p := x.Person
	d := explanationJSON{FormatVersion: 1, Person: p.Ordinal, ID: p.Key.ID, Source: p.Key.Source, DN: p.DN.String(), Login: p.Login,
		Standing: x.Desired.Standing.String(), Why: x.Desired.Why, Invalid: x.Desired.Invalid, Roles: x.Desired.Roles, Doubts: x.Desired.Doubts,
		Targets: []subjectJSON{}, Offboarded: x.Denial, Parked: x.Parked}
	for _, s := range x.Subjects {
		j := subjectJSON{Target: s.Target, Situation: s.Situation.String(), Why: s.Why, Wanted: wanted(x.Desired, s.Target)}
		if l, linked := x.Links[s.Target]; linked {
			j.Account = &l
		}
		for _, h := range x.Holds {
			if h.Target == s.Target {
				j.Holds = append(j.Holds, h.ID)
			}
		}
		d.Targets = append(d.Targets, j)
	}
	return d
}
