package mapping

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

const licences = `
[role.all]
when = "true"
[role.seller]
groups = ["cn=sellers"]
[role.helper]
groups = ["cn=helpers"]
[role.reader]
groups = ["cn=readers"]
[target.crm.account]
for = ["all"]
[target.crm.attributes]
userName = "x"
[target.crm.entitlements]
seller = ["Full", "Mail"]
helper = ["Light"]
reader = ["Basic"]
[target.crm.exclusive]
licence = ["Full", "Light", "Basic"]
`

// Of a list the first that is given stands, whatever else gives the others; what may
// come first leaves the next open, and what is behind both goes.
func TestExclusive(t *testing.T) {
	p := policy(t, licences)
	for _, c := range []struct{ in, doubt, want string }{
		{"", "", ""},
		{"readers", "", "Basic"},
		{"readers helpers", "", "Light"},
		{"readers helpers sellers", "", "Full Mail"},
		{"readers sellers", "", "Full Mail"},
		{"readers helpers", "sellers", "Full?group Light?exclusive Mail?group"},
		{"readers", "sellers", "Basic?exclusive Full?group Mail?group"},
		{"readers", "helpers sellers", "Basic?exclusive Full?group Light?group Mail?group"},
		{"sellers readers", "helpers", "Full Mail"},
		{"", "helpers sellers", "Full?group Light?group Mail?group"},
	} {
		s := Subject{Person: person(nil), Pins: pins(p)}
		for _, g := range strings.Fields(c.in) {
			s.Memberships = append(s.Memberships, in(t, p, "cn="+g))
		}
		for i := range s.Pins {
			for _, g := range strings.Fields(c.doubt) {
				if s.Pins[i].Written == "cn="+g {
					s.Pins[i].Status = ledger.PinMissing
				}
			}
		}
		d := p.Resolve(s)
		var got []string
		for _, e := range account(t, d, "crm").Entitlements {
			text := e.Name
			if e.Doubt.Any() {
				text += "?" + e.Doubt.Rule
				// The first that is in doubt is told.
				if e.Doubt.Rule == "exclusive" && !strings.HasPrefix(e.Doubt.Text, "Full, which comes before it") {
					t.Errorf("in %q with %q in doubt: %s", c.in, c.doubt, e.Doubt.Text)
				}
				if len(e.Roles) > 0 {
					text += "!" // it would be given
				}
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("in %q with %q in doubt: %v, want %s", c.in, c.doubt, got, c.want)
		}
	}
	s := Subject{Person: person(nil), Pins: pins(p), Memberships: []identity.Membership{in(t, p, "cn=helpers"), in(t, p, "cn=sellers")}}
	out := account(t, p.Resolve(s), "crm").Outranked
	if len(out) != 1 || out[0].Entitlement != "Light" || out[0].Reason.Text != "Full comes before it in the exclusive list licence" || out[0].Reason.Where != "f:target/crm/exclusive/licence" {
		t.Errorf("%+v", out)
	}
	// The order is policy, the name of the list is not.
	if policy(t, licences).Hash() != policy(t, strings.Replace(licences, "licence =", "seat =", 1)).Hash() ||
		policy(t, licences).Hash() == policy(t, strings.Replace(licences, `"Full", "Light", "Basic"]`, `"Light", "Full", "Basic"]`, 1)).Hash() {
		t.Error("the hash does not tell the order, or tells the name")
	}
	if _, all := compile(t, licences+"[test.t]\ngroups = [\"cn=helpers\", \"cn=sellers\"]\ngets = [\"crm:Full\"]\nlacks = [\"crm:Light\"]\n[test.u]\ngroups = [\"cn=helpers\", \"cn=sellers\"]\ngets = [\"crm:Light\"]\n"); len(all) != 1 || !strings.Contains(all[0].Message, "Full comes before it") {
		t.Errorf("%+v", all)
	}
}
