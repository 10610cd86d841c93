package mapping

import (
	"fmt"
	"strings"
	"testing"
)

// TestLaw12ReasonsKeepSecrets: what a condition was decided on is said, and not of an
// attribute that may hold a secret. It is called as the rule calls it.
func TestLaw12ReasonsKeepSecrets(t *testing.T) {
	p := policy(t, `
[role.badge]
when = 'person.badgeToken != "" and person.EmployeeType == "staff"'
[target.door.account]
for = ["badge"]
[target.door.attributes]
userName = "${person.uid}"
room = "${lookup('rooms', person.badgeToken)}"
[table.rooms]
other = "1"
`)
	who := staff(map[string][]string{"badgetoken": {"hunter2"}})
	d := p.Resolve(Subject{Person: who})
	if len(d.Roles) != 1 {
		t.Fatalf("%+v", d)
	}
	const want = `person.badgeToken != "" and person.EmployeeType == "staff" (badgeToken = [secret], EmployeeType = "staff")`
	if got := d.Roles[0].Because[0].Text; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if why := d.Accounts[0].Invalid; why != "room: the table rooms has nothing for [secret]" {
		t.Error(why)
	}
	if text := fmt.Sprintf("%+v", d); strings.Contains(text, "hunter2") {
		t.Error(text)
	}
	who = staff(map[string][]string{"badgetoken": {"hunter2"}, "employeeType": {"guest"}})
	lacks := fmt.Sprintf("%+v", p.Lacks(Subject{Person: who}, "badge"))
	if strings.Contains(lacks, "hunter2") || !strings.Contains(lacks, "badgeToken = [secret]") {
		t.Error(lacks)
	}
}
