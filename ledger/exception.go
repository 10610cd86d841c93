package ledger

import (
	"cmp"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// Exception is a decision about one person that stands beside the rules, mostly
// until a day: a role that is given, something that is kept from them, accounts
// that are not deleted.
type Exception struct {
	Kind ExceptionKind
	// Name is that of its table in the file; empty where it was decided by hand.
	Name string `json:",omitempty"`
	// Written is whom the file means; empty where it was decided by hand.
	Written string `json:",omitempty"`
	// Person is who it is about, where it was decided by hand: a login that
	// somebody else gets later says nothing of them.
	Person identity.Ordinal `json:",omitempty"`
	// Role is what a grant gives and a deny takes; Target is where a deny closes
	// the account and a retain keeps it. A deny or a retain with neither is
	// everywhere. Conflict is what an except allows.
	Role     string `json:",omitempty"`
	Target   string `json:",omitempty"`
	Conflict string `json:",omitempty"`
	Reason   string `json:",omitempty"`
	Ticket   string `json:",omitempty"`
	// From is the first moment, Until the first at which it is over; an Until
	// that is not set is never.
	From  identity.Bound
	Until identity.Bound
	// By is who decided it by hand, At when.
	By string    `json:",omitempty"`
	At time.Time `json:",omitzero"`
	// Where is file:line of what stands in the file.
	Where string `json:",omitempty"`
}

// ExceptionKind is what an exception does. The zero value does nothing.
type ExceptionKind uint8

const (
	// Grant gives a role.
	Grant ExceptionKind = iota + 1
	// Deny takes a role, or closes accounts.
	Deny
	// Retain keeps closed accounts from being deleted.
	Retain
	// Except lets a conflict be.
	Except
)

var exceptionNames = [...]string{"?", "grant", "deny", "retain", "except"}

func (k ExceptionKind) String() string {
	if int(k) < len(exceptionNames) {
		return exceptionNames[k]
	}
	return "?"
}

// Term is where an exception stands at a moment.
type Term uint8

const (
	// Coming: it has not begun.
	Coming Term = iota + 1
	// InForce: it acts.
	InForce
	// Over: it has ended.
	Over
)

var termNames = [...]string{"?", "coming", "in-force", "over"}

func (t Term) String() string {
	if int(t) < len(termNames) {
		return termNames[t]
	}
	return "?"
}

// Term says where the exception stands.
func (e Exception) Term(now time.Time) Term {
	switch {
	case e.Until.Set() && !now.Before(e.Until.At):
		return Over
	case e.From.Set() && now.Before(e.From.At):
		return Coming
	}
	return InForce
}

// Same says whether another exception does the same to the same person: a later
// decision takes the place of the one before.
func (e Exception) Same(o Exception) bool {
	return e.Person == o.Person && e.Kind == o.Kind && e.Role == o.Role && e.Target == o.Target && e.Conflict == o.Conflict
}

// ByHand says whether somebody decided it by hand.
func (e Exception) ByHand() bool { return e.Name == "" }

// Called is what people call it: "grant.cover", or "grant by hand".
func (e Exception) Called() string {
	switch {
	case e.ByHand():
		return e.Kind.String() + " by hand"
	case e.Kind == Except:
		return "conflict." + e.Conflict + ".except." + e.Name
	}
	return e.Kind.String() + "." + e.Name
}

// Why is the reason with the ticket, in words.
func (e Exception) Why() string {
	if e.Ticket == "" {
		return e.Reason
	}
	return e.Reason + " (" + e.Ticket + ")"
}

// End says until when, in words.
func (e Exception) End() string {
	if !e.Until.Set() {
		return "without an end"
	}
	return "until " + e.Until.String()
}

// Text is the whole of it in a line: "grant.cover: for the fair (T-12), until
// 2026-12-31".
func (e Exception) Text() string {
	out := e.Called()
	if e.By != "" {
		out += ", " + e.By
	}
	return out + ": " + e.Why() + ", " + e.End()
}

// CompareExceptions sorts by kind, what they are of, and name.
func CompareExceptions(a, b Exception) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Role, b.Role), strings.Compare(a.Target, b.Target),
		strings.Compare(a.Conflict, b.Conflict), strings.Compare(a.Name, b.Name), a.Until.At.Compare(b.Until.At), a.At.Compare(b.At),
		strings.Compare(a.Reason, b.Reason), strings.Compare(a.Ticket, b.Ticket), strings.Compare(a.By, b.By))
}
