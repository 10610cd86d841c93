package mapping

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

const season = `
[role.everyone]
birthright = true

[role.festival]
groups = ["cn=festival"]
includes = ["badge"]
from = "2026-06-01"
until = 2026-06-30

[role.badge]
[role.desk]
when = 'person.l == "Vienna"'
requires = ["festival"]

[target.t.account]
for = ["everyone"]
[target.t.attributes]
a = "x"
[target.t.entitlements]
badge = ["badge"]
desk = ["desk"]
`

// Nobody holds a role outside of its dates, and who might is due when they pass.
func TestRoleInItsTime(t *testing.T) {
	p := policy(t, season)
	member := in(t, p, "cn=festival")
	for _, c := range []struct{ now, roles, next, lacks string }{
		{"2026-05-31T23:59:59Z", "everyone", "2026-06-01", "nobody holds festival yet: from 2026-06-01 (f:role/festival/from)"},
		{"2026-06-01T00:00:00Z", "badge desk everyone festival", "2026-07-01", ""},
		{"2026-06-30T23:59:59Z", "badge desk everyone festival", "2026-07-01", ""},
		{"2026-07-01T00:00:00Z", "everyone", "", "nobody holds festival any more: until 2026-06-30 (f:role/festival/until)"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		s := Subject{Now: now, Person: person(map[string][]string{"l": {"Vienna"}}), Pins: pins(p)}
		s.Memberships = append(s.Memberships, member)
		d := p.Resolve(s)
		next := ""
		if !d.Next.IsZero() {
			next = d.Next.Format(time.DateOnly)
		}
		if got := roleText(d); got != c.roles || next != c.next {
			t.Errorf("%s: %s, next %s", c.now, got, next)
		}
		if got := chainText(p.Lacks(s, "festival")); got != c.lacks {
			t.Errorf("%s: %s", c.now, got)
		}
		s.Memberships = nil
		if d = p.Resolve(s); !d.Next.IsZero() || roleText(d) != "everyone" {
			t.Errorf("%s: somebody whom it does not concern has %s, next %s", c.now, roleText(d), d.Next)
		}
	}
	now := time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC)
	for _, h := range p.Resolve(Subject{Now: now, Person: person(map[string][]string{"l": {"Vienna"}}), Pins: pins(p), Memberships: []identity.Membership{member}}).Roles {
		want := map[string]string{
			"everyone": "everybody in the source has it",
			"festival": "member of festival; from 2026-06-01; until 2026-06-30",
			"badge":    "role festival includes badge; member of festival; from 2026-06-01; until 2026-06-30",
		}[h.Role]
		got := strings.NewReplacer(" (f:role/everyone/birthright)", "", " (f:role/festival/groups)", "", " (f:role/festival/from)", "", " (f:role/festival/until)", "",
			" (f:role/festival/includes)", "").Replace(chainText(h.Because))
		if want != "" && got != want {
			t.Errorf("%s: %s", h.Role, got)
		}
	}
	// A group in doubt decides nothing while the role has its time, and nothing is in doubt outside of it.
	lost := pins(p)
	lost[0].Status = ledger.PinMissing
	for date, want := range map[string]string{"2026-06-02": "everyone badge?group desk?group festival?group", "2026-07-02": "everyone"} {
		now, _ := time.Parse(time.DateOnly, date)
		if got := roleText(p.Resolve(Subject{Now: now, Person: person(map[string][]string{"l": {"Vienna"}}), Pins: lost})); got != want {
			t.Errorf("%s: %s", date, got)
		}
	}
}

func TestRoleMistakes(t *testing.T) {
	for _, c := range []struct{ add, path, message, hint string }{
		{"birthright = true\nwhen = 'person.a == \"x\"'", "role.r.birthright", "everybody has the role", "leave out"},
		{"birthright = true\ngroups = [\"cn=a\"]", "role.r.birthright", "everybody has the role", "leave out"},
		{"birthright = false", "role.r", "nobody can ever hold", "birthright"},
		{"birthright = true\nfrom = \"soon\"", "role.r.from", "no date", "2026-12-31"},
		{"birthright = true\nuntil = \"-1\"", "role.r.until", "never", "2026-12-31"},
		{"birthright = true\nfrom = \"2026-12-31\"\nuntil = \"2026-12-30\"", "role.r.until", "ends before it begins", "later date"},
		{"birthright = true\nowner = \"a\"\nowners = [\"b\"]", "role.r.owner", "owner and owners", "under owners"},
		{"birthright = true\nowners = []", "role.r.owners", "nobody answers", ""},
		{"birthright = true\nowners = [\" \"]", "role.r.owners", "needs a name", ""},
	} {
		p, all := compile(t, "[role.r]\n"+c.add+"\n")
		if p != nil || len(all) != 1 || strings.Join(all[0].Path, ".") != c.path || !strings.Contains(all[0].Message, c.message) || !strings.Contains(all[0].Hint, c.hint) {
			t.Errorf("%s: %v %+v", c.add, p != nil, all)
		}
	}
	// What is over is no mistake: time does not make a file wrong.
	policy(t, "[role.r]\nbirthright = true\nfrom = 1999-01-01\nuntil = 1999-12-31T12:00:00Z\n")
}

func TestTermInTheHash(t *testing.T) {
	hash := func(add string) string { return policy(t, "[role.r]\nbirthright = true\n"+add).Hash() }
	same := [][]string{
		{"owner = \"a\"", "owners = [\"a\"]", "owners = [\"a\", \"a\"]"},
		{"from = \"2026-06-01\"", "from = 2026-06-01", "from = \"20260601\"", "from = 2026-06-01T00:00:00Z"},
		{"until = \"2026-06-01\"", "until = 2026-06-02T00:00:00"},
		{"", "birthright = true"},
		{"owners = [\"a\", \"b\"]", "owners = [\"b\", \"a\"]"},
		{"from = \"2026-06-01\"\nuntil = \"2026-06-02\""},
	}
	seen := map[string]int{}
	for i, group := range same {
		for _, add := range group {
			if add == "birthright = true" {
				continue
			}
			if j, is := seen[hash(add)]; is && j != i {
				t.Errorf("%q is as %q", add, same[j])
			}
			seen[hash(add)] = i
		}
	}
	if len(seen) != len(same) {
		t.Errorf("%d hashes for %d meanings", len(seen), len(same))
	}
	if policy(t, "[role.r]\nwhen = 'true'\n").Hash() == hash("") {
		t.Error("birthright is not in the hash")
	}
}

// A test in which a date decides says for which day it is.
func TestTestOnADay(t *testing.T) {
	base := season + "[test.x]\nattributes = { l = \"Vienna\" }\ngroups = [\"cn=festival\"]\n"
	if p, all := compile(t, base+"gets = [\"role:desk\"]\n"); p != nil || len(all) != 1 || !strings.Contains(all[0].Hint, "on = ") {
		t.Errorf("%+v", all)
	}
	if p, all := compile(t, base+"gets = [\"role:desk\"]\non = \"soon\"\n"); p != nil || len(all) != 1 || strings.Join(all[0].Path, ".") != "test.x.on" {
		t.Errorf("%+v", all)
	}
	policy(t, base+"gets = [\"role:desk\"]\non = 2026-06-15\n")
	policy(t, base+"lacks = [\"role:desk\"]\non = \"2026-07-15\"\n")
	policy(t, season+"[test.x]\nattributes = { l = \"Vienna\" }\nlacks = [\"role:desk\"]\n") // no date decides
}
