package words

import (
	"fmt"
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/mapping"
)

// input compiles a policy and says what is beside it.
func input(t testing.TB, c mapping.Config) Input {
	t.Helper()
	p := mapping.Compile(c, func(path ...string) string { return "rosterd.toml:1" }, func(p problem.Problem) {
		if !p.Warning {
			t.Errorf("%v: %s", p.Path, p.Message)
		}
	})
	if p == nil {
		t.FailNow()
	}
	in := Input{Policy: p, File: "rosterd.toml", Version: "0123456789ab"}
	for _, name := range sorted(c.Sources) {
		in.Sources = append(in.Sources, Source{Name: name, Kind: "ldap", MinPeople: "90%", VanishAfter: "10m", MaxRename: 5})
	}
	for _, name := range p.Targets() {
		in.Targets = append(in.Targets, Target{Name: name, Kind: "file", Window: "1d", First: "hold",
			Drift:  Drift{Attributes: "enforce", Lost: "enforce", Extra: "report", Disabled: "keep", Missing: "hold"},
			Limits: []Limit{{What: "max_remove", Count: 5, Percent: 5}}})
	}
	return in
}

// company is a policy of so many roles in five applications.
func company(roles int) mapping.Config {
	c := mapping.Config{Roles: map[string]mapping.Role{"employee": {When: `person.employeeType in ["staff", "contractor"]`, Description: "Everyone who works here"}},
		Sources: map[string]mapping.SourcePerson{"corp": {Login: "uid", Required: []string{"employeeType"}}}, Targets: map[string]mapping.Target{}}
	for i := range 5 {
		c.Targets[fmt.Sprintf("app%d", i)] = mapping.Target{NameAttribute: "name", Account: mapping.TargetAccount{For: []string{"employee"}},
			Attributes: mapping.Attributes{"name": {From: "${lower(person.mail)}"}}, Entitlements: map[string][]string{}}
	}
	for i := range roles - 1 {
		name := fmt.Sprintf("content-role-%02d", i)
		r := mapping.Role{Description: fmt.Sprintf("What number %d does", i), Owner: fmt.Sprintf("owner%d", i%7),
			Groups: []string{fmt.Sprintf("cn=team-%02d,ou=groups,dc=corp,dc=example", i%30)}, Requires: []string{"employee"}}
		if i%6 == 5 {
			r.Includes = []string{fmt.Sprintf("content-role-%02d", i-1)}
		}
		c.Roles[name] = r
		for k := range 3 {
			c.Targets[fmt.Sprintf("app%d", (i+k)%5)].Entitlements[name] = []string{fmt.Sprintf("Right %d", i%11), fmt.Sprintf("Right %d", i%4)}
		}
	}
	return c
}
