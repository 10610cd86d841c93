package bench

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/servers"
)

const appsSuffix = "dc=apps,dc=example"

const containers = `dn: ou=accounts,dc=apps,dc=example
objectClass: organizationalUnit
ou: accounts

dn: ou=groups,dc=apps,dc=example
objectClass: organizationalUnit
ou: groups

`

const emptyGroup = `dn: cn=Everyone,ou=groups,dc=apps,dc=example
objectClass: groupOfNames
cn: Everyone
member: cn=Everyone,ou=groups,dc=apps,dc=example
`

const sourceConfig = `
[state]
path = "@FOLDER@/@STATE@/state.db"
[source.corp]
urls     = ["@CORP@"]
ca_file  = "@CORPCA@"
bind_dn  = "cn=sync,dc=lab,dc=example"
password = { file = "@FOLDER@/corp.password" }
page_size = 1000
people   = { bases = ["@BASE@"], filter = "(objectClass=inetOrgPerson)" }
groups   = { bases = ["ou=groups,dc=lab,dc=example"], filter = "(objectClass=groupOfNames)", members = ["member"] }
[source.corp.person]
key      = "employeeNumber"
disabled = 'person.employeeType == "former"'
[role.employee]
when = 'person.employeeType == "@WHO@"'
`

const targetConfig = `
[target.intranet]
kind     = "ldap"
urls     = ["@APPS@"]
ca_file  = "@APPSCA@"
bind_dn  = "@ADMIN@"
password = { file = "@FOLDER@/apps.password" }
base     = "ou=accounts,dc=apps,dc=example"
rdn      = "uid"
object_classes = ["inetOrgPerson"]
disable  = { attribute = "employeeType", disabled = "disabled", enabled = "active" }
[target.intranet.groups]
base        = "ou=groups,dc=apps,dc=example"
style       = "member"
[target.intranet.account]
for   = ["employee"]
match = ["uid"]
[target.intranet.attributes]
uid  = "${person.uid}"
cn   = "${person.cn}"
sn   = "${person.sn}"
mail = "${lower(person.mail)}"
title = "${person.title}"
[target.intranet.entitlements]
employee = ["Everyone"]
[target.intranet.guard]
first = "apply"
`

// config writes a configuration. Who are the people that get accounts.
func (s *site) config(state, base, who string, apps *servers.Slapd) string {
	text := strings.NewReplacer("@FOLDER@", s.folder, "@STATE@", state, "@CORP@", s.corp.TLSURL(), "@CORPCA@", s.corp.CACert,
		"@BASE@", base, "@WHO@", who, "@APPS@", apps.TLSURL(), "@APPSCA@", apps.CACert, "@ADMIN@", apps.AdminDN).Replace(sourceConfig + targetConfig)
	return s.write(state+".toml", text)
}

// startApps starts an application's directory.
func (s *site) startApps(ldif string, cfg servers.SlapdConfig) *servers.Slapd {
	s.tb.Helper()
	cfg.Suffix, cfg.LDIFFiles = appsSuffix, []string{s.write("apps.ldif", ldif)}
	apps, err := servers.NewSlapd(cfg)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.write("apps.password", apps.AdminPassword)
	return apps
}

func (s *site) stop(apps *servers.Slapd) {
	s.tb.Helper()
	if err := apps.Close(); err != nil {
		s.tb.Fatal(err)
	}
}

// cycles measures whole runs of the program over everybody, in which nobody
// gets an account: what the rest of a cycle adds to the read.
func (s *site) cycles(t *table) {
	apps := s.startApps(containers+emptyGroup, servers.SlapdConfig{})
	defer s.stop(apps)
	config := s.config("cycles", s.company.PeopleBase(), "nobody", apps)
	theirs := s.search()
	first := s.run(nil, s.rosterd, "-c", config, "sync")
	t.add("sync, the first, nobody gets anything", []time.Duration{first.wall}, []time.Duration{theirs}, megabytes(first.peak))
	run := func(what string, before func(int), args ...string) {
		var ours, searches []time.Duration
		var peak int64
		for i := range *pairs {
			searches = append(searches, s.search())
			before(i)
			again := s.run(nil, s.rosterd, append([]string{"-c", config, "sync"}, args...)...)
			ours, peak = append(ours, again.wall), max(peak, again.peak)
		}
		t.add(what, ours, searches, megabytes(peak))
	}
	modify := func(form string, args ...any) {
		if err := s.corp.Modify(fmt.Sprintf(form, args...)); err != nil {
			s.tb.Fatal(err)
		}
	}
	last := s.company.DN(s.company.People - 1) // not in the big group
	run("sync --full, nothing changed", func(int) {}, "--full")
	run("sync, nothing changed", func(int) {})
	run("sync, one person changed", func(i int) {
		modify("dn: %s\nchangetype: modify\nreplace: title\ntitle: Head of content %d\n", last, i)
	})
	run(fmt.Sprintf("sync, one member more in a group of %d", s.company.Big), func(i int) {
		modify("dn: %s\nchangetype: modify\n%s: member\nmember: %s\n", s.company.Group("big"), []string{"add", "delete"}[i%2], last)
	})
}

// What rosterd made, for ldapadd.
const (
	accountsLDIF = "accounts.ldif"
	groupLDIF    = "group.ldif"
)

// export writes what rosterd made as LDIF for ldapadd, and returns the accounts.
func (s *site) export(apps *servers.Slapd) []ldif.Entry {
	s.tb.Helper()
	accounts, err := apps.Search("ou=accounts,"+appsSuffix, "one", "(objectClass=inetOrgPerson)")
	if err != nil || len(accounts) != s.company.People/10 {
		s.tb.Fatalf("read what was made: %d accounts, want %d: %v", len(accounts), s.company.People/10, err)
	}
	groups, err := apps.Search("ou=groups,"+appsSuffix, "one", "(objectClass=groupOfNames)")
	if err != nil || len(groups) != 1 || len(groups[0].Get("member")) != len(accounts)+1 {
		s.tb.Fatalf("read the group that was filled: %v", err)
	}
	for name, list := range map[string][]ldif.Entry{accountsLDIF: accounts, groupLDIF: groups} {
		var b bytes.Buffer
		if err := ldif.Write(&b, list...); err != nil {
			s.tb.Fatal(err)
		}
		s.write(name, b.String())
	}
	return accounts
}
