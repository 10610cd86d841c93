package mapping

import "github.com/rosterd/rosterd/ledger"

// Retain is [retain.NAME]: the accounts of one person are not deleted, whatever
// the leaver rules say: a legal hold. They are closed and stripped as ever.
type Retain struct {
	// Person is a login, a mail address, a DN, a rehire key or an ID.
	Person string `toml:"person"`
	// Target is where; left out: everywhere.
	Target string `toml:"target"`
	// Reason is why, Ticket where that was decided.
	Reason string `toml:"reason"`
	Ticket string `toml:"ticket"`
	// Until is the last day, or "never".
	Until Date `toml:"until"`
}

func (m *compiler) retain(name string, r Retain) {
	path := func(key ...string) []string { return append([]string{"retain", name}, key...) }
	e := exception{role: -1, Exception: ledger.Exception{Kind: ledger.Retain, Name: name, Written: r.Person, Target: r.Target, Reason: r.Reason, Ticket: r.Ticket}}
	if r.Target != "" {
		m.aTarget(path("target"), r.Target)
	}
	m.except(&e, path, "", r.Until)
}
