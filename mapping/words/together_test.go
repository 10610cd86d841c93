package words

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/mapping"
)

// What an account has one of and who may hold two roles together all the
// same are said.
func TestWhatGoesTogetherIsSaid(t *testing.T) {
	c := company(3)
	x := c.Targets["app0"]
	x.Entitlements = map[string][]string{"content-role-00": {"Full"}, "content-role-01": {"Light"}}
	x.Exclusive = map[string][]string{"licence": {"Light", "Full"}}
	x.Account.Match = []string{"number"}
	x.Attributes = mapping.Attributes{"number": {From: "${person.employeeNumber}"}, "name": {From: "${lower(person.uid)}", Otherwise: "${lower(person.uid)}-${number}", Reserve: "2y"}}
	c.Targets["app0"] = x
	x = c.Targets["app1"]
	x.Account.Match = []string{"number"}
	x.Attributes = mapping.Attributes{"number": {From: "${person.employeeNumber}"}, "name": {From: "${lower(person.uid)}", Otherwise: "${number}"}}
	c.Targets["app1"] = x
	c.Conflicts = map[string]mapping.Conflict{"pay": {Roles: []string{"content-role-00", "content-role-01"}, Action: "hold",
		Except: map[string]mapping.ConflictExcept{"alone": {Person: "writer7", Reason: "alone in the office", Ticket: "T-1", Until: "2027-01-31"}}}}
	page := New(input(t, c))
	md, html := page.Markdown(), page.HTML()
	for _, want := range []string{
		"licence: **Light** or **Full**: the first of them that a role gives, in this order.",
		"may hold [content-role-00](#content-role-00) and [content-role-01](#content-role-01) together, in spite of [pay](#pay) | 2027-01-31 | alone in the office (`T-1`) |",
		"1 exception that stands under Exceptions, as long as it lasts.",
	} {
		if !strings.Contains(md, want) {
			t.Errorf("it does not say: %s\n%s", want, md)
		}
	}
	if strings.Count(html, ` id="conflict-pay"`) != 1 || !strings.Contains(html, `href="#conflict-pay"`) {
		t.Error("a link leads nowhere")
	}
}
