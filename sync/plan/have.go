package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// have brings the account of somebody who should have one to what is wanted.
func (m *matter) have() {
	returned := m.link.Phase == ledger.Closed && !unopened(m.link)
	if !m.looked {
		m.fromLink(returned)
		return
	}
	if m.account == nil {
		m.missing()
		return
	}
	d := m.diff(*m.link, false)
	m.owed(&d, returned)
	m.corrected(d.link)
	m.s.Situation = d.situation(returned)
	m.s.Agrees = len(m.s.Changes) == 0 && !d.drifted
	m.withhold(0)
}

// fromLink judges by what was last written and given. Whatever differs, or was
// never written, must be looked at first.
func (m *matter) fromLink(returned bool) {
	m.s.Situation = InSync
	l := clone(*m.link)
	differs := returned || m.in.Full || m.seen.Released || l.Release() || m.waits() || m.unseen(l)
	if m.misnamed(l) {
		m.s.Situation, differs = Renamed, true
	}
	for _, a := range m.want.Attributes {
		if m.tended(a) && !awaits(l, a) && !m.later(l, a, m.settled(l, a)) && !m.settled(l, a) {
			m.s.Situation, differs = Changed, true
		}
	}
	if m.t.Description.Entitlements {
		for _, e := range m.want.Entitlements {
			if len(e.Roles) > 0 && !granted(&l, e.Name) && !m.guards.sealed(e.Name) {
				m.s.Situation, differs = Changed, true
			}
		}
		for i, g := range l.Granted {
			e := right(m.want, g.Entitlement)
			switch {
			case e == nil || len(e.Roles) == 0 && e.Doubt.Rule == string(RuleGroup):
				m.s.Situation, differs = Changed, true
			case len(e.Roles) > 0:
				l.Granted[i].Roles = slices.Sorted(slices.Values(e.Roles))
			}
		}
	}
	if m.owes(&l) {
		m.s.Situation, differs = Changed, true
	}
	if returned {
		m.s.Situation = Returned
	}
	if l.Phase == ledger.ClosedElsewhere && !differs {
		m.s.Situation = Drifted
		m.note("disabled in the target by somebody else; to enable it: rosterd release %s", m.releasing())
	}
	if differs {
		m.look()
		return
	}
	m.corrected(l)
}

// unseen says that by what others refer to the account was not seen since it was made or
// moved: whoever did that was killed before it was read back.
func (m *matter) unseen(l ledger.Link) bool {
	return m.t.Description.References && l.Reference == "" && !m.in.Assumed
}

// difference is what a look at an account brought.
type difference struct {
	// link is the link corrected by what was seen.
	link                      ledger.Link
	renamed, changed, drifted bool
}

func (d difference) situation(returned bool) Situation {
	switch {
	case returned:
		return Returned
	case d.renamed:
		return Renamed
	case d.changed:
		return Changed
	case d.drifted:
		return Drifted
	}
	return InSync
}

// diff compares the account with what is wanted and plans what is missing. A
// new link is one that this plan makes: nothing is known of it, and what the
// account holds already is granted all the same, so that it counts as given.
func (m *matter) diff(link ledger.Link, fresh bool) difference {
	d := difference{link: clone(link)}
	m.enabling(&d, fresh)
	follows := len(m.s.Changes) > 0 && !unopened(&d.link) // a password that cannot be handed over holds up nothing else
	from := len(m.s.Changes)
	m.naming(&d)
	m.attributes(&d)
	if m.t.Description.Entitlements {
		m.entitlements(&d, fresh)
	}
	for i := from; i < len(m.s.Changes); i++ {
		m.s.Changes[i].follows = follows
	}
	return d
}

// enabling handles an account that is enabled or disabled against the link.
func (m *matter) enabling(d *difference, fresh bool) {
	l, enabled := &d.link, m.account.Enabled || !m.t.Description.CanDisable
	phase := func(p ledger.Phase, cause string) {
		if l.Phase != p {
			l.Phase, l.PhaseSince = p, m.in.Now
		}
		l.Cause = cause
	}
	switch {
	case enabled:
		if !fresh {
			phase(ledger.Open, "")
		}
		return
	case unopened(l):
		m.openFirst(d)
		return
	case l.Phase == ledger.Closed:
		m.change(Planned{Change: target.Change{Verb: target.Enable}, Reasons: m.want.Because})
		return
	}
	d.drifted = true
	if !fresh && (m.seen.Released || l.Release()) {
		phase(ledger.ClosedElsewhere, ledger.Released)
		m.change(Planned{Change: target.Change{Verb: target.Enable}, Because: []string{ledger.Released}, asked: m.seen.Released})
		return
	}
	phase(ledger.ClosedElsewhere, ledger.ClosedThere)
	m.note("disabled in the target by somebody else; to enable it: rosterd release %s", m.releasing())
}

func (m *matter) naming(d *difference) {
	rules, was := m.t.Description, d.link.GivenName()
	d.link.Name, d.link.Called = m.account.Name, was
	if rules.References {
		d.link.Reference = m.account.Reference
	}
	if !m.settleName(was, true) {
		return
	}
	if m.want.Name == "" || rules.EqualName(m.account.Name, m.want.Name) {
		return
	}
	drift := rules.EqualName(was, m.want.Name)
	d.drifted, d.renamed = d.drifted || drift, d.renamed || !drift
	switch {
	case !rules.CanRename:
		m.note("its name should be %s, and this target cannot rename", m.want.Name)
	case drift && m.t.Rules.Drift.Attributes == report:
		m.note("its name should be %s", m.want.Name)
	default:
		m.change(Planned{Change: target.Change{Verb: target.Rename, Account: m.account.ID, Name: m.want.Name, OldName: m.account.Name},
			Reasons: m.nameReasons()})
	}
}

func (m *matter) nameReasons() []mapping.Reason {
	for _, a := range m.want.Attributes {
		if a.Name == m.t.Description.NameAttribute {
			return []mapping.Reason{a.Reason}
		}
	}
	return m.want.Because
}

// entitlements plans grants first, then revocations.
func (m *matter) entitlements(d *difference, fresh bool) {
	l, from := &d.link, len(m.s.Changes)
	holds := make(map[string]bool, len(m.account.Entitlements))
	for _, e := range m.account.Entitlements {
		holds[e] = true
	}
	for _, e := range m.want.Entitlements {
		if len(e.Roles) > 0 {
			m.give(d, e, holds[e.Name] && !fresh)
		}
	}
	for _, g := range slices.Clone(l.Granted) {
		e := right(m.want, g.Entitlement)
		if e != nil && len(e.Roles) > 0 {
			continue
		}
		if m.shown(g.Entitlement) && !holds[g.Entitlement] {
			l.Granted = slices.DeleteFunc(l.Granted, func(x ledger.Granted) bool { return x.Entitlement == g.Entitlement })
			continue
		}
		m.take(d, g, e)
	}
	for _, name := range m.account.Entitlements {
		if m.managed[name] && !granted(l, name) && right(m.want, name) == nil {
			m.extra(d, name)
		}
	}
	if len(m.want.Exclusive) > 0 {
		m.exclusive(from, holds)
	}
}

// shown says whether the account would show the entitlement if it held it.
func (m *matter) shown(name string) bool {
	return m.managed[name] && !slices.Contains(m.account.Unseen, name)
}

// give plans a grant, or notes that what is wanted is there.
func (m *matter) give(d *difference, e mapping.Entitlement, held bool) {
	roles := slices.Sorted(slices.Values(e.Roles))
	i := slices.IndexFunc(d.link.Granted, func(g ledger.Granted) bool { return g.Entitlement == e.Name })
	switch {
	case m.guards.sealed(e.Name):
		m.note("entitlement %s is break-glass and is never given", e.Name)
		return
	case held && i >= 0:
		d.link.Granted[i].Roles = roles
		return
	case held:
		at, _ := slices.BinarySearchFunc(d.link.Granted, e.Name, func(g ledger.Granted, n string) int { return strings.Compare(g.Entitlement, n) })
		d.link.Granted = slices.Insert(d.link.Granted, at, ledger.Granted{Entitlement: e.Name, Roles: roles, Since: m.in.Now})
		return
	}
	if i >= 0 && !m.shown(e.Name) {
		// We gave it, and it is not among what was read: nothing says it is gone.
		d.link.Granted[i].Roles = roles
		return
	}
	d.drifted, d.changed = d.drifted || i >= 0, d.changed || i < 0
	if i >= 0 && m.t.Rules.Drift.Lost == report && !m.unverified() {
		m.note("entitlement %s was taken away in the target", e.Name)
		return
	}
	m.change(Planned{Change: target.Change{Verb: target.Grant, Entitlement: e.Name}, Roles: roles, Reasons: e.Because})
}

// take plans the revocation of what we gave and no role gives any more.
func (m *matter) take(d *difference, g ledger.Granted, e *mapping.Entitlement) {
	p := Planned{Change: target.Change{Verb: target.Revoke, Entitlement: g.Entitlement}, Roles: slices.Sorted(slices.Values(g.Roles)),
		Because: []string{"no role gives it any more"}}
	if len(g.Roles) > 0 {
		p.Because[0] = fmt.Sprintf("was given for %s; no role gives it any more", strings.Join(p.Roles, ", "))
		p.Because = append(p.Because, m.endedFor(p.Roles)...)
	}
	if why := m.outranked(g.Entitlement); why != "" {
		p.Because = []string{why}
	}
	switch {
	case e != nil && e.Doubt.Rule == string(RuleGroup):
		p.Rule, p.Text, p.Because = RuleGroup, e.Doubt.Text, []string{e.Doubt.Text}
	case e != nil:
		m.note("entitlement %s is kept: %s", g.Entitlement, e.Doubt.Text)
		return
	}
	d.changed = true
	m.change(p)
}

// extra is an entitlement that no role gives and that we did not give.
func (m *matter) extra(d *difference, name string) {
	d.drifted = true
	if m.t.Rules.Drift.Extra != revoke {
		m.note("holds %s, which no role gives", name)
		return
	}
	m.change(Planned{Change: target.Change{Verb: target.Revoke, Entitlement: name}, Because: []string{"no role gives it, and we did not"}})
}

// missing is a linked account that the target does not have.
func (m *matter) missing() {
	m.s.Situation = Missing
	m.s.Why = "the account is not in the target any more"
	p := Planned{}
	if m.t.Rules.Drift.Missing != recreate {
		p.Rule, p.Text = RuleMissing, "accounts of ours are not in the target any more"
	}
	m.create(p)
}

// corrected stores the link if it is not what it was.
func (m *matter) corrected(l ledger.Link) {
	if len(l.Written) == 0 && len(m.seen.Link.Written) == 0 {
		l.Written = m.seen.Link.Written
	}
	if len(l.Added) == 0 && len(m.seen.Link.Added) == 0 {
		l.Added = m.seen.Link.Added
	}
	if len(l.Granted) == 0 && len(m.seen.Link.Granted) == 0 {
		l.Granted = m.seen.Link.Granted
	}
	if m.seen.Corrected || !reflect.DeepEqual(l, *m.seen.Link) {
		m.s.Link = &l
	}
}

func clone(l ledger.Link) ledger.Link {
	l.Granted = slices.Clone(l.Granted)
	l.Written, l.Added = maps.Clone(l.Written), maps.Clone(l.Added)
	if l.Written == nil {
		l.Written = map[string]ledger.Digest{}
	}
	return l
}

// right finds an entitlement among those wanted or doubted.
func right(want *mapping.Account, name string) *mapping.Entitlement {
	for i := range want.Entitlements {
		if want.Entitlements[i].Name == name {
			return &want.Entitlements[i]
		}
	}
	return nil
}
