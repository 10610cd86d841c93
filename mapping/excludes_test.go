package mapping

import (
	"testing"

	"github.com/rosterd/rosterd/ledger"
)

// Who holds the one role does not hold the other, however they came by it, nor
// what rests on it; and what is in doubt neither gives nor takes.
func TestExcludes(t *testing.T) {
	p := policy(t, `
[role.guest]
groups   = ["cn=guests"]
excludes = ["staff"]
[role.staff]
groups = ["cn=staff"]
[role.writer]
groups   = ["cn=writers"]
requires = ["staff"]
[role.lead]
groups   = ["cn=leads"]
includes = ["staff"]
`)
	for _, c := range []struct {
		in    []string
		lost  string // a group whose pin is not sound
		roles string
	}{
		{[]string{"cn=staff", "cn=writers"}, "", "staff writer"},
		{[]string{"cn=staff", "cn=writers", "cn=guests"}, "", "guest"},
		{[]string{"cn=leads", "cn=guests"}, "", "guest lead"},
		{[]string{"cn=leads"}, "", "lead staff"},
		{[]string{"cn=staff", "cn=writers"}, "cn=guests", "staff? writer?"},
		{[]string{"cn=writers"}, "cn=guests", ""},
	} {
		s := Subject{Person: person(nil), Pins: pins(p)}
		for i := range s.Pins {
			if s.Pins[i].Written == c.lost {
				s.Pins[i].Status = ledger.PinMissing
			}
			for _, g := range c.in {
				if s.Pins[i].Written == g {
					s.Memberships = append(s.Memberships, member(s, i))
				}
			}
		}
		d, got := p.Resolve(s), ""
		held := map[string]string{}
		for _, h := range d.Roles {
			held[h.Role] = h.Role
		}
		for _, x := range d.Doubts {
			if x.Role != "guest" {
				held[x.Role] = x.Role + "?"
			}
		}
		for _, name := range p.roleNames {
			if text := held[name]; text != "" {
				if got != "" {
					got += " "
				}
				got += text
			}
		}
		if got != c.roles {
			t.Errorf("in %v, lost %q: %q, want %q", c.in, c.lost, got, c.roles)
		}
	}
}
