package sync

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
)

// Standing is an exception with where it stands.
type Standing struct {
	ledger.Exception
	Term ledger.Term
	// Trouble says why it does not do what it says, or may mean somebody else by
	// now; empty if all is well.
	Trouble string
}

// Exceptions are those of the policy in force and those by hand, offboards too,
// with the person each of them means. Over ones are among them.
func (e *Engine) Exceptions() ([]Standing, error) {
	e = e.Current()
	meanings, err := e.Store.Meant(e.Policy.People())
	if err != nil {
		return nil, err
	}
	meant := make(map[string]state.Meaning, len(meanings))
	for _, m := range meanings {
		meant[m.Text] = m
	}
	now := e.Now()
	var out []Standing
	for _, x := range e.Policy.Exceptions() {
		s := Standing{Exception: x, Term: x.Term(now)}
		s.Person, s.Trouble = trouble(x, meant[x.Written])
		out = append(out, s)
	}
	decided, err := e.Store.Exceptions()
	if err != nil {
		return nil, err
	}
	for _, list := range decided {
		for _, x := range list {
			s := Standing{Exception: x, Term: x.Term(now)}
			if x.Role != "" && !slices.Contains(e.Policy.Roles(), x.Role) {
				s.Trouble = fmt.Sprintf("there is no role %q any more", x.Role)
			}
			out = append(out, s)
		}
	}
	denials, err := e.Store.Denials()
	if err != nil {
		return nil, err
	}
	for _, d := range denials {
		x := d.Exception()
		out = append(out, Standing{Exception: x, Term: x.Term(now)})
	}
	slices.SortFunc(out, func(a, b Standing) int {
		if c := ledger.CompareExceptions(a.Exception, b.Exception); c != 0 {
			return c
		}
		return int(a.Person) - int(b.Person)
	})
	return out, nil
}

// trouble says whom an exception of the file means, and what is odd about that.
func trouble(x ledger.Exception, m state.Meaning) (identity.Ordinal, string) {
	const hint = "; name the ID or the key"
	switch {
	case m.Forgotten:
		return 0, fmt.Sprintf("%q meant somebody who was forgotten, and means nobody else; take it out of the file", x.Written)
	case len(m.People) == 0:
		return 0, fmt.Sprintf("%q means nobody who is known", x.Written)
	case len(m.People) > 1 && x.Kind == ledger.Retain:
		return 0, fmt.Sprintf("%q means %d people, and all of them are kept%s", x.Written, len(m.People), hint)
	case len(m.People) > 1:
		return 0, fmt.Sprintf("%q means %d people, and so it does nothing%s", x.Written, len(m.People), hint)
	case len(m.Others) > 0:
		return m.People[0], fmt.Sprintf("somebody else is called %q by now, and is not meant%s", x.Written, hint)
	}
	return m.People[0], ""
}

// unended are the exceptions that are not over, without offboards, those that end
// soonest first.
func (e *Engine) unended() ([]Standing, error) {
	all, err := e.Exceptions()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s Standing) bool {
		return s.Term == ledger.Over || s.ByHand() && s.Kind == ledger.Deny && s.Role == "" && s.Target == ""
	})
	slices.SortStableFunc(all, func(a, b Standing) int {
		if a.Until.Set() != b.Until.Set() {
			if a.Until.Set() {
				return -1
			}
			return 1
		}
		return a.Until.At.Compare(b.Until.At)
	})
	return all, nil
}
