package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/ldif"
)

const windowsConfig = `
[state]
path = "@FOLDER@/state/state.db"
[source.corp]
urls     = ["@CORP@"]
ca_file  = "@FOLDER@/corp.pem"
bind_dn  = "cn=admin,dc=corp,dc=example"
password = { file = "@FOLDER@/password" }
people   = { bases = ["ou=people,dc=corp,dc=example"], filter = "(objectClass=inetOrgPerson)" }
groups   = { bases = ["ou=groups,dc=corp,dc=example"], filter = "(objectClass=groupOfNames)" }
[source.corp.person]
login = "uid"
mail  = "mail"
name  = "cn"
key   = "employeeNumber"
[role.employee]
when   = 'person.employeeType == "staff"'
[role.content-writer]
groups = ["cn=writers,ou=groups,dc=corp,dc=example"]
[target.windows]
kind     = "active-directory"
urls     = ["@WINDOWS@"]
ca_file  = "@FOLDER@/windows.pem"
bind_dn  = "CN=rosterd,CN=Users,DC=lab,DC=example"
password = { file = "@FOLDER@/password" }
base     = "OU=accounts,DC=lab,DC=example"
containers = "create"
mark     = "employeeNumber"
[target.windows.groups]
base = "OU=groups,DC=lab,DC=example"
[target.windows.account]
for   = ["employee"]
match = ["sAMAccountName"]
[target.windows.attributes]
sAMAccountName    = "${lower(person.uid)}"
cn                = "${person.cn} (${person.employeeNumber})"
userPrincipalName = "${lower(person.uid)}@lab.example"
displayName       = "${person.cn}"
container         = "OU=${person.departmentNumber},OU=accounts,DC=lab,DC=example"
[target.windows.entitlements]
content-writer = ["Writers"]
[target.windows.initial_password]
generate    = true
must_change = true
command     = ["/usr/bin/tee", "-a", "@FOLDER@/letters"]
[target.windows.guard]
first = "apply"
`

// windows is a company's directory and a domain, both in the process.
type windows struct {
	*site
	corp, domain *ldapd.Directory
	server       *ldapd.Server
}

func newWindows(t *testing.T) *windows {
	t.Helper()
	w := &windows{site: &site{t: t, folder: t.TempDir()}, corp: ldapd.New("dc=corp,dc=example"), domain: ldapd.NewAs(ldapd.ActiveDirectory, "DC=lab,DC=example")}
	add := func(d *ldapd.Directory, dn string, attrs map[string][]string) {
		if err := d.Add(dn, attrs); err != nil {
			t.Fatal(err)
		}
	}
	add(w.corp, "dc=corp,dc=example", map[string][]string{"objectClass": {"domain"}})
	for _, ou := range []string{"people", "groups"} {
		add(w.corp, "ou="+ou+",dc=corp,dc=example", map[string][]string{"objectClass": {"organizationalUnit"}})
	}
	for i, uid := range []string{"lead", "writer1", "writer2"} {
		add(w.corp, "uid="+uid+",ou=people,dc=corp,dc=example", map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {"The Writer"}, "sn": {"Writer"},
			"mail": {uid + "@corp.example"}, "employeeNumber": {strconv.Itoa(i + 1)}, "employeeType": {"staff"}, "departmentNumber": {"north"}})
	}
	add(w.corp, "cn=writers,ou=groups,dc=corp,dc=example", map[string][]string{"objectClass": {"groupOfNames"},
		"member": {"uid=writer1,ou=people,dc=corp,dc=example", "uid=writer2,ou=people,dc=corp,dc=example"}})
	for _, ou := range []string{"accounts", "groups"} {
		add(w.domain, "OU="+ou+",DC=lab,DC=example", map[string][]string{"objectClass": {"organizationalUnit"}})
	}
	add(w.domain, "CN=Writers,OU=groups,DC=lab,DC=example", map[string][]string{"objectClass": {"group"}})
	serve := func(d *ldapd.Directory, admin, ca string) *ldapd.Server {
		server, err := d.Serve(context.Background(), ldapd.Options{AdminDN: admin, AdminPassword: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		writeFile(t, filepath.Join(w.folder, ca), string(server.CAPEM()))
		return server
	}
	corp := serve(w.corp, "cn=admin,dc=corp,dc=example", "corp.pem")
	w.server = serve(w.domain, "CN=rosterd,CN=Users,DC=lab,DC=example", "windows.pem")
	writeFile(t, filepath.Join(w.folder, "password"), "secret")
	w.config = filepath.Join(w.folder, "rosterd.toml")
	writeFile(t, w.config, strings.NewReplacer("@FOLDER@", w.folder, "@CORP@", corp.TLSURL(), "@WINDOWS@", w.server.TLSURL()).Replace(windowsConfig))
	return w
}

// user is the entry of an account.
func (w *windows) user(name string) ldif.Entry {
	w.t.Helper()
	var b strings.Builder
	if err := w.domain.Dump(&b); err != nil {
		w.t.Fatal(err)
	}
	all, err := ldif.All(strings.NewReader(b.String()))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range all {
		if slices.Equal(e.Get("sAMAccountName"), []string{name}) {
			return e
		}
	}
	w.t.Fatalf("there is no user %q", name)
	return ldif.Entry{}
}

func (w *windows) person(uid, attribute string, values ...string) {
	w.t.Helper()
	if err := w.corp.Modify("uid="+uid+",ou=people,dc=corp,dc=example", ldapd.Change{Op: ldapd.ReplaceValues, Attr: attribute, Values: values}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *windows) is(name, dn, bits string) {
	w.t.Helper()
	e := w.user(name)
	if !strings.EqualFold(e.DN, dn) || e.Get("userAccountControl")[0] != bits {
		w.t.Errorf("%s is %s with the bits %s, want %s with %s", name, e.DN, e.Get("userAccountControl")[0], dn, bits)
	}
}

// members are the names of who is in the group.
func (w *windows) members() string {
	w.t.Helper()
	g, _ := w.domain.Get("CN=Writers,OU=groups,DC=lab,DC=example")
	return strings.ToLower(strings.Join(slices.Sorted(slices.Values(g.Get("member"))), " "))
}

// TestWindows: a content team in an Active Directory, from the first account to the
// leaver: made closed, given its groups, a password and then its opening; renamed,
// moved, and closed by one bit.
func TestWindows(t *testing.T) {
	t.Parallel()
	w := newWindows(t)
	w.want(0, "check")
	w.want(0, "sync")
	w.is("writer1", "CN=The Writer (2),OU=north,OU=accounts,DC=lab,DC=example", "512")
	if got := w.members(); got != "cn=the writer (2),ou=north,ou=accounts,dc=lab,dc=example cn=the writer (3),ou=north,ou=accounts,dc=lab,dc=example" {
		t.Errorf("the members are %s", got)
	}
	text, err := os.ReadFile(filepath.Join(w.folder, "letters"))
	if err != nil {
		t.Fatal(err)
	}
	letters := map[string]string{}
	for dec := json.NewDecoder(strings.NewReader(string(text))); dec.More(); {
		var l struct{ Account, Password string }
		if err := dec.Decode(&l); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		letters[l.Account] = l.Password
	}
	if len(letters) != 3 {
		t.Fatalf("%d letters, want 3", len(letters))
	}
	// Each lets its reader in, as far as to choose another.
	for name, password := range letters {
		_, err := ldapwire.Dial(t.Context(), ldapwire.Config{URLs: []string{w.server.TLSURL()}, CAFile: filepath.Join(w.folder, "windows.pem"),
			BindDN: w.user(name).DN, Password: func() (string, error) { return password, nil }})
		if err == nil || !strings.Contains(err.Error(), "data 773") {
			t.Errorf("%s logs in with the password that was handed over: %v", name, err)
		}
	}
	writes := w.server.Faults().Count(ldapd.AnyWrite)
	w.want(0, "sync", "--full")
	if n := w.server.Faults().Count(ldapd.AnyWrite) - writes; n != 0 {
		t.Errorf("%d writes though nothing changed", n)
	}

	guid := w.user("writer1").Get("objectGUID")[0]
	w.person("writer1", "cn", "The Editor")
	w.person("writer1", "departmentNumber", "south")
	w.want(0, "sync", "--full")
	w.is("writer1", "CN=The Editor (2),OU=south,OU=accounts,DC=lab,DC=example", "512")
	if got := w.members(); !strings.Contains(got, "cn=the editor (2),ou=south,") || w.user("writer1").Get("objectGUID")[0] != guid {
		t.Errorf("after the move: %s", got)
	}
	w.person("writer2", "employeeType", "former")
	w.want(0, "sync", "--full")
	w.is("writer2", "CN=The Writer (3),OU=north,OU=accounts,DC=lab,DC=example", "514")
	if got := w.members(); strings.Contains(got, "(3)") {
		t.Errorf("who left is still a member: %s", got)
	}
	w.person("writer2", "employeeType", "staff")
	w.want(0, "sync", "--full")
	w.is("writer2", "CN=The Writer (3),OU=north,OU=accounts,DC=lab,DC=example", "512")

	// Somebody becomes an administrator, and then leaves: that is for a person to decide.
	if err := w.domain.Modify(w.user("writer1").DN, ldapd.Change{Op: ldapd.ReplaceValues, Attr: "adminCount", Values: []string{"1"}}); err != nil {
		t.Fatal(err)
	}
	w.person("writer1", "employeeType", "former")
	stdout, _ := w.want(4, "sync", "--full")
	if !strings.Contains(stdout, "the target protects it") {
		t.Errorf("sync says:\n%s", stdout)
	}
	w.is("writer1", "CN=The Editor (2),OU=south,OU=accounts,DC=lab,DC=example", "512")
}
