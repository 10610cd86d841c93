package mapping

import (
	"slices"
	"strings"
	"testing"
)

func TestSay(t *testing.T) {
	for _, c := range []struct{ when, want string }{
		{`person.employeeType in ["staff", "contractor"]`, "employeeType is staff or contractor"},
		{`person.employeeType in ["staff"]`, "employeeType is staff"},
		{`person.l not in ["Vienna", "Graz", "St. Pölten"]`, "l is neither Vienna, Graz nor “St. Pölten”"},
		{`not (person.l in ["Vienna"])`, "l is not Vienna"},
		{`person.l == "Vienna"`, "l is Vienna"},
		{`"Vienna" == person.l`, "l is Vienna"},
		{`person.l != "Vienna"`, "l is not Vienna"},
		{`not (person.l == "Vienna")`, "l is not Vienna"},
		{`person.title == ""`, "title is empty"},
		{`person.title != ""`, "title is not empty"},
		{`exact(person.l) == "Vienna"`, "l is exactly Vienna"},
		{`person.title contains "head of"`, "title contains “head of”"},
		{`not (person.title startsWith "Dr")`, "title does not begin with Dr"},
		{`person.title endsWith "editor"`, "title ends with editor"},
		{`"editor" in values(person.title)`, "one of the values of title is editor"},
		{`not ("editor" in values(person.title))`, "none of the values of title is editor"},
		{`inGroup("cn=press,ou=groups,dc=corp,dc=example")`, "in the group press"},
		{`inGroup("cn=press,dc=x") and person.l == "Vienna"`, "in the group press and l is Vienna"},
		{`person.a == "1" and person.b == "2" or person.c == "3"`, "(a is 1 and b is 2) or c is 3"},
		{`person.a == "1" and (person.b == "2" or person.c == "3")`, "a is 1 and (b is 2 or c is 3)"},
		{`person.a == "1" or person.b == "2" or person.c == "3"`, "a is 1 or b is 2 or c is 3"},
		{`not (person.a == "1" or person.b == "2")`, "not (a is 1 or b is 2)"},
		{`before(person.contractEnd)`, "the day contractEnd is not over"},
		{`after(person.hireDate, "-14d")`, "the day hireDate 14d earlier has come"},
		{`after("2026-12-01")`, "2026-12-01 has come"},
		{`within(person.from, person.to, "1w")`, "the day from 1w later has come and the day to 1w later is not over"},
		{`true`, "always"},
		{`lower(person.l) == "vienna"`, "l in lower case is vienna"},
		{`lookup("site", person.l) == "Vienna"`, "what the table site has for l is Vienna"},
	} {
		if got, ok := Say(c.when); !ok || got != c.want {
			t.Errorf("%s: %q %v, want %q", c.when, got, ok, c.want)
		}
	}
	for _, when := range []string{`person.l matches "V.*"`, `nobody(person.l)`, `person.l in split(person.m, ",")`, `(`, `person.a > "b"`, strings.Repeat("a", maxSource+1)} {
		if got, ok := Say(when); ok {
			t.Errorf("%s is said as %q", when, got)
		}
	}
}

func TestSayValue(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"${lower(person.mail)}", "<mail in lower case>"},
		{"${person.givenName} ${person.sn}", "<givenName>| |<sn>"},
		{"fixed", "fixed"},
		{"$${x}", "${x}"},
		{"${person.title ?? ''}", "<title, if there is one>"},
		{"${first(split(person.mail, '@'))}", "<the part of mail before @>"},
		{"${values(person.telephoneNumber) ?? ''}", "<all values of telephoneNumber, if there is one>"},
		{"${person.c == 'AT' ? 'de-AT' : 'en'}", "<de-AT if c is AT, else en>"},
		{"${lookup('site', person.l) ?? 'elsewhere'}", "<what the table site has for l, or else elsewhere>"},
		{"${slug(person.cn)}@x", "<cn as it fits an address>|@x"},
		{"${unknown(person.cn)}", "<!unknown(person.cn)>"},
		{"${person.cn", "!${person.cn"},
	} {
		var got []string
		for _, p := range SayValue(c.value) {
			text := p.Text
			if p.Plain {
				text = "!" + text
			}
			if p.Made {
				text = "<" + text + ">"
			}
			got = append(got, text)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %s, want %s", c.value, strings.Join(got, "|"), c.want)
		}
	}
}

// Whether a value is said to be needed is whether nobody without attributes gets it.
func TestNeededIsWhatParks(t *testing.T) {
	for _, value := range []string{
		"${person.mail}", "${person.mail ?? ''}", "x", "${person.a} ${person.b ?? 'x'}", "${first(split(person.mail, '@'))}",
		"${first(split(person.mail ?? '', '@')) ?? 'x'}", "${values(person.telephoneNumber) ?? ''}", "${person.c == 'AT' ? 'de' : 'en'}",
		"${(person.c ?? '') == 'AT' ? 'de' : 'en'}", "${lower(person.mail ?? person.uid)}", "${person.a + 'x'}", "${(person.a ?? '') + 'x'}",
	} {
		p, _ := compileConfig(Config{
			Roles:   map[string]Role{"all": {When: "true"}},
			Targets: map[string]Target{"wiki": {Account: TargetAccount{For: []string{"all"}}, Attributes: Attributes{"x": {From: value}}}},
		})
		if p == nil {
			t.Fatalf("%s is no value", value)
		}
		read := map[string][]string{}
		for _, a := range p.Attributes() {
			read[a] = nil
		}
		parked := account(t, p.Resolve(Subject{Person: person(read)}), "wiki").Invalid != ""
		said := slices.ContainsFunc(SayValue(value), func(p Part) bool { return p.Needed })
		if parked != said {
			t.Errorf("%s: parked %v, said to be needed %v", value, parked, said)
		}
	}
}
