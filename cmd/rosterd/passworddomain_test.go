package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/rosterd/rosterd/internal/ldapd"
)

// In a domain an account cannot be open before it has a password: it is made closed,
// filled, given its password, and opened last. While passwords cannot be handed over it
// stays closed, with everything else there; whoever comes back later keeps theirs.
func TestPasswordsInADomain(t *testing.T) {
	folder := t.TempDir()
	corp, apps := ldapd.New("dc=corp,dc=example"), ldapd.NewAs(ldapd.ActiveDirectory, "DC=apps,DC=example")
	if err := corp.Load(strings.NewReader(`dn: dc=corp,dc=example
objectClass: domain
dc: corp

dn: ou=people,dc=corp,dc=example
objectClass: organizationalUnit
ou: people

dn: uid=writer1,ou=people,dc=corp,dc=example
objectClass: inetOrgPerson
uid: writer1
cn: Writer One
sn: One
mail: writer1@corp.example
employeeType: staff
employeeNumber: 101
`)); err != nil {
		t.Fatal(err)
	}
	const accounts, groups = "OU=accounts,DC=apps,DC=example", "OU=groups,DC=apps,DC=example"
	for _, e := range []struct {
		dn    string
		attrs map[string][]string
	}{
		{accounts, map[string][]string{"objectClass": {"organizationalUnit"}}},
		{groups, map[string][]string{"objectClass": {"organizationalUnit"}}},
		{"CN=Staff," + groups, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {"Staff"}}},
	} {
		if err := apps.Add(e.dn, e.attrs); err != nil {
			t.Fatal(err)
		}
	}
	serve := func(name, admin string, d *ldapd.Directory) *ldapd.Server {
		server, err := d.Serve(context.Background(), ldapd.Options{AdminDN: admin, AdminPassword: name, NoAnonymous: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		writeFile(t, filepath.Join(folder, name+".pem"), string(server.CAPEM()))
		writeFile(t, filepath.Join(folder, name+".password"), name)
		return server
	}
	config := filepath.Join(folder, "rosterd.toml")
	writeFile(t, config, strings.NewReplacer("@FOLDER@", folder, "@CORP@", serve("corp", "cn=rosterd,dc=corp,dc=example", corp).TLSURL(),
		"@APPS@", serve("apps", "CN=rosterd,CN=Users,DC=apps,DC=example", apps).TLSURL()).Replace(domainConfig))
	handOver := func(text string) {
		if err := os.WriteFile(filepath.Join(folder, "hand-over"), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	rosterd := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if code := run(append([]string{"-c", config}, args...), strings.NewReader(""), &out, &out); code != want {
			t.Fatalf("rosterd %s ended with %d, want %d\n%s", strings.Join(args, " "), code, want, out.String())
		}
		return out.String()
	}
	// then is what the journal tells of it, a moment later.
	then := func(want string) {
		t.Helper()
		if said := rosterd(0, "explain", "writer1", "--at", "0s"); !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("explained as\n%swant %s", said, want)
		}
	}
	account := func() *ldap.Entry {
		t.Helper()
		c := dialed(t, filepath.Join(folder, "rosterd.toml"), "CN=rosterd,CN=Users,DC=apps,DC=example", "apps")
		defer c.Close()
		r, err := c.Search(ldap.NewSearchRequest(accounts, ldap.ScopeWholeSubtree, 0, 0, 0, false, "(sAMAccountName=writer1)",
			[]string{"userAccountControl", "displayName", "memberOf"}, nil))
		if err != nil || len(r.Entries) != 1 {
			t.Fatalf("%v: %d accounts", err, len(r.Entries))
		}
		return r.Entries[0]
	}
	wants := func(control string) {
		t.Helper()
		a := account()
		if got := a.GetAttributeValue("userAccountControl"); got != control || a.GetAttributeValue("displayName") != "Writer One" || len(a.GetAttributeValues("memberOf")) != 1 {
			a.PrettyPrint(2)
			t.Fatalf("the account is as above, want userAccountControl %s", control)
		}
	}
	handOver("exit 1")
	rosterd(5, "sync")
	wants("514")
	then(`apps +disabled\s+account +writer1, created .*, disabled since`)
	rosterd(5, "sync", "--full")
	wants("514")
	then(`apps +disabled\s`)
	handOver("cat >> " + filepath.Join(folder, "letters"))
	rosterd(0, "retry")
	wants("512")
	then(`apps +open\s+account +writer1, created .*, open since`)
	rosterd(0, "plan")
	rosterd(0, "plan", "--full")
	letters := read(t, filepath.Join(folder, "letters"))
	if len(letters) != 1 {
		t.Fatalf("%d letters", len(letters))
	}
	dialed(t, config, account().DN, letters[0].Password).Close()
	for _, state := range []struct{ employeeType, control string }{{"former", "514"}, {"staff", "512"}} {
		if err := corp.Modify("uid=writer1,ou=people,dc=corp,dc=example", ldapd.Change{Op: ldapd.ReplaceValues, Attr: "employeeType", Values: []string{state.employeeType}}); err != nil {
			t.Fatal(err)
		}
		rosterd(0, "sync")
		if got := account().GetAttributeValue("userAccountControl"); got != state.control {
			t.Fatalf("%s: userAccountControl is %s", state.employeeType, got)
		}
		rosterd(0, "plan", "--full")
	}
	if n := len(read(t, filepath.Join(folder, "letters"))); n != 1 {
		t.Errorf("%d letters, though they came back to their own account", n)
	}
	dialed(t, config, account().DN, letters[0].Password).Close()
}

// dialed is a connection of somebody to the application of a configuration, if they
// get in.
func dialed(t *testing.T, config, dn, text string) *ldap.Conn {
	t.Helper()
	b, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), `kind     = "active-directory"`)
	_, after, _ = strings.Cut(after, `urls     = ["`)
	address, _, _ := strings.Cut(after, `"`)
	c, err := ldap.DialURL(address, ldap.DialWithTLSConfig(trusting(t, filepath.Join(filepath.Dir(config), "apps.pem"))))
	if err != nil {
		t.Fatal(err)
	}
	c.SetTimeout(10 * time.Second)
	if err := c.Bind(dn, text); err != nil {
		c.Close()
		t.Fatalf("%s does not get in: %v", dn, err)
	}
	return c
}

const domainConfig = `
[state]
path = "@FOLDER@/state/state.db"

[source.corp]
urls     = ["@CORP@"]
ca_file  = "@FOLDER@/corp.pem"
bind_dn  = "cn=rosterd,dc=corp,dc=example"
password = { file = "@FOLDER@/corp.password" }
people   = { bases = ["ou=people,dc=corp,dc=example"], filter = "(objectClass=inetOrgPerson)" }
groups   = { bases = ["dc=corp,dc=example"], filter = "(objectClass=groupOfNames)" }
[source.corp.person]
login    = "uid"
mail     = "mail"
name     = "cn"
key      = "employeeNumber"
disabled = 'person.employeeType == "former"'

[role.employee]
when = 'person.employeeType in ["staff", "former"]'

[target.apps]
kind     = "active-directory"
urls     = ["@APPS@"]
ca_file  = "@FOLDER@/apps.pem"
bind_dn  = "CN=rosterd,CN=Users,DC=apps,DC=example"
password = { file = "@FOLDER@/apps.password" }
base     = "OU=accounts,DC=apps,DC=example"
mark     = "employeeNumber"
[target.apps.groups]
base = "OU=groups,DC=apps,DC=example"
[target.apps.account]
for = ["employee"]
[target.apps.attributes]
sAMAccountName = "${person.uid}"
cn             = "${person.cn}"
displayName    = "${person.cn}"
[target.apps.entitlements]
employee = ["Staff"]
[target.apps.guard]
first = "apply"
[target.apps.initial_password]
generate = true
command  = ["@FOLDER@/hand-over"]
`

func trusting(t *testing.T, ca string) *tls.Config {
	t.Helper()
	b, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
