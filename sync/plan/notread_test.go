package plan

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
)

// drawPolicy draws a policy for the target of the rig, with roles of every kind.
func drawPolicy(t *rapid.T, r *rig) *mapping.Policy {
	rules := []string{`person.a == "x"`, `not (person.a == "x")`, `"y" in values(person.b)`, `person.b != "z" and person.a != "w"`, `before(person.over)`,
		`not after(person.over)`, `inGroup("cn=g0") or person.a == "y"`, `person.c startsWith "x" ? person.a == "x" : person.b == ""`, `lower(person.c) in ["x", "y"]`}
	c := mapping.Config{Roles: map[string]mapping.Role{"all": {Birthright: true}}, Sources: map[string]mapping.SourcePerson{"corp": {}}}
	if rapid.Bool().Draw(t, "required") {
		c.Sources["corp"] = mapping.SourcePerson{Required: []string{"title"}, Disabled: rapid.SampledFrom([]string{"", `person.a == "former"`}).Draw(t, "disabled"),
			End: rapid.SampledFrom([]string{"", "over"}).Draw(t, "end")}
	}
	wiki := mapping.Target{NameAttribute: "name", Entitlements: map[string][]string{}, Attributes: mapping.Attributes{
		"name": {From: "${person.uid}"}, "title": {From: "${person.title ?? ''}"}, "room": {From: "${person.a == 'x' ? 'one' : 'other'}"}}}
	wiki.Account.For = []string{"all"}
	for i := range rapid.IntRange(1, 5).Draw(t, "roles") {
		name, role := fmt.Sprintf("r%d", i), mapping.Role{}
		if rapid.Bool().Draw(t, "groups") {
			role.Groups = []string{rapid.SampledFrom([]string{"cn=g0", "cn=g1"}).Draw(t, "group")}
		}
		if role.Groups == nil || rapid.Bool().Draw(t, "when") {
			role.When = rapid.SampledFrom(rules).Draw(t, "rule")
		}
		if i > 0 {
			other := []string{fmt.Sprintf("r%d", rapid.IntRange(0, i-1).Draw(t, "other"))}
			switch rapid.IntRange(0, 3).Draw(t, "bond") {
			case 0:
				role.Requires = other
			case 1:
				o := c.Roles[other[0]]
				o.Excludes = append(o.Excludes, name)
				c.Roles[other[0]] = o
			case 2:
				o := c.Roles[other[0]]
				o.Includes = append(o.Includes, name)
				c.Roles[other[0]] = o
			}
		}
		c.Roles[name] = role
		wiki.Entitlements[name] = []string{rapid.SampledFrom(r.ents).Draw(t, "right")}
		if rapid.IntRange(0, 3).Draw(t, "for") == 0 {
			wiki.Account.For = []string{name}
		}
	}
	c.Targets = map[string]mapping.Target{"wiki": wiki}
	p := mapping.Compile(c, nil, func(x problem.Problem) {
		if !x.Warning {
			t.Fatalf("%+v: %+v", c, x)
		}
	})
	return p
}

// Law 2, from the reading to the account: of whom something was not read, or
// whose group is not to be found, nothing is taken and nothing changed.
func TestLaw02NotReadKeepsTheLastGoodState(t *testing.T) {
	doubted := 0
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		boundless(r)
		policy := drawPolicy(t, r)
		type known struct {
			attributes []identity.Attribute
			in         []string
		}
		facts := map[int]known{}
		resolve := func(n int, read []string, lost map[string]bool) {
			p := r.people[identity.Ordinal(n)]
			var list []identity.Attribute
			for _, a := range facts[n].attributes {
				if slices.Contains(read, a.Name) {
					list = append(list, a)
				}
			}
			p.Attributes = identity.NewAttributes(identity.NewCoverage(read...), list)
			s := mapping.Subject{Person: p.Person, Now: r.now}
			for i, g := range policy.Groups() {
				pin := ledger.Pin{Source: "corp", Written: g, Group: identity.Ordinal(100 + i), DN: g, Status: ledger.PinOK, Members: 9, Had: 9}
				member := slices.Contains(facts[n].in, g)
				if lost[g] {
					pin.Status, member = ledger.PinMissing, false
				}
				s.Pins = append(s.Pins, pin)
				if member {
					s.Memberships = append(s.Memberships, identity.Membership{Group: pin.Group, Path: []identity.GroupStep{{Group: pin.Group, Name: g, DN: g}}})
				}
			}
			p.Desired = policy.Resolve(s)
		}
		everything := policy.Attributes()
		for n := 1; n <= 3; n++ {
			r.hire(n)
			k := known{in: rapid.SliceOfDistinct(rapid.SampledFrom([]string{"cn=g0", "cn=g1"}), rapid.ID).Draw(t, "in")}
			for _, name := range everything {
				values := rapid.SampledFrom([][]string{nil, {"x"}, {"y"}, {"former"}, {"x", "y"}}).Draw(t, name)
				switch name {
				case "uid":
					values = []string{fmt.Sprintf("writer%d", n)}
				case "over":
					values = rapid.SampledFrom([][]string{nil, {"2026-03-01"}, {"2026-03-02"}, {"soon"}}).Draw(t, "date")
				}
				if values != nil {
					k.attributes = append(k.attributes, identity.Attribute{Name: name, Values: values})
				}
			}
			facts[n] = k
			resolve(n, everything, nil)
		}
		r.cycle(true)
		r.cycle(true)
		full := rapid.Bool().Draw(t, "full")
		for n := 1; n <= 3; n++ {
			read := slices.DeleteFunc(slices.Clone(everything), func(string) bool { return rapid.IntRange(0, 2).Draw(t, "unread") == 0 })
			lost := map[string]bool{}
			for _, g := range policy.Groups() {
				lost[g] = rapid.IntRange(0, 2).Draw(t, "lost") == 0
			}
			was, before := r.people[identity.Ordinal(n)].Desired, r.seen(n)
			resolve(n, read, lost)
			if d := r.people[identity.Ordinal(n)].Desired; len(d.Doubts) > 0 || len(d.Invalid) > len(was.Invalid) {
				doubted++
			}
			p, _ := r.cycle(full, n)
			if after := r.seen(n); !reflect.DeepEqual(before, after) {
				t.Fatalf("read %q, lost %v\n%+v became\n%+v by\n%+v\nwas wanted %+v\nis wanted %+v", read, lost, before, after, p.Subjects, was, r.people[identity.Ordinal(n)].Desired)
			}
		}
	})
	if doubted == 0 {
		t.Error("nobody was ever in doubt")
	}
}
