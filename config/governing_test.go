package config

import (
	"os"
	"strings"
	"testing"

	sourceldap "github.com/rosterd/rosterd/directory/ldap"
	targetldap "github.com/rosterd/rosterd/target/ldap"
)

// edits of the example file: what stands there, and what is written instead.
var edits = map[string][][2]string{
	"policy": {
		{`people   = { bases = ["ou=people,dc=corp,dc=example"]`, `people   = { bases = ["ou=staff,dc=corp,dc=example"]`},
		{`filter = "(objectClass=inetOrgPerson)" }`, `filter = "(objectClass=person)" }`},
		{`groups   = { bases = ["ou=groups,dc=corp,dc=example"]`, `groups   = { bases = ["ou=other,dc=corp,dc=example"]`},
		{`members = ["member"]`, `members = ["uniqueMember"]`},
		{`# id_attribute  = "entryUUID"       #`, `id_attribute  = "employeeNumber"       #`},
		{`# ignore_referrals = [`, `ignore_referrals = [`},
		{`# account_state = [`, `account_state = [`},
		{`login    = "uid"`, `login    = "cn"`},
		{`key      = "employeeNumber"`, `key      = "uid"`},
		{`required = ["employeeType"]`, `required = ["employeeType", "sn"]`},
		{`employeeType == "former"`, `employeeType == "left"`},
		{`start    = "employmentStart"`, `start    = "hireDate"`},
		{`end      = "employmentEnd"`, `end      = "contractEnd"`},
		{`timezone = "UTC"   `, `timezone = "Asia/Tokyo"   `}, // of dates
		{`closed_canaries = ["uid=closed-canary,`, `closed_canaries = ["uid=closed2,`},
		{`canaries     = ["uid=canary,`, `canaries     = ["uid=canary2,`},
		{`min_people   = "90%"`, `min_people   = "80%"`},
		{`vanish_after = "10m"`, `vanish_after = "1m"`},
		{`max_rename   = { count = 5 }`, `max_rename   = { count = 50 }`},
		{`in ["staff", "contractor"]'`, `in ["staff"]'`},
		{`requires    = ["employee"]`, `# requires`},
		{`cn=writers,ou=groups,dc=corp`, `cn=authors,ou=groups,dc=corp`},
		{`action = "report"`, `action = "hold"`},
		{`for     = ["employee"]              #`, `for     = ["employee", "content-writer"]              #`},
		{`match   = ["externalId", "userName"]`, `match   = ["userName", "externalId"]`},
		{`externalId = "link", userName = "report"`, `externalId = "link", userName = "link"`},
		{`protect = ["account:admin", "entitlement:Administrators"]`, `protect = ["account:admin"]`},
		{`break_glass = ["account:emergency-*"]`, `break_glass = []`},
		{`"${lower(person.mail)}"`, `"${person.mail}"`},
		{`mode = "enforce", empty = "clear"`, `mode = "on-create", empty = "clear"`},
		{`["Writers", "Publishers"]`, `["Publishers"]`},
		{`delete = { gone = "never"`, `delete = { gone = "30d"`},
		{`attributes = "enforce"`, `attributes = "report"`},
		{`extra      = "report"`, `extra      = "revoke"`},
		{`missing    = "hold"`, `missing    = "recreate"`},
		{`max_remove = { count = 5, percent = 5, cap_percent = 30, ceiling = 200 }`, `max_remove = { count = 5, percent = 5, cap_percent = 30 }`},
		{`max_revoke = { count = 3`, `max_revoke = { count = 4`},
		{`window     = "1d"`, `window     = "1h"`},
		{`first      = "hold"`, `first      = "apply"`},
		{`base     = "ou=accounts,`, `base     = "ou=users,`},
		{`rdn      = "uid"`, `rdn      = "cn"`},
		{`disabled = "disabled"`, `disabled = "off"`},
		{`mark     = "description"`, `mark     = "info"`},
		{`placeholder = "self"`, `placeholder = "cn=nobody,dc=apps,dc=example"`},
		{`name_attribute = "userName"         #`, `name_attribute = "displayName"         #`},
	},
	"no policy": {
		{`[schedule]`, "# a remark\n[schedule]"},
		{`changes  = "*/5 * * * *"`, `changes  = "*/9 * * * *"`},
		{`keep_leavers = "400d"`, `keep_leavers = "40d"`},
		{`"/run/rosterd/control.sock"`, `"/run/other.sock"`},
		{`decide = []`, `decide = ["@admins"]`},
		{`["ldaps://dc1.corp.example", "ldaps://dc2.corp.example"]`, `["ldaps://dc3.corp.example"]`},
		{`corp-ca.pem`, `new-ca.pem`},
		{`bind_dn  = "cn=rosterd,ou=services`, `bind_dn  = "cn=reader,ou=services`},
		{`password = { credential = "corp-bind" }`, `password = { env = "CORP_BIND" }`},
		{`# page_size     = 500`, `page_size     = 700`},
		{`# idle_timeout  = "30s"             #`, `idle_timeout  = "40s"             #`},
		{`description = "Everyone who works here"`, `description = "All"`},
		{`rate = 50`, `rate = 5`},
		{`concurrency   = 4`, `concurrency   = 2`},
		{`verify_within = "1m"`, `verify_within = "2m"`},
		{`path = "/var/lib/rosterd/wiki.jsonl"`, `path = "/srv/wiki.jsonl"`},
		{`urls     = ["ldaps://apps.example"]`, `urls     = ["ldaps://apps2.example"]`},
		{`credential = "apps-bind"`, `credential = "apps-new"`},
		{`protect = ["account:admin", "entitlement:Administrators"]`, `protect = ["entitlement:Administrators", "account:admin"]`},
		{`in ["staff", "contractor"]'`, `in ["contractor", "staff"]'`},
	},
}

// TestHashIsOfPolicy: each edit of the example changes the hash if and only if
// it changes the policy.
func TestHashIsOfPolicy(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(text string) string {
		c, problems := Parse("rosterd.toml", []byte(text), realKinds())
		if problems.Broken() {
			t.Fatal(problems.Error())
		}
		return c.Hash
	}
	base := hash(string(text))
	if len(base) != 64 {
		t.Fatalf("the hash is %q", base)
	}
	for kind, list := range edits {
		for _, e := range list {
			if strings.Count(string(text), e[0]) == 0 {
				t.Errorf("%q is not in the example", e[0])
				continue
			}
			changed := hash(strings.ReplaceAll(string(text), e[0], e[1])) != base
			if changed != (kind == "policy") {
				t.Errorf("%s: %q instead of %q: changed %v", kind, e[1], e[0], changed)
			}
		}
	}
}

// TestUnder: the policy of one file, and all else of the other.
func TestUnder(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	parse := func(replace ...string) *Config {
		c, problems := Parse("rosterd.toml", []byte(strings.NewReplacer(replace...).Replace(string(text))), realKinds())
		if problems.Broken() {
			t.Fatal(problems.Error())
		}
		return c
	}
	replace := []string{}
	for _, e := range edits["policy"] {
		replace = append(replace, e[0], e[1])
	}
	var others []string
	for _, e := range edits["no policy"][:18] {
		others = append(others, e[0], e[1])
	}
	kept, file := parse(), parse(append(others, replace...)...)
	before := kept.Hash
	under := file.Under(kept)
	again, err := under.digest()
	if err != nil || again != before || under.Hash != before {
		t.Errorf("the policy is not the one that was kept: %v", err)
	}
	s, o := under.Sources["corp"].Options.(*sourceldap.Config), file.Sources["corp"].Options.(*sourceldap.Config)
	if s.URLs[0] != "ldaps://dc3.corp.example" || s.Password != o.Password || s.BindDN != o.BindDN || s.PageSize != 700 || s.CAFile != o.CAFile {
		t.Errorf("the connection is not that of the file: %+v", s)
	}
	d := under.Targets["dir"].Options.(*targetldap.Config)
	if d.URLs[0] != "ldaps://apps2.example" || d.Base != "ou=accounts,dc=apps,dc=example" || under.Targets["wiki"].Rate != 5 || under.Targets["wiki"].Concurrency != 2 {
		t.Errorf("the target is not that of both: %+v", d)
	}
	if under.State.KeepLeavers != file.State.KeepLeavers || under.Schedule.Changes.Text != "*/9 * * * *" {
		t.Error("schedule or state are not those of the file")
	}
	// A target that the file does not name any more is not there.
	delete(file.Targets, "dir")
	if u := file.Under(parse()); u.Targets["dir"] != nil || u.Targets["wiki"] == nil {
		t.Error("a target that the file does not name is there")
	}
}
