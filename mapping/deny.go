package mapping

import (
	"maps"
	"slices"

	"github.com/rosterd/rosterd/ledger"
)

// Deny is [deny.NAME]: what one person does not have though a rule gives it. Of a
// role, the role; of a target, the account there, which is closed and never
// deleted by it; with neither, every account.
type Deny struct {
	// Person is a login, a mail address, a DN, a rehire key or an ID.
	Person string `toml:"person"`
	Role   string `toml:"role"`
	Target string `toml:"target"`
	// Reason is why, Ticket where that was decided.
	Reason string `toml:"reason"`
	Ticket string `toml:"ticket"`
	// Until is the last day, or "never".
	Until Date `toml:"until"`
}

func (m *compiler) deny(name string, d Deny) {
	path := func(key ...string) []string { return append([]string{"deny", name}, key...) }
	e := exception{role: -1, Exception: ledger.Exception{Kind: ledger.Deny, Name: name, Written: d.Person, Role: d.Role, Target: d.Target, Reason: d.Reason, Ticket: d.Ticket}}
	switch {
	case d.Role != "" && d.Target != "":
		m.fail(path("target"), "write two tables, or leave out one of the two", "a deny is of a role or of a target, and this names both")
	case d.Role != "":
		e.role = m.one(path("role"), d.Role)
	case d.Target != "":
		m.aTarget(path("target"), d.Target)
	}
	m.except(&e, path, "", d.Until)
}

// deprive says what denies of roles, and grants that ended, take: it is what would be
// given, or in doubt, without the one and by the other. So it can be told from what is
// not known.
func (p *Policy) deprive(d *Desired, held []holding, sc *scope, x *excepts) {
	if x == nil || len(x.denies)+len(x.over) == 0 {
		return
	}
	without := *x
	without.denies = nil
	dated := sc.dated
	defer func() { sc.dated = dated }() // no decision rests on it; when it flips, what is told of it does
	undenied := p.hold(sc, &without)
	if !slices.ContainsFunc(d.Invalid, func(why string) bool { return why != sharedKey }) {
		// Else a rule may not give the role now for want of what is invalid, and the
		// grant was not all that did.
		without.grants = maps.Clone(x.grants)
		for role, why := range x.over {
			without.grants[role] = append(slices.Clip(without.grants[role]), why...)
		}
	}
	free := p.hold(sc, &without)
	for i := range p.roles {
		if len(x.denied(i)) > 0 || held[i].no() && !free[i].no() {
			d.Denied = append(d.Denied, p.roles[i].name)
		}
	}
	slices.Sort(d.Denied)
	if len(x.denies) == 0 {
		return
	}
	var why []Reason
	for _, role := range slices.Sorted(maps.Keys(x.denies)) {
		why = append(why, x.denies[role]...)
	}
	for i := range d.Accounts {
		a := &d.Accounts[i]
		if a.Entitled || a.Doubt.Any() {
			continue
		}
		if yes, _, _, doubt := given(p.targets[i].accounts, undenied, p.roleNames); yes || doubt != nil {
			a.Barred = why
		}
	}
}
