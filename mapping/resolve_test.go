package mapping

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

const (
	writers = "cn=writers,ou=groups,dc=corp,dc=example"
	leads   = "cn=content-leads,ou=groups,dc=corp,dc=example"
)

// staff is a person with everything that the site asks for; with replaces some.
func staff(with map[string][]string) identity.Person {
	attrs := map[string][]string{
		"uid": {"writer1"}, "mail": {"Writer1@corp.example"}, "cn": {"Writer One"}, "sn": {"One"}, "title": {"Writer"},
		"employeeNumber": {"4711"}, "employeeType": {"staff"},
	}
	for k, v := range with {
		if attrs[k] = v; len(v) == 1 && v[0] == "not read" {
			delete(attrs, k)
		}
	}
	return person(attrs)
}

// chain is the rules of the reasons, in order.
func chain(because []Reason) string {
	var out []string
	for _, r := range because {
		if !strings.HasPrefix(r.Where, "f:") || strings.ReplaceAll(r.Where[2:], "/", ".") != r.Rule {
			return fmt.Sprintf("%s is said to stand at %s", r.Rule, r.Where)
		}
		out = append(out, r.Rule)
	}
	return strings.Join(out, " ")
}

func TestResolveGivesRolesWithChains(t *testing.T) {
	p := policy(t, site)
	lead := in(t, p, leads)
	step := identity.GroupStep{Group: 300, Name: "editors", DN: "cn=editors,ou=groups,dc=corp,dc=example"}
	inner := identity.GroupStep{Group: 301, Name: "desk", DN: "cn=desk,ou=groups,dc=corp,dc=example"}
	lead.Path = append([]identity.GroupStep{inner, step}, lead.Path...)
	d := p.Resolve(Subject{Person: staff(nil), Memberships: []identity.Membership{lead}, Pins: pins(p)})
	if got := roleText(d); got != "content-manager content-writer employee" {
		t.Fatal(got)
	}
	for i, want := range []string{
		"role.content-manager.groups",
		"role.content-writer.requires role.content-manager.includes role.content-manager.groups",
		"role.employee.when",
	} {
		if got := chain(d.Roles[i].Because); got != want {
			t.Errorf("%s: %s, want %s", d.Roles[i].Role, got, want)
		}
	}
	group := d.Roles[0].Because[0]
	if group.Text != "member of content-leads through desk, editors" || len(group.Path) != 3 || group.Path[0].Name != "desk" {
		t.Errorf("%+v", group)
	}
	if got, want := d.Roles[2].Because[0].Text, `person.employeeType in ["staff", "contractor"] (employeeType = "staff")`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	wiki := account(t, d, "wiki")
	if !wiki.Entitled || wiki.Invalid != "" || wiki.Doubt.Any() || wiki.Name != "writer1@corp.example" ||
		chain(wiki.Because) != "target.wiki.account.for role.employee.when" {
		t.Errorf("%+v", wiki)
	}
	if want := []Match{{"externalId", "4711", "link"}, {"userName", "writer1@corp.example", "report"}}; !reflect.DeepEqual(wiki.Match, want) {
		t.Errorf("%+v", wiki.Match)
	}
	var attrs []string
	for _, a := range wiki.Attributes {
		attrs = append(attrs, fmt.Sprint(a.Name, a.Values, a.Mode))
	}
	if got, want := strings.Join(attrs, " "), "externalId[4711]enforce name.familyName[One]enforce title[Writer]on-create userName[writer1@corp.example]enforce"; got != want {
		t.Errorf("%s", got)
	}
	if len(wiki.Entitlements) != 2 || wiki.Entitlements[0].Name != "Publishers" || !reflect.DeepEqual(wiki.Entitlements[1].Roles, []string{"content-manager", "content-writer"}) {
		t.Errorf("%+v", wiki.Entitlements)
	}
	if got, want := chain(wiki.Entitlements[1].Because), "target.wiki.entitlements.content-manager role.content-manager.groups "+
		"target.wiki.entitlements.content-writer role.content-writer.requires role.content-manager.includes role.content-manager.groups"; got != want {
		t.Errorf("%s", got)
	}
	list := account(t, d, "list")
	if !list.Entitled || list.Name != "Writer1@corp.example" || !reflect.DeepEqual(list.Match, []Match{{"userName", "Writer1@corp.example", "report"}}) ||
		chain(list.Because) != "target.list.entitlements.content-manager role.content-manager.groups" {
		t.Errorf("%+v", list)
	}
	if got := p.Conflicts(d); !reflect.DeepEqual(got, []Conflicted{{Conflict: "pay", Roles: []string{"content-writer", "employee"}, Action: "hold", Where: "f:conflict/pay/roles"}}) {
		t.Errorf("%+v", got)
	}
}

func TestRolesOfAPerson(t *testing.T) {
	p := policy(t, site)
	for _, c := range []struct {
		name  string
		attrs map[string][]string
		in    []string
		roles string
	}{
		{"nobody", map[string][]string{"employeeType": {"guest"}}, nil, ""},
		{"staff", nil, nil, "employee"},
		{"writer", nil, []string{writers}, "content-writer employee"},
		{"what is required is missing", map[string][]string{"employeeType": {"guest"}}, []string{writers}, ""},
		{"what is included requires too", map[string][]string{"employeeType": {"guest"}}, []string{leads}, "content-manager"},
		{"what is required is in doubt", map[string][]string{"employeeType": {"not read"}}, []string{leads}, "content-manager content-writer?coverage employee?coverage"},
		{"doubt that does not matter", map[string][]string{"employeeType": {"not read"}}, nil, "employee?coverage"},
		{"two values", map[string][]string{"employeeType": {"staff", "guest"}}, []string{writers}, "content-writer?value employee?value"},
	} {
		var ms []identity.Membership
		for _, g := range c.in {
			ms = append(ms, in(t, p, g))
		}
		if got := roleText(p.Resolve(Subject{Person: staff(c.attrs), Memberships: ms, Pins: pins(p)})); got != c.roles {
			t.Errorf("%s: %q, want %q", c.name, got, c.roles)
		}
	}
}

// A group that is missing, emptied or replaced revokes nothing, and gives
// nothing to those who were not in it.
func TestPinsInDoubt(t *testing.T) {
	p := policy(t, site)
	for status, want := range map[ledger.PinStatus]string{
		ledger.PinUnseen:   "employee",
		ledger.PinOK:       "employee",
		ledger.PinRenamed:  "employee",
		ledger.PinMissing:  "employee content-writer?group",
		ledger.PinEmptied:  "employee content-writer?group",
		ledger.PinReplaced: "employee content-writer?group",
	} {
		all := pins(p)
		all[1].Status = status
		d := p.Resolve(Subject{Person: staff(nil), Pins: all})
		if got := roleText(d); got != want {
			t.Errorf("%s: %q, want %q", status, got, want)
		}
		wiki := account(t, d, "wiki")
		if doubtful := !status.Sound(); doubtful != (len(wiki.Entitlements) == 1) {
			t.Errorf("%s: %+v", status, wiki.Entitlements)
		} else if doubtful && (len(wiki.Entitlements[0].Roles) != 0 || wiki.Entitlements[0].Doubt.Rule != doubtGroup ||
			!strings.Contains(wiki.Entitlements[0].Doubt.Text, writers)) {
			t.Errorf("%s: %+v", status, wiki.Entitlements)
		}
		// Otherwise held: no doubt is left.
		d = p.Resolve(Subject{Person: staff(nil), Pins: all, Memberships: []identity.Membership{in(t, p, leads)}})
		if got := roleText(d); got != "content-manager content-writer employee" {
			t.Errorf("%s: %q", status, got)
		}
		// Still seen in it: held.
		d = p.Resolve(Subject{Person: staff(nil), Pins: all, Memberships: []identity.Membership{in(t, p, writers)}})
		if got := roleText(d); got != "content-writer employee" {
			t.Errorf("%s: %q", status, got)
		}
	}
}

func TestPinThatIsNotThere(t *testing.T) {
	p := policy(t, site)
	d := p.Resolve(Subject{Person: staff(nil)})
	if got := roleText(d); got != "employee content-manager?coverage content-writer?coverage" {
		t.Errorf("%q", got)
	}
	// Neither an unknown pin nor the zero ordinal makes anybody a member.
	all := append([]ledger.Pin{{Written: "cn=other", Group: 100}}, pins(p)...)
	for i := range all {
		all[i].Group, all[i].Status = 0, ledger.PinUnseen
	}
	d = p.Resolve(Subject{Person: staff(nil), Pins: all, Memberships: []identity.Membership{{Group: 0}}})
	if got := roleText(d); got != "employee" {
		t.Errorf("%q", got)
	}
}

// A role with groups and a condition needs both, and a false condition leaves
// no doubt about the group.
func TestGroupsAndCondition(t *testing.T) {
	p := policy(t, "[role.r]\ngroups = [\"cn=a\", \"cn=b\"]\nwhen = 'person.x == \"y\"'\n")
	both := []identity.Membership{in(t, p, "cn=a"), in(t, p, "cn=b")}
	missing := pins(p)
	missing[0].Status = ledger.PinMissing
	for _, c := range []struct {
		name  string
		x     []string
		in    []identity.Membership
		pins  []ledger.Pin
		roles string
	}{
		{"both", []string{"y"}, both, pins(p), "r"},
		{"condition alone", []string{"y"}, nil, pins(p), ""},
		{"groups alone", []string{"z"}, both, pins(p), ""},
		{"group in doubt", []string{"y"}, nil, missing, "r?group"},
		{"group in doubt, condition false", []string{"z"}, nil, missing, ""},
		{"both in doubt", []string{"y", "z"}, nil, missing, "r?value"},
		{"one group in doubt, the other holds", []string{"y"}, both[1:], missing, "r"},
	} {
		d := p.Resolve(Subject{Person: person(map[string][]string{"x": c.x}), Memberships: c.in, Pins: c.pins})
		if got := roleText(d); got != c.roles {
			t.Errorf("%s: %q, want %q", c.name, got, c.roles)
		}
	}
	d := p.Resolve(Subject{Person: person(map[string][]string{"x": {"y"}}), Memberships: both, Pins: pins(p)})
	if got := chain(d.Roles[0].Because); got != "role.r.groups role.r.groups role.r.when" {
		t.Error(got)
	}
}

// A role without rules of its own is held by those alone who hold a role that
// includes it.
func TestRoleWithoutRules(t *testing.T) {
	p := policy(t, "[role.a]\ngroups = [\"cn=a\"]\nincludes = [\"b\"]\n[role.b]\nincludes = [\"c\"]\n[role.c]\n")
	if got := roleText(p.Resolve(Subject{Person: person(nil), Pins: pins(p)})); got != "" {
		t.Error(got)
	}
	d := p.Resolve(Subject{Person: person(nil), Pins: pins(p), Memberships: []identity.Membership{in(t, p, "cn=a")}})
	if got := roleText(d); got != "a b c" {
		t.Error(got)
	} else if got := chain(d.Roles[2].Because); got != "role.b.includes role.a.includes role.a.groups" {
		t.Error(got)
	}
}

func TestInGroup(t *testing.T) {
	p := policy(t, `[role.r]
when = 'inGroup("cn=a") and person.x == "y" or inGroup("cn=b")'
`)
	missing := pins(p)
	missing[0].Status = ledger.PinEmptied
	a, b := in(t, p, "cn=a"), in(t, p, "cn=b")
	for _, c := range []struct {
		x     string
		in    []identity.Membership
		pins  []ledger.Pin
		roles string
	}{
		{"y", []identity.Membership{a}, pins(p), "r"},
		{"z", []identity.Membership{a}, pins(p), ""},
		{"z", []identity.Membership{b}, pins(p), "r"},
		{"y", nil, pins(p), ""},
		{"y", nil, missing, "r?group"},
		{"y", []identity.Membership{a}, missing, "r"},
		{"z", nil, missing, ""},
		{"y", nil, nil, "r?coverage"},
	} {
		d := p.Resolve(Subject{Person: person(map[string][]string{"x": {c.x}}), Memberships: c.in, Pins: c.pins})
		if got := roleText(d); got != c.roles {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestStanding(t *testing.T) {
	p := policy(t, site)
	for _, c := range []struct {
		name     string
		standing identity.Standing
		doubt    identity.Doubt
		attrs    map[string][]string
		want     identity.Standing
		invalid  string
	}{
		{"active", identity.Active, 0, nil, identity.Active, ""},
		{"disabled by the condition", identity.Active, 0, map[string][]string{"employeeType": {"Former"}}, identity.Disabled, ""},
		{"gone stays gone", identity.Gone, 0, map[string][]string{"employeeType": {"former"}}, identity.Gone, ""},
		{"unknown is not disabled", identity.Unknown, 0, map[string][]string{"employeeType": {"former"}}, identity.Unknown, ""},
		{"unread", identity.Active, 0, map[string][]string{"employeeType": {"not read"}}, identity.Active,
			"disabled cannot be decided: person.employeeType was not read|the required attribute employeeType was not read"},
		{"blank", identity.Active, 0, map[string][]string{"employeeType": {" \t", ""}}, identity.Active,
			"disabled cannot be decided: person.employeeType has more than one value|the required attribute employeeType is blank"},
		{"absent", identity.Active, 0, map[string][]string{"employeeType": nil}, identity.Active, "the required attribute employeeType is blank"},
		{"absent of a leaver", identity.OutOfScope, 0, map[string][]string{"employeeType": nil}, identity.OutOfScope, ""},
		{"absent of a disabled one", identity.Disabled, 0, map[string][]string{"employeeType": nil}, identity.Disabled, ""},
		{"absent of an unknown one", identity.Unknown, 0, map[string][]string{"employeeType": nil}, identity.Unknown, "the required attribute employeeType is blank"},
		{"shared key", identity.Unknown, identity.SharedKey, nil, identity.Unknown, "another entry has the same key"},
	} {
		who := staff(c.attrs)
		who.Standing, who.Doubt, who.Why = c.standing, c.doubt, "as read"
		d := p.Resolve(Subject{Person: who, Pins: pins(p)})
		if d.Standing != c.want || strings.Join(d.Invalid, "|") != c.invalid || d.Person != 7 {
			t.Errorf("%s: %s %q", c.name, d.Standing, d.Invalid)
		}
		why := "as read"
		if c.standing == identity.Active && c.want == identity.Disabled {
			why = `disabled: person.employeeType == "former" (employeeType = "Former")`
		}
		if d.Why != why {
			t.Errorf("%s: %s", c.name, d.Why)
		}
	}
	// The rules of one source do not bear on people of another.
	who := staff(map[string][]string{"employeeType": {"former"}})
	who.Key.Source = "other"
	if d := p.Resolve(Subject{Person: who, Pins: pins(p)}); d.Standing != identity.Active || d.Invalid != nil {
		t.Errorf("%+v", d)
	}
}

func TestInvalidAccountLeavesTheOthers(t *testing.T) {
	p := policy(t, site)
	lead := []identity.Membership{in(t, p, leads)}
	d := p.Resolve(Subject{Person: staff(map[string][]string{"sn": nil, "title": {"a", "b"}}), Memberships: lead, Pins: pins(p)})
	wiki, list := account(t, d, "wiki"), account(t, d, "list")
	if wiki.Invalid != "name.familyName: person.sn has no value; title: person.title has more than one value" || !wiki.Entitled ||
		list.Invalid != "" || len(list.Attributes) != 1 || d.Invalid != nil {
		t.Errorf("%+v\n%+v", wiki, list)
	}
	d = p.Resolve(Subject{Person: staff(map[string][]string{"mail": {"  "}}), Memberships: lead, Pins: pins(p)})
	if wiki := account(t, d, "wiki"); wiki.Invalid != "userName: the name of the account is blank" || wiki.Name != "" || len(wiki.Match) != 1 {
		t.Errorf("%+v", wiki)
	}
}

// Of an account that nobody should have only what finds it is computed.
func TestAccountThatIsNotWanted(t *testing.T) {
	p := policy(t, site)
	d := p.Resolve(Subject{Person: staff(map[string][]string{"employeeType": {"guest"}, "sn": nil, "employeeNumber": nil}),
		Memberships: []identity.Membership{in(t, p, leads)}, Pins: pins(p)})
	wiki := account(t, d, "wiki")
	want := Account{Target: "wiki", Name: "writer1@corp.example", Match: []Match{{"userName", "writer1@corp.example", "report"}}}
	if !reflect.DeepEqual(wiki, want) {
		t.Errorf("%+v", wiki)
	}
	// A leaver's account is closed, whatever is wrong with the attributes.
	who := staff(map[string][]string{"sn": nil})
	who.Standing = identity.Gone
	if wiki := account(t, p.Resolve(Subject{Person: who, Pins: pins(p)}), "wiki"); wiki.Invalid != "" || wiki.Name == "" {
		t.Errorf("%+v", wiki)
	}
}

// An account in doubt keeps its rights, and gets none.
func TestAccountInDoubt(t *testing.T) {
	p := policy(t, site)
	d := p.Resolve(Subject{Person: staff(map[string][]string{"employeeType": {"not read"}}),
		Memberships: []identity.Membership{in(t, p, leads)}, Pins: pins(p)})
	wiki := account(t, d, "wiki")
	if wiki.Entitled || wiki.Doubt.Rule != doubtCoverage || wiki.Because != nil || len(wiki.Entitlements) != 2 || wiki.Invalid != "" {
		t.Fatalf("%+v", wiki)
	}
	for _, e := range wiki.Entitlements {
		if e.Doubt.Rule != doubtCoverage || !reflect.DeepEqual(e.Roles, []string{"content-manager"}) {
			t.Errorf("%+v", e)
		}
	}
	if list := account(t, d, "list"); !list.Entitled || list.Entitlements[0].Doubt.Any() {
		t.Errorf("%+v", list)
	}
}

// Many ways to a role stay a short chain.
func TestChainsOfDiamonds(t *testing.T) {
	c := Config{Roles: map[string]Role{}}
	for i := range 40 {
		for _, side := range []string{"a", "b"} {
			r := Role{When: "true"}
			if i > 0 {
				r.Includes = []string{fmt.Sprintf("a%02d", i-1), fmt.Sprintf("b%02d", i-1)}
			}
			c.Roles[fmt.Sprintf("%s%02d", side, i)] = r
		}
	}
	p, all := compileConfig(c)
	if p == nil {
		t.Fatalf("%+v", all)
	}
	d := p.Resolve(Subject{Person: person(nil)})
	if n := len(d.Roles[0].Because); len(d.Roles) != 80 || n > 80+4*40 {
		t.Fatalf("%d roles, %d reasons", len(d.Roles), n)
	}
}

func TestValuesInReasonsAreShort(t *testing.T) {
	p := policy(t, "[role.r]\nwhen = '\"x\" in values(person.a) or person.b == \"\" or person.c == \"x\"'\n")
	long := strings.Repeat("é", 50)
	d := p.Resolve(Subject{Person: person(map[string][]string{"a": {"x", long, "q\"\n", "4", "5", "6"}, "b": nil})})
	want := `"x" in values(person.a) or person.b == "" or person.c == "x" (a = "x", "` + strings.Repeat("é", 30) +
		`…", "q\"\n", "4", and 2 more, b = nothing, c = nothing)`
	if got := d.Roles[0].Because[0].Text; got != want {
		t.Errorf("%s\n%s", got, want)
	}
}

// Reading the reasons of one person must not change those of another.
func TestResolveSharesNothingThatGrows(t *testing.T) {
	p := policy(t, site)
	s := Subject{Person: staff(nil), Memberships: []identity.Membership{in(t, p, leads)}, Pins: pins(p)}
	before := fmt.Sprintf("%+v", p.Resolve(s))
	d := p.Resolve(s)
	for i := range d.Roles {
		_ = append(d.Roles[i].Because, Reason{Rule: "spoilt"})
	}
	if after := fmt.Sprintf("%+v", p.Resolve(s)); after != before {
		t.Fatal("changed")
	}
}
