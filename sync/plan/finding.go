package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// Finding is what was found of one person, or of one account, where accounts that
// exist are to be taken over.
type Finding struct {
	Class Class
	// Person is 0 where it is of an account alone. Login and Name are what people
	// call them.
	Person      identity.Ordinal
	Login, Name string
	// Account is empty where there is none, or several: Accounts has those.
	Account  target.Account
	Accounts []target.Account
	// By is what found it: an attribute, or its mark.
	By string
	// Why says why nothing is done, or why something is.
	Why string
	// Link is set where the account would be taken over, or its mark written anew.
	Link *Planned
}

// Class is what was found.
type Class uint8

// The classes. Each account that was listed is in exactly one finding, or ours.
const (
	// Lost: the account carries the mark of somebody who is not in the directory.
	Lost Class = iota + 1
	// Left: the account looks like that of somebody who should have none.
	Left
	// Several: several accounts, or several people.
	Several
	// Owned: the account is another's.
	Owned
	// OtherMark: the mark of the account says something else than what found it.
	OtherMark
	// Guarded: protected, or break-glass.
	Guarded
	// Candidate: found by something that may change, so that somebody must say so.
	Candidate
	// Vanished: an account of ours that is not in the target.
	Vanished
	// Undecided: nothing can be said of the person.
	Undecided
	// Orphaned: an account of nobody.
	Orphaned
	// Without: somebody who should have an account, and for whom none was found.
	Without
	// Renewed: an account of ours whose mark is an old one.
	Renewed
	// Exact: one account, found by what the file says is enough.
	Exact
)

var classNames = [...]string{"?", "lost", "left", "ambiguous", "taken", "marked", "protected", "candidate", "missing", "undecided", "orphaned",
	"without", "renew", "exact"}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "?"
}

// MarshalText writes the word.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Classes are all, the worst first.
func Classes() []Class {
	out := make([]Class, 0, len(classNames)-1)
	for c := Lost; int(c) < len(classNames); c++ {
		out = append(out, c)
	}
	return out
}

func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Login, b.Login), cmp.Compare(a.Person, b.Person),
		cmp.Compare(a.Account.Name, b.Account.Name), cmp.Compare(a.Account.ID, b.Account.ID))
}

// finding is what a subject comes to; false: nothing is to be said of them.
func (d *desk) finding(s *Subject, p *Person) (Finding, bool) {
	f := Finding{Person: p.Ordinal, Login: s.Login, Name: p.Name, By: s.by.Attribute, Why: cmp.Or(joined(s.Notes), s.Why)}
	if len(s.found) == 1 {
		f.Account = s.found[0]
	} else {
		f.Accounts = s.found
	}
	switch s.Situation {
	case Adoptable:
		d.adoptable(s, &f)
	case Ambiguous:
		f.Class = Several
	case Taken:
		if f.Class = Owned; s.Held == "marked" {
			f.Class = OtherMark
		}
	case Ignored:
		f.Class = Guarded
	case New, Missing, InDoubt, Unknown, Invalid, Rekeyed:
		if f.Class = Undecided; s.Park != nil {
			f.Why = s.Park.Error
		} else if s.Situation == New {
			f.Class, f.Why = Without, "none was found; the next cycle creates one, if the limits allow"
		}
		f.Why = cmp.Or(f.Why, "what was read proves nothing about them")
	default:
		f.Class, f.Why = Left, cmp.Or(s.Why, p.Desired.Standing.String())+"; looks like theirs, and is not linked"
		return f, len(s.found) > 0
	}
	return f, true
}

func (d *desk) adoptable(s *Subject, f *Finding) {
	if len(s.Changes) == 0 || s.Changes[0].Change.Verb != target.Link {
		f.Class, f.Why = Guarded, d.guarded(&f.Account)
		return
	}
	mark := d.marks[f.Account.ID]
	switch {
	case s.byMark && !mark.Ours && !d.in.Adoption.relinks(mark.State):
		f.Class, f.Why = OtherMark, fmt.Sprintf("carries their mark, by another rosterd (state %s); if that state is lost: rosterd adopt %s --recover", mark.State, d.t.Name)
	case s.byMark || s.adopts || d.in.Adoption.by(s.by.Attribute):
		f.Class, f.Link, f.Why = Exact, linkOf(s.Changes[0]), replaced(&f.Account)
	default:
		f.Class = Candidate
		f.Why = fmt.Sprintf("%s, which the file does not say is enough to take it over; to say it: --match %s", existing(&f.Account, s.by, mark), s.by.Attribute)
	}
}

// replaced says what the mark would overwrite.
func replaced(a *target.Account) string {
	if a.Mark == "" || strings.HasPrefix(a.Mark, "rosterd:") {
		return ""
	}
	return fmt.Sprintf("the mark replaces %q, which stands in its place", a.Mark)
}

// linkOf is a link alone, held until somebody approves it.
func linkOf(p Planned) *Planned {
	return &Planned{Change: p.Change, Key: p.Key, Reasons: p.Reasons, Because: p.Because, Rule: RuleAdopt, Text: adoptText}
}

func joined(notes []string) string {
	out := ""
	for i, n := range notes {
		if i > 0 {
			out += "; "
		}
		out += n
	}
	return out
}

// rest are findings of the accounts that are nobody's, and of which no person's
// finding tells.
func (d *desk) rest(told map[target.NativeID]bool) []Finding {
	var out []Finding
	for _, a := range d.t.Accounts {
		if _, owned := d.owner(a.ID); owned || told[a.ID] {
			continue
		}
		f := Finding{Class: Orphaned, Account: a, Why: "matches nobody"}
		k, marked := d.marks[a.ID]
		rule := d.guards.breakGlass(a.Name, a.Entitlements)
		switch {
		case rule != "":
			f.Class, f.Why = Guarded, "break_glass = "+rule
		case marked && k.Target != "":
			f.Class, f.Why = Owned, "is managed as one of target "+k.Target
		case marked && k.Person.Valid():
			f.Class, f.By, f.Why = OtherMark, byMark, "carries the mark of "+d.login(k.Person)
			if d.linked[k.Person] {
				f.Why += ", who has another account here"
			} else if !k.Ours {
				f.Why += fmt.Sprintf(", by another rosterd (state %s); if that state is lost: rosterd adopt %s --recover", k.State, d.t.Name)
			}
		case marked && k.Named:
			f.Class, f.By, f.Why = Lost, byMark, "carries the mark of somebody who is not in the directory (state "+k.State+")"
		case marked:
			f.Class, f.By, f.Why = Lost, byMark, "carries the mark of an older version, which only the state that put it there could read (state "+k.State+")"
		case d.guarded(&a) != "":
			f.Class, f.Why = Guarded, d.guarded(&a)
		}
		out = append(out, f)
	}
	return out
}

// guarded is why an account is left alone; empty: it is not.
func (d *desk) guarded(a *target.Account) string {
	if rule := d.guards.breakGlass(a.Name, a.Entitlements); rule != "" {
		return "break_glass = " + rule
	}
	if rule := d.guards.protected(a.Name, a.Entitlements); rule != "" {
		return "protect = " + rule
	}
	if a.Protected {
		return "the target protects it"
	}
	return ""
}

func sortFindings(list []Finding) { slices.SortFunc(list, compareFindings) }
