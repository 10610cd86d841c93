package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/internal/ldapd"
	rostersync "github.com/rosterd/rosterd/sync"
)

const demoConfig = `# The configuration of the demo. Yours will look like this.
[state]
path = "@FOLDER@/state/state.db"

[source.corp]
urls     = ["@CORP@"]
ca_file  = "@FOLDER@/corp-ca.pem"
bind_dn  = "cn=reader,dc=corp,dc=example"
password = { file = "@FOLDER@/corp.password" }
people   = { bases = ["ou=people,dc=corp,dc=example"], filter = "(objectClass=inetOrgPerson)" }
groups   = { bases = ["ou=groups,dc=corp,dc=example"], filter = "(objectClass=groupOfNames)" }
[source.corp.person]
login    = "uid"
mail     = "mail"
name     = "cn"
key      = "employeeNumber"
disabled = 'person.employeeType == "former"'
[source.corp.guard]
vanish_after = "1s"

[role.employee]
description = "Everyone who works here"
when        = 'person.employeeType in ["staff", "contractor"]'

[role.content-writer]
description = "Writes for the site"
groups      = ["cn=writers,ou=groups,dc=corp,dc=example"]

[role.content-manager]
description = "Decides what is published"
groups      = ["cn=content-leads,ou=groups,dc=corp,dc=example"]

[target.intranet]
kind     = "ldap"
urls     = ["@APPS@"]
ca_file  = "@FOLDER@/apps-ca.pem"
bind_dn  = "cn=rosterd,dc=apps,dc=example"
password = { file = "@FOLDER@/apps.password" }
base     = "ou=accounts,dc=apps,dc=example"
rdn      = "uid"
object_classes = ["inetOrgPerson"]
disable  = { attribute = "employeeType", disabled = "disabled", enabled = "active" }
[target.intranet.groups]
base        = "ou=groups,dc=apps,dc=example"
style       = "member"
placeholder = "self"
[target.intranet.account]
for   = ["employee"]
match = ["uid"]
[target.intranet.attributes]
uid  = "${person.uid}"
cn   = "${person.cn}"
sn   = "${person.sn}"
mail = "${lower(person.mail)}"
[target.intranet.entitlements]
content-writer  = ["Editors", "Drafts"]
content-manager = ["Editors", "Publishers"]

[target.wiki]
kind = "file"
path = "@FOLDER@/wiki.jsonl"
[target.wiki.account]
for   = ["employee"]
match = ["name"]
[target.wiki.attributes]
name  = "${lower(person.mail)}"
title = "${person.title ?? ''}"
[target.wiki.entitlements]
content-writer  = ["Writers"]
content-manager = ["Writers", "Publishers"]
`

// demoCorp is the company: a dozen people in two teams, one group in another.
func demoCorp() string {
	var b strings.Builder
	b.WriteString(`dn: dc=corp,dc=example
objectClass: domain
dc: corp

dn: ou=people,dc=corp,dc=example
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=corp,dc=example
objectClass: organizationalUnit
ou: groups

`)
	for i := 1; i <= 9; i++ {
		b.WriteString(demoPerson(fmt.Sprintf("writer%d", i), fmt.Sprintf("Content Writer %d", i), fmt.Sprint(100+i)))
	}
	for i := 1; i <= 3; i++ {
		b.WriteString(demoPerson(fmt.Sprintf("admin%d", i), fmt.Sprintf("Administrator %d", i), fmt.Sprint(200+i)))
	}
	b.WriteString(`dn: cn=web-team,ou=groups,dc=corp,dc=example
objectClass: groupOfNames
cn: web-team
`)
	for i := 2; i <= 8; i++ {
		fmt.Fprintf(&b, "member: uid=writer%d,ou=people,dc=corp,dc=example\n", i)
	}
	b.WriteString(`
dn: cn=writers,ou=groups,dc=corp,dc=example
objectClass: groupOfNames
cn: writers
member: cn=web-team,ou=groups,dc=corp,dc=example
member: uid=writer1,ou=people,dc=corp,dc=example

dn: cn=content-leads,ou=groups,dc=corp,dc=example
objectClass: groupOfNames
cn: content-leads
member: uid=writer9,ou=people,dc=corp,dc=example
`)
	return b.String()
}

func demoPerson(uid, name, number string) string {
	words := strings.Fields(name)
	return fmt.Sprintf(`dn: uid=%[1]s,ou=people,dc=corp,dc=example
objectClass: inetOrgPerson
uid: %[1]s
cn: %[2]s
sn: %[3]s
mail: %[1]s@corp.example
title: %[4]s
employeeType: staff
employeeNumber: %[5]s

`, uid, name, words[len(words)-1], strings.Join(words[:len(words)-1], " "), number)
}

const demoApps = `dn: dc=apps,dc=example
objectClass: domain
dc: apps

dn: ou=accounts,dc=apps,dc=example
objectClass: organizationalUnit
ou: accounts

dn: ou=groups,dc=apps,dc=example
objectClass: organizationalUnit
ou: groups

dn: cn=Editors,ou=groups,dc=apps,dc=example
objectClass: groupOfNames
cn: Editors
member: cn=Editors,ou=groups,dc=apps,dc=example

dn: cn=Drafts,ou=groups,dc=apps,dc=example
objectClass: groupOfNames
cn: Drafts
member: cn=Drafts,ou=groups,dc=apps,dc=example

dn: cn=Publishers,ou=groups,dc=apps,dc=example
objectClass: groupOfNames
cn: Publishers
member: cn=Publishers,ou=groups,dc=apps,dc=example
`

// play tells the story. Each act changes the directory as an administrator
// would, and lets rosterd find out.
func (s *stage) play(ctx context.Context) error {
	for _, a := range []func(context.Context) error{s.firstProvisioning, s.joiner, s.promotion, s.leaver, s.rehire, s.massChange, s.why} {
		if err := a(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.stdout, `
%s
Now with your own directory:

  rosterd check  -c rosterd.toml     begin with config.example.toml; it says what is wrong, and where
  rosterd plan   -c rosterd.toml     shows everything, changes nothing
  rosterd sync   -c rosterd.toml     the first plan of a target is held until you approve it
`, s.paint(s.stdout, bold, "── The end "+strings.Repeat("─", 58)))
	return nil
}

func (s *stage) firstProvisioning(ctx context.Context) error {
	s.act("1  First provisioning", "A directory with twelve people, and two applications with nobody in them: an intranet\n(another LDAP directory) and a wiki (a file). The first plan of a target is always held.")
	if err := s.command(ctx, rostersync.ExitHeld, "plan"); err != nil {
		return err
	}
	return s.approveHolds(ctx)
}

func (s *stage) joiner(ctx context.Context) error {
	s.act("2  A joiner", "A content writer starts today: a new entry, and a member of the web team, which is a member\nof the writers.")
	err := s.corp.Add("uid=writer10,ou=people,dc=corp,dc=example", map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"writer10"},
		"cn": {"Content Writer 10"}, "sn": {"10"}, "mail": {"writer10@corp.example"}, "title": {"Content Writer"}, "employeeType": {"staff"}, "employeeNumber": {"110"}})
	if err != nil {
		return failed(err)
	}
	if err := s.member(ldapd.AddValues, "web-team", "writer10"); err != nil {
		return err
	}
	return s.planned(ctx, rostersync.ExitPending, rostersync.ExitDone)
}

func (s *stage) promotion(ctx context.Context) error {
	s.act("3  A promotion", "A writer becomes content manager: out of the writers, into the leads. Access expands; the one\nright that managers lack goes only after the new ones came.")
	if err := s.member(ldapd.AddValues, "content-leads", "writer1"); err != nil {
		return err
	}
	if err := s.member(ldapd.DeleteValues, "writers", "writer1"); err != nil {
		return err
	}
	return s.planned(ctx, rostersync.ExitPending, rostersync.ExitDone)
}

func (s *stage) leaver(ctx context.Context) error {
	s.act("4  A leaver", "A writer leaves. Everything is revoked, everywhere, at once, and read back.")
	if err := s.employee("former", "writer2"); err != nil {
		return err
	}
	return s.planned(ctx, rostersync.ExitPending, rostersync.ExitDone)
}

func (s *stage) rehire(ctx context.Context) error {
	s.act("5  A rehire", "The writer comes back, and gets the same accounts again.")
	if err := s.employee("staff", "writer2"); err != nil {
		return err
	}
	return s.planned(ctx, rostersync.ExitPending, rostersync.ExitDone)
}

func (s *stage) massChange(ctx context.Context) error {
	s.act("6  A mass change", "An import goes wrong, or a team is let go: who knows. Seven people are former at once. That is\nmore than the guard lets pass, so nobody loses anything until a person has looked.")
	if err := s.employee("former", "writer3", "writer4", "writer5", "writer6", "writer7", "writer8", "writer10"); err != nil {
		return err
	}
	if err := s.planned(ctx, rostersync.ExitHeld, rostersync.ExitHeld); err != nil {
		return err
	}
	fmt.Fprintln(s.stdout, "\nIt was meant. Somebody looks at the holds and approves them, each as it was shown:")
	return s.approveHolds(ctx)
}

func (s *stage) why(ctx context.Context) error {
	s.act("7  Why?", "Every right of every person can be explained.")
	return s.command(ctx, rostersync.ExitDone, "explain", "writer1")
}

// planned shows the plan, and then does it.
func (s *stage) planned(ctx context.Context, plan, sync int) error {
	if err := s.command(ctx, plan, "plan"); err != nil {
		return err
	}
	return s.command(ctx, sync, "sync")
}

func (s *stage) employee(kind string, logins ...string) error {
	for _, l := range logins {
		if err := s.corp.Modify("uid="+l+",ou=people,dc=corp,dc=example", ldapd.Change{Op: ldapd.ReplaceValues, Attr: "employeeType", Values: []string{kind}}); err != nil {
			return failed(err)
		}
	}
	return nil
}

func (s *stage) member(op ldapd.ChangeOp, group, login string) error {
	return failed(s.corp.Modify("cn="+group+",ou=groups,dc=corp,dc=example",
		ldapd.Change{Op: op, Attr: "member", Values: []string{"uid=" + login + ",ou=people,dc=corp,dc=example"}}))
}
