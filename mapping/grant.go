package mapping

import "github.com/rosterd/rosterd/ledger"

// Grant is [grant.NAME]: a role that one person has though no rule gives it. It
// gives the role as a group of the role would: what the role requires is still
// required, what excludes it still does, and a deny wins.
type Grant struct {
	// Person is a login, a mail address, a DN, a rehire key or an ID.
	Person string `toml:"person"`
	Role   string `toml:"role"`
	// Reason is why, Ticket where that was decided.
	Reason string `toml:"reason"`
	Ticket string `toml:"ticket"`
	// From is the first day; left out: at once. Until is the last, or "never".
	From  Date `toml:"from"`
	Until Date `toml:"until"`
}

func (m *compiler) grant(name string, g Grant) {
	path := func(key ...string) []string { return append([]string{"grant", name}, key...) }
	e := exception{role: -1, Exception: ledger.Exception{Kind: ledger.Grant, Name: name, Written: g.Person, Role: g.Role, Reason: g.Reason, Ticket: g.Ticket}}
	if g.Role == "" {
		m.fail(path(), `role = "NAME" says which one`, "the grant names no role")
	} else {
		e.role = m.one(path("role"), g.Role)
	}
	m.except(&e, path, g.From, g.Until)
}
