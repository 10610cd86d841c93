package ldap_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/span"
)

// beset is a directory with people and groups behind a server that does wrong,
// followed by one engine.
type beset struct {
	t      *testing.T
	way    way
	dir    *ldapd.Directory
	server *ldapd.Server
	cfg    ldap.Config
	ahead  atomic.Int64 // of the clock of directory and source before the real one
}

// now is the time for server and source alike: it passes faster.
func (b *beset) now() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }

// pause lets it pass at once.
func (b *beset) pause(ctx context.Context, d time.Duration) error {
	b.ahead.Add(int64(d))
	return ctx.Err()
}

// way is one engine on one kind of server.
type way struct {
	name   string
	kind   ldapd.Kind
	engine string
	log    int // of a sync provider like slapd's
}

// ways are all that there are.
var ways = []way{
	{"generic, timestamp", ldapd.Generic, "timestamp", 0},
	{"slapd, timestamp", ldapd.OpenLDAP, "timestamp", 0},
	{"slapd with a session log, syncrepl", ldapd.OpenLDAP, "syncrepl", 1000},
	{"slapd without, syncrepl", ldapd.OpenLDAP, "syncrepl", 0},
	{"389-ds, syncrepl", ldapd.Dirsrv, "syncrepl", 0},
	{"389-ds, timestamp", ldapd.Dirsrv, "timestamp", 0},
	{"domain controller, dirsync", ldapd.ActiveDirectory, "dirsync", 0},
	{"domain controller, usn", ldapd.ActiveDirectory, "usn", 0},
}

const (
	besetSuffix = "dc=lab,dc=example"
	besetPeople = "ou=people," + besetSuffix
	besetGroups = "ou=groups," + besetSuffix
	besetLeft   = "ou=left," + besetSuffix
)

// besetAttributes are read of people.
var besetAttributes = []string{"sn", "employeeNumber", "title"}

func newBeset(t *testing.T, w way) *beset {
	t.Helper()
	b := &beset{t: t, way: w, dir: ldapd.NewAs(w.kind, besetSuffix)}
	b.dir.SetClock(b.now)
	if w.kind != ldapd.ActiveDirectory {
		b.dir.KeepReferences()
	}
	b.dir.SessionLog = w.log
	// Short answers, so that there are several, and each place in them is tried.
	b.dir.AD = ldapd.ADSettings{MaxValRange: 4, DirSyncBatch: 5, Replicators: []string{b.syncDN()}, DeletedReaders: []string{b.syncDN()}}
	if w.kind != ldapd.ActiveDirectory {
		b.add(besetSuffix, map[string][]string{"objectClass": {"domain"}})
	}
	b.add(b.syncDN(), map[string][]string{"objectClass": {b.class("organizationalRole", "user")}, "userPassword": {"sync"}, "userAccountControl": {"512"}})
	for _, dn := range []string{besetPeople, besetGroups, besetLeft} {
		b.add(dn, map[string][]string{"objectClass": {"organizationalUnit"}})
	}
	b.serve()
	b.cfg = ldap.Config{Server: "auto", Changes: w.engine, BindDN: b.syncDN(), Password: password(t, "sync"), PageSize: 5,
		IdleTimeout: span.Duration(time.Second), Now: b.now, Pause: b.pause,
		People: ldap.People{Bases: []string{besetPeople}}, Groups: ldap.Groups{Bases: []string{besetGroups}}, Person: ldap.Person{Key: "employeeNumber"}}
	return b
}

// serve serves the directory, or another state of it, from now on.
func (b *beset) serve() {
	b.t.Helper()
	s, err := b.dir.Serve(context.Background(), ldapd.Options{AdminDN: "cn=admin," + besetSuffix, AdminPassword: "secret"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(s.Close)
	b.server = s
}

func (b *beset) class(elsewhere, ad string) string {
	if b.way.kind == ldapd.ActiveDirectory {
		return ad
	}
	return elsewhere
}

func (b *beset) syncDN() string {
	if b.way.kind == ldapd.ActiveDirectory {
		return "CN=sync,CN=Users," + besetSuffix
	}
	return "cn=sync," + besetSuffix
}

func (b *beset) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *beset) add(dn string, attributes map[string][]string) {
	b.t.Helper()
	b.must(b.dir.Add(dn, attributes))
}

func (b *beset) person(name, container string) string {
	b.t.Helper()
	dn := "cn=" + name + "," + container
	attributes := map[string][]string{"objectClass": {b.class("inetOrgPerson", "user")}, "sn": {name}, "mail": {name + "@lab.example"},
		"employeeNumber": {"n-" + name}, "title": {"Content writer"}}
	if b.way.kind == ldapd.ActiveDirectory {
		attributes["userAccountControl"] = []string{"512"}
	} else {
		attributes["uid"] = []string{name}
	}
	b.add(dn, attributes)
	return dn
}

func (b *beset) group(name string, members ...string) string {
	b.t.Helper()
	dn := "cn=" + name + "," + besetGroups
	b.add(dn, map[string][]string{"objectClass": {b.class("groupOfNames", "group")}, "member": members})
	return dn
}

func (b *beset) set(dn, attribute string, values ...string) {
	b.t.Helper()
	b.must(b.dir.Modify(dn, ldapd.Change{Op: ldapd.ReplaceValues, Attr: attribute, Values: values}))
}

// open makes a source that reads the server as it is now.
func (b *beset) open(change func(*ldap.Config)) *ldap.Source {
	b.t.Helper()
	cfg := b.cfg
	// Without TLS, which has no part in this and costs most of the time.
	cfg.URLs, cfg.AllowPlaintext = []string{b.server.URL()}, true
	if change != nil {
		change(&cfg)
	}
	s, err := ldap.New("corp", cfg, besetAttributes)
	b.must(err)
	return s
}

// crowd is who is there at first: some in a container of their own, all in one
// group, some in another.
func (b *beset) crowd() {
	b.t.Helper()
	b.add("ou=press,"+besetPeople, map[string][]string{"objectClass": {"organizationalUnit"}})
	var all []string
	for i := range 12 {
		container := besetPeople
		if i > 5 {
			container = "ou=press," + besetPeople
		}
		all = append(all, b.person(fmt.Sprintf("writer%d", i), container))
	}
	b.group("all", all...)
	b.group("some", all[:3]...)
	b.group("other", all[3], all[5], all[6], all[7], all[9], all[10])
	b.group("above", "cn=all,"+besetGroups, "cn=some,"+besetGroups)
}

// happen is what changes then: of everything something.
func (b *beset) happen() {
	b.t.Helper()
	writer := func(i int) string { return fmt.Sprintf("cn=writer%d,%s", i, besetPeople) }
	b.set(writer(0), "title", "Content manager")
	b.set(writer(1), "title")
	b.person("newcomer", besetPeople)
	b.set("cn=some,"+besetGroups, "member", writer(1), writer(2), "cn=newcomer,"+besetPeople)
	b.must(b.dir.Rename(writer(2), "cn=renamed", true, ""))
	b.must(b.dir.Rename(writer(3), "cn=writer3", true, besetLeft))
	b.must(b.dir.Delete(writer(4)))
	b.must(b.dir.Rename("ou=press,"+besetPeople, "ou=news", true, ""))
	b.group("new", "cn=newcomer,"+besetPeople)
	// Who leaves a group, or comes, under another name than was known.
	news := "ou=news," + besetPeople
	b.must(b.dir.Rename(writer(5), "cn=five", true, news))
	b.lose("cn=other,"+besetGroups, "cn=five,"+news)
	b.lose("cn=other,"+besetGroups, "cn=writer6,"+news)
	b.must(b.dir.Rename("cn=writer8,"+news, "cn=eight", true, besetPeople))
	b.gain("cn=other,"+besetGroups, "cn=eight,"+besetPeople)
	b.lose("cn=other,"+besetGroups, "cn=writer9,"+news)
	b.must(b.dir.Rename("cn=writer9,"+news, "cn=nine", true, ""))
	// Somebody else under the name of somebody who was a member, and is again.
	b.must(b.dir.Delete("cn=writer10," + news))
	b.person("writer10", news)
	b.gain("cn=other,"+besetGroups, "cn=writer10,"+news)
	// In and out again, and a group renamed.
	b.gain("cn=some,"+besetGroups, "cn=writer11,"+news)
	b.lose("cn=some,"+besetGroups, "cn=writer11,"+news)
	b.must(b.dir.Rename("cn=other,"+besetGroups, "cn=others", true, ""))
	b.must(b.dir.Rename("cn=all,"+besetGroups, "cn=everybody", true, ""))
}

func (b *beset) gain(group, member string) {
	b.t.Helper()
	b.must(b.dir.Modify(group, ldapd.Change{Op: ldapd.AddValues, Attr: "member", Values: []string{member}}))
}

func (b *beset) lose(group, member string) {
	b.t.Helper()
	b.must(b.dir.Modify(group, ldapd.Change{Op: ldapd.DeleteValues, Attr: "member", Values: []string{member}}))
}

// clone is a mirror that goes its own way.
func (m *mirror) clone(t testing.TB, s *ldap.Source) *mirror {
	return &mirror{t: t, source: s, cursor: m.cursor, known: m.known, entries: maps.Clone(m.entries), out: maps.Clone(m.out), gone: maps.Clone(m.gone)}
}

// present are the IDs of everybody and every group in scope, as the directory
// itself has them.
func (b *beset) present() map[identity.ID]string {
	b.t.Helper()
	b.server.Faults().Clear()
	m := mirrorOf(b.t, b.open(func(c *ldap.Config) { c.Changes = "full" }))
	out := map[identity.ID]string{}
	for id, e := range m.entries {
		if e.Kind != directory.Container {
			out[id] = e.DN.String()
		}
	}
	return out
}

// kept makes sure that nobody was lost who is there.
func (m *mirror) kept(there map[identity.ID]string) {
	m.t.Helper()
	for id, dn := range there {
		if why, gone := m.gone[id]; gone {
			m.t.Errorf("%s is there and was told gone: %s; told: %s", dn, why, strings.Join(m.told, "; "))
		}
		if at, out := m.out[id]; out {
			m.t.Errorf("%s is there and was told to be out of scope, at %s", dn, at)
		}
	}
}

// lack is who is in the groups of the directory and not in those of the mirror:
// members that were lost, who were there before and are there still.
func (m *mirror) lack(before, after *mirror) []string {
	var out []string
	for id, e := range before.entries {
		now, still := after.entries[id]
		mine, here := m.entries[id]
		if !still || !here || e.Kind != directory.Group {
			continue
		}
		for _, x := range e.Members {
			is := func(y directory.Member) bool { return y.DN.Equal(x.DN) }
			if slices.ContainsFunc(now.Members, is) && !slices.ContainsFunc(mine.Members, is) {
				out = append(out, fmt.Sprintf("%s in %s", x.DN, e.DN))
			}
		}
	}
	return out
}
