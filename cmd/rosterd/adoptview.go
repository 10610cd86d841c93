package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// classTexts say what each class of finding means.
var classTexts = map[plan.Class]string{
	plan.Lost:      "carry the mark of somebody who is not in the directory: nothing is done; decide about them in the target",
	plan.Left:      "look like those of people who should have none: nothing is done; decide about them in the target",
	plan.Several:   "several accounts, or several people: make them differ, or link by another attribute",
	plan.Owned:     "belong to another person, or are managed as those of another target",
	plan.OtherMark: "carry a mark that says something else",
	plan.Guarded:   "protected or break-glass: never linked",
	plan.Candidate: "found by what may change or be given again: not linked unless somebody says so",
	plan.Vanished:  "are ours, and not in the target any more",
	plan.Undecided: "of these people nothing can be said now",
	plan.Orphaned:  "belong to nobody",
	plan.Without:   "people without an account; a cycle creates one",
	plan.Renewed:   "are ours; the mark is written anew, so that it outlives the state",
	plan.Exact:     "found beyond doubt",
}

// printFindings shows what was found: how many of each first, then them, the first few
// of each.
func (a *app) printFindings(found *rostersync.Adoption) {
	w := a.stdout
	by := map[plan.Class][]plan.Finding{}
	for _, f := range found.Findings {
		by[f.Class] = append(by[f.Class], f)
	}
	fmt.Fprintf(w, "%s  %s, %s ours already\n\n", a.paint(w, bold, printable(found.Target)), count(found.Listed, "account"), grouped(found.Ours))
	classes := slices.DeleteFunc(plan.Classes(), func(c plan.Class) bool { return len(by[c]) == 0 })
	p := a.page()
	p.left = 22
	for _, c := range slices.Backward(classes) {
		p.row(fmt.Sprintf("%8s %s", grouped(len(by[c])), c), "", classTexts[c])
	}
	for _, c := range classes {
		fmt.Fprintln(w)
		fmt.Fprintf(w, "%s\n", a.paint(w, bold, c.String()))
		list := by[c]
		shown := list
		if len(list) > 2*few && !a.verbose {
			shown = list[:few]
		}
		for _, f := range shown {
			fmt.Fprintf(w, "  %s\n", findingLine(f))
		}
		if len(shown) < len(list) {
			fmt.Fprintf(w, "  %s\n", a.paint(w, dim, fmt.Sprintf("… and %s more (-v shows all, --csv FILE writes them)", grouped(len(list)-len(shown)))))
		}
	}
	if len(found.Findings) > 0 {
		fmt.Fprintln(w)
	}
	if n := len(found.Chosen); n > 0 {
		fmt.Fprintf(w, "%s of %s would be linked, version %s; nothing else is changed\n", count(n, "account"), count(len(peopleOf(found.Chosen)), "person"), found.Version)
		return
	}
	fmt.Fprintln(w, "nothing would be linked")
}

func peopleOf(list []plan.Finding) map[identity.Ordinal]bool {
	out := map[identity.Ordinal]bool{}
	for _, f := range list {
		out[f.Person] = true
	}
	return out
}

// findingLine is account, person and why, as far as there are any.
func findingLine(f plan.Finding) string {
	who := f.Login
	if f.Name != "" && f.Name != f.Login {
		who = strings.TrimSpace(who + " (" + f.Name + ")")
	}
	account := f.Account.Name
	if len(f.Accounts) > 0 {
		account = strings.Join(accountNames(f.Accounts), ", ")
	}
	if account != "" && len(f.Accounts) == 0 && !f.Account.Enabled {
		account += " [disabled]"
	}
	line := account
	switch {
	case account == "":
		line = who
	case who != "":
		line += " → " + who
	}
	if f.By != "" && f.Link != nil {
		line += ", by " + f.By
	}
	if f.Why != "" {
		line += ": " + f.Why
	}
	return printable(line)
}

func accountNames(list []target.Account) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.Name
	}
	return out
}

// printLinked says what was linked, and what was not though it was shown.
func (a *app) printLinked(r *rostersync.Report, found, shown *rostersync.Adoption) {
	w := a.stdout
	for _, f := range r.Failed {
		fmt.Fprintf(a.stderr, "not linked: %s: %s\n", printable(f.Order.Change.Name), printable(f.Outcome.Err))
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(a.stderr, "not linked: %s: %s\n", printable(s.Order.Change.Name), printable(s.Why))
	}
	for _, u := range r.Unverified {
		fmt.Fprintf(a.stderr, "linked, and not seen so when it was read back: %s: %s\n", r.Login(u.Person), printable(u.Error))
	}
	for i, s := range r.Verdict.Subjects {
		if s.Stage == plan.Held {
			fmt.Fprintf(a.stderr, "not linked: %s: %s\n", printable(r.Plan.Subjects[i].Account), printable(first(strings.Join(s.Changes, ", "), s.Why)))
		}
	}
	if shown != nil {
		now := map[target.Key]bool{}
		for _, f := range found.Chosen {
			now[f.Link.Key] = true
		}
		for _, f := range shown.Chosen {
			if !now[f.Link.Key] {
				fmt.Fprintf(a.stderr, "not linked: %s: it is not found so any more\n", printable(f.Account.Name))
			}
		}
	}
	fmt.Fprintf(w, "linked %s; %s read back; what they should have is the next cycle's: rosterd plan\n", count(len(r.Carried), "account"), grouped(r.Verified))
}

// looseText says that accounts of a target are left to themselves, and how to see them.
func looseText(t rostersync.TargetStatus) (text, hint string) {
	var parts []string
	say := func(n int, what string) {
		if n > 0 {
			parts = append(parts, count(n, "account")+" "+what)
		}
	}
	say(t.Loose.Lost, "with the mark of somebody who is not in the directory")
	say(t.Loose.Left, "that look like those of people who left")
	say(t.Loose.Marked, "that another state marked as those of people here")
	if len(parts) == 0 {
		return "", ""
	}
	return fmt.Sprintf("%s: %s: nothing is done about them", t.Name, strings.Join(parts, ", ")), "rosterd adopt " + t.Name
}

// adoptDocument is what was found, for machines.
type adoptDocument struct {
	FormatVersion int            `json:"format_version"`
	Target        string         `json:"target"`
	Listed        int            `json:"listed"`
	Ours          int            `json:"ours"`
	Counts        map[string]int `json:"counts"`
	// States are the other states whose marks are there, with how many accounts.
	States   map[string]int    `json:"states"`
	Link     int               `json:"link"`
	Version  string            `json:"version"`
	Linked   *int              `json:"linked,omitempty"`
	Failed   []failureDocument `json:"failed,omitempty"`
	Findings []findingDocument `json:"findings"`
}

type failureDocument struct {
	Account string `json:"account"`
	Error   string `json:"error"`
}

type findingDocument struct {
	Class    plan.Class       `json:"class"`
	Person   identity.Ordinal `json:"person,omitempty"`
	Login    string           `json:"login,omitempty"`
	Name     string           `json:"name,omitempty"`
	ID       target.NativeID  `json:"account,omitempty"`
	Account  string           `json:"account_name,omitempty"`
	Enabled  *bool            `json:"enabled,omitempty"`
	Accounts []string         `json:"accounts,omitempty"`
	By       string           `json:"by,omitempty"`
	Why      string           `json:"why,omitempty"`
	Link     bool             `json:"link"`
}

func newAdoptDocument(found *rostersync.Adoption) adoptDocument {
	d := adoptDocument{FormatVersion: 1, Target: found.Target, Listed: found.Listed, Ours: found.Ours, Counts: map[string]int{}, States: found.Foreign,
		Link: len(found.Chosen), Version: found.Version, Findings: []findingDocument{}}
	chosen := chosenOf(found)
	for _, f := range found.Findings {
		d.Counts[f.Class.String()]++
		one := findingDocument{Class: f.Class, Person: f.Person, Login: f.Login, Name: f.Name, ID: f.Account.ID, Account: f.Account.Name,
			Accounts: accountNames(f.Accounts), By: f.By, Why: f.Why, Link: f.Link != nil && chosen[f.Link.Key]}
		if f.Account.ID != "" {
			one.Enabled = &f.Account.Enabled
		}
		d.Findings = append(d.Findings, one)
	}
	return d
}

func chosenOf(found *rostersync.Adoption) map[target.Key]bool {
	out := make(map[target.Key]bool, len(found.Chosen))
	for _, f := range found.Chosen {
		out[f.Link.Key] = true
	}
	return out
}

func newFailures(r *rostersync.Report) (out []failureDocument) {
	for _, f := range r.Failed {
		out = append(out, failureDocument{f.Order.Change.Name, f.Outcome.Err})
	}
	for _, s := range r.Skipped {
		out = append(out, failureDocument{s.Order.Change.Name, s.Why})
	}
	return out
}

// adoptColumns are the columns of adopt --csv; new ones come last.
var adoptColumns = []string{"class", "link", "account", "account_name", "enabled", "person", "login", "name", "by", "why"}

// writeFindings writes them as audit --csv writes records.
func writeFindings(out io.Writer, found *rostersync.Adoption) error {
	t := newCSV(out)
	if err := t.write(adoptColumns); err != nil {
		return err
	}
	chosen := chosenOf(found)
	for _, f := range found.Findings {
		person, enabled, id, name := "", "", string(f.Account.ID), f.Account.Name
		if f.Person.Valid() {
			person = strconv.FormatUint(uint64(f.Person), 10)
		}
		if f.Account.ID != "" {
			enabled = strconv.FormatBool(f.Account.Enabled)
		}
		if len(f.Accounts) > 0 {
			ids := make([]string, len(f.Accounts))
			for i, a := range f.Accounts {
				ids[i] = string(a.ID)
			}
			id, name = strings.Join(ids, "\n"), strings.Join(accountNames(f.Accounts), "\n")
		}
		link := strconv.FormatBool(f.Link != nil && chosen[f.Link.Key])
		if err := t.write([]string{f.Class.String(), link, id, name, enabled, person, f.Login, f.Name, f.By, f.Why}); err != nil {
			return err
		}
	}
	return t.end()
}
