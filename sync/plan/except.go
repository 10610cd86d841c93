package plan

import (
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// denied says by which exception the account is closed; empty if by none.
func (m *matter) denied() string {
	if m.want == nil {
		return ""
	}
	return rulesOf(m.want.Denied)
}

// kept says by which exception the account is not deleted; empty if by none.
func (m *matter) kept() string {
	if m.want == nil {
		return ""
	}
	return rulesOf(m.want.Retained)
}

// undecided says whether the person's last good state is kept, since nothing of what
// they should have is certain.
func (m *matter) undecided() bool {
	d := &m.p.Desired
	return d.Person == m.p.Ordinal && (d.Standing == identity.Unknown || len(d.Invalid) > 0 && !d.Standing.Left() && d.Standing != identity.NotYet)
}

// barred says whether denies of roles alone close the account of somebody of whom
// nothing else is certain: a deny is.
func (m *matter) barred() bool {
	return m.undecided() && m.want != nil && len(m.want.Barred) > 0
}

// deprive takes from an account that stays as it is what was given for roles that are
// denied, or were granted until now. Whoever can spoil an attribute of their own entry would keep it else.
func (m *matter) deprive() {
	if m.link == nil || m.want == nil || len(m.p.Desired.Denied) == 0 || !m.t.Description.Entitlements {
		return
	}
	kept := func(role string) bool { return !slices.Contains(m.p.Desired.Denied, role) }
	var gone []ledger.Granted
	for _, g := range m.link.Granted {
		e := right(m.want, g.Entitlement)
		if len(g.Roles) > 0 && !slices.ContainsFunc(g.Roles, kept) && (e == nil || len(e.Roles) == 0 && !e.Doubt.Any()) {
			gone = append(gone, g)
		}
	}
	switch {
	case len(gone) == 0 || m.ignored():
		return
	case !m.looked:
		m.look()
		return
	case m.account == nil:
		return
	}
	for _, g := range gone {
		if !m.shown(g.Entitlement) || slices.Contains(m.account.Entitlements, g.Entitlement) {
			m.change(Planned{Change: target.Change{Verb: target.Revoke, Entitlement: g.Entitlement}, Roles: slices.Sorted(slices.Values(g.Roles)), Because: m.deniedFor(g.Roles)})
		}
	}
	m.withhold(0)
}

// deniedFor are the denies in force, and the grants that are over, for which something
// goes.
func (m *matter) deniedFor(roles []string) []string {
	out := m.endedFor(roles)
	for _, x := range m.p.Desired.Exceptions {
		if x.Kind == ledger.Deny && x.Role != "" && x.Term == ledger.InForce && x.Idle == "" {
			out = append(out, "was given for "+strings.Join(roles, ", ")+"; denied "+x.Role+": "+x.Why()+", "+x.End()+" ("+x.Called()+")")
		}
	}
	return out
}

// unentitled says why somebody has no account, and whether a grant gave it.
func (m *matter) unentitled() string {
	why := "no role gives an account here"
	if ended := rulesOf(m.want.Ended); ended != "" {
		why += "; " + ended
	}
	return why
}

// rulesOf puts the reasons of exceptions in a line.
func rulesOf(list []mapping.Reason) string {
	var out []string
	for _, r := range list {
		text := r.Text + " (" + r.Rule
		if r.Where != "" {
			text += " at " + r.Where
		}
		out = append(out, text+")")
	}
	return strings.Join(out, "; ")
}

// endedFor are the grants that are over of the roles for which something was
// given.
func (m *matter) endedFor(roles []string) (out []string) {
	for _, x := range m.p.Desired.Exceptions {
		if x.Kind == ledger.Grant && x.Term == ledger.Over && slices.Contains(roles, x.Role) {
			out = append(out, x.Called()+" of "+x.Role+" ended: it was "+x.End())
		}
	}
	return out
}
