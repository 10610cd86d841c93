package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/moment"
	"github.com/rosterd/rosterd/ledger"
)

// exception is one of the file, compiled.
type exception struct {
	ledger.Exception
	role int // of roles, where it names one
}

// exceptionTables compiles the tables grant, deny and retain. Those of conflicts are
// there already.
func (m *compiler) exceptionTables(p *Policy) {
	for _, name := range slices.Sorted(maps.Keys(m.config.Grants)) {
		m.grant(name, m.config.Grants[name])
	}
	for _, name := range slices.Sorted(maps.Keys(m.config.Denies)) {
		m.deny(name, m.config.Denies[name])
	}
	for _, name := range slices.Sorted(maps.Keys(m.config.Retains)) {
		m.retain(name, m.config.Retains[name])
	}
	slices.SortFunc(m.exceptions, func(a, b exception) int { return ledger.CompareExceptions(a.Exception, b.Exception) })
	p.exceptions = m.exceptions
	for _, e := range p.exceptions {
		p.people = append(p.people, e.Written)
	}
	slices.Sort(p.people)
	p.people = slices.Compact(p.people)
}

// except checks what every exception has, and keeps it.
func (m *compiler) except(e *exception, path func(...string) []string, from, until Date) {
	zone := m.names.zone
	if strings.TrimSpace(e.Written) == "" {
		m.fail(path(), `person = "LOGIN", or a mail address, a DN, a rehire key or an ID`, "it names nobody")
	}
	if strings.TrimSpace(e.Reason) == "" {
		m.fail(path(), `reason = "…" tells whoever reads this in a year`, "it says no reason")
	}
	var err error
	if from != "" {
		if e.From, err = begins(from, zone); err != nil {
			m.fail(path("from"), "write one of these: "+moment.Forms, "%v", err)
		}
	}
	switch {
	case until == "":
		m.fail(path(), `until = "2026-12-31" is the last day; until = "never" says that there is none`, "it has no end")
	default:
		if e.Until, err = ends(until, zone); err != nil {
			m.fail(path("until"), `write "never", or one of these: `+moment.Forms, "%v", err)
		} else if until != never && !e.Until.Set() {
			m.fail(path("until"), `write "never"`, "%q means that there is no end; that is said by its name", string(until))
		}
	}
	if e.From.Set() && e.Until.Set() && !e.From.At.Before(e.Until.At) {
		m.fail(path("until"), "write the later date here", "it is over before it begins")
	}
	if m.where != nil {
		e.Where = m.where(path()...)
	}
	m.exceptions = append(m.exceptions, *e)
}

// never is the text of an end that is not to come. It is written out, since
// leaving an end out is mostly a mistake.
const never = "never"

// begins is a date as a beginning.
func begins(d Date, zone *time.Location) (identity.Bound, error) {
	m, err := moment.Parse(string(d), zone)
	if err != nil || m.Never {
		return identity.Bound{}, err
	}
	return identity.Bound{At: m.At, Day: m.Day}, nil
}

// ends is a date as an end; a day lasts until it is over.
func ends(d Date, zone *time.Location) (identity.Bound, error) {
	if d == never {
		return identity.Bound{}, nil
	}
	m, err := moment.Parse(string(d), zone)
	if err != nil || m.Never {
		return identity.Bound{}, err
	}
	return identity.Bound{At: m.After, Day: m.Day}, nil
}

// one is the place of the role that is named.
func (m *compiler) one(path []string, name string) int {
	if found := m.roles(path, []string{name}); len(found) == 1 {
		return found[0]
	}
	return -1
}

func (m *compiler) aTarget(path []string, name string) {
	if _, known := m.config.Targets[name]; !known {
		m.fail(path, oneOf(name, slices.Sorted(maps.Keys(m.config.Targets))), "there is no target %q", name)
	}
}

// People are the texts by which the exceptions of the file name people, sorted.
// Who is meant is for whoever knows the people to find out.
func (p *Policy) People() []string { return slices.Clone(p.people) }

// Exceptions are those of the file, sorted by kind, what they are of, and name.
func (p *Policy) Exceptions() []ledger.Exception {
	out := make([]ledger.Exception, len(p.exceptions))
	for i := range p.exceptions {
		out[i] = p.exceptions[i].Exception
	}
	return out
}

// Excepted is an exception about a person, with where it stands.
type Excepted struct {
	ledger.Exception
	Term ledger.Term
	// Idle says why it does nothing though it is in force; empty if it acts.
	Idle string
}

// excepts is what the exceptions about a person say at one moment.
type excepts struct {
	list []Excepted
	// grants and denies are those in force, by role, with their reasons.
	grants, denies map[int][]Reason
	// closed and kept are those of accounts, by target; "" is every target.
	closed, kept map[string][]Reason
	// over says of roles that they were given, until when.
	over map[int][]Reason
}

// excepts gathers what is about the person. It is nil for nearly everybody.
func (p *Policy) excepts(s Subject) *excepts {
	if len(s.Decided) == 0 && len(s.Meant) == 0 && len(s.Rivals) == 0 {
		return nil
	}
	x := &excepts{grants: map[int][]Reason{}, denies: map[int][]Reason{}, closed: map[string][]Reason{}, kept: map[string][]Reason{},
		over: map[int][]Reason{}}
	for i := range p.exceptions {
		e := &p.exceptions[i]
		switch {
		case slices.Contains(s.Meant, e.Written):
			x.add(p, e.Exception, e.role, s.Now, "")
		case slices.Contains(s.Rivals, e.Written):
			x.add(p, e.Exception, e.role, s.Now, fmt.Sprintf("%q means more than one person", e.Written))
		}
	}
	for _, e := range slices.SortedFunc(slices.Values(s.Decided), ledger.CompareExceptions) {
		role, idle := -1, ""
		if e.Role != "" {
			if i, known := slices.BinarySearch(p.roleNames, e.Role); known {
				role = i
			} else {
				idle = fmt.Sprintf("there is no role %q any more", e.Role)
			}
		}
		x.add(p, e, role, s.Now, idle)
	}
	if len(x.list) == 0 {
		return nil
	}
	slices.SortStableFunc(x.list, func(a, b Excepted) int { return ledger.CompareExceptions(a.Exception, b.Exception) })
	return x
}

func (x *excepts) add(p *Policy, e ledger.Exception, role int, now time.Time, idle string) {
	if p.zone != nil { // as people here write it
		if e.Until.Set() {
			e.Until.At = e.Until.At.In(p.zone)
		}
		if e.From.Set() {
			e.From.At = e.From.At.In(p.zone)
		}
	}
	term := e.Term(now)
	// Whoever may be meant by a legal hold is kept: that takes nothing away.
	if idle != "" && e.Kind == ledger.Retain {
		idle = ""
	}
	x.list = append(x.list, Excepted{Exception: e, Term: term, Idle: idle})
	if idle != "" {
		return
	}
	reason := Reason{Rule: e.Called(), Where: e.Where, Text: e.Why() + ", " + e.End()}
	if e.By != "" {
		reason.Text += ", by " + e.By
	}
	switch {
	case term == ledger.Over:
		if e.Kind == ledger.Grant && role >= 0 {
			reason.Text = "was granted " + e.End()
			x.over[role] = append(x.over[role], reason)
		}
	case term != ledger.InForce:
	case e.Kind == ledger.Grant && role >= 0:
		reason.Text = "granted: " + reason.Text
		x.grants[role] = append(x.grants[role], reason)
	case e.Kind == ledger.Deny && role >= 0:
		reason.Text = "denied: " + reason.Text
		x.denies[role] = append(x.denies[role], reason)
	case e.Kind == ledger.Deny && e.Role == "":
		reason.Text = "denied: " + reason.Text
		x.closed[e.Target] = append(x.closed[e.Target], reason)
	case e.Kind == ledger.Retain:
		x.kept[e.Target] = append(x.kept[e.Target], reason)
	}
}

func (x *excepts) granted(role int) []Reason {
	if x == nil {
		return nil
	}
	return x.grants[role]
}

func (x *excepts) denied(role int) []Reason {
	if x == nil {
		return nil
	}
	return x.denies[role]
}

// here are those of a target, with those of every target.
func here(by map[string][]Reason, target string) []Reason {
	if len(by) == 0 {
		return nil
	}
	return slices.Concat(by[target], by[""])
}

// past are the grants of a role that are over, and those that have not begun.
func (x *excepts) past(role int) []Reason {
	if x == nil {
		return nil
	}
	return x.over[role]
}

// tell puts into what the person should have what the exceptions say of accounts,
// and when one of them begins or ends.
func (x *excepts) tell(d *Desired, p *Policy, sc *scope) {
	if x == nil {
		return
	}
	d.Exceptions = x.list
	for i := range x.list {
		e := &x.list[i]
		for _, b := range []identity.Bound{e.From, e.Until} {
			if b.Set() {
				sc.flips(b.At)
			}
		}
	}
	for i := range d.Accounts {
		a := &d.Accounts[i]
		a.Denied, a.Retained = here(x.closed, a.Target), here(x.kept, a.Target)
		a.Ended = x.ended(&p.targets[i], d)
	}
}

// ended are the grants that are over of roles that give something in a target and
// are not held.
func (x *excepts) ended(t *targetPolicy, d *Desired) (out []Reason) {
	for _, role := range slices.Sorted(maps.Keys(x.over)) {
		gives := func(steps []roleStep) bool {
			return slices.ContainsFunc(steps, func(s roleStep) bool { return s.role == role })
		}
		if gives(t.accounts) || slices.ContainsFunc(t.entitlements, func(e targetEntitlement) bool { return gives(e.from) }) {
			out = append(out, x.over[role]...)
		}
	}
	return out
}

// meant are the texts of the exceptions that mean the person of a test: by the
// login, the mail address or the rehire key that the test gives them.
func (m *compiler) meant(p *Policy, source string, t Test) (out []string) {
	s := m.config.Sources[source]
	for _, text := range p.people {
		for _, named := range []struct {
			attribute string
			exact     bool
		}{{s.Login, false}, {s.Mail, false}, {s.Key, true}} {
			for name, values := range t.Attributes {
				if named.attribute == "" || !strings.EqualFold(name, named.attribute) {
					continue
				}
				if slices.ContainsFunc(values, func(v string) bool { return v == text || !named.exact && strings.EqualFold(v, text) }) && !slices.Contains(out, text) {
					out = append(out, text)
				}
			}
		}
	}
	return out
}
