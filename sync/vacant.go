package sync

import (
	"slices"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
)

// passOverVacant accepts what became of groups of the policy once a resync has shown
// that nobody has anything by a role that is in doubt: whoever had it has left, lost it
// otherwise, or has no account. Nothing is in a hold then, by which it could be
// accepted, and what depends on the role, such as what comes after a right of it in an
// exclusive list, would be given to nobody for ever. One that is shown again is tied
// again.
func (c *cycle) passOverVacant() error {
	if !c.ask.Full || c.lane || c.ask.bounded() || c.report.unread() {
		return nil
	}
	var away []ledger.Pin
	for _, s := range c.Sources {
		pins, err := c.Store.Pins(s.Name(), c.Policy.Groups())
		if err != nil {
			return err
		}
		away = append(away, slices.DeleteFunc(pins, func(p ledger.Pin) bool { return p.Status.Sound() })...)
	}
	if len(away) == 0 || slices.ContainsFunc(c.input.People, doubtful) {
		return nil
	}
	for _, p := range away {
		if err := c.Store.AcceptPin(p.Source, p.Written, ""); err != nil {
			return err
		}
	}
	return nil
}

// doubtful says whether somebody has something of which it is in doubt whether they
// should.
func doubtful(p plan.Person) bool {
	for name, seen := range p.Seen {
		l := seen.Link
		if l == nil || l.Phase != ledger.Open {
			continue
		}
		known := p.Desired.Person == p.Ordinal
		for _, a := range p.Desired.Accounts {
			known = known && (a.Target != name || a.Entitled || !a.Doubt.Any())
		}
		if !known || slices.ContainsFunc(l.Granted, func(g ledger.Granted) bool {
			return slices.ContainsFunc(g.Roles, func(role string) bool { return inDoubt(p, role) })
		}) {
			return true
		}
	}
	return false
}

func inDoubt(p plan.Person, role string) bool {
	for _, d := range p.Desired.Doubts {
		if d.Role == role {
			return true
		}
	}
	return false
}
