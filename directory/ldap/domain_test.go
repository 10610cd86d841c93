package ldap_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// forest is a domain with containers of its own, written to as its administrator
// and read as somebody.
type forest struct {
	*testing.T
	admin string
	conn  *ldapwire.Conn
	cfg   ldap.Config
	// ldapd is the domain where it is the embedded one.
	ldapd  *ldapd.Directory
	server *ldapd.Server
}

const (
	adBase   = "DC=lab,DC=example"
	adPeople = "OU=Writers,OU=People," + adBase
	adStaff  = "OU=People," + adBase
	adGroups = "OU=Groups," + adBase
	adLeft   = "OU=Left," + adBase
	adUsers  = "CN=Users," + adBase

	domainUsers = "CN=Domain Users," + adUsers
	adPassword  = "Passw0rd.1"
)

// founded is a server that was started, with containers of its own.
func founded(t *testing.T, url, ca, admin, user string) *forest {
	t.Helper()
	f := connected(t, url, ca, admin, user)
	for _, ou := range []string{adStaff, adPeople, adGroups, adLeft} {
		f.add(ou, "organizationalUnit")
	}
	return f
}

func connected(t *testing.T, url, ca, admin, user string) *forest {
	t.Helper()
	f := &forest{T: t, admin: admin}
	f.cfg = ldap.Config{URLs: []string{url}, CAFile: ca, BindDN: user + "@lab.example", Password: password(t, adPassword),
		People: ldap.People{Bases: []string{adStaff}}, Groups: ldap.Groups{Bases: []string{adGroups, adUsers}},
		Person: ldap.Person{Key: "employeeNumber"}}
	f.redial()
	return f
}

// embedded is the domain of the embedded directory, with the users that the one of
// Samba has.
func embedded(t *testing.T, user string, set func(*ldapd.Directory)) *forest {
	t.Helper()
	d := ldapd.NewAs(ldapd.ActiveDirectory, adBase)
	for _, name := range []string{"reader", "dirsync", "deleted", "sync"} {
		if err := d.Add("CN="+name+","+adUsers, map[string][]string{"objectClass": {"user"}, "userAccountControl": {"512"}, "userPassword": {adPassword}}); err != nil {
			t.Fatal(err)
		}
	}
	d.AD.Replicators = []string{"CN=dirsync," + adUsers, "CN=sync," + adUsers}
	d.AD.DeletedReaders = []string{"CN=deleted," + adUsers, "CN=sync," + adUsers}
	if set != nil {
		set(d)
	}
	return serveForest(t, d, user, founded)
}

func serveForest(t *testing.T, d *ldapd.Directory, user string, make func(t *testing.T, url, ca, admin, user string) *forest) *forest {
	t.Helper()
	admin := "CN=Administrator," + adUsers
	s, err := d.Serve(context.Background(), ldapd.Options{AdminDN: admin, AdminPassword: adPassword})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, s.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	f := make(t, s.TLSURL(), ca, admin, user)
	f.ldapd, f.server = d, s
	return f
}

// redial connects the administrator again, after the server was away.
func (f *forest) redial() {
	f.Helper()
	conn, err := ldapwire.Dial(f.Context(), ldapwire.Config{URLs: f.cfg.URLs, CAFile: f.cfg.CAFile, BindDN: f.admin,
		Password: func() (string, error) { return adPassword, nil }})
	f.must(err)
	f.Cleanup(func() { conn.Close() })
	f.conn = conn
}

func (f *forest) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// add makes an entry; values come as "attribute: value".
func (f *forest) add(dn, class string, values ...string) string {
	f.Helper()
	out := []ldapwire.Values{{Name: "objectClass", Values: []string{class}}}
	for _, v := range values {
		name, value, _ := strings.Cut(v, ": ")
		if last := &out[len(out)-1]; last.Name == name {
			last.Values = append(last.Values, value)
			continue
		}
		out = append(out, ldapwire.Values{Name: name, Values: []string{value}})
	}
	f.must(f.conn.Add(f.Context(), dn, out))
	return dn
}

func (f *forest) person(name, ou string) string {
	f.Helper()
	return f.add("CN="+name+","+ou, "user", "sAMAccountName: "+strings.ReplaceAll(name, " ", ""), "mail: "+strings.ReplaceAll(name, " ", ".")+"@lab.example",
		"employeeNumber: n-"+name, "userAccountControl: 544")
}

func (f *forest) group(name string, members ...string) string {
	f.Helper()
	values := []string{"sAMAccountName: " + name}
	for _, m := range members {
		values = append(values, "member: "+m)
	}
	return f.add("CN="+name+","+adGroups, "group", values...)
}

func (f *forest) set(dn, attribute string, values ...string) {
	f.Helper()
	f.must(f.conn.Modify(f.Context(), dn, []ldapwire.Change{{Verb: ldapwire.ReplaceValues, Name: attribute, Values: values}}))
}

func (f *forest) join(group string, members ...string) {
	f.Helper()
	f.must(f.conn.Modify(f.Context(), group, []ldapwire.Change{{Verb: ldapwire.AddValues, Name: "member", Values: members}}))
}

func (f *forest) leave(group string, members ...string) {
	f.Helper()
	f.must(f.conn.Modify(f.Context(), group, []ldapwire.Change{{Verb: ldapwire.DeleteValues, Name: "member", Values: members}}))
}

func (f *forest) move(dn, to string) string {
	f.Helper()
	rdn, parent, _ := strings.Cut(to, ",")
	f.must(f.conn.ModifyDN(f.Context(), dn, rdn, true, parent))
	return to
}

func (f *forest) delete(dn string) {
	f.Helper()
	f.must(f.conn.Delete(f.Context(), dn))
}

func (f *forest) open(change func(*ldap.Config), attributes ...string) *ldap.Source {
	f.Helper()
	cfg := f.cfg
	if change != nil {
		change(&cfg)
	}
	s, err := ldap.New("corp", cfg, attributes)
	f.must(err)
	f.Cleanup(func() { s.Close() })
	return s
}

// rid is the number of a group in its domain.
func (f *forest) rid(group string) string {
	f.Helper()
	rec, err := f.conn.Base(f.Context(), group, "objectSid")
	f.must(err)
	b := rec.First("objectSid")
	if len(b) != 28 {
		f.Fatalf("objectSid of %s has %d octets", group, len(b))
	}
	return fmt.Sprint(uint32(b[24]) | uint32(b[25])<<8 | uint32(b[26])<<16 | uint32(b[27])<<24)
}

func members(e directory.Entry) string {
	var out []string
	for _, m := range e.Members {
		out = append(out, m.DN.RDN()[0].Value)
	}
	return strings.Join(out, ", ")
}

// readAsItIs is what a listing shows of a domain.
func readAsItIs(t *testing.T, f *forest) {
	one, two := f.person("Writer One", adPeople), f.person("Writer Two", adStaff)
	f.add("CN=Desk,"+adPeople, "computer", "sAMAccountName: DESK$")
	f.add("CN=Printer,"+adPeople, "contact")
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
			if got := members(stage.Get(t, domainUsers)); got != "Writer One, Writer Two" && got != "Writer Two, Writer One" {
				t.Errorf("the primary group of all has %s", got)
			}
			found, err := source.Find(t.Context(), []directory.Known{{Kind: directory.Person, ID: e.ID}, {Kind: directory.Person, ID: "11111111-2222-3333-4444-555555555555"}})
			if err != nil || !found[0].Found || !found[0].DN.Equal(identity.MustDN(one)) || found[1].Found {
				t.Errorf("found %+v, %v", found, err)
			}
		})
	}
	t.Run("the whole domain", func(t *testing.T) {
		source := f.open(func(c *ldap.Config) { c.People.Bases, c.Groups.Bases = []string{adBase}, []string{adBase} })
		stage, _ := sourcetest.Read(t, source)
		stage.Get(t, one)
	})
}

// primaryGroups: somebody is in their primary group, and in no other by that.
func primaryGroupsAreRead(t *testing.T, f *forest) {
	one := f.person("Writer One", adPeople)
	writers := f.group("Writers", one)
	f.set(one, "primaryGroupID", f.rid(writers))
	stage, _ := sourcetest.Read(t, f.open(nil))
	if got := members(stage.Get(t, writers)); got != "Writer One" {
		t.Errorf("writers are %q", got)
	}
	if got := members(stage.Get(t, domainUsers)); got != "Writer One" {
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
	return []struct {
		name string
		do   func()
	}{
		{"a change", func() { f.set(one, "title", "Writer") }},
		{"an attribute is cleared", func() { f.set(one, "title") }},
		{"disabled", func() { f.set(one, "userAccountControl", "546") }},
		{"enabled", func() { f.set(one, "userAccountControl", "544") }},
		{"a joiner", func() { f.person("Writer Three", adPeople) }},
		{"a member more", func() { f.join(writers, "CN=Writer Three,"+adPeople) }},
		{"a member less", func() { f.leave(writers, one) }},
		{"both", func() { f.join(writers, one); f.leave(writers, "CN=Writer Three,"+adPeople) }},
		{"another primary group", func() { f.set(one, "primaryGroupID", f.rid(writers)) }},
		{"and back", func() { f.set(one, "primaryGroupID", f.rid(domainUsers)) }},
		{"a member is renamed", func() { one = f.move(one, "CN=Writer Eins,"+adPeople) }},
		{"somebody is named by another", func() { f.set(two, "manager", one) }},
		{"and has another name", func() { one = f.move(one, "CN=Writer Uno,"+adPeople) }},
		{"and the first again", func() { one = f.move(one, "CN=Writer Eins,"+adPeople) }},
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
		{"the same name again", func() { two = f.person("Writer Two", adStaff); f.join(staff, two) }},
		{"a group is deleted", func() { f.delete("CN=Editors," + adGroups) }},
		{"names are exchanged", func() {
			f.move(one, "CN=Nobody,"+adPeople)
			f.move(two, one)
			f.move("CN=Nobody,"+adPeople, two)
		}},
		{"much at once", func() {
			for i := range 60 {
				dn := f.person(fmt.Sprintf("Crowd %d", i), adPeople)
				if i%2 == 0 {
					f.join(writers, dn)
				}
			}
		}},
		{"who cares", func() { f.person("Stranger", adLeft) }},
	}
}

// followers are who follows a domain, by which engine.
var followers = []struct{ user, engine string }{{"sync", "dirsync"}, {"dirsync", "dirsync"}, {"deleted", "usn"}, {"reader", "usn"}}

// follows takes a domain through all steps; deletions says whether the server
// shows to this user who was deleted.
func follows(t *testing.T, f *forest, engine string, deletions bool) {
	one := f.person("Writer One", adPeople)
	f.person("Writer Two", adStaff)
	writers := f.group("Writers", one)
	f.group("Staff", writers)
	// What proves that deleted objects are seen.
	f.delete(f.person("Gone Before", adLeft))
	m := mirrorOf(t, f.open(nil, "title", "manager"))
	if m.cursor.Engine != engine || m.cursor.Deletes != deletions {
		t.Fatalf("followed by %s, deletions told: %t", m.cursor.Engine, m.cursor.Deletes)
	}
	m.living = !deletions
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
		case facts.Sweep != "" && deletions:
			t.Errorf("%s: a sweep is needed: %s", step.name, facts.Sweep)
		}
		if !deletions {
			m.sweep()
		}
		// A name is edited where it stands; the group is not read for that.
		if step.name == "a member is renamed" && (!strings.Contains(told, "edit ") || strings.Contains(told, "put CN=Writers,")) {
			t.Errorf("%s: %s", step.name, told)
		}
		t.Logf("%s: %s", step.name, told)
		m.same()
		if facts := m.must(); len(m.told) > 0 || !facts.Nothing {
			t.Errorf("%s: told again: %v (nothing %t)", step.name, m.told, facts.Nothing)
		}
	}
}

func TestADomainIsReadAsItIs(t *testing.T) { readAsItIs(t, embedded(t, "reader", nil)) }

func TestPrimaryGroupsOfADomain(t *testing.T) { primaryGroupsAreRead(t, embedded(t, "reader", nil)) }

func TestADomainIsFollowed(t *testing.T) {
	for _, c := range followers {
		for name, reader := range readers {
			t.Run(c.engine+" as "+c.user+", "+name, func(t *testing.T) {
				// Small caps, so that everything comes in many parts.
				f := embedded(t, c.user, func(d *ldapd.Directory) {
					d.AD.MaxPageSize, d.AD.MaxValRange, d.AD.DirSyncBatch = 5, 25, 4
				})
				f.cfg.Reader = reader
				// As [MS-ADTS] has it: whoever may ask for changes is told of deletions too.
				follows(t, f, c.engine, c.user != "reader")
			})
		}
	}
}
