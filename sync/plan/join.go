package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// join is somebody who should have an account and has none of ours: the target
// says whether there is one.
func (m *matter) join() {
	m.s.Situation = New
	if !m.looked {
		m.look()
		return
	}
	found, by := m.candidates()
	m.s.found, m.s.by = found, by
	m.s.adopts = m.adopts() == "link"
	switch len(found) {
	case 0:
		m.create(Planned{Nothing: true})
	case 1:
		m.candidate(&found[0])
	default:
		var names []string
		for _, a := range found {
			names = append(names, a.Name)
		}
		slices.Sort(names)
		m.s.Situation, m.s.Held = Ambiguous, "ambiguous"
		m.note("%d accounts match by %s: %s", len(found), by.Attribute, strings.Join(names, ", "))
	}
}

// candidate is the one account that correlates.
func (m *matter) candidate(a *target.Account) {
	m.s.Account = a.Name
	by := m.s.by
	if who, owned := m.owner(a.ID); owned && who != m.p.Ordinal {
		m.s.Situation, m.s.Held = Taken, "taken"
		if by.Attribute == m.t.Description.NameAttribute {
			m.create(Planned{})
			m.s.freed, m.s.Changes = m.s.Changes, nil
		}
		m.note("account %s, found by %s, belongs to %s", a.Name, by.Attribute, m.login(who))
		return
	}
	if rule := m.guards.breakGlass(a.Name, a.Entitlements); rule != "" {
		m.s.Situation, m.s.Why = Ignored, "break_glass = "+rule
		return
	}
	if why := m.markedOtherwise(a); why != "" {
		m.s.Situation, m.s.Held = Taken, "marked"
		m.note("account %s, found by %s, %s", a.Name, by.Attribute, why)
		return
	}
	m.s.Situation, m.account = Adoptable, a
	p := Planned{Change: target.Change{Verb: target.Link, Account: a.ID, Name: a.Name}, Reasons: m.want.Because,
		Because: append(explain(m.want.Because), "found by "+by.Attribute), Awaits: m.awaiting(),
		Shut: shut(m.t, a)}
	if !m.s.adopts {
		p.Rule, p.Text = RuleAdopt, adoptText
		m.note("%s", existing(a, by, m.marks[a.ID]))
	}
	m.change(p)
	m.diff(ledger.Link{Person: m.p.Ordinal, Target: m.t.Name, Account: a.ID, Name: a.Name, Owner: ledger.Adopted, Phase: ledger.Open}, true)
	m.ruleAll(p)
	m.withhold(0)
}

// shut says whether an account is closed that is taken over: it stays so until a release.
func shut(t *Target, a *target.Account) bool { return t.Description.CanDisable && !a.Enabled }

// adoptText is why such a hold is.
const adoptText = "accounts that exist would be taken over"

// adopts is what the file says of a find by this attribute.
func (m *matter) adopts() string {
	for _, w := range m.want.Match {
		if w.Attribute == m.s.by.Attribute {
			return w.Adopt
		}
	}
	return report
}

// create plans the account, its attributes and its entitlements.
func (m *matter) create(p Planned) {
	if m.want.Name == "" {
		m.invalid("the account would have no name")
		return
	}
	had := "" // whose account was deleted comes back under the same name
	if l := m.seen.Link; l != nil {
		had = l.GivenName()
	}
	if !m.settleName(had, false) {
		return
	}
	m.s.Account = m.want.Name
	p.Change = target.Change{Verb: target.Create, Name: m.want.Name, Set: m.initial()}
	p.Reasons, p.Awaits = m.want.Because, m.awaiting()
	p.Owed, p.Shut = m.passwords(), m.t.Description.PasswordFirst
	m.change(p)
	for _, e := range m.want.Entitlements {
		switch {
		case !m.t.Description.Entitlements || len(e.Roles) == 0:
		case m.guards.sealed(e.Name):
			m.note("entitlement %s is break-glass and is never given", e.Name)
		default:
			m.change(Planned{Change: target.Change{Verb: target.Grant, Entitlement: e.Name, Name: m.want.Name},
				Roles: slices.Sorted(slices.Values(e.Roles)), Reasons: e.Because, follows: true})
		}
	}
	m.firstPassword()
	m.ruleAll(p)
}

// awaiting are the attributes that are written later, once whom they refer to has an
// account. The plan says so: the second pass brings nothing that was not told.
func (m *matter) awaiting() []string {
	for _, name := range m.want.Awaits {
		m.note("%s is written once whom it refers to has an account here", name)
	}
	return m.want.Awaits
}

// ruleAll gives everything that follows a change its rule.
func (m *matter) ruleAll(p Planned) {
	for i := range m.s.Changes {
		if m.s.Changes[i].Rule == "" {
			m.s.Changes[i].Rule, m.s.Changes[i].Text = p.Rule, p.Text
		}
	}
}

// initial are the values of a new account.
func (m *matter) initial() []target.Value {
	var set []target.Value
	for _, a := range m.want.Attributes {
		if a.Name != m.t.Description.NameAttribute && len(a.Values) > 0 {
			v := target.Value{Name: a.Name, Values: slices.Clone(a.Values)}
			if a.Mode == mapping.Merge {
				v.How = target.Merge // so that the link knows which are ours
			}
			set = append(set, v)
		}
	}
	slices.SortFunc(set, func(a, b target.Value) int { return cmp.Compare(a.Name, b.Name) })
	return set
}
