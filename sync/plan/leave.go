package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// leave closes the account of somebody who should have none: disable, and
// revoke every entitlement that the policy can name; later, where the file says
// so, delete. With a rule all of it is held at any count.
func (m *matter) leave(s Situation, rule Rule, text string) {
	m.s.Situation = s
	if m.link == nil {
		m.nothingOurs()
		return
	}
	if s == PresumedGone && m.sources[m.p.Key.Source].Unread && !m.asked() {
		m.s.unread, m.s.Postponed = true, true
		m.note("nothing is taken before the next complete read of source %s", m.p.Key.Source)
		return
	}
	if rule == "" {
		rule, text = m.sourceRule()
	}
	if !m.looked {
		if m.in.Full || m.link.Phase != ledger.Closed || unopened(m.link) || len(m.link.Granted) > 0 || m.deletion(s) || m.waits() {
			m.look()
		}
		return
	}
	if m.account == nil {
		m.note("the account is not in the target any more")
		if rule == "" {
			m.close(ledger.Deleted, s)
		}
		return
	}
	if unopened(m.link) && !m.account.Enabled && rule == "" {
		l := *m.seen.Link
		l.Cause = s.String() // whoever comes back to it is a returned leaver
		m.corrected(l)
	}
	m.strip(rule, text)
	if len(m.s.Changes) == 0 {
		if rule == "" {
			m.close(ledger.Closed, s)
		}
		if m.deletion(s) {
			m.change(Planned{Change: target.Change{Verb: target.Delete}, Because: m.because(), Rule: rule, Text: text,
				closing: true, asked: m.asked()})
		} else {
			m.s.Agrees = true
		}
	}
	m.withhold(ProtectedLeaver)
}

// notYet is somebody whose first day is to come. Nothing is made for them before
// it, and what they had from an earlier time, or too early, stays closed or is
// closed.
func (m *matter) notYet() {
	if m.link == nil {
		m.s.Situation = None
		return
	}
	m.leave(Disabled, "", "")
}

// nothingOurs is a leaver without an account of ours.
func (m *matter) nothingOurs() {
	everybody, left := m.in.Adoption != nil, m.s.Situation != Unentitled
	if q := m.query(); m.in.Full && !m.looked && (m.s.Situation != Unentitled || everybody) && len(q.Match) > 0 {
		m.look()
	}
	if m.s.Situation == Unentitled && !everybody || !m.looked || len(m.seen.Observed.Accounts) == 0 {
		m.s.Situation = None
		return
	}
	for _, a := range m.seen.Observed.Accounts {
		if who, owned := m.owner(a.ID); owned {
			m.note("account %s belongs to %s", a.Name, m.login(who))
			continue
		}
		if m.s.by = m.seen.Observed.By; m.markedOtherwise(&a) != "" {
			continue
		}
		m.s.found, m.s.left = append(m.s.found, a), left
		m.note("account %s looks like theirs and is not ours: nothing is done", a.Name)
	}
}

// sourceRule holds all removals from a source that lists too few people.
func (m *matter) sourceRule() (Rule, string) {
	src := m.sources[m.p.Key.Source]
	if !src.MinPeople {
		return "", ""
	}
	return RuleMinPeople, fmt.Sprintf("source %s lists %d people where it listed %d", m.p.Key.Source, src.People, src.Peak)
}

// strip plans the disable and the revocations.
func (m *matter) strip(rule Rule, text string) {
	p := Planned{Because: m.because(), Rule: rule, Text: text, closing: true, asked: m.asked(), counted: m.link.Phase == ledger.Closed}
	switch {
	case !m.t.Description.CanDisable:
		m.note("this target cannot disable an account; its entitlements are taken")
	case m.account.Enabled:
		d := p
		d.Change.Verb = target.Disable
		d.counted = false
		m.change(d)
	}
	for _, e := range m.strippable() {
		r := p
		r.Change.Verb, r.Change.Entitlement = target.Revoke, e
		r.Roles = rolesOf(m.link, e)
		m.change(r)
	}
}

// strippable are the entitlements that the account holds and that the policy
// can name, and what we gave and could not read.
func (m *matter) strippable() []string {
	if !m.t.Description.Entitlements {
		return nil
	}
	var out []string
	for _, e := range m.account.Entitlements {
		if m.managed[e] || granted(m.link, e) {
			out = append(out, e)
		}
	}
	for _, g := range m.link.Granted {
		if !m.shown(g.Entitlement) {
			out = append(out, g.Entitlement)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// close corrects the link of an account that was found closed, or not at all.
func (m *matter) close(phase ledger.Phase, s Situation) {
	l := *m.seen.Link
	l.Cause = s.String()
	if l.Phase != phase {
		l.Phase, l.PhaseSince = phase, m.in.Now
	}
	l.Granted = nil
	if m.account != nil {
		l.Name = m.account.Name
	}
	m.corrected(l)
}

// deletion says whether the closed account is to be deleted now, and notes
// until when it is kept.
func (m *matter) deletion(s Situation) bool {
	grace, ever := m.t.Rules.Leaver.Grace(s)
	m.s.Kept = ""
	if kept := m.kept(); kept != "" && m.link.Phase == ledger.Closed {
		m.s.Kept = kept
		return false
	}
	if !ever || m.link.Phase != ledger.Closed {
		return false
	}
	since := m.link.PhaseSince
	if m.p.Since.After(since) {
		since = m.p.Since
	}
	due := since.Add(grace)
	switch {
	case !m.t.Description.CanDelete:
		m.note("this target cannot delete an account; it stays closed")
		return false
	case m.in.Now.Before(due):
		m.s.Retained = due
		return false
	case !m.sources[m.p.Key.Source].LastComplete.After(due):
		m.s.Retained = due
		m.note("deleted after the next complete read of source %s", m.p.Key.Source)
		return false
	}
	m.s.Retained = time.Time{}
	return true
}

// asked says whether somebody named the person for their removal.
func (m *matter) asked() bool { return m.p.Named || m.p.Denial != nil }

func (m *matter) because() []string {
	if m.s.Why != "" {
		return []string{m.s.Why}
	}
	return []string{m.s.Situation.String()}
}

// withhold takes back the changes of a protected account, unless the command
// said that it may be touched. A leaver's situation becomes the one given.
func (m *matter) withhold(leaver Situation) {
	if len(m.s.Changes) == 0 || m.in.Protected || m.account == nil {
		return
	}
	rule := m.protected()
	if rule == "" {
		return
	}
	for _, c := range m.s.Changes {
		m.note("not done: %s", Words(c.Change))
	}
	m.s.Changes = nil
	m.s.Held = "protected"
	if leaver != 0 {
		m.s.Situation = leaver
		m.note("%s; to act: rosterd offboard %s --protected", rule, m.s.Login)
		return
	}
	m.note("%s; changed only with --protected", rule)
}

// protected says what protects the account, as far as it was seen; empty: nothing.
func (m *matter) protected() string {
	var name string
	var held []string
	if m.account != nil {
		name, held = m.account.Name, slices.Clone(m.account.Entitlements)
	}
	if m.link != nil {
		for _, g := range m.link.Granted {
			held = append(held, g.Entitlement)
		}
	}
	rule := m.guards.protected(name, held)
	if rule == "" && m.link != nil {
		rule = m.guards.protected(m.link.Name, nil)
	}
	switch {
	case rule != "":
		return "protect = " + rule
	case m.account != nil && m.account.Protected:
		return "the target protects it"
	}
	return ""
}

// releasing is what release is to be told.
func (m *matter) releasing() string {
	if m.protected() != "" {
		return m.s.Login + " --protected"
	}
	return m.s.Login
}

func granted(l *ledger.Link, entitlement string) bool {
	return slices.ContainsFunc(l.Granted, func(g ledger.Granted) bool { return g.Entitlement == entitlement })
}

func rolesOf(l *ledger.Link, entitlement string) []string {
	for _, g := range l.Granted {
		if g.Entitlement == entitlement {
			return slices.Sorted(slices.Values(g.Roles))
		}
	}
	return nil
}
