package mapping

import (
	"strings"
	"testing"
)

const tested = `
[source.corp.person]
login    = "uid"
required = ["employeeType"]
disabled = 'person.employeeType == "former"'

[role.employee]
when = 'person.employeeType in ["staff", "contractor"]'
[role.writer]
groups   = ["cn=writers,dc=x"]
requires = ["employee"]
[role.lead]
groups   = ["cn=leads,dc=x"]
when     = 'person.l == "Vienna"'
includes = ["writer"]
[role.guest]
groups   = ["cn=guests,dc=x"]
excludes = ["writer"]

[target.wiki.account]
for = ["employee"]
[target.wiki.attributes]
userName = "${person.uid}"
[target.wiki.entitlements]
writer = ["Writers"]
lead   = ["Publishers"]
guest  = ["Readers"]

[test.one]
`

// A test passes, or says at its place what is not so and why.
func TestTestsOfTheFile(t *testing.T) {
	const writer = `attributes = { uid = "w", employeeType = "Staff" }
groups = ["CN=writers, DC=x"]
`
	for _, c := range []struct {
		name, text string
		path       string
		message    []string
		hint       string
	}{
		{"a writer", writer + `gets = ["role:writer", "role:employee", "account:wiki", "wiki:Writers"]
lacks = ["role:lead", "wiki:Publishers"]`, "", nil, ""},
		{"given after all", writer + `lacks = ["role:lead", "wiki:Writers"]`, "lacks 1",
			[]string{"the test fails: wiki:Writers is given", "member of writers (f:role/writer/groups)", "(f:target/wiki/entitlements/writer"}, ""},
		{"not in the group", writer + `gets = ["role:lead"]`, "gets 0",
			[]string{"role:lead is not given: not a member of leads (f:role/lead/groups)", "not so: person.l == \"Vienna\" (l = nothing) (f:role/lead/when)"}, ""},
		{"what it requires", "attributes = { uid = \"w\", employeeType = \"guest\" }\ngroups = [\"cn=writers,dc=x\"]\ngets = [\"role:writer\"]", "gets 0",
			[]string{"writer requires employee, which is not held (f:role/writer/requires)", `not so: person.employeeType in`, `employeeType = "guest"`}, ""},
		{"excluded", "attributes = { uid = \"w\", employeeType = \"staff\" }\ngroups = [\"cn=writers,dc=x\", \"cn=guests,dc=x\"]\ngets = [\"role:writer\"]", "gets 0",
			[]string{"guest, which is held, excludes writer (f:role/guest/excludes)"}, ""},
		{"who includes it", "attributes = { uid = \"w\", employeeType = \"staff\" }\ngets = [\"role:writer\"]", "gets 0",
			[]string{"not a member of writers", "lead, which includes writer, is not held (f:role/lead/includes)"}, ""},
		{"no account", "attributes = { uid = \"w\", employeeType = \"guest\" }\ngroups = [\"cn=guests,dc=x\"]\ngets = [\"wiki:Readers\"]", "gets 0",
			[]string{"there is no account for it"}, ""},
		{"a leaver", "attributes = { uid = \"w\", employeeType = \"former\" }\ngroups = [\"cn=writers,dc=x\"]\nlacks = [\"account:wiki\", \"wiki:Writers\", \"role:writer\"]", "", nil, ""},
		{"a leaver who should have", "attributes = { uid = \"w\", employeeType = \"former\" }\ngets = [\"account:wiki\"]", "gets 0",
			[]string{"the person is disabled: disabled: person.employeeType"}, ""},
		{"blank", "attributes = { uid = \"w\" }\ngets = [\"role:employee\"]", "", []string{"this person is parked: the required attribute employeeType is blank"}, "parked = true"},
		{"parked as said", "attributes = { uid = \"w\" }\nparked = true", "", nil, ""},
		{"parked by a target", "attributes = { employeeType = \"staff\" }\nparked = true", "", nil, ""},
		{"not parked", writer + "parked = true", "parked", []string{"nothing parks this person"}, ""},
		{"no such role", writer + `gets = ["role:writr"]`, "gets 0", []string{`no role "writr"`}, `"writer"`},
		{"no such target", writer + `gets = ["account:wki"]`, "gets 0", []string{`no target "wki"`}, `"wiki"`},
		{"no such entitlement", writer + `lacks = ["wiki:Writrs"]`, "lacks 0", []string{`no role gives "Writrs" in wiki`}, `"Writers"`},
		{"no such thing", writer + `lacks = ["Writers"]`, "lacks 0", []string{"nothing that a policy gives"}, "role:NAME"},
		{"no such group", `attributes = { employeeType = "staff", uid = "w" }
groups = ["cn=writer,dc=x"]
gets = ["role:employee"]`, "groups 0", []string{`no rule names the group`}, "cn=writers,dc=x"},
		{"no such attribute", `attributes = { employeetypes = "staff" }
gets = ["role:employee"]`, "attributes employeetypes", []string{`no rule names the attribute`}, `"employeetype"`},
		{"no DN", writer[:strings.Index(writer, "groups")] + `groups = ["writers"]
gets = ["role:employee"]`, "groups 0", []string{"parse DN"}, ""},
		{"says nothing", writer, "", []string{"says nothing"}, "gets ="},
		{"another source", writer + `source = "crop"
gets = ["role:writer"]`, "source", []string{`no source "crop"`}, `"corp"`},
	} {
		p, all := compile(t, tested+c.text)
		if c.message == nil {
			if p == nil || len(all) > 0 {
				t.Errorf("%s: %+v", c.name, all)
			}
			continue
		}
		if p != nil || len(all) != 1 {
			t.Errorf("%s: %+v", c.name, all)
			continue
		}
		if got := strings.TrimSpace(strings.Join(all[0].Path[2:], " ")); got != c.path || !strings.Contains(all[0].Hint, c.hint) {
			t.Errorf("%s: %+v", c.name, all[0])
		}
		for _, m := range c.message {
			if !strings.Contains(all[0].Message, m) {
				t.Errorf("%s: %s\nlacks %s", c.name, all[0].Message, m)
			}
		}
	}
}

// Tests are no policy: they change nobody's rights.
func TestTestsAreNotHashed(t *testing.T) {
	base := tested[:strings.Index(tested, "[test.")]
	with := policy(t, tested+"attributes = { uid = \"w\", employeeType = \"staff\" }\ngets = [\"role:employee\"]")
	if policy(t, base).Hash() != with.Hash() {
		t.Error("a test makes another policy")
	}
}
