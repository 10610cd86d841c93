package main

import (
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

// The documents of explain, for machines. Their words are their own, so that
// what a type of the program is called can change without them.

type explainDocument struct {
	FormatVersion int             `json:"format_version"`
	Person        uint64          `json:"person"`
	Login         string          `json:"login"`
	Name          string          `json:"name,omitempty"`
	Mail          string          `json:"mail,omitempty"`
	Source        string          `json:"source"`
	ID            string          `json:"id"`
	DN            string          `json:"dn"`
	Standing      string          `json:"standing"`
	Since         time.Time       `json:"since"`
	Why           string          `json:"why,omitempty"`
	From          *boundDocument  `json:"from,omitempty"`
	Until         *boundDocument  `json:"until,omitempty"`
	Next          *time.Time      `json:"next,omitempty"`
	Invalid       []string        `json:"invalid,omitempty"`
	Offboarded    *denialDocument `json:"offboarded,omitempty"`
	// Exceptions are all about this person, over ones too.
	Exceptions []exceptionDocument `json:"exceptions,omitempty"`
	Roles      []roleDocument      `json:"roles"`
	Targets    []subjectDocument   `json:"targets"`
}

// boundDocument is the first moment, or the first at which it is over, with the
// attribute that says so; the day is the first or the last one, where a day was
// written.
type boundDocument struct {
	At  time.Time `json:"at"`
	Day string    `json:"day,omitempty"`
	By  string    `json:"by,omitempty"`
}

type denialDocument struct {
	Person uint64         `json:"person"`
	By     string         `json:"by"`
	Reason string         `json:"reason"`
	At     time.Time      `json:"at"`
	Ticket string         `json:"ticket,omitempty"`
	Until  *boundDocument `json:"until,omitempty"`
}

type roleDocument struct {
	Role    string           `json:"role"`
	Because []reasonDocument `json:"because"`
	Doubt   string           `json:"doubt,omitempty"`
}

type reasonDocument struct {
	Rule  string         `json:"rule"`
	Where string         `json:"where"`
	Text  string         `json:"text"`
	Path  []stepDocument `json:"path,omitempty"`
}

type stepDocument struct {
	Name string `json:"name"`
	DN   string `json:"dn"`
}

type subjectDocument struct {
	Target    string           `json:"target"`
	Situation string           `json:"situation"`
	Stage     string           `json:"stage"`
	Why       string           `json:"why,omitempty"`
	Notes     []string         `json:"notes,omitempty"`
	Holds     []string         `json:"holds,omitempty"`
	Parked    *parkedDocument  `json:"parked,omitempty"`
	Account   *accountDocument `json:"account,omitempty"`
	Wanted    *wantedDocument  `json:"wanted,omitempty"`
}

type accountDocument struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Owner    string            `json:"owner"`
	By       string            `json:"by,omitempty"`
	Phase    string            `json:"phase"`
	Cause    string            `json:"cause,omitempty"`
	Since    time.Time         `json:"since"`
	Verified *time.Time        `json:"verified,omitempty"`
	Granted  []grantedDocument `json:"granted"`
	Password *passwordDocument `json:"password,omitempty"`
}

// passwordDocument says what became of the password of an account: never what it is.
type passwordDocument struct {
	Owed       bool       `json:"owed"`
	HandedOver *time.Time `json:"handed_over,omitempty"`
}

type grantedDocument struct {
	Entitlement string    `json:"entitlement"`
	Roles       []string  `json:"roles"`
	Since       time.Time `json:"since"`
}

type wantedDocument struct {
	Entitled     bool                  `json:"entitled"`
	Name         string                `json:"name,omitempty"`
	Because      []reasonDocument      `json:"because,omitempty"`
	Doubt        string                `json:"doubt,omitempty"`
	Invalid      string                `json:"invalid,omitempty"`
	Attributes   []attributeDocument   `json:"attributes"`
	Entitlements []entitlementDocument `json:"entitlements"`
	Remarks      []remarkDocument      `json:"remarks,omitempty"`
}

// remarkDocument is of an attribute that refers to somebody.
type remarkDocument struct {
	Attribute string `json:"attribute"`
	Text      string `json:"text"`
}

type attributeDocument struct {
	Name    string           `json:"name"`
	Values  []string         `json:"values"`
	Mode    string           `json:"mode"`
	Because []reasonDocument `json:"because"`
}

type entitlementDocument struct {
	Name    string           `json:"name"`
	Roles   []string         `json:"roles"`
	Because []reasonDocument `json:"because"`
	Doubt   string           `json:"doubt,omitempty"`
}

// parkedDocument is of status too.
type parkedDocument struct {
	Target   string     `json:"target"`
	Person   uint64     `json:"person"`
	Subject  string     `json:"subject"`
	Class    string     `json:"class"`
	Error    string     `json:"error"`
	Hint     string     `json:"hint,omitempty"`
	Attempts int        `json:"attempts"`
	Since    time.Time  `json:"since"`
	Next     *time.Time `json:"next,omitempty"`
}

func newExplainDocument(x *rostersync.Explanation) explainDocument {
	p := x.Person
	d := explainDocument{FormatVersion: 1, Person: uint64(p.Ordinal), Login: p.Login, Name: p.Name, Mail: p.Mail, Source: p.Key.Source,
		ID: string(p.Key.ID), DN: p.DN.String(), Standing: x.Desired.Standing.String(), Since: x.Desired.Since.UTC(), Why: x.Desired.Why,
		From: newBound(x.Desired.Validity.From), Until: newBound(x.Desired.Validity.Until), Next: some(x.Desired.Next),
		Invalid: x.Desired.Invalid, Roles: []roleDocument{}, Targets: []subjectDocument{}}
	if x.Denial != nil {
		o := newDenialDocument(*x.Denial)
		d.Offboarded = &o
	}
	for _, e := range x.Desired.Exceptions {
		d.Exceptions = append(d.Exceptions, newException(e.Exception, e.Term, e.Idle))
	}
	for _, r := range x.Desired.Roles {
		d.Roles = append(d.Roles, roleDocument{Role: r.Role, Because: newReasons(r.Because)})
	}
	for _, r := range x.Desired.Doubts {
		d.Roles = append(d.Roles, roleDocument{Role: r.Role, Because: []reasonDocument{}, Doubt: r.Doubt.Text})
	}
	for i := range x.Subjects {
		d.Targets = append(d.Targets, newSubjectDocument(x, &x.Subjects[i]))
	}
	return d
}

func newBound(b identity.Bound) *boundDocument {
	if !b.Set() {
		return nil
	}
	return &boundDocument{b.At.UTC(), b.Day, b.By}
}

func newDenialDocument(d ledger.Denial) denialDocument {
	return denialDocument{uint64(d.Person), d.By, d.Reason, d.At.UTC(), d.Ticket, newBound(d.Until)}
}

func newReasons(list []mapping.Reason) []reasonDocument {
	out := []reasonDocument{}
	for _, r := range list {
		one := reasonDocument{Rule: r.Rule, Where: r.Where, Text: r.Text}
		for _, s := range r.Path {
			one.Path = append(one.Path, stepDocument{s.Name, s.DN})
		}
		out = append(out, one)
	}
	return out
}

func newSubjectDocument(x *rostersync.Explanation, s *plan.Subject) subjectDocument {
	stage, _ := stageOf(x, s)
	d := subjectDocument{Target: s.Target, Situation: s.Situation.String(), Stage: word(stage), Why: s.Why, Notes: s.Notes}
	for _, h := range x.Holds {
		if h.Target == s.Target {
			d.Holds = append(d.Holds, h.ID)
		}
	}
	for _, k := range x.Parked {
		if k.Target == s.Target {
			one := newParkedDocument(k)
			d.Parked = &one
		}
	}
	if l, linked := x.Links[s.Target]; linked {
		d.Account = &accountDocument{ID: string(l.Account), Name: l.Name, Owner: l.Owner.String(), By: l.By, Phase: l.Phase.String(),
			Cause: l.Cause, Since: l.PhaseSince.UTC(), Verified: some(l.Verified), Granted: []grantedDocument{}}
		if l.Owed || !l.Handed.IsZero() {
			d.Account.Password = &passwordDocument{l.Owed, some(l.Handed)}
		}
		for _, g := range l.Granted {
			d.Account.Granted = append(d.Account.Granted, grantedDocument{g.Entitlement, list(g.Roles), g.Since.UTC()})
		}
	}
	if w := wanted(x.Desired, s.Target); w != nil {
		d.Wanted = newWantedDocument(w)
	}
	return d
}

func newWantedDocument(w *mapping.Account) *wantedDocument {
	d := &wantedDocument{Entitled: w.Entitled, Name: w.Name, Because: newReasons(w.Because), Doubt: w.Doubt.Text, Invalid: w.Invalid,
		Attributes: []attributeDocument{}, Entitlements: []entitlementDocument{}}
	for _, r := range w.Remarks {
		d.Remarks = append(d.Remarks, remarkDocument{r.Attribute, r.Text})
	}
	for _, v := range w.Attributes {
		values := list(v.Values)
		if secret.Attribute(v.Name) {
			values = []string{secret.Redacted}
		}
		d.Attributes = append(d.Attributes, attributeDocument{v.Name, values, string(v.Mode), newReasons([]mapping.Reason{v.Reason})})
	}
	for _, e := range w.Entitlements {
		d.Entitlements = append(d.Entitlements, entitlementDocument{e.Name, list(e.Roles), newReasons(e.Because), e.Doubt.Text})
	}
	return d
}

func newParkedDocument(k ledger.Parked) parkedDocument {
	return parkedDocument{k.Target, uint64(k.Person), k.Subject, k.Class, k.Error, k.Hint, k.Attempts, k.Since.UTC(), some(k.Next)}
}

// list is never null in a document.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// some is a moment in UTC; nil where there is none.
func some(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
