package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

func (a *app) explainCommand() *cobra.Command {
	var role, when string
	c := &cobra.Command{
		Use: "explain PERSON", GroupID: groupKnow, Short: "say why a person has what they have", Args: cobra.ExactArgs(1),
		Long: `explain shows, from what rosterd knows, where a person stands in each target, which
roles they hold, and for each right and attribute the chain that gave it. PERSON is a
login, a mail address, a DN or an ID. Nothing is read from the directory or a target.
With --role it says of one role why it is held, or which rule is not met.
With --at it says what they had then, and why, as the journal tells it. A length of time
is so long ago ("7d"), a day its beginning; "0s" is now.`,
		Example: `  rosterd explain writer7
  rosterd explain writer7 --role content-manager
  rosterd explain writer7 --at 2026-11-01
  rosterd explain writer7@corp.example --json`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context(), waitBriefly, true)
			if err != nil {
				return err
			}
			defer s.close()
			if when != "" {
				return a.explainPast(s, args[0], when)
			}
			p, err := s.person(args[0])
			if err != nil {
				return err
			}
			x, err := s.engine.Explain(p.Ordinal)
			if err != nil {
				return failed(err)
			}
			if role != "" {
				return a.explainRole(s.engine.Policy.Roles(), x, role)
			}
			if a.json {
				return failed(a.printJSON(newExplainDocument(x)))
			}
			a.printExplanation(x)
			return nil
		},
	}
	c.Flags().StringVar(&role, "role", "", "say of this role why it is held, or is not")
	c.Flags().StringVar(&when, "at", "", "say what they had at this `TIME`: 7d, 2026-11-01, \"2026-11-01 17:00\"")
	c.MarkFlagsMutuallyExclusive("role", "at")
	return c
}

func (a *app) printExplanation(x *rostersync.Explanation) {
	p, d := a.page(), x.Desired
	who := x.Person
	p.head(first(who.Login, who.Name, who.Ordinal.String()), printable(who.Name))
	p.columns("standing", "offboarded")
	standing := fmt.Sprintf("%s since %s", d.Standing, minute(d.Since))
	if why := strings.TrimPrefix(d.Why, d.Standing.String()+": "); why != "" {
		standing += ": " + why
	}
	p.row("standing", "", standing)
	if from := d.Validity.From; from.Set() {
		p.row("from", "", from.String())
	}
	if until := d.Validity.Until; until.Set() {
		p.row("until", "", until.String())
	}
	p.row("entry", "", who.DN.String())
	p.row("source", "", who.Key.Source+", ID "+string(who.Key.ID))
	if o := x.Denial; o != nil {
		text := fmt.Sprintf("by %s, %s: %s", o.By, minute(o.At), o.Exception().Why())
		if o.Until.Set() {
			text += ", " + o.Exception().End()
		}
		p.row("offboarded", red, text)
	}
	for _, why := range d.Invalid {
		p.row("invalid", red, why)
	}
	if len(d.Exceptions) > 0 {
		fmt.Fprintln(p.w)
		a.printExcepted(p, d.Exceptions)
	}
	fmt.Fprintln(p.w)
	a.printRoles(p, d)
	for i := range x.Subjects {
		fmt.Fprintln(p.w)
		a.printSubject(p, x, &x.Subjects[i])
	}
}

func (a *app) printRoles(p *page, d mapping.Desired) {
	p.head("Roles", "")
	var names []string
	for _, r := range d.Roles {
		names = append(names, r.Role)
	}
	for _, r := range d.Doubts {
		names = append(names, r.Role)
	}
	p.columns(names...)
	if len(names) == 0 {
		p.row("none", "", "")
	}
	for _, r := range d.Roles {
		p.because(r.Role, green, r.Because)
	}
	for _, r := range d.Doubts {
		p.row(r.Role, yellow, "in doubt: "+r.Doubt.Text)
	}
}

func (a *app) printSubject(p *page, x *rostersync.Explanation, s *plan.Subject) {
	stage, hint := stageOf(x, s)
	p.head(s.Target, s.Situation.String()+", "+stage)
	account := wanted(x.Desired, s.Target)
	names := []string{"account", "because", "why"}
	if account != nil {
		for _, e := range account.Entitlements {
			names = append(names, e.Name)
		}
		for _, o := range account.Outranked {
			names = append(names, o.Entitlement)
		}
		for _, v := range account.Attributes {
			names = append(names, v.Name)
		}
		for _, r := range account.Remarks {
			names = append(names, r.Attribute)
		}
	}
	p.columns(names...)
	if why := plan.Rests(s); why != "" {
		p.row("why", "", why)
	}
	if hint != "" {
		p.row("", "", hint)
	}
	link, linked := x.Links[s.Target]
	if !linked {
		p.row("account", "", "none")
	} else {
		by := ""
		if link.By != "" {
			by = " by " + link.By
		}
		p.row("account", "", fmt.Sprintf("%s, %s%s, %s since %s", link.Name, link.Owner, by, phaseWords(link.Phase), minute(link.PhaseSince)))
		verified := ""
		if !link.Verified.IsZero() {
			verified = ", verified " + minute(link.Verified)
		}
		p.more(dim, "ID "+string(link.Account)+verified)
		switch {
		case link.Owed:
			p.more(yellow, "no password was handed over yet")
		case !link.Handed.IsZero():
			p.more(dim, "password handed over "+minute(link.Handed))
		}
	}
	if release := "to enable it: rosterd release " + s.Login; link.Phase == ledger.ClosedElsewhere &&
		!slices.ContainsFunc(s.Notes, func(n string) bool { return strings.HasSuffix(n, release) }) {
		p.more(yellow, release)
	}
	for _, n := range s.Notes {
		p.row("note", "", n)
	}
	if account == nil {
		return
	}
	if account.Entitled {
		p.because("because", "", account.Because)
	}
	for _, e := range account.Entitlements {
		p.row(e.Name, green, since(link, e.Name))
		for _, r := range e.Because {
			p.reason(r)
		}
		if e.Doubt.Any() {
			p.more(yellow, "in doubt: "+e.Doubt.Text)
		}
	}
	for _, o := range account.Outranked {
		p.row(o.Entitlement, dim, "not given: "+o.Reason.Text)
		p.rule(o.Reason)
	}
	for _, v := range account.Attributes {
		value := first(strings.Join(v.Values, ", "), "(none)")
		if secret.Attribute(v.Name) {
			value = secret.Redacted
		}
		p.row(v.Name, blue, value)
		if made := madeOf(x.Person, v.Reason.Text); made != "" && !secret.Attribute(v.Name) {
			p.more("", "from "+made)
		}
		p.more(dim, strings.TrimSpace(fmt.Sprintf("[%s %s", v.Reason.Rule, v.Reason.Where))+", "+string(v.Mode)+"]")
	}
	for _, r := range account.Remarks {
		p.row(r.Attribute, yellow, r.Text)
	}
}

// word is the first of a text.
func word(text string) string {
	head, _, _ := strings.Cut(text, " ")
	return head
}

// stageOf says how far the person is in a target, and what to type.
func stageOf(x *rostersync.Explanation, s *plan.Subject) (stage, hint string) {
	for _, k := range x.Parked {
		if k.Target == s.Target {
			stage, hint = "parked", k.Subject+": "+k.Error
			if s.Park != nil && k.Error == plan.Rests(s) {
				hint = s.Park.Hint // why is said already
			}
			if !k.Next.IsZero() {
				hint += "; next attempt " + minute(k.Next)
			}
			return stage, hint
		}
	}
	for _, h := range x.Holds {
		// What waits for a word about the directory keeps them back everywhere.
		if (h.Target == s.Target || strings.HasPrefix(h.Target, "source ")) && h.Status == ledger.Waiting {
			return "held in " + h.ID, "look and decide: rosterd approve " + h.ID
		}
	}
	for _, h := range x.Holds {
		if h.Target == s.Target && h.Status == ledger.Rejected {
			return "rejected in " + h.ID, "by " + first(h.ApprovedBy, "somebody") + "; it stays undone until it changes; to let it go all the same: rosterd approve " + h.ID
		}
	}
	why := first(s.Held, x.Kept[s.Target])
	switch {
	case why != "":
		return "held (" + why + ")", keptHint(s.Target, why, s.Login)
	case s.Park != nil:
		return "parked", s.Park.Hint
	case len(s.Changes) > 0 || s.Look != nil && s.Situation != plan.InSync:
		return "due", "the next cycle looks at it: rosterd sync"
	case s.Kept != "":
		return "retained: " + s.Kept, ""
	case !s.Retained.IsZero():
		return "retained until " + minute(s.Retained), ""
	}
	return "done", ""
}

// because writes a name with the chains that gave it.
func (p *page) because(name string, h hue, reasons []mapping.Reason) {
	if len(reasons) == 0 {
		p.row(name, h, "")
		return
	}
	for i, r := range reasons {
		if i == 0 {
			p.row(name, h, chain(r))
		} else {
			p.more("", chain(r))
		}
		p.rule(r)
	}
}

func (p *page) reason(r mapping.Reason) {
	p.more("", chain(r))
	p.rule(r)
}

func (p *page) rule(r mapping.Reason) {
	if at := strings.TrimSpace(r.Rule + " " + r.Where); at != "" {
		p.more(dim, "["+at+"]")
	}
}

// chain is the way through the groups, if there is one, or else the reason.
func chain(r mapping.Reason) string {
	if len(r.Path) < 2 {
		return r.Text
	}
	var names []string
	for _, step := range r.Path {
		names = append(names, step.Name)
	}
	return "member of " + strings.Join(names, " ▸ ")
}

func since(l ledger.Link, entitlement string) string {
	for _, g := range l.Granted {
		if g.Entitlement == entitlement {
			return "since " + minute(g.Since)
		}
	}
	return "not yet given"
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

// phaseWords is what became of an account, in words.
func phaseWords(p ledger.Phase) string {
	if p == ledger.ClosedElsewhere {
		return "disabled in the target by somebody else"
	}
	return p.String()
}
