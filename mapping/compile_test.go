package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/problem"
)

// site is a small policy of every kind of rule.
const site = `
[source.corp.person]
login = "uid"
mail = "mail"
name = "cn"
key = "employeeNumber"
required = ["employeeType"]
disabled = 'person.employeeType == "former"'

[role.employee]
description = "Everyone who works here"
when = 'person.employeeType in ["staff", "contractor"]'

[role.content-writer]
owner = "head.of.content"
groups = ["cn=writers,ou=groups,dc=corp,dc=example"]
requires = ["employee"]

[role.content-manager]
groups = ["cn=content-leads,ou=groups,dc=corp,dc=example"]
includes = ["content-writer"]

[conflict.pay]
roles = ["content-writer", "employee"]
action = "hold"

[target.wiki.account]
for = ["employee"]
match = ["externalId", "userName"]
adopt = { externalId = "link" }
[target.wiki.attributes]
userName = "${lower(person.mail)}"
externalId = "${person.employeeNumber}"
name.familyName = "${person.sn}"
title = { from = "${person.title ?? ''}", mode = "on-create", empty = "park" }
[target.wiki.entitlements]
content-writer = ["Writers"]
content-manager = ["Writers", "Publishers"]

[target.list.attributes]
userName = "${person.mail}"
[target.list.entitlements]
content-manager = ["leads"]
`

func TestPolicyNamesWhatItNeeds(t *testing.T) {
	p := policy(t, site)
	for _, c := range []struct {
		what      string
		got, want []string
	}{
		{"attributes", p.Attributes(), []string{"cn", "employeenumber", "employeetype", "mail", "sn", "title", "uid"}},
		{"groups", p.Groups(), []string{"cn=content-leads,ou=groups,dc=corp,dc=example", "cn=writers,ou=groups,dc=corp,dc=example"}},
		{"targets", p.Targets(), []string{"list", "wiki"}},
		{"entitlements", p.Entitlements("wiki"), []string{"Publishers", "Writers"}},
		{"entitlements of no target", p.Entitlements("x"), nil},
		{"attribute names", p.AttributeNames("wiki"), []string{"externalId", "name.familyName", "title", "userName"}},
		{"attribute names of no target", p.AttributeNames("x"), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	p = policy(t, "[role.r]\nwhen = 'person.A == \"x\" and inGroup(\"CN=g\")'\ngroups = [\"cn=z\", \"cn=a\"]\n")
	if got := p.Groups(); !slices.Equal(got, []string{"CN=g", "cn=a", "cn=z"}) {
		t.Errorf("groups %q", got)
	}
}

// One mistake at a time, each put into the site.
func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		path           string
		message, hint  string
	}{
		{"unknown role in requires", `requires = ["employee"]`, `requires = ["employe"]`,
			"role.content-writer.requires", `no role "employe"`, `did you mean "employee"?`},
		{"unknown role in includes", `includes = ["content-writer"]`, `includes = ["zzzzzz"]`,
			"role.content-manager.includes", `no role "zzzzzz"`, "add [role.zzzzzz]"},
		{"unknown role in for", `for = ["employee"]`, `for = ["employees"]`,
			"target.wiki.account.for", `no role "employees"`, `"employee"`},
		{"unknown role in entitlements", `content-manager = ["leads"]`, `content-manger = ["leads"]`,
			"target.list.entitlements.content-manger", `no role "content-manger"`, `"content-manager"`},
		{"unknown role in conflict", `roles = ["content-writer", "employee"]`, `roles = ["content-writer", "x"]`,
			"conflict.pay.roles", `no role "x"`, ""},
		{"conflict with itself", `roles = ["content-writer", "employee"]`, `roles = ["employee", "employee"]`,
			"conflict.pay.roles", "two roles at least", ""},
		{"conflict action", `action = "hold"`, `action = "hald"`, "conflict.pay.action", `"hald"`, `did you mean "hold"?`},
		{"no DN", `groups = ["cn=writers,ou=groups,dc=corp,dc=example"]`, `groups = ["writers"]`,
			"role.content-writer.groups", "parse DN", "cn=writers,ou"},
		{"empty DN", `groups = ["cn=writers,ou=groups,dc=corp,dc=example"]`, `groups = [""]`,
			"role.content-writer.groups", "needs a name", ""},
		{"no groups", `groups = ["cn=writers,ou=groups,dc=corp,dc=example"]`, `groups = []`,
			"role.content-writer.groups", "the list is empty", ""},
		{"role that nobody holds", `when = 'person.employeeType in ["staff", "contractor"]'`, ``,
			"role.employee", "nobody can ever hold", "groups, when or birthright"},
		{"requires itself", `requires = ["employee"]`, `requires = ["content-writer"]`,
			"role.content-writer.requires", "circle: content-writer requires content-writer", ""},
		{"cycle of both", `includes = ["content-writer"]`, "includes = [\"content-writer\"]\nrequires = [\"content-writer\"]",
			"role.content-manager.requires", "circle: content-manager requires content-writer, content-manager includes content-writer", ""},
		{"unknown role in excludes", `requires = ["employee"]`, `excludes = ["employe"]`,
			"role.content-writer.excludes", `no role "employe"`, `did you mean "employee"?`},
		{"excludes itself", `requires = ["employee"]`, `excludes = ["content-writer"]`,
			"role.content-writer.excludes", "circle: content-writer excludes content-writer", ""},
		{"includes and excludes", `includes = ["content-writer"]`, "includes = [\"content-writer\"]\nexcludes = [\"content-writer\"]",
			"role.content-manager.excludes", "content-manager includes content-writer and excludes it", "one of the two"},
		{"cycle of excludes", "requires = [\"employee\"]", "excludes = [\"content-manager\"]",
			"role.content-writer.excludes", "circle: content-writer excludes content-manager, content-manager includes content-writer", ""},
		{"bad when", `"staff", "contractor"]'`, `'`, "role.employee.when", "ends too early", ""},
		{"bad disabled", `== "former"'`, `= "former"'`, "source.corp.person.disabled", "", ""},
		{"inGroup in disabled", `'person.employeeType == "former"'`, `'inGroup("cn=left")'`, "source.corp.person.disabled", "in disabled", "groups"},
		{"required", `required = ["employeeType"]`, `required = ["employee type"]`, "source.corp.person.required", "not the name of an attribute", ""},
		{"login", `login = "uid"`, `login = "${uid}"`, "source.corp.person.login", "not the name of an attribute", ""},
		{"mode", `mode = "on-create"`, `mode = "on-crate"`, "target.wiki.attributes.title.mode", `"on-crate"`, `did you mean "on-create"?`},
		{"if-empty that clears", `mode = "on-create", empty = "park"`, `mode = "if-empty", empty = "clear"`, "target.wiki.attributes.title.empty",
			"never cleared", `mode = "enforce" clears`},
		{"a name that is merged", `userName = "${lower(person.mail)}"`, `userName = { from = "${lower(person.mail)}", mode = "merge" }`,
			"target.wiki.attributes.userName.mode", "always has one value", "leave mode out"},
		{"otherwise without a number", `userName = "${lower(person.mail)}"`, `userName = { from = "${person.uid}", otherwise = "${person.uid}x" }`,
			"target.wiki.attributes.userName.otherwise", "without ${number}", "${number}"},
		{"unique and matched", `userName = "${lower(person.mail)}"`, `userName = { from = "${person.uid}", otherwise = "${person.uid}${number}" }`,
			"target.wiki.account.match", "does not tell whose", "employeeNumber"},
		{"unique beside the name", `mode = "on-create", empty = "park"`, `otherwise = "${number}"`,
			"target.wiki.attributes.title", "only the name of an account", "userName"},
		{"reserve without otherwise", `mode = "on-create", empty = "park"`, `reserve = "1y"`,
			"target.wiki.attributes.title.reserve", "not made unique", "otherwise"},
		{"number outside of otherwise", `${person.title ?? ''}`, `${number}`, "target.wiki.attributes.title.from", "number", ""},
		{"empty", `empty = "park"`, `empty = "prak"`, "target.wiki.attributes.title.empty", `"prak"`, `"park"`},
		{"unknown key of a rule", `empty = "park"`, `emtpy = "park"`, "target.wiki.attributes.title.emtpy", "unknown key", `"empty"`},
		{"no from", `from = "${person.title ?? ''}", `, ``, "target.wiki.attributes.title", "from is missing", ""},
		{"from is a number", `from = "${person.title ?? ''}"`, `from = 5`, "target.wiki.attributes.title.from", "found a number", ""},
		{"expression in from", `${person.title ?? ''}`, `${persn.title}`, "target.wiki.attributes.title.from", "unknown name", ""},
		{"expression in a nested name", `${person.sn}`, `${persn.sn}`, "target.wiki.attributes.name.familyName", "unknown name", ""},
		{"list as value", `"${person.sn}"`, `["${person.sn}"]`, "target.wiki.attributes.name.familyName", "found a list", "values("},
		{"empty table", `"${person.sn}"`, `{}`, "target.wiki.attributes.name.familyName", "table is empty", ""},
		{"same name twice", `name.familyName = "${person.sn}"`, "name.familyName = \"${person.sn}\"\n\"name.familyName\" = \"x\"",
			"target.wiki.attributes.name.familyName", "has a rule already", ""},
		{"names that differ in case", `externalId = "${person.employeeNumber}"`, "externalId = \"${person.employeeNumber}\"\nexternalid = \"x\"",
			"target.wiki.attributes.externalid", "differ in case", ""},
		{"match without rule", `match = ["externalId", "userName"]`, `match = ["externalID", "externalId"]`,
			"target.wiki.account.match", `"externalID"`, `"externalId"`},
		{"match twice", `match = ["externalId", "userName"]`, `match = ["externalId", "externalId"]`, "target.wiki.account.match", "twice", ""},
		{"match nothing", `match = ["externalId", "userName"]
adopt = { externalId = "link" }`, `match = []`, "target.wiki.account.match", "the list is empty", ""},
		{"match by a list", `"${person.employeeNumber}"`, `"${values(person.employeeNumber)}"`, "target.wiki.attributes.externalId", "one value", "first("},
		{"name is a list", `"${lower(person.mail)}"`, `"${values(person.mail)}"`, "target.wiki.attributes.userName", "one value", "first("},
		{"adopt word", `externalId = "link"`, `externalId = "lnk"`, "target.wiki.account.adopt.externalId", `"lnk"`, `"link"`},
		{"adopt what is not matched", `adopt = { externalId = "link" }`, `adopt = { title = "link" }`, "target.wiki.account.adopt.title", "does not stand in match", ""},
		{"nobody by for", `for = ["employee"]`, `for = []`, "target.wiki.account.for", "nobody could ever have an account", ""},
		{"blank entitlement", `["leads"]`, `[" "]`, "target.list.entitlements.content-manager", "needs a name", ""},
	} {
		if !strings.Contains(site, c.old) {
			t.Fatalf("%s: the site has no %q", c.name, c.old)
		}
		p, all := compile(t, strings.Replace(site, c.old, c.new, 1))
		all = slices.DeleteFunc(all, func(x problem.Problem) bool { return x.Warning })
		if p != nil || len(all) != 1 {
			t.Errorf("%s: compiled %v, %d mistakes %+v", c.name, p != nil, len(all), all)
			continue
		}
		if got := all[0]; strings.Join(got.Path, ".") != c.path || !strings.Contains(got.Message, c.message) || !strings.Contains(got.Hint, c.hint) {
			t.Errorf("%s: %+v, want %s: %s (%s)", c.name, got, c.path, c.message, c.hint)
		}
	}
}

func TestNameAttributeWithoutRule(t *testing.T) {
	c := readConfig(t, strings.Replace(site, "userName = \"${person.mail}\"", "UserName = \"${person.mail}\"", 1))
	target := c.Targets["list"]
	target.NameAttribute = "userName"
	c.Targets["list"] = target
	p, all := compileConfig(c)
	if p != nil || len(all) != 1+1 || strings.Join(all[0].Path, ".") != "target.list.attributes" || all[0].Hint != `did you mean "UserName"?` {
		t.Fatalf("%+v", all)
	}
}

func TestNobodyHasAnAccount(t *testing.T) {
	p, all := compile(t, "[role.r]\nwhen = 'true'\n[target.t.attributes]\na = \"x\"\n")
	if p != nil || len(all) == 0 || strings.Join(all[0].Path, ".") != "target.t" || !strings.Contains(all[0].Message, "nobody could ever") {
		t.Fatalf("%+v", all)
	}
}

// Everything that is wrong is told at once.
func TestAllMistakesTogether(t *testing.T) {
	text := strings.NewReplacer(`for = ["employee"]`, `for = ["employe"]`, `"${person.sn}"`, `"${lowr(person.sn)}"`,
		`["staff", "contractor"]`, `[]`, `["employeeType"]`, `["a b", "c d"]`).Replace(site)
	p, all := compile(t, text)
	var paths []string
	for _, x := range all {
		if !x.Warning {
			paths = append(paths, strings.Join(x.Path, "."))
		}
	}
	want := "role.employee.when source.corp.person.required source.corp.person.required target.wiki.account.for target.wiki.attributes.name.familyName"
	if p != nil || strings.Join(paths, " ") != want {
		t.Fatalf("%q", paths)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ name, add, path, message string }{
		{"idle role", "[role.idle]\nwhen = 'true'\n", "role.idle", "gives nothing"},
		{"conflict of what comes together", "[conflict.x]\nroles = [\"content-manager\", \"content-writer\"]\n", "conflict.x.roles", "it includes content-writer"},
		{"conflict of what is required", "[conflict.x]\nroles = [\"employee\", \"content-writer\"]\n", "conflict.x.roles", "holds content-writer is in this conflict: it requires employee"},
		{"no entitlement", "[target.z.account]\nfor = [\"employee\"]\n[target.z.entitlements]\nemployee = []\n", "target.z.entitlements.employee", "gives no entitlement"},
	} {
		base := strings.Replace(site, "[conflict.pay]\nroles = [\"content-writer\", \"employee\"]\naction = \"hold\"\n", "", 1)
		p, all := compile(t, base+c.add)
		if p == nil || len(all) != 1 || !all[0].Warning || strings.Join(all[0].Path, ".") != c.path || !strings.Contains(all[0].Message, c.message) {
			t.Errorf("%s: %v %+v", c.name, p != nil, all)
		}
	}
}

// The mistakes come in the same order, whatever the order of the maps.
func TestMistakesAreInOrder(t *testing.T) {
	text := strings.NewReplacer("employee\"]", "emplyee\"]", "${person.", "${persn.").Replace(site)
	_, first := compile(t, text)
	for range 20 {
		if _, again := compile(t, text); fmt.Sprint(again) != fmt.Sprint(first) {
			t.Fatalf("%+v\n%+v", again, first)
		}
	}
	if len(first) < 5 {
		t.Fatalf("%+v", first)
	}
}

// An attribute table of another type does not end the reading of the file.
func TestAttributesOfAnotherType(t *testing.T) {
	p, all := compile(t, "[role.r]\nwhen = 'true'\n[target.t]\nattributes = 5\n[target.t.entitlements]\nr = [\"x\"]\n")
	if p != nil || len(all) != 1 || strings.Join(all[0].Path, ".") != "target.t.attributes" || !strings.Contains(all[0].Message, "not a table") {
		t.Fatalf("%+v", all)
	}
}

func TestHash(t *testing.T) {
	base := policy(t, site).Hash()
	if len(base) != 64 {
		t.Fatalf("%q", base)
	}
	for name, same := range map[string]string{
		"comment":       "# a comment\n" + site,
		"layout":        strings.Replace(site, `'person.employeeType in ["staff", "contractor"]'`, "\"\"\"\n( person.EMPLOYEETYPE\n   in ['contractor', 'staff'] ) // all of them\"\"\"", 1),
		"order":         strings.Replace(site, `["Writers", "Publishers"]`, `["Publishers", "Writers", "Writers"]`, 1),
		"spelling":      strings.Replace(site, "cn=writers,ou=groups", "CN=Writers, OU=groups", 1),
		"description":   strings.Replace(site, "Everyone who works here", "Staff", 1),
		"default":       strings.Replace(site, `"${person.sn}"`, `{ from = "${person.sn}", mode = "enforce", empty = "clear" }`, 1),
		"adopt default": strings.Replace(site, `externalId = "link"`, `externalId = "link", userName = "report"`, 1),
	} {
		if same == site {
			t.Fatalf("%s changes nothing", name)
		}
		if policy(t, same).Hash() != base {
			t.Errorf("%s: another hash", name)
		}
	}
	seen := map[string]string{base: "base"}
	for name, change := range map[string][2]string{
		"when":          {`"staff", "contractor"`, `"staff"`},
		"operator":      {`employeeType in`, `employeeType not in`},
		"group":         {"cn=writers", "cn=writer"},
		"requires":      {`requires = ["employee"]`, ``},
		"includes":      {`includes = ["content-writer"]`, ``},
		"excludes":      {`requires = ["employee"]`, "requires = [\"employee\"]\nexcludes = [\"x\"]\n[role.x]\nwhen = \"true\""},
		"only excludes": {`requires = ["employee"]`, "requires = [\"employee\"]\n[role.x]\nwhen = \"true\""},
		"owner":         {"head.of.content", "other"},
		"conflict":      {`action = "hold"`, `action = "report"`},
		"disabled":      {`"former"`, `"left"`},
		"required":      {`required = ["employeeType"]`, `required = ["sn"]`},
		"key":           {`key = "employeeNumber"`, ``},
		"for":           {`for = ["employee"]`, ``},
		"match":         {`match = ["externalId", "userName"]`, `match = ["userName", "externalId"]`},
		"adopt":         {`externalId = "link"`, `externalId = "report"`},
		"value":         {`${person.sn}`, `${person.sn} `},
		"mode":          {`"on-create"`, `"enforce"`},
		"empty":         {`"park"`, `"keep"`},
		"entitlement":   {`["Writers"]`, `["Writers", "Publishers"]`},
		"literal":       {`"${person.sn}"`, `"$${person.sn}"`},
		"entitlements":  {`["leads"]`, `["lead", "s"]`},
	} {
		h := policy(t, strings.Replace(site, change[0], change[1], 1)).Hash()
		if other, twice := seen[h]; twice {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[h] = name
	}
}

func TestDidYouMean(t *testing.T) {
	for _, c := range []struct{ written, known, want string }{
		{"employe", "employee employer", `did you mean "employee"?`},
		{"EMPLOYEE", "employee", `did you mean "employee"?`},
		{"xyz", "employee", ""},
		{"x", "a b", ""},
		{"hodl", "hold report", `did you mean "hold"?`},
		{strings.Repeat("x", 300), "employee", ""},
	} {
		if got := didYouMean(c.written, strings.Fields(c.known)); got != c.want {
			t.Errorf("%.20s: %q, want %q", c.written, got, c.want)
		}
	}
}
