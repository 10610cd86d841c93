//go:build servers

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// corpServer is a real directory server, in whatever state a test wants it to be.
type corpServer interface {
	TLSURL() string
	Modify(changes string) error
	Kill() error
	Stop() error
	Start() error
	Backup() (string, error)
	Restore(string) error
}

// twin is a company's directory on one or two servers and a wiki whose accounts are
// lines of a file, with rosterd between them.
type twin struct {
	t      *testing.T
	folder string
	config string
	corp   flavor
}

// flavor is how people and groups are written on a kind of server.
type flavor struct {
	base, groups string
	rdn, class   string
	// login is the attribute of the rules; bind and password are of who reads.
	login, bind, password string
	// closing and opening are attribute and value that close an account and open it.
	closing, opening [2]string
	// more stands in [source.corp.person].
	more string
}

var (
	openLDAPFlavor = flavor{base: "ou=people,dc=lab,dc=example", groups: "ou=groups,dc=lab,dc=example", rdn: "uid", class: "inetOrgPerson", login: "uid",
		bind: "cn=sync,dc=lab,dc=example", password: "sync", closing: [2]string{"employeeType", "former"}, opening: [2]string{"employeeType", "staff"},
		more: `disabled = 'person.employeeType == "former"'`}
	dirsrvFlavor = flavor{base: "ou=people,dc=lab,dc=example", groups: "ou=groups,dc=lab,dc=example", rdn: "uid", class: "inetOrgPerson", login: "uid",
		bind: "cn=sync,dc=lab,dc=example", password: "sync", closing: [2]string{"nsAccountLock", "true"}, opening: [2]string{"nsAccountLock", "false"}}
	domainFlavor = flavor{base: "OU=People,DC=lab,DC=example", groups: "OU=Groups,DC=lab,DC=example", rdn: "CN", class: "user", login: "sAMAccountName",
		bind: "sync@lab.example", password: "Passw0rd.1", closing: [2]string{"userAccountControl", "546"}, opening: [2]string{"userAccountControl", "544"}}
)

// newTwin writes the configuration. The files are the authorities of the servers.
func newTwin(t *testing.T, corp flavor, changes string, authorities ...string) *twin {
	t.Helper()
	w := &twin{t: t, folder: t.TempDir(), corp: corp}
	w.config = filepath.Join(w.folder, "rosterd.toml")
	var ca []byte
	for _, path := range authorities {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ca = append(ca, text...)
	}
	writeFile(t, filepath.Join(w.folder, "ca.pem"), string(ca))
	writeFile(t, filepath.Join(w.folder, "corp.password"), corp.password)
	writeFile(t, w.wiki(), "")
	writeFile(t, w.config, strings.NewReplacer("@FOLDER@", w.folder, "@BASE@", corp.base, "@GROUPS@", corp.groups, "@LOGIN@", corp.login,
		"@BIND@", corp.bind, "@MORE@", corp.more, "@CHANGES@", changes).Replace(twinConfig))
	return w
}

const twinConfig = `[state]
path = "@FOLDER@/state/state.db"

[source.corp]
urls     = []
ca_file  = "@FOLDER@/ca.pem"
bind_dn  = "@BIND@"
password = { file = "@FOLDER@/corp.password" }
changes  = "@CHANGES@"
people   = { bases = ["@BASE@"] }
groups   = { bases = ["@GROUPS@"] }
[source.corp.person]
login    = "@LOGIN@"
key      = "employeeNumber"
@MORE@
[source.corp.guard]
vanish_after = "1s"

[role.employee]
when   = 'person.mail != ""'
[role.writer]
groups = ["cn=writers,@GROUPS@"]

[target.wiki]
kind = "file"
path = "@FOLDER@/wiki.jsonl"
[target.wiki.account]
for   = ["employee"]
match = ["name"]
[target.wiki.attributes]
name  = "${person.@LOGIN@}"
mail  = "${lower(person.mail)}"
[target.wiki.entitlements]
writer = ["Writers"]
[target.wiki.guard]
first      = "apply"
max_remove = { count = 1000 }
max_revoke = { count = 1000 }
max_enable = { count = 1000 }
`

func (w *twin) wiki() string { return filepath.Join(w.folder, "wiki.jsonl") }

// text is the configuration.
func (w *twin) text() string {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// reads says which servers are asked, the first first.
func (w *twin) reads(from ...corpServer) {
	w.t.Helper()
	var urls []string
	for _, s := range from {
		urls = append(urls, fmt.Sprintf("%q", s.TLSURL()))
	}
	lines := strings.Split(w.text(), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "urls ") })
	lines[i] = "urls     = [" + strings.Join(urls, ", ") + "]"
	writeFile(w.t, w.config, strings.Join(lines, "\n"))
}

// runs rosterd in this process and says how it must end.
func (w *twin) runs(want int, args ...string) (stdout, stderr string) {
	w.t.Helper()
	began := time.Now()
	var out, errs bytes.Buffer
	code := run(append([]string{"-c", w.config}, args...), strings.NewReader(""), &out, &errs)
	w.t.Logf("rosterd %s: %d in %s", strings.Join(args, " "), code, time.Since(began).Round(time.Millisecond))
	if code != want {
		w.t.Fatalf("rosterd %s ended with %d, want %d\n%s\n%s", strings.Join(args, " "), code, want, tail(out.String()), errs.String())
	}
	return out.String(), errs.String()
}

// settles reads everything until whoever vanished has been looked for twice.
func (w *twin) settles() {
	w.t.Helper()
	w.runs(0, "sync")
	for range 2 {
		time.Sleep(1100 * time.Millisecond) // vanish_after
		w.runs(0, "sync", "--full")
	}
	w.runs(0, "sync")
}

// quiet is law 11.
func (w *twin) quiet() {
	w.t.Helper()
	w.runs(0, "plan")
	w.runs(0, "plan", "--full")
}

// accounts is what each has in the wiki: "active Writers", "disabled".
func (w *twin) accounts() map[string]string {
	w.t.Helper()
	text, err := os.ReadFile(w.wiki())
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		var a struct {
			Name         string
			Active       bool
			Entitlements []string
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			w.t.Fatalf("%v: %s", err, line)
		}
		state := map[bool]string{true: "active", false: "disabled"}[a.Active]
		out[a.Name] = strings.TrimSpace(state + " " + strings.Join(a.Entitlements, " "))
	}
	return out
}

// have says what people must have in the wiki: login, state, login, state…
func (w *twin) have(when string, want map[string]string) {
	w.t.Helper()
	got := w.accounts()
	for _, login := range slices.Sorted(maps.Keys(want)) {
		if got[login] != want[login] {
			w.t.Errorf("%s: %s has %q, want %q", when, login, got[login], want[login])
		}
	}
}

// must writes to a server.
func (w *twin) must(s corpServer, changes ...string) {
	w.t.Helper()
	if err := s.Modify(strings.Join(changes, "\n")); err != nil {
		w.t.Fatal(err)
	}
}

func (f flavor) dn(login string) string { return f.rdn + "=" + login + "," + f.base }

// person is the record that adds one; named numbers them by their login.
func (f flavor) person(login string) string {
	text := "dn: " + f.dn(login) + "\nchangetype: add\nobjectClass: " + f.class + "\ncn: " + login + "\nmail: " + login + "@lab.example\nemployeeNumber: n-" + login + "\n"
	if f.class == "user" {
		return text + "sAMAccountName: " + login + "\nuserAccountControl: 544\n"
	}
	return text + "sn: " + login + "\nuid: " + login + "\nuserPassword: of " + login + "\n"
}

func (f flavor) set(login string, to [2]string) string {
	return "dn: " + f.dn(login) + "\nchangetype: modify\nreplace: " + to[0] + "\n" + to[0] + ": " + to[1] + "\n"
}

func (f flavor) delete(login string) string { return "dn: " + f.dn(login) + "\nchangetype: delete\n" }

// member changes who is in the group: verb is add or delete.
func (f flavor) member(verb, login string) string {
	return "dn: cn=writers," + f.groups + "\nchangetype: modify\n" + verb + ": member\nmember: " + f.dn(login) + "\n"
}

// founding are the containers, people and the group of all stories.
func (f flavor) founding(logins, writers []string) string {
	var b strings.Builder
	for _, dn := range []string{f.base, f.groups} {
		_, name, _ := strings.Cut(strings.Split(dn, ",")[0], "=")
		fmt.Fprintf(&b, "dn: %s\nchangetype: add\nobjectClass: organizationalUnit\nou: %s\n\n", dn, name)
	}
	for _, l := range logins {
		b.WriteString(f.person(l) + "\n")
	}
	fmt.Fprintf(&b, "dn: cn=writers,%s\nchangetype: add\ncn: writers\n", f.groups)
	if f.class == "user" {
		b.WriteString("objectClass: group\nsAMAccountName: writers\n")
	} else {
		b.WriteString("objectClass: groupOfNames\n")
	}
	for _, l := range writers {
		fmt.Fprintf(&b, "member: %s\n", f.dn(l))
	}
	return b.String()
}
