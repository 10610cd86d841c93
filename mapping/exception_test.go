package mapping

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

const exceptional = `
[role.employee]
when = 'person.employeeType == "staff"'
[role.editor]
groups = ["cn=editors"]
requires = ["employee"]
includes = ["writer"]
[role.writer]
groups = ["cn=writers"]
[role.press]
groups = ["cn=press"]
excludes = ["editor"]
[target.wiki.account]
for = ["employee"]
[target.wiki.attributes]
userName = "${person.uid}"
[target.wiki.entitlements]
editor = ["Publish"]
writer = ["Write"]
[target.blog.entitlements]
press = ["Post"]
[source.corp.person]
login = "uid"
mail = "mail"
key = "employeeNumber"
`

var june = time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC)

// excepted resolves somebody who is meant by these texts.
func excepted(t *testing.T, p *Policy, at time.Time, meant ...string) (Subject, Desired) {
	t.Helper()
	s := Subject{Person: person(map[string][]string{"employeeType": {"staff"}, "uid": {"writer7"}, "mail": nil, "employeeNumber": nil}), Now: at,
		Pins: pins(p), Meant: meant}
	return s, p.Resolve(s)
}

func TestGrant(t *testing.T) {
	p := policy(t, exceptional+`
[grant.cover]
person = "writer7"
role   = "editor"
reason = "covers for the head of content"
ticket = "T-12"
from   = "2026-06-01"
until  = 2026-06-03
`)
	if got := p.People(); !slices.Equal(got, []string{"writer7"}) {
		t.Fatal(got)
	}
	for _, c := range []struct {
		at    string
		roles string
		next  string
	}{
		{"2026-05-31T23:59:59Z", "employee", "2026-06-01T00:00:00Z"},
		{"2026-06-01T00:00:00Z", "editor employee writer", "2026-06-04T00:00:00Z"},
		{"2026-06-03T23:59:59Z", "editor employee writer", "2026-06-04T00:00:00Z"},
		{"2026-06-04T00:00:00Z", "employee", "0001-01-01T00:00:00Z"},
	} {
		at, _ := time.Parse(time.RFC3339, c.at)
		_, d := excepted(t, p, at, "writer7")
		if got := roleText(d); got != c.roles || d.Next.Format(time.RFC3339) != c.next {
			t.Errorf("at %s: %s, next %s", c.at, got, d.Next)
		}
	}
	s, d := excepted(t, p, june, "writer7")
	if got := chainText(d.Roles[0].Because); got != "granted: covers for the head of content (T-12), until 2026-06-03 (f:grant/cover); role employee, which editor requires, is held too (f:role/editor/requires)" {
		t.Error(got)
	}
	if e := account(t, d, "wiki").Entitlements; len(e) != 2 || e[0].Name != "Publish" || e[1].Name != "Write" {
		t.Errorf("%+v", e)
	}
	// It says when it ended, and it is nobody else's.
	s.Now = june.AddDate(1, 0, 0)
	if got := chainText(p.Lacks(s, "editor")); !strings.HasPrefix(got, "was granted until 2026-06-03 (f:grant/cover); not a member of editors") {
		t.Error(got)
	}
	if _, d := excepted(t, p, june); roleText(d) != "employee" || d.Exceptions != nil {
		t.Error(roleText(d))
	}
	// What the role requires is still required, and what excludes it still does.
	s.Now = june
	s.Person = person(map[string][]string{"employeeType": {"guest"}, "uid": nil, "mail": nil, "employeeNumber": nil})
	if got := roleText(p.Resolve(s)); got != "" {
		t.Error(got)
	}
	s, _ = excepted(t, p, june, "writer7")
	s.Memberships = []identity.Membership{in(t, p, "cn=press")}
	if got := roleText(p.Resolve(s)); got != "employee press" {
		t.Error(got)
	}
	// More than one may be meant: it gives nothing to any of them, and says so.
	s, _ = excepted(t, p, june)
	s.Rivals = []string{"writer7"}
	if d := p.Resolve(s); roleText(d) != "employee" || len(d.Exceptions) != 1 || !strings.Contains(d.Exceptions[0].Idle, "more than one person") {
		t.Errorf("%s %+v", roleText(d), d.Exceptions)
	}
}

func TestDeny(t *testing.T) {
	deny := func(rest string) *Policy {
		return policy(t, exceptional+"[deny.trouble]\nperson = \"writer7\"\nreason = \"asked by the head\"\nuntil = \"2026-06-30\"\n"+rest)
	}
	// Of a role: it goes however it was come by, with what it gave, and a grant does
	// not bring it back.
	p := deny("role = \"editor\"\n[grant.g]\nperson = \"writer7\"\nrole = \"editor\"\nreason = \"x\"\nuntil = \"never\"\n")
	s, d := excepted(t, p, june, "writer7")
	if roleText(d) != "employee" {
		t.Error(roleText(d))
	}
	s.Memberships = []identity.Membership{in(t, p, "cn=editors")}
	if d := p.Resolve(s); roleText(d) != "employee" {
		t.Error(roleText(d))
	}
	if got := chainText(p.Lacks(s, "editor")); got != "denied: asked by the head, until 2026-06-30 (f:deny/trouble)" {
		t.Error(got)
	}
	s.Now = june.AddDate(0, 1, 0)
	if d := p.Resolve(s); roleText(d) != "editor employee writer" {
		t.Error(roleText(d))
	}
	// A role in doubt is denied all the same: nothing is to be learnt.
	s.Now, s.Pins = june, nil
	if d := p.Resolve(s); slices.ContainsFunc(d.Doubts, func(x Doubtful) bool { return x.Role == "editor" }) {
		t.Error(roleText(d))
	}
	// Of a target, and of all of them.
	for rest, want := range map[string][]int{"target = \"blog\"\n": {1, 0}, "": {1, 1}} {
		_, d := excepted(t, deny(rest), june, "writer7")
		if got := []int{len(account(t, d, "blog").Denied), len(account(t, d, "wiki").Denied)}; !slices.Equal(got, want) {
			t.Errorf("%q: %v", rest, got)
		}
		if _, d := excepted(t, deny(rest), june.AddDate(0, 1, 0), "writer7"); len(account(t, d, "blog").Denied) != 0 {
			t.Errorf("%q: it is not over", rest)
		}
		s, _ := excepted(t, deny(rest), june)
		s.Rivals = []string{"writer7"}
		if d := p.Resolve(s); len(account(t, d, "blog").Denied) != 0 {
			t.Errorf("%q: one of several is denied", rest)
		}
	}
}

func TestRetain(t *testing.T) {
	p := policy(t, exceptional+"[retain.suit]\nperson = \"writer7\"\nreason = \"a suit\"\nuntil = \"never\"\ntarget = \"wiki\"\n")
	s, d := excepted(t, p, june, "writer7")
	if w, b := account(t, d, "wiki").Retained, account(t, d, "blog").Retained; len(w) != 1 || len(b) != 0 || w[0].Text != "a suit, without an end" {
		t.Errorf("%+v %+v", w, b)
	}
	// Whoever may be meant is kept.
	s.Meant, s.Rivals = nil, []string{"writer7"}
	if d := p.Resolve(s); len(account(t, d, "wiki").Retained) != 1 {
		t.Error("one of several is not kept")
	}
}

// What was decided by hand counts as what stands in the file.
func TestExceptionsByHand(t *testing.T) {
	p := policy(t, exceptional)
	until := identity.Bound{At: june.AddDate(0, 0, 1)}
	s, _ := excepted(t, p, june)
	s.Decided = []ledger.Exception{{Kind: ledger.Grant, Person: 7, Role: "editor", Reason: "a fair", By: "admin", Until: until}}
	d := p.Resolve(s)
	if roleText(d) != "editor employee writer" || !d.Next.Equal(until.At) {
		t.Errorf("%s %s", roleText(d), d.Next)
	}
	if got := d.Roles[0].Because[0]; got.Rule != "grant by hand" || got.Text != "granted: a fair, until 2026-06-03 12:00 UTC, by admin" {
		t.Errorf("%+v", got)
	}
	s.Decided = append(s.Decided, ledger.Exception{Kind: ledger.Deny, Person: 7, Role: "editor", Reason: "no", Until: until})
	if d := p.Resolve(s); roleText(d) != "employee" {
		t.Error(roleText(d))
	}
	// The policy has no such role any more.
	s.Decided = []ledger.Exception{{Kind: ledger.Grant, Person: 7, Role: "nothing", Reason: "a fair", Until: until}}
	if d := p.Resolve(s); roleText(d) != "employee" || d.Exceptions[0].Idle == "" {
		t.Errorf("%s %+v", roleText(d), d.Exceptions)
	}
}

// Tests in the file know the exceptions of whom they describe.
func TestExceptionsInTests(t *testing.T) {
	for text, want := range map[string]string{
		"[grant.g]\nperson = \"WRITER7\"\nrole = \"editor\"\nreason = \"x\"\nuntil = \"2026-06-02\"\n": "",
		"[grant.g]\nperson = \"writer7\"\nrole = \"editor\"\nreason = \"x\"\nuntil = \"2026-06-01\"\n": "was granted until 2026-06-01",
		"": "not a member of editors",
		"[grant.g]\nperson = \"writer7\"\nrole = \"editor\"\nreason = \"x\"\nuntil = \"never\"\n[deny.d]\nperson = \"17\"\ntarget = \"wiki\"\nreason = \"y\"\nuntil = \"never\"\n": "denied: y, without an end",
	} {
		_, all := compile(t, exceptional+text+`
[test.t]
attributes = { uid = "writer7", employeeType = "staff", employeeNumber = "17" }
on = "2026-06-02"
gets = ["role:editor", "account:wiki", "wiki:Publish"]
`)
		var got []string
		for _, x := range all {
			if !x.Warning {
				got = append(got, x.Message)
			}
		}
		if (want == "") != (len(got) == 0) || !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%s\n%q", text, got)
		}
	}
}

// A mistake in an exception is told at its place.
func TestExceptionMistakes(t *testing.T) {
	for _, c := range []struct{ text, at, message string }{
		{"[grant.g]\nrole = \"editor\"\nreason = \"x\"\nuntil = \"never\"", "grant/g", "it names nobody"},
		{"[grant.g]\nperson = \"a\"\nreason = \"x\"\nuntil = \"never\"", "grant/g", "the grant names no role"},
		{"[grant.g]\nperson = \"a\"\nrole = \"edtor\"\nreason = \"x\"\nuntil = \"never\"", "grant/g/role", `there is no role "edtor"`},
		{"[grant.g]\nperson = \"a\"\nrole = \"editor\"\nreason = \" \"\nuntil = \"never\"", "grant/g", "it says no reason"},
		{"[grant.g]\nperson = \"a\"\nrole = \"editor\"\nreason = \"x\"", "grant/g", "it has no end"},
		{"[grant.g]\nperson = \"a\"\nrole = \"editor\"\nreason = \"x\"\nuntil = \"soon\"", "grant/g/until", `"soon" is no date`},
		{"[grant.g]\nperson = \"a\"\nrole = \"editor\"\nreason = \"x\"\nuntil = \"-1\"", "grant/g/until", "means that there is no end"},
		{"[grant.g]\nperson = \"a\"\nrole = \"editor\"\nreason = \"x\"\nfrom = \"never\"\nuntil = \"never\"", "grant/g/from", `"never" is no date`},
		{"[grant.g]\nperson = \"a\"\nrole = \"editor\"\nreason = \"x\"\nfrom = \"2026-06-02\"\nuntil = \"2026-06-01\"", "grant/g/until", "over before it begins"},
		{"[deny.d]\nperson = \"a\"\nrole = \"editor\"\ntarget = \"wiki\"\nreason = \"x\"\nuntil = \"never\"", "deny/d/target", "names both"},
		{"[deny.d]\nperson = \"a\"\ntarget = \"wikki\"\nreason = \"x\"\nuntil = \"never\"", "deny/d/target", `there is no target "wikki"`},
		{"[retain.r]\nperson = \"a\"\ntarget = \"wikki\"\nreason = \"x\"\nuntil = \"never\"", "retain/r/target", `there is no target "wikki"`},
	} {
		p, all := compile(t, exceptional+c.text)
		if p != nil || len(all) != 1 || strings.Join(all[0].Path, "/") != c.at || !strings.Contains(all[0].Message, c.message) {
			t.Errorf("%s\n%+v", c.text, all)
		}
	}
	// Time does not invalidate a file.
	if p, all := compile(t, exceptional+"[grant.g]\nperson = \"a\"\nrole = \"editor\"\nreason = \"x\"\nuntil = \"2001-01-01\""); p == nil || len(all) != 0 {
		t.Errorf("%+v", all)
	}
	// A role may come by grants alone.
	if p, all := compile(t, exceptional+"[role.guest]\n[target.blog.account]\nfor = [\"guest\"]\n[target.shop.entitlements]\nguest = [\"Guests\"]\n[grant.g]\nperson = \"a\"\nrole = \"guest\"\nreason = \"x\"\nuntil = \"never\""); p == nil {
		t.Errorf("%+v", all)
	}
}

// The hash tells what an exception does, and not why.
func TestExceptionsInTheHash(t *testing.T) {
	base := "[grant.g]\nperson = \"a\"\nrole = \"editor\"\nreason = \"x\"\nuntil = \"2026-06-30\"\n"
	hash := func(text string) string { return policy(t, exceptional+text).Hash() }
	for _, same := range []string{strings.Replace(base, "\"x\"", "\"y\"\nticket = \"T\"", 1), strings.Replace(base, "grant.g", "grant.h", 1),
		strings.Replace(base, "\"2026-06-30\"", "2026-06-30", 1), strings.Replace(base, "\"2026-06-30\"", "\"2026-07-01T02:00:00+02:00\"", 1)} {
		if hash(same) != hash(base) {
			t.Errorf("another hash: %s", same)
		}
	}
	seen := map[string]string{}
	for _, other := range []string{"", base, strings.Replace(base, "\"a\"", "\"b\"", 1), strings.Replace(base, "\"editor\"", "\"writer\"", 1),
		strings.Replace(base, "06-30", "06-29", 1), base + "from = \"2026-06-01\"", strings.Replace(base, "[grant.g]", "[deny.g]", 1),
		"[deny.d]\nperson = \"a\"\nreason = \"x\"\nuntil = \"2026-06-30\"", "[deny.d]\nperson = \"a\"\nreason = \"x\"\nuntil = \"2026-06-30\"\ntarget = \"wiki\"",
		"[retain.d]\nperson = \"a\"\nreason = \"x\"\nuntil = \"2026-06-30\"", strings.Replace(base, "\"2026-06-30\"", "\"never\"", 1)} {
		if was, twice := seen[hash(other)]; twice {
			t.Errorf("one hash:\n%s\n%s", was, other)
		}
		seen[hash(other)] = other
	}
}
