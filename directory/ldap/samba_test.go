//go:build servers

package ldap_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/servers"
)

// forest is a domain of Samba's with containers of its own, read as somebody.
type forest struct {
	*testing.T
	dc  *servers.Samba
	cfg ldap.Config
}

const (
	adPeople = "OU=Writers,OU=People,DC=lab,DC=example"
	adStaff  = "OU=People,DC=lab,DC=example"
	adGroups = "OU=Groups,DC=lab,DC=example"
	adLeft   = "OU=Left,DC=lab,DC=example"
)

func newForest(t *testing.T, user string) *forest {
	t.Helper()
	f := &forest{T: t, dc: servers.StartSamba(t, servers.SambaConfig{})}
	f.cfg = ldap.Config{URLs: []string{f.dc.TLSURL()}, CAFile: f.dc.CACert, BindDN: user + "@lab.example", Password: password(t, servers.SambaPassword),
		People: ldap.People{Bases: []string{adStaff}}, Groups: ldap.Groups{Bases: []string{adGroups, "CN=Users,DC=lab,DC=example"}},
		Person: ldap.Person{Key: "employeeNumber"}}
	for _, ou := range []string{adStaff, adPeople, adGroups, adLeft} {
		f.ldif("dn: %s\nobjectClass: organizationalUnit\n", ou)
	}
	return f
}

// ldif changes the domain as its administrator.
func (f *forest) ldif(format string, args ...any) {
	f.Helper()
	if err := f.dc.Modify(fmt.Sprintf(format, args...)); err != nil {
		f.Fatal(err)
	}
}

func (f *forest) person(name, ou string) string {
	f.Helper()
	dn := "CN=" + name + "," + ou
	f.ldif("dn: %s\nobjectClass: user\nsAMAccountName: %s\nmail: %s@lab.example\nemployeeNumber: n-%s\nuserAccountControl: 544\n",
		dn, strings.ReplaceAll(name, " ", ""), strings.ReplaceAll(name, " ", "."), name)
	return dn
}

func (f *forest) group(name string, members ...string) string {
	f.Helper()
	dn := "CN=" + name + "," + adGroups
	text := fmt.Sprintf("dn: %s\nobjectClass: group\nsAMAccountName: %s\n", dn, name)
	for _, m := range members {
		text += "member: " + m + "\n"
	}
	f.ldif("%s", text)
	return dn
}

func (f *forest) set(dn, attribute string, values ...string) {
	f.Helper()
	text := fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: %s\n", dn, attribute)
	for _, v := range values {
		text += fmt.Sprintf("%s: %s\n", attribute, v)
	}
	f.ldif("%s", text)
}

func (f *forest) member(verb, group, dn string) {
	f.Helper()
	f.ldif("dn: %s\nchangetype: modify\n%s: member\nmember: %s\n", group, verb, dn)
}

func (f *forest) move(dn, to string) string {
	f.Helper()
	rdn, parent, _ := strings.Cut(to, ",")
	f.ldif("dn: %s\nchangetype: modrdn\nnewrdn: %s\ndeleteoldrdn: 1\nnewsuperior: %s\n", dn, rdn, parent)
	return to
}

func (f *forest) delete(dn string) {
	f.Helper()
	f.ldif("dn: %s\nchangetype: delete\n", dn)
}

func (f *forest) open(change func(*ldap.Config), attributes ...string) *ldap.Source {
	f.Helper()
	cfg := f.cfg
	if change != nil {
		change(&cfg)
	}
	s, err := ldap.New("corp", cfg, attributes)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

// value is a value of an attribute as the administrator sees it.
func (f *forest) value(dn, attribute string) string {
	f.Helper()
	found, err := f.dc.Search(dn, "base", "(objectClass=*)", attribute)
	if err != nil || len(found) != 1 || len(found[0].Get(attribute)) == 0 {
		f.Fatalf("read %s of %s: %v, %v", attribute, dn, found, err)
	}
	return found[0].Get(attribute)[0]
}

func (f *forest) rid(group string) string {
	f.Helper()
	sid := f.value(group, "objectSid")
	if raw, err := base64.StdEncoding.DecodeString(sid); err == nil && len(raw) == 28 {
		sid = string(raw)
	}
	b := []byte(sid)[24:28]
	return fmt.Sprint(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
}

func members(e directory.Entry) string {
	var out []string
	for _, m := range e.Members {
		out = append(out, m.DN.RDN()[0].Value)
	}
	return strings.Join(out, ", ")
}

func TestSambaIsReadAsItIs(t *testing.T) {
	f := newForest(t, "reader")
	one, two := f.person("Writer One", adPeople), f.person("Writer Two", adStaff)
	f.ldif("dn: CN=Desk,%s\nobjectClass: computer\nsAMAccountName: DESK$\n\ndn: CN=Printer,%s\nobjectClass: contact\n", adPeople, adPeople)
	f.set(two, "userAccountControl", "546")
	writers := f.group("Writers", one)
	f.group("Staff", writers, "CN=Desk,"+adPeople)
	for name, reader := range readers {
		t.Run(name, func(t *testing.T) {
			source := f.open(func(c *ldap.Config) { c.Reader = reader }, "objectSid", "title")
			stage, p := sourcetest.Read(t, source)
			if p.People() != 2 {
				t.Errorf("%d people: computers and contacts are none", p.People())
			}
			e := stage.Get(t, one)
			if e.Login != "WriterOne" || e.Mail != "Writer.One@lab.example" || e.Name != "Writer One" || e.RehireKey != "n-Writer One" {
				t.Errorf("a person came as %+v", e)
			}
			if len(e.ID) != 36 || e.ID[8] != '-' || e.ID != identity.ID(strings.ToLower(string(e.ID))) {
				t.Errorf("the ID is %q", e.ID)
			}
			if sid := e.Attributes.First("objectSid"); !strings.HasPrefix(sid, "S-1-5-21-") {
				t.Errorf("objectSid is %q", sid)
			}
			if e.Validity.ClosedBy != "" || stage.Get(t, two).Validity.ClosedBy != "userAccountControl" {
				t.Errorf("closed: %+v and %+v", e.Validity, stage.Get(t, two).Validity)
			}
			if got := members(stage.Get(t, writers)); got != "Writer One" {
				t.Errorf("writers are %s", got)
			}
			// Nothing shows it but a number in their entries.
			if got := members(stage.Get(t, "CN=Domain Users,CN=Users,DC=lab,DC=example")); got != "Writer One, Writer Two" && got != "Writer Two, Writer One" {
				t.Errorf("the primary group of all has %s", got)
			}
			found, err := source.Find(t.Context(), []directory.Known{{Kind: directory.Person, ID: e.ID}, {Kind: directory.Person, ID: "11111111-2222-3333-4444-555555555555"}})
			if err != nil || !found[0].Found || !found[0].DN.Equal(identity.MustDN(one)) || found[1].Found {
				t.Errorf("found %+v, %v", found, err)
			}
		})
	}
	t.Run("the whole domain", func(t *testing.T) {
		source := f.open(func(c *ldap.Config) { c.People.Bases, c.Groups.Bases = []string{f.dc.BaseDN}, []string{f.dc.BaseDN} })
		stage, _ := sourcetest.Read(t, source)
		stage.Get(t, one)
	})
}

func TestSambaPrimaryGroups(t *testing.T) {
	f := newForest(t, "reader")
	one := f.person("Writer One", adPeople)
	writers := f.group("Writers", one)
	f.set(one, "primaryGroupID", f.rid(writers))
	stage, _ := sourcetest.Read(t, f.open(nil))
	if got := members(stage.Get(t, writers)); got != "Writer One" {
		t.Errorf("writers are %q", got)
	}
	if got := members(stage.Get(t, "CN=Domain Users,CN=Users,DC=lab,DC=example")); got != "Writer One" {
		t.Errorf("the primary group that was has %q", got)
	}
}

// steps are what happens to people and groups, each seen by following.
func (f *forest) steps() []struct {
	name string
	do   func()
} {
	one, two := "CN=Writer One,"+adPeople, "CN=Writer Two,"+adStaff
	writers, staff := "CN=Writers,"+adGroups, "CN=Staff,"+adGroups
	domainUsers := "CN=Domain Users,CN=Users,DC=lab,DC=example"
	return []struct {
		name string
		do   func()
	}{
		{"a change", func() { f.set(one, "title", "Writer") }},
		{"an attribute is cleared", func() { f.set(one, "title") }},
		{"disabled", func() { f.set(one, "userAccountControl", "546") }},
		{"enabled", func() { f.set(one, "userAccountControl", "544") }},
		{"a joiner", func() { f.person("Writer Three", adPeople) }},
		{"a member more", func() { f.member("add", writers, "CN=Writer Three,"+adPeople) }},
		{"a member less", func() { f.member("delete", writers, one) }},
		{"both", func() { f.member("add", writers, one); f.member("delete", writers, "CN=Writer Three,"+adPeople) }},
		{"another primary group", func() { f.set(one, "primaryGroupID", f.rid(writers)) }},
		{"and back", func() { f.set(one, "primaryGroupID", f.rid(domainUsers)) }},
		{"a member is renamed", func() { one = f.move(one, "CN=Writer Eins,"+adPeople) }},
		{"a member is moved", func() { one = f.move(one, "CN=Writer Eins,"+adStaff) }},
		{"moved out of scope", func() { one = f.move(one, "CN=Writer Eins,"+adLeft) }},
		{"and in again", func() { one = f.move(one, "CN=Writer Eins,"+adPeople) }},
		{"the container is renamed", func() {
			f.move(adPeople, "OU=Authors,"+adStaff)
			one = "CN=Writer Eins,OU=Authors," + adStaff
		}},
		{"the container is moved out", func() { f.move("OU=Authors,"+adStaff, "OU=Authors,"+adLeft) }},
		{"and in again, under the first name", func() {
			f.move("OU=Authors,"+adLeft, adPeople)
			one = "CN=Writer Eins," + adPeople
		}},
		{"a group is renamed", func() { writers = f.move(writers, "CN=Authors,"+adGroups) }},
		{"a new group that holds a group", func() { f.group("Editors", writers, two) }},
		{"a leaver", func() { f.delete(two) }},
		{"the same name again", func() { two = f.person("Writer Two", adStaff); f.member("add", staff, two) }},
		{"a group is deleted", func() { f.delete("CN=Editors," + adGroups) }},
		{"names are exchanged", func() {
			f.move(one, "CN=Nobody,"+adPeople)
			f.move(two, one)
			f.move("CN=Nobody,"+adPeople, two)
		}},
		{"much at once", func() {
			for i := range 20 {
				dn := f.person(fmt.Sprintf("Crowd %d", i), adPeople)
				if i%2 == 0 {
					f.member("add", writers, dn)
				}
			}
		}},
		{"who cares", func() { f.person("Stranger", adLeft) }},
	}
}

func TestSambaIsFollowed(t *testing.T) {
	for _, c := range []struct{ user, engine string }{{"sync", "dirsync"}, {"deleted", "usn"}, {"reader", "usn"}} {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f := newForest(t, c.user)
			one := f.person("Writer One", adPeople)
			f.person("Writer Two", adStaff)
			writers := f.group("Writers", one)
			f.group("Staff", writers)
			// What proves that deleted objects are seen.
			f.delete(f.person("Gone Before", adLeft))
			m := mirrorOf(t, f.open(nil, "title"))
			if m.cursor.Engine != c.engine || m.cursor.Deletes != (c.user != "reader") {
				t.Fatalf("followed by %s, deletions told: %t", m.cursor.Engine, m.cursor.Deletes)
			}
			m.living = c.user == "reader"
			for _, step := range f.steps() {
				step.do()
				facts := m.must()
				told := strings.Join(m.told, "; ")
				if strings.Contains(told, "lost") {
					t.Fatalf("%s: everything was read", step.name)
				}
				switch {
				case facts.Nothing:
					t.Errorf("%s: nothing is said to have changed", step.name)
				case facts.Sweep != "" && c.user != "reader":
					t.Errorf("%s: a sweep is needed: %s", step.name, facts.Sweep)
				}
				if c.user == "reader" {
					m.sweep()
				}
				t.Logf("%s: %s", step.name, told)
				m.same()
				if facts := m.must(); len(m.told) > 0 {
					t.Errorf("%s: told again: %v (nothing %t)", step.name, m.told, facts.Nothing)
				}
			}
		})
	}
}
