package mapping

import (
	"fmt"
	"strings"
	"testing"
)

func TestAsks(t *testing.T) {
	p := policy(t, `
[table.site]
VIE = "Vienna"
[role.a]
when = 'person.employeeType in ["staff", "contractor"] and person.l == "Graz"'
[role.b]
when = '"Staff" in values(person.ou) or exact(person.title) != "Boss" or person.x contains "y"'
[role.c]
when = 'person.x == "z" and person.u == person.v and lower(person.w) == "low"'
[target.t.attributes]
userName = "${lookup('site', person.c) ?? person.mail}"
[target.t.entitlements]
a = ["A"]
b = ["B"]
c = ["C"]
`)
	var got []string
	for _, a := range p.Asks() {
		said := a.Attribute
		for _, v := range []string{"staff", "STAFF", "contractor", "graz", "boss", "vie", "low", "intern", "z"} {
			if a.Knows(v) {
				said += " " + v
			}
		}
		got = append(got, said)
	}
	want := "c vie;employeetype staff STAFF contractor;l graz;ou staff STAFF;title boss;w low"
	if strings.Join(got, ";") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, ";"), want)
	}
}

func TestTwice(t *testing.T) {
	p := policy(t, `
[role.a]
birthright = true
[role.b]
groups = ["cn=b"]
includes = ["a"]
[role.c]
groups = ["cn=c"]
includes = ["b"]
[target.t.attributes]
userName = "x"
[target.t.entitlements]
a = ["Read"]
b = ["Write"]
c = ["Read", "Write", "Own"]
`)
	var got []string
	for _, x := range p.Twice() {
		got = append(got, fmt.Sprint(x.Target, " ", x.Role, " ", x.Entitlement, " ", x.Included))
	}
	if want := "t c Read a;t c Write b"; strings.Join(got, ";") != want {
		t.Errorf("%s", got)
	}
}
