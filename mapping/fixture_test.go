package mapping

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/ledger"
)

// policyFile is the policy part of a configuration file.
type policyFile struct {
	Role     map[string]Role
	Table    map[string]map[string]string
	Test     map[string]Test
	Conflict map[string]Conflict
	Grant    map[string]Grant
	Deny     map[string]Deny
	Retain   map[string]Retain
	Source   map[string]struct{ Person SourcePerson }
	Target   map[string]Target
}

// readConfig decodes TOML as the daemon's configuration does. The name
// attribute of every target is userName if it has a rule for that, else none.
func readConfig(t testing.TB, text string) Config {
	t.Helper()
	var f policyFile
	if _, err := toml.Decode(text, &f); err != nil {
		t.Fatalf("decode: %v", err)
	}
	c := Config{Roles: f.Role, Tables: f.Table, Tests: f.Test, Conflicts: f.Conflict, Grants: f.Grant, Denies: f.Deny, Retains: f.Retain, Sources: map[string]SourcePerson{}, Targets: map[string]Target{}}
	for name, s := range f.Source {
		c.Sources[name] = s.Person
	}
	for name, target := range f.Target {
		if _, ok := target.Attributes["userName"]; ok {
			target.NameAttribute = "userName"
		}
		c.Targets[name] = target
	}
	return c
}

// compile compiles TOML, and returns what was reported.
func compile(t testing.TB, text string) (*Policy, []problem.Problem) {
	t.Helper()
	return compileConfig(readConfig(t, text))
}

func compileConfig(c Config) (*Policy, []problem.Problem) {
	var all []problem.Problem
	p := Compile(c, func(path ...string) string { return "f:" + strings.Join(path, "/") },
		func(x problem.Problem) { all = append(all, x) })
	return p, all
}

// policy compiles TOML in which nothing may be wrong.
func policy(t testing.TB, text string) *Policy {
	t.Helper()
	p, all := compile(t, text)
	for _, x := range all {
		if !x.Warning {
			t.Fatalf("compile: %v at %d: %s (%s)", x.Path, x.Offset, x.Message, x.Hint)
		}
	}
	return p
}

// person is an active person of the source corp. In attrs a name without
// values was asked for and is absent; what is not in it was not read.
func person(attrs map[string][]string) identity.Person {
	var names []string
	var list []identity.Attribute
	for n, v := range attrs {
		names = append(names, n)
		if len(v) > 0 {
			list = append(list, identity.Attribute{Name: strings.ToLower(n), Values: v})
		}
	}
	return identity.Person{
		Ordinal: 7, Key: identity.Key{Source: "corp", ID: "id7"}, Standing: identity.Active,
		Attributes: identity.NewAttributes(identity.NewCoverage(names...), list),
	}
}

// pins are those of all groups of the policy, in order, found where written.
// The ordinal of a group is 100 and its position.
func pins(p *Policy) []ledger.Pin {
	var out []ledger.Pin
	for i, g := range p.Groups() {
		out = append(out, ledger.Pin{Source: "corp", Written: g, Group: identity.Ordinal(100 + i), DN: g, Status: ledger.PinOK, Members: 9, Had: 9})
	}
	return out
}

// in is a direct membership of a group, by its written DN.
func in(t testing.TB, p *Policy, written string) identity.Membership {
	t.Helper()
	for i, g := range p.Groups() {
		if g == written {
			o := identity.Ordinal(100 + i)
			return identity.Membership{Group: o, Path: []identity.GroupStep{{Group: o, Name: identity.MustDN(g).RDN()[0].Value, DN: g}}}
		}
	}
	t.Fatalf("the policy does not name %s", written)
	return identity.Membership{}
}

func account(t testing.TB, d Desired, target string) Account {
	t.Helper()
	for _, a := range d.Accounts {
		if a.Target == target {
			return a
		}
	}
	t.Fatalf("no account in %s", target)
	return Account{}
}

// roleText is "name" for a role that is held, "name?rule" for a doubtful one.
func roleText(d Desired) string {
	var out []string
	for _, h := range d.Roles {
		out = append(out, h.Role)
	}
	for _, x := range d.Doubts {
		out = append(out, x.Role+"?"+x.Doubt.Rule)
	}
	return strings.Join(out, " ")
}
