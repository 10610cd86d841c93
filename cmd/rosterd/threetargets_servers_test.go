//go:build servers

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/servers"
)

// threeApps is the content team's directory with three applications of three kinds:
// another directory, a domain, and a wiki by SCIM.
const threeApps = `
[state]
path = "@FOLDER@/state/state.db"
[source.corp]
urls     = ["@CORP@"]
ca_file  = "@CORPCA@"
bind_dn  = "cn=sync,dc=corp,dc=example"
password = { file = "@FOLDER@/corp.password" }
people   = { bases = ["ou=people,dc=corp,dc=example"], filter = "(objectClass=inetOrgPerson)" }
groups   = { bases = ["ou=groups,dc=corp,dc=example"], filter = "(objectClass=groupOfNames)" }
[source.corp.person]
key      = "employeeNumber"
disabled = 'person.employeeType == "former"'

[role.employee]
when   = 'person.employeeType == "staff"'
[role.content-writer]
groups = ["cn=writers,ou=groups,dc=corp,dc=example"]
[role.content-manager]
groups = ["cn=content-leads,ou=groups,dc=corp,dc=example"]

[target.dir]
kind     = "ldap"
urls     = ["@APPS@"]
ca_file  = "@APPSCA@"
bind_dn  = "@ADMIN@"
password = { file = "@FOLDER@/apps.password" }
base     = "ou=accounts,dc=apps,dc=example"
rdn      = "uid"
object_classes = ["inetOrgPerson"]
mark     = "employeeNumber"
disable  = { attribute = "employeeType", disabled = "disabled", enabled = "active" }
[target.dir.groups]
base  = "ou=groups,dc=apps,dc=example"
style = "member"
[target.dir.account]
for = ["employee"]
[target.dir.attributes]
uid  = "${person.uid}"
cn   = "${person.cn}"
sn   = "${person.sn}"
mail = "${lower(person.mail)}"
[target.dir.entitlements]
content-writer  = ["Editors"]
content-manager = ["Publishers"]
[target.dir.guard]
first = "apply"

[target.windows]
kind     = "active-directory"
urls     = ["@SAMBA@"]
ca_file  = "@SAMBACA@"
bind_dn  = "@SAMBAADMIN@"
password = { file = "@FOLDER@/samba.password" }
base     = "OU=accounts,DC=lab,DC=example"
without_password = "random"
mark     = "employeeNumber"
[target.windows.groups]
base = "OU=groups,DC=lab,DC=example"
[target.windows.account]
for = ["employee"]
[target.windows.attributes]
sAMAccountName = "${person.uid}"
displayName    = "${person.cn}"
mail           = "${lower(person.mail)}"
[target.windows.entitlements]
content-writer  = ["Authors"]
content-manager = ["Chiefs"]
[target.windows.guard]
first = "apply"

[target.wiki]
kind  = "scim"
url   = "@SCIM@"
token = { file = "@FOLDER@/wiki.token" }
[target.wiki.account]
for = ["employee"]
[target.wiki.attributes]
userName    = "${person.uid}"
displayName = "${person.cn}"
[target.wiki.entitlements]
content-writer  = ["Writers"]
content-manager = ["Owners"]
[target.wiki.guard]
first = "apply"
`

// three are the applications.
type three struct {
	*site
	samba *servers.Samba
	wiki  *servers.Scimmy
}

func startThree(t *testing.T) *three {
	t.Helper()
	servers.Require(t, "slapd", "slapadd", "ldapsearch", "ldapmodify", "curl")
	s := &three{site: &site{t: t, folder: t.TempDir()}}
	s.corp = servers.StartSlapd(t, servers.SlapdConfig{Suffix: "dc=corp,dc=example", LDIF: []io.Reader{strings.NewReader(teamPeople)}, Overlays: []string{"refint"}})
	s.apps = servers.StartSlapd(t, servers.SlapdConfig{Suffix: appsSuffix, LDIF: []io.Reader{strings.NewReader(appsLDIF)}})
	domain := ""
	for _, ou := range []string{"accounts", "groups"} {
		domain += "dn: OU=" + ou + ",DC=lab,DC=example\nobjectClass: organizationalUnit\n\n"
	}
	for _, g := range []string{"Authors", "Chiefs"} {
		domain += "dn: CN=" + g + ",OU=groups,DC=lab,DC=example\nobjectClass: group\nsAMAccountName: " + g + "\n\n"
	}
	s.samba = servers.StartSamba(t, servers.SambaConfig{LDIF: []io.Reader{strings.NewReader(domain)}})
	s.wiki = servers.StartScimmy(t, 4)
	for _, g := range []string{"Writers", "Owners"} {
		if err := s.wiki.Put("Groups", g, map[string]any{"displayName": g}); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"corp.password": "sync", "apps.password": s.apps.AdminPassword, "samba.password": s.samba.AdminPassword, "wiki.token": servers.ScimmyToken} {
		writeFile(t, filepath.Join(s.folder, name), text)
	}
	s.config = filepath.Join(s.folder, "rosterd.toml")
	s.write(strings.NewReplacer("@SAMBA@", s.samba.TLSURL(), "@SAMBACA@", s.samba.CACert, "@SAMBAADMIN@", s.samba.AdminDN, "@SCIM@", s.wiki.URL).Replace(threeApps))
	return s
}

// standing is what somebody has in an application: "active Editors", "disabled", or
// nothing.
func standing(active bool, rights []string) string {
	slices.Sort(rights)
	return strings.TrimSpace(map[bool]string{true: "active", false: "disabled"}[active] + " " + strings.Join(rights, " "))
}

// inDirectory asks with ldapsearch.
func (s *three) inDirectory(login string) string {
	s.t.Helper()
	a, there := s.accounts()[login]
	if !there {
		return ""
	}
	return standing(a.state == "active", a.groups)
}

// inDomain asks with samba-tool.
func (s *three) inDomain(login string) string {
	s.t.Helper()
	out, err := s.samba.Shell("samba-tool user show " + login + " --attributes=userAccountControl,memberOf 2>&1 || true")
	if err != nil {
		s.t.Fatal(err)
	}
	if strings.Contains(out, "Unable to find user") {
		return ""
	}
	var rights []string
	control := 0
	for line := range strings.Lines(out) {
		if _, err := fmt.Sscanf(line, "userAccountControl: %d", &control); err == nil {
			continue
		}
		if dn, is := strings.CutPrefix(strings.TrimSpace(line), "memberOf: "); is {
			rights = append(rights, identity.MustDN(dn).RDN()[0].Value)
		}
	}
	if control == 0 {
		s.t.Fatalf("samba-tool shows of %s\n%s", login, out)
	}
	return standing(control&2 == 0, rights)
}

// curl asks the wiki as its own administrator would.
func (s *three) curl(path string, args ...string) map[string]any {
	s.t.Helper()
	auth := filepath.Join(s.folder, "curl.config")
	writeFile(s.t, auth, fmt.Sprintf("header = \"Authorization: Bearer %s\"\nheader = \"Content-Type: application/scim+json\"\n", servers.ScimmyToken))
	out, err := exec.Command("curl", append([]string{"--silent", "--show-error", "--fail-with-body", "--config", auth, s.wiki.URL + path}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("curl %s: %v\n%s", path, err, out)
	}
	var answer map[string]any
	if err := json.Unmarshal(out, &answer); err != nil {
		s.t.Fatalf("curl %s: %v\n%s", path, err, out)
	}
	return answer
}

// wikiUser finds somebody in the wiki; nil if there is nobody.
func (s *three) wikiUser(login string) map[string]any {
	s.t.Helper()
	var found map[string]any
	list, _ := s.curl("/Users?count=100")["Resources"].([]any)
	for _, r := range list {
		if u := r.(map[string]any); u["userName"] == login {
			if found != nil {
				s.t.Fatalf("two are called %s in the wiki", login)
			}
			found = u
		}
	}
	return found
}

// inWiki asks with curl.
func (s *three) inWiki(login string) string {
	s.t.Helper()
	u := s.wikiUser(login)
	if u == nil {
		return ""
	}
	var rights []string
	list, _ := s.curl("/Groups?count=100")["Resources"].([]any)
	for _, r := range list {
		g := r.(map[string]any)
		members, _ := g["members"].([]any)
		for _, m := range members {
			if m.(map[string]any)["value"] == u["id"] {
				rights = append(rights, g["displayName"].(string))
			}
		}
	}
	return standing(u["active"] == true, rights)
}

// has checks what somebody has in each, as that one's own client shows it.
func (s *three) has(login, dir, windows, wiki string) {
	s.t.Helper()
	for _, c := range []struct{ where, got, want string }{
		{"dir", s.inDirectory(login), dir}, {"windows", s.inDomain(login), windows}, {"wiki", s.inWiki(login), wiki},
	} {
		if c.got != c.want {
			s.t.Errorf("%s has %q in %s, want %q", login, c.got, c.where, c.want)
		}
	}
}

// TestSambaContentTeamInThreeApplications: the story of the content team, in a
// directory, a domain and a wiki at once, each step asked of each application by its
// own client.
func TestSambaContentTeamInThreeApplications(t *testing.T) {
	s := startThree(t)
	s.want(0, "check")
	s.want(0, "sync")
	s.has("lead", "active Publishers", "active Chiefs", "active Owners")
	s.has("writer1", "active Editors", "active Authors", "active Writers")

	// A second writer joins.
	s.modify("dn: uid=writer2,ou=people,dc=corp,dc=example\nchangetype: add\nobjectClass: inetOrgPerson\nuid: writer2\ncn: Writer Two\nsn: Two\n" +
		"mail: writer2@corp.example\nemployeeNumber: 3\nemployeeType: staff\n")
	s.modify("dn: cn=writers,ou=groups,dc=corp,dc=example\nchangetype: modify\nadd: member\nmember: uid=writer2,ou=people,dc=corp,dc=example\n")
	s.want(0, "sync")
	s.has("writer2", "active Editors", "active Authors", "active Writers")
	s.quiet()

	// The first becomes manager while the domain is down: the others have it at
	// once, and the domain when it is back.
	if err := s.samba.Stop(); err != nil {
		t.Fatal(err)
	}
	s.modify("dn: cn=content-leads,ou=groups,dc=corp,dc=example\nchangetype: modify\nadd: member\nmember: uid=writer1,ou=people,dc=corp,dc=example\n")
	s.modify("dn: cn=writers,ou=groups,dc=corp,dc=example\nchangetype: modify\ndelete: member\nmember: uid=writer1,ou=people,dc=corp,dc=example\n")
	if _, told := s.want(5, "sync"); !strings.Contains(told, "windows") {
		t.Errorf("it is not said which is down\n%s", told)
	}
	s.has("writer1", "active Publishers", "active Authors", "active Owners")
	if err := s.samba.Start(); err != nil {
		t.Fatal(err)
	}
	s.want(0, "sync")
	s.has("writer1", "active Publishers", "active Chiefs", "active Owners")
	s.quiet()

	// Closed by hand in each, an account stays closed through a resync, until
	// somebody says so.
	if err := s.apps.Modify("dn: uid=writer2,ou=accounts,dc=apps,dc=example\nchangetype: modify\nreplace: employeeType\nemployeeType: disabled\n"); err != nil {
		t.Fatal(err)
	}
	if err := s.samba.Tool("user", "disable", "writer2"); err != nil {
		t.Fatal(err)
	}
	s.curl("/Users/"+s.wikiUser("writer2")["id"].(string), "--request", "PATCH", "--data",
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`)
	for range 2 {
		s.want(0, "sync", "--full")
		s.has("writer2", "disabled Editors", "disabled Authors", "disabled Writers")
	}
	s.want(0, "release", "writer2", "--reason", "it was a mistake")
	s.want(0, "sync")
	s.has("writer2", "active Editors", "active Authors", "active Writers")
	s.quiet()

	// The manager leaves: everything goes, everywhere, and is read back.
	s.modify("dn: uid=writer1,ou=people,dc=corp,dc=example\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n")
	s.want(0, "sync")
	s.has("writer1", "disabled", "disabled", "disabled")
	s.has("writer2", "active Editors", "active Authors", "active Writers")
	for _, app := range []string{"dir", "windows", "wiki"} {
		if out, _ := s.want(0, "audit", "--kind", "verify", "--target", app, "--last", "1"); !strings.Contains(out, "read back 1 account") {
			t.Errorf("that everything was taken in %s was not read back\n%s", app, out)
		}
	}
	s.quiet()
}
