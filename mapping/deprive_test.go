package mapping

import (
	"slices"
	"testing"
)

// What a deny takes is certain, with what the role includes; what something else
// gives, or may give, is not taken, and without a deny of a role nothing is.
func TestDeniedRoles(t *testing.T) {
	deny := func(role string) *Policy {
		return policy(t, exceptional+"[deny.d]\nperson = \"writer7\"\nreason = \"x\"\nuntil = \"2026-06-30\"\n"+role)
	}
	for _, c := range []struct {
		deny   string
		in     []string
		denied []string
		barred bool
	}{
		{"role = \"editor\"\n", []string{"cn=editors"}, []string{"editor", "writer"}, false},
		{"role = \"editor\"\n", []string{"cn=editors", "cn=writers"}, []string{"editor"}, false},
		{"role = \"editor\"\n", nil, []string{"editor"}, false},
		{"role = \"employee\"\n", []string{"cn=editors"}, []string{"editor", "employee", "writer"}, true},
		{"target = \"wiki\"\n", []string{"cn=editors"}, nil, false},
	} {
		p := deny(c.deny)
		s, _ := excepted(t, p, june, "writer7")
		for _, g := range c.in {
			s.Memberships = append(s.Memberships, in(t, p, g))
		}
		d := p.Resolve(s)
		if !slices.Equal(d.Denied, c.denied) || (len(account(t, d, "wiki").Barred) > 0) != c.barred {
			t.Errorf("%s with %v: %v, barred %+v", c.deny, c.in, d.Denied, account(t, d, "wiki").Barred)
		}
		if s.Now = june.AddDate(0, 2, 0); p.Resolve(s).Denied != nil {
			t.Errorf("%s: it is over", c.deny)
		}
	}
}
