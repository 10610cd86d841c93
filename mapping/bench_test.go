package mapping

import (
	"fmt"
	"testing"

	"github.com/rosterd/rosterd/identity"
)

// benchSite has ten roles, half by group and half by condition, and two targets.
func benchSite(b testing.TB) (*Policy, Subject) {
	c := readConfig(b, site)
	for i := range 7 {
		r := Role{When: fmt.Sprintf(`person.departmentNumber == "%d" and person.l in ["Vienna", "Graz"]`, i)}
		if i%2 == 0 {
			r = Role{Groups: []string{fmt.Sprintf("cn=team%d,ou=groups,dc=corp,dc=example", i)}, Requires: []string{"employee"}}
		}
		name := fmt.Sprintf("team%d", i)
		c.Roles[name] = r
		c.Targets["wiki"].Entitlements[name] = []string{"Team", name}
	}
	p, all := compileConfig(c)
	if p == nil {
		b.Fatalf("%+v", all)
	}
	s := Subject{Person: staff(map[string][]string{"departmentNumber": {"3"}, "l": {"Vienna"}}), Pins: pins(p)}
	s.Memberships = []identity.Membership{in(b, p, leads), in(b, p, "cn=team0,ou=groups,dc=corp,dc=example")}
	return p, s
}

func BenchmarkResolve(b *testing.B) {
	p, s := benchSite(b)
	if got := roleText(p.Resolve(s)); got != "content-manager content-writer employee team0 team3" {
		b.Fatal(got)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Resolve(s)
	}
}

func BenchmarkCompile(b *testing.B) {
	c := readConfig(b, site)
	b.ReportAllocs()
	for b.Loop() {
		if p, _ := compileConfig(c); p == nil {
			b.Fatal("no policy")
		}
	}
}
