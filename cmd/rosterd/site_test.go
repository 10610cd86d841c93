package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/company"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/servers"
)

// site is a company's directory and an application's, both real, with a
// configuration between them.
type site struct {
	t       testing.TB
	company company.Company
	corp    *servers.Slapd
	apps    *servers.Slapd
	folder  string
	config  string
	// binary runs in a process of its own where it is not empty.
	binary string
}

const appsSuffix = "dc=apps,dc=example"

// guardOff lets tests of something else set up in one go.
const guardOff = `
[target.intranet.guard]
first      = "apply"
max_remove = { count = 100000 }
max_revoke = { count = 100000 }
max_create = { count = 100000 }
max_enable = { count = 100000 }
max_rename = { count = 100000 }
max_update = { count = 100000 }
`

// newSite starts both servers. More is appended to the configuration; it may
// begin with tables only.
func newSite(t testing.TB, c company.Company, more string) *site {
	t.Helper()
	servers.Require(t, "slapd", "slapadd", "ldapsearch", "ldapmodify")
	s := &site{t: t, company: c, folder: t.TempDir()}
	s.company.Suffix = "dc=lab,dc=example"
	var people bytes.Buffer
	if err := s.company.Write(&people); err != nil {
		t.Fatal(err)
	}
	s.corp = servers.StartSlapd(t, servers.SlapdConfig{LDIF: []io.Reader{&people}, Overlays: []string{"refint"}})
	s.apps = servers.StartSlapd(t, servers.SlapdConfig{Suffix: appsSuffix, LDIF: []io.Reader{strings.NewReader(appsLDIF)}})
	for name, text := range map[string]string{"corp": "sync", "apps": s.apps.AdminPassword} {
		if err := os.WriteFile(filepath.Join(s.folder, name+".password"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.config = filepath.Join(s.folder, "rosterd.toml")
	s.write(siteConfig + more)
	return s
}

// provides puts in the place of the company's directory one that says what it has
// seen, and that something changed (syncprov).
func (s *site) provides(more string) {
	s.t.Helper()
	var people bytes.Buffer
	if err := s.company.Write(&people); err != nil {
		s.t.Fatal(err)
	}
	s.corp = servers.StartSlapd(s.t, servers.SlapdConfig{LDIF: []io.Reader{&people}, Overlays: []string{"syncprov"}})
	s.write(siteConfig + more)
}

// write replaces the configuration.
func (s *site) write(text string) {
	s.t.Helper()
	text = strings.NewReplacer("@FOLDER@", s.folder, "@CORP@", s.corp.TLSURL(), "@CORPCA@", s.corp.CACert,
		"@APPS@", s.apps.TLSURL(), "@APPSCA@", s.apps.CACert, "@ADMIN@", s.apps.AdminDN).Replace(text)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// edit replaces a text in the configuration that must be there.
func (s *site) edit(old, new string) {
	s.t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil || !strings.Contains(string(text), old) {
		s.t.Fatalf("edit configuration: %q is not in it (%v)", old, err)
	}
	if err := os.WriteFile(s.config, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// rosterd runs the program: in this process, where the race detector sees it, or
// as people run it, which is several times as fast.
func (s *site) rosterd(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	var out, err bytes.Buffer
	args = append([]string{"-c", s.config}, args...)
	if s.binary == "" {
		code = run(args, strings.NewReader(""), &out, &err)
		return code, out.String(), err.String()
	}
	cmd := exec.Command(s.binary, args...)
	cmd.Stdout, cmd.Stderr = &out, &err
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var exit *exec.ExitError
	if failed := cmd.Run(); failed != nil && !errors.As(failed, &exit) {
		s.t.Error(failed)
		return -1, out.String(), err.String()
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

// want runs the program and checks how it ends.
func (s *site) want(want int, args ...string) (stdout, stderr string) {
	s.t.Helper()
	began := time.Now()
	code, stdout, stderr := s.rosterd(args...)
	s.t.Logf("rosterd %s: %d in %s", strings.Join(args, " "), code, time.Since(began).Round(time.Millisecond))
	if code != want {
		s.t.Fatalf("rosterd %s ended with %d, want %d\n%s\n%s", strings.Join(args, " "), code, want, tail(stdout), stderr)
	}
	return stdout, stderr
}

// quiet is law 11 on real servers.
func (s *site) quiet() {
	s.t.Helper()
	s.want(0, "plan")
	s.want(0, "plan", "--full")
}

func tail(text string) string {
	lines := strings.Split(text, "\n")
	if len(lines) > 60 {
		lines = append([]string{"…"}, lines[len(lines)-60:]...)
	}
	return strings.Join(lines, "\n")
}

func (s *site) modify(format string, args ...any) {
	s.t.Helper()
	if err := s.corp.Modify(fmt.Sprintf(format, args...)); err != nil {
		s.t.Fatal(err)
	}
}

// appAccount is an account as the application's own client shows it.
type appAccount struct {
	dn, name, mail, state string
	groups                []string
}

// accounts reads the application with ldapsearch, by login.
func (s *site) accounts() map[string]appAccount {
	s.t.Helper()
	entries, err := s.apps.Search("ou=accounts,"+appsSuffix, "sub", "(objectClass=inetOrgPerson)", "uid", "cn", "mail", "employeeType")
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]appAccount{}
	byDN := map[string]string{}
	for _, e := range entries {
		login := e.Get("uid")[0]
		if _, twice := out[login]; twice {
			s.t.Fatalf("two accounts for %s", login)
		}
		out[login] = appAccount{dn: e.DN, name: one(e, "cn"), mail: one(e, "mail"), state: one(e, "employeeType")}
		byDN[identity.MustDN(e.DN).Key()] = login
	}
	groups, err := s.apps.Search("ou=groups,"+appsSuffix, "one", "(objectClass=groupOfNames)", "cn", "member")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, g := range groups {
		for _, m := range g.Get("member") {
			if login, is := byDN[identity.MustDN(m).Key()]; is {
				a := out[login]
				a.groups = append(a.groups, g.Get("cn")[0])
				slices.Sort(a.groups)
				out[login] = a
			}
		}
	}
	return out
}

func one(e ldif.Entry, name string) string {
	if v := e.Get(name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// agree says whether the application holds what the company's directory says.
func (s *site) agree() {
	s.t.Helper()
	people, err := s.corp.Search(s.company.PeopleBase(), "sub", "(objectClass=inetOrgPerson)", "uid", "cn", "mail", "employeeType")
	if err != nil {
		s.t.Fatal(err)
	}
	have := s.accounts()
	for _, e := range people {
		login := one(e, "uid")
		a, exists := have[login]
		delete(have, login)
		staff := one(e, "employeeType") == "staff"
		switch {
		case staff && (!exists || a.state != "active" || a.mail != one(e, "mail") || strings.TrimSpace(a.name) != strings.TrimSpace(one(e, "cn"))):
			s.t.Errorf("%s is staff and has %+v (exists %v)", login, a, exists)
		case !staff && exists && (a.state == "active" || len(a.groups) > 0):
			s.t.Errorf("%s left and has %+v", login, a)
		}
	}
	for _, login := range slices.Sorted(maps.Keys(have)) {
		if a := have[login]; a.state == "active" || len(a.groups) > 0 {
			s.t.Errorf("%s is not in the directory and has %+v", login, a)
		}
	}
}

// version finds the version of a hold in the status.
func (s *site) version(hold string) string {
	s.t.Helper()
	_, stdout, _ := s.rosterd("approve", hold)
	_, rest, ok := strings.Cut(stdout, "version ")
	if !ok {
		s.t.Fatalf("no version of %s in\n%s", hold, tail(stdout))
	}
	return strings.Fields(rest)[0]
}

const appsLDIF = `dn: ou=accounts,dc=apps,dc=example
objectClass: organizationalUnit
ou: accounts

dn: ou=groups,dc=apps,dc=example
objectClass: organizationalUnit
ou: groups

dn: cn=Editors,ou=groups,dc=apps,dc=example
objectClass: groupOfNames
cn: Editors
member: cn=Editors,ou=groups,dc=apps,dc=example

dn: cn=Everyone,ou=groups,dc=apps,dc=example
objectClass: groupOfNames
cn: Everyone
member: cn=Everyone,ou=groups,dc=apps,dc=example

dn: cn=Publishers,ou=groups,dc=apps,dc=example
objectClass: groupOfNames
cn: Publishers
member: cn=Publishers,ou=groups,dc=apps,dc=example
`

const siteConfig = `
[state]
path = "@FOLDER@/state/state.db"

[source.corp]
urls     = ["@CORP@"]
ca_file  = "@CORPCA@"
bind_dn  = "cn=sync,dc=lab,dc=example"
password = { file = "@FOLDER@/corp.password" }
people   = { bases = ["ou=people,dc=lab,dc=example"], filter = "(objectClass=inetOrgPerson)" }
groups   = { bases = ["ou=groups,dc=lab,dc=example"], filter = "(objectClass=groupOfNames)" }
[source.corp.person]
login    = "uid"
mail     = "mail"
name     = "cn"
key      = "employeeNumber"
disabled = 'person.employeeType == "former"'
[source.corp.guard]
vanish_after = "1s"

[role.employee]
when   = 'person.employeeType in ["staff", "former"]'
[role.writer]
groups = ["cn=writers,ou=groups,dc=lab,dc=example"]
[role.everyone]
groups = ["cn=big,ou=groups,dc=lab,dc=example"]
[role.publisher]
when   = 'person.title == "Publisher"'

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
writer    = ["Editors"]
everyone  = ["Everyone"]
publisher = ["Publishers"]
`

// named reads the situations in a report.
func (s *site) named(stdout, _ string) func(login, situation string) {
	s.t.Helper()
	var doc struct {
		Plan struct {
			Subjects []struct{ Login, Situation string }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
		s.t.Fatalf("read report: %v\n%s", err, tail(stdout))
	}
	return func(login, situation string) {
		s.t.Helper()
		for _, x := range doc.Plan.Subjects {
			if x.Login == login {
				if x.Situation != situation {
					s.t.Errorf("%s is named %s, want %s", login, x.Situation, situation)
				}
				return
			}
		}
		s.t.Errorf("%s is not in the report, want %s", login, situation)
	}
}

// uuid is the ID of an account in the application.
func (s *site) uuid(login string) string {
	s.t.Helper()
	entries, err := s.apps.Search("ou=accounts,"+appsSuffix, "sub", "(uid="+login+")", "entryUUID")
	if err != nil || len(entries) != 1 {
		s.t.Fatalf("find account %s: %d entries, %v", login, len(entries), err)
	}
	return one(entries[0], "entryUUID")
}

func ldifOf(entries ...ldif.Entry) string {
	var b strings.Builder
	ldif.Write(&b, entries...)
	return b.String()
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
