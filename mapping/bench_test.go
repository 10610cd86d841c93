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

// A policy of 300 roles, each by a group, of which a person is in twelve.
func BenchmarkResolveManyGroups(b *testing.B) {
	c := Config{Roles: map[string]Role{}, Targets: map[string]Target{"t": {Entitlements: map[string][]string{}}}}
	for i := range 300 {
		name := fmt.Sprintf("role%03d", i)
		c.Roles[name] = Role{Groups: []string{fmt.Sprintf("cn=group%03d,ou=groups,dc=corp,dc=example", i)}}
		c.Targets["t"].Entitlements[name] = []string{name}
	}
	p, all := compileConfig(c)
	if p == nil {
		b.Fatalf("%+v", all)
	}
	s := Subject{Person: staff(nil), Pins: pins(p)}
	for i := range 12 {
		s.Memberships = append(s.Memberships, member(s, i*25))
	}
	if got := len(p.Resolve(s).Roles); got != 12 {
		b.Fatal(got)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Resolve(s)
	}
}
