package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/problem"
)

// What can never be true is found, whatever way it is written.
func TestConditionThatIsNeverTrue(t *testing.T) {
	for _, when := range []string{
		`person.a == "x" and (person.a == "y" or person.a == "z")`,
		`(person.a == "x" or person.a == "y") and person.a in ["z"]`,
		`person.a == "x" and (person.a == "y" or person.b == "z" and person.a != "X")`,
		`person.a startsWith "x" and not (person.a startsWith "x")`,
		`not (person.a startsWith "x" or person.b == "y") and person.b == "Y"`,
		`not (person.a == "x" and person.b == "y") and person.a == "x" and person.b == "y"`,
		`not not (person.a == "x") and person.a == "y"`,
		`after(person.a) and not after(person.A)`,
		`(person.a == "x" or person.b == "y") and person.a != "x" and person.b != "y"`,
		`not (person.a in ["x", "y"]) and (person.a == "x" or person.a == "y")`,
		`not (person.a != "x") and person.a == "y"`,
		`exact(person.a) == "X" and person.a != "x"`,
		`not (exact(person.a) == "X") and exact(person.a) == "X"`,
	} {
		p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: when}}})
		if p != nil || len(all) != 1 || !strings.Contains(all[0].Message, "never be true") {
			t.Errorf("%s: %+v", when, all)
		}
	}
}

// A part that is never true where it stands is warned of, at its place.
func TestPartThatIsNeverTrue(t *testing.T) {
	for when, want := range map[string]string{
		`person.a in ["x", "y"] and (person.a == "z" or person.b == "w")`:                                     "37",
		`person.a == "x" and (person.b == "w" or person.c == "v" and person.a == "y")`:                        "56",
		`person.a == "x" and (person.b == "1" or (person.b == "2" and (person.a == "y" or person.c == "1")))`: "71",
		`(person.a == "x" or person.b == "y") and (person.a == "x" or person.b == "y")`:                       "",
		`person.a == "x" or person.a == "x" and person.a == "y" or person.b == "z"`:                           "fails",
		`(person.a == "x" or person.a == "y") and (person.a == "x" or person.b == "y")`:                       "",
	} {
		p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: when}}})
		var got []string
		for _, x := range all {
			if x.Warning && strings.Contains(x.Message, "this part can never be true") {
				got = append(got, fmt.Sprint(x.Offset))
			}
		}
		if p == nil {
			got = []string{"fails"}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s (%+v)", when, got, want, all)
		}
	}
}

// Roles, rights and conflicts that nobody can reach.
func TestReach(t *testing.T) {
	const base = `
[role.staff]
when = 'person.type == "staff"'
[role.guest]
when = 'person.type == "guest"'
[role.a]
groups = ["cn=a"]
[role.b]
groups = ["cn=b"]
excludes = ["c"]
[role.c]
groups = ["cn=c"]
[role.spring]
groups = ["cn=a"]
from = "2026-03-01"
until = "2026-05-31"
[role.autumn]
groups = ["cn=a"]
from = "2026-09-01"
until = "2026-11-30"
[role.only-by-staff]
[role.also-by-guest]
[role.keeper]
when = 'person.type == "staff" and person.l == "x"'
includes = ["only-by-staff", "also-by-guest"]
[role.warden]
groups = ["cn=a"]
includes = ["also-by-guest"]
`
	for _, c := range []struct{ add, path, message string }{
		{"[role.r]\ngroups = [\"cn=a\"]\nrequires = [\"b\", \"c\"]\n", "role.r.requires", `nobody can ever hold the role "r": b excludes c`},
		{"[role.r]\ngroups = [\"cn=a\"]\nrequires = [\"b\", \"s\"]\n[role.s]\ngroups = [\"cn=a\"]\nrequires = [\"c\"]\n", "role.r.requires", "b excludes c"},
		{"[role.r]\ngroups = [\"cn=a\"]\nrequires = [\"spring\", \"autumn\"]\n", "role.r.requires", "autumn and spring are never held on the same day"},
		{"[role.r]\ngroups = [\"cn=a\"]\nrequires = [\"spring\"]\nfrom = \"2026-06-01\"\n", "role.r.requires", "r and spring are never held"},
		{"[role.r]\nwhen = 'person.type == \"guest\"'\nrequires = [\"staff\"]\n", "warning role.r.requires", `no rule can ever give the role "r": beside what it requires, person.type cannot be`},
		{"[role.r]\ngroups = [\"cn=a\"]\nrequires = [\"staff\", \"guest\"]\n", "warning role.r.requires", "person.type cannot be"},
		{"[role.r]\nwhen = 'person.l == \"y\"'\nrequires = [\"only-by-staff\"]\n", "warning role.r.requires", "person.l cannot be"},
		{"[conflict.k]\nroles = [\"staff\", \"guest\"]\n", "warning conflict.k.roles", `nobody can ever hold "guest" and "staff" together: person.type cannot be`},
		{"[conflict.k]\nroles = [\"b\", \"c\"]\n", "warning conflict.k.roles", "b excludes c"},
		{"[target.t.account]\nfor = [\"guest\"]\n[target.t.entitlements]\nstaff = [\"x\"]\n", "warning target.t.entitlements.staff", `nobody who holds "staff" can have an account here`},
		// What may be so is not called dead.
		{"[role.r]\nwhen = 'person.l == \"y\"'\nrequires = [\"also-by-guest\"]\n", "", ""},
		{"[role.r]\ngroups = [\"cn=a\"]\nrequires = [\"b\", \"a\"]\n", "", ""},
		{"[role.r]\ngroups = [\"cn=a\"]\nrequires = [\"spring\"]\nfrom = \"2026-05-31\"\n", "", ""},
		{"[conflict.k]\nroles = [\"staff\", \"a\"]\n", "", ""},
		{"[role.r]\nwhen = 'person.type == \"guest\"'\nrequires = [\"staff\"]\n[role.other]\ngroups = [\"cn=a\"]\nincludes = [\"r\"]\n", "", ""},
		{"[target.t.account]\nfor = [\"guest\", \"a\"]\n[target.t.entitlements]\nstaff = [\"x\"]\n", "", ""},
	} {
		_, all := compile(t, base+c.add)
		all = slices.DeleteFunc(all, func(x problem.Problem) bool { return strings.Contains(x.Message, "gives nothing") })
		if c.path == "" {
			if len(all) != 0 {
				t.Errorf("%s: %+v", c.add, all)
			}
			continue
		}
		if len(all) != 1 {
			t.Errorf("%s: %+v", c.add, all)
			continue
		}
		path := strings.Join(all[0].Path, ".")
		if all[0].Warning {
			path = "warning " + path
		}
		if path != c.path || !strings.Contains(all[0].Message, c.message) {
			t.Errorf("%s: %s %s", c.add, path, all[0].Message)
		}
	}
}

// A rule that is called dead is dead: nobody who can be drawn is given by it.
func TestLawDeadIsDead(t *testing.T) {
	found := 0
	pair := func(t *rapid.T) {
		names := newNames()
		half := func() (string, node) {
			source := drawCondition(t, 2, true)
			e := &expression{names: names, source: source, report: func(int, string, string) {}}
			return source, e.parse(place{blank: true, rising: true})
		}
		a, x := half()
		b, y := half()
		if x.kind != isCondition || y.kind != isCondition {
			return
		}
		why := unsatisfiable(slices.Concat(x.claims(), y.claims()), slices.Concat(x.either, y.either))
		if why == "" {
			return
		}
		found++
		for range 10 {
			sc := &scope{now: lawNow}
			for _, name := range names.attributes {
				sl := slot{presence: identity.Absent}
				for range rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "values") {
					sl.presence = identity.Present
					sl.values = append(sl.values, rapid.SampledFrom(slices.Concat(lawDates, lawValues, []string{"X", "none"})).Draw(t, name))
				}
				sc.slots = append(sc.slots, sl)
			}
			for range names.groups {
				sc.groups = append(sc.groups, groupState{verdict: verdict{yes: rapid.Bool().Draw(t, "in")}})
			}
			if x.cond(sc).yes && y.cond(sc).yes {
				t.Fatalf("(%s) and (%s) is true of %+v, and is called dead: %s", a, b, sc.slots, why)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for range 8 {
			pair(t)
		}
	})
	if found < 10 {
		t.Errorf("%d were dead", found)
	}
}
