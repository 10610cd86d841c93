package mapping

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

const fourEyes = `
[role.author]
groups = ["cn=authors"]
[role.approver]
groups = ["cn=approvers"]
[role.auditor]
groups = ["cn=auditors"]
[target.erp.attributes]
userName = "x"
[target.erp.entitlements]
author = ["Write"]
approver = ["Approve"]
auditor = ["Read"]
[conflict.pay]
roles = ["author", "approver", "auditor"]
action = "hold"
[conflict.pay.except.alone]
person = "writer7"
reason = "alone in the office"
until = "2026-06-30"
`

func TestConflicts(t *testing.T) {
	p := policy(t, fourEyes)
	resolve := func(at time.Time, meant bool, groups, doubt string) Desired {
		s := Subject{Person: person(nil), Pins: pins(p), Now: at}
		for _, g := range strings.Fields(groups) {
			s.Memberships = append(s.Memberships, in(t, p, "cn="+g))
		}
		for i := range s.Pins {
			if doubt != "" && s.Pins[i].Written == "cn="+doubt {
				s.Pins[i].Status = ledger.PinMissing
			}
		}
		if meant {
			s.Meant = []string{"writer7"}
		}
		return p.Resolve(s)
	}
	say := func(d Desired) string {
		var out []string
		for _, c := range d.Conflicts {
			text := strings.Join(c.Roles, "+")
			if len(c.Doubtful) > 0 {
				text += "?" + strings.Join(c.Doubtful, "?")
			}
			if len(c.Excepted) > 0 {
				text += " excepted"
			}
			out = append(out, text)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		meant         bool
		groups, doubt string
		want          string
		apart         int
	}{
		{false, "", "", "", 0}, {false, "authors", "", "", 1}, {false, "authors approvers", "", "approver+author", 1},
		{false, "approvers authors", "", "approver+author", 1}, {false, "authors approvers auditors", "", "approver+auditor+author", 1},
		{false, "authors", "approvers", "author?approver", 1}, {false, "", "approvers", "", 0},
		{true, "authors approvers", "", "approver+author excepted", 0},
	} {
		d := resolve(june, c.meant, c.groups, c.doubt)
		if say(d) != c.want || len(d.Apart) != c.apart {
			t.Errorf("%+v: %q, %+v", c, say(d), d.Apart)
		}
	}
	// The exception ends by itself.
	d := resolve(june, true, "authors approvers", "")
	if end := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC); !d.Next.Equal(end) {
		t.Error(d.Next)
	} else if d := resolve(end, true, "authors approvers", ""); say(d) != "approver+author" || len(d.Apart) != 1 {
		t.Error(say(d))
	}
	if got := d.Conflicts[0].Excepted[0]; got.Rule != "conflict.pay.except.alone" || got.Text != "alone in the office, until 2026-06-30" || got.Where != "f:conflict/pay/except/alone" {
		t.Errorf("%+v", got)
	}
	// One of several is no exception.
	s := Subject{Person: person(nil), Pins: pins(p), Now: june, Rivals: []string{"writer7"}, Memberships: []identity.Membership{in(t, p, "cn=authors"), in(t, p, "cn=approvers")}}
	if got := say(p.Resolve(s)); got != "approver+author" {
		t.Error(got)
	}
	// The exception is policy.
	if policy(t, fourEyes).Hash() == policy(t, strings.Replace(fourEyes, "2026-06-30", "2026-06-29", 1)).Hash() {
		t.Error("one hash")
	}
	if _, all := compile(t, strings.Replace(fourEyes, `until = "2026-06-30"`, "", 1)); len(all) != 1 || strings.Join(all[0].Path, "/") != "conflict/pay/except/alone" {
		t.Errorf("%+v", all)
	}
}
