package ldap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/sync/followtest"
)

// schema is what people, groups and containers are made of on a kind of server.
type schema struct {
	base, groups, elsewhere string
	person, group           func(rdn, name string) map[string][]string
	personRDN, many         string
	// close and open are the change that an administrator makes to an account.
	closing, opening ldapwire.Change
}

func replace(name string, values ...string) ldapwire.Change {
	return ldapwire.Change{Verb: ldapwire.ReplaceValues, Name: name, Values: values}
}

// unix is the schema of slapd and 389-ds, whose accounts are closed in another way.
func unix(closing, opening ldapwire.Change) schema {
	return schema{base: people, groups: groups, elsewhere: sourcetest.Elsewhere, personRDN: "uid", many: "description", closing: closing, opening: opening,
		person: func(_, login string) map[string][]string {
			return map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {login}, "cn": {"Name of " + login}, "sn": {"of " + login},
				"mail": {login + "@lab.example"}, "employeeNumber": {"n-" + login}}
		},
		group: func(_, name string) map[string][]string {
			return map[string][]string{"objectClass": {"groupOfNames"}, "cn": {name}}
		}}
}

// domain is the schema of Active Directory.
func domain() schema {
	return schema{base: "OU=People,DC=lab,DC=example", groups: "OU=Groups,DC=lab,DC=example", elsewhere: "OU=Elsewhere,DC=lab,DC=example", personRDN: "CN", many: "otherTelephone",
		closing: replace("userAccountControl", "546"), opening: replace("userAccountControl", "544"),
		person: func(_, login string) map[string][]string {
			return map[string][]string{"objectClass": {"user"}, "sAMAccountName": {login}, "mail": {login + "@lab.example"}, "employeeNumber": {"n-" + login},
				"userAccountControl": {"544"}}
		},
		group: func(_, name string) map[string][]string {
			return map[string][]string{"objectClass": {"group"}, "sAMAccountName": {name}}
		}}
}

// storyWorld is a directory on a real server as the story changes it.
type storyWorld struct {
	t testing.TB
	schema
	conn *ldapwire.Conn
	// admin is how it is written to, cfg how it is read.
	admin   ldapwire.Config
	cfg     ldap.Config
	restart func() error
	ds      *servers.Dirsrv // where it is one
	// hide and show take the right to see a container from who reads, and give it.
	hide, show func(container string) error
	// blind takes the right to see in it what the filter of people asks for.
	blind func(container string) error
	crowd []string
}

// open dials the server as its administrator, and makes the containers.
func (w *storyWorld) open() *storyWorld {
	w.t.Helper()
	w.redial()
	w.t.Cleanup(func() { w.conn.Close() })
	for _, dn := range []string{w.base, w.groups, w.elsewhere} {
		_, name, _ := strings.Cut(strings.Split(dn, ",")[0], "=")
		if err := w.AddContainer(dn, name); err != nil && !errors.Is(err, ldapwire.ErrAlreadyExists) {
			w.t.Fatal(err)
		}
	}
	return w
}

func (w *storyWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *storyWorld) redial() {
	w.t.Helper()
	conn, err := ldapwire.Dial(context.Background(), w.admin)
	if err != nil {
		w.t.Fatal(err)
	}
	w.conn = conn
}

func (w *storyWorld) Base() string                    { return w.base }
func (w *storyWorld) Groups() string                  { return w.groups }
func (w *storyWorld) Elsewhere() string               { return w.elsewhere }
func (w *storyWorld) PersonRDN(login string) string   { return w.personRDN + "=" + login }
func (w *storyWorld) GroupRDN(name string) string     { return "cn=" + name }
func (w *storyWorld) ContainerRDN(name string) string { return "ou=" + name }
func (w *storyWorld) Title() string                   { return "title" }
func (w *storyWorld) Many() string                    { return w.many }
func (w *storyWorld) Crowd() []string                 { return w.crowd }

func (w *storyWorld) add(dn string, attributes map[string][]string) error {
	var values []ldapwire.Values
	for name, v := range attributes {
		values = append(values, ldapwire.Values{Name: name, Values: v})
	}
	slices.SortFunc(values, func(a, b ldapwire.Values) int { return strings.Compare(a.Name, b.Name) })
	return w.conn.Add(context.Background(), dn, values)
}

func (w *storyWorld) AddPerson(dn, login string) error { return w.add(dn, w.person(dn, login)) }

func (w *storyWorld) AddGroup(dn, name string, members ...string) error {
	attributes := w.group(dn, name)
	attributes["member"] = members
	return w.add(dn, attributes)
}

func (w *storyWorld) AddContainer(dn, name string) error {
	return w.add(dn, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {name}})
}

func (w *storyWorld) Set(dn, attribute string, values ...string) error {
	return w.conn.Modify(context.Background(), dn, []ldapwire.Change{replace(attribute, values...)})
}

func (w *storyWorld) SetAll(dns []string, attribute, value string) error {
	for _, dn := range dns {
		if err := w.Set(dn, attribute, value); err != nil {
			return err
		}
	}
	return nil
}

func (w *storyWorld) Members(group string, gained, lost []string) error {
	var changes []ldapwire.Change
	if len(gained) > 0 {
		changes = append(changes, ldapwire.Change{Verb: ldapwire.AddValues, Name: "member", Values: gained})
	}
	if len(lost) > 0 {
		changes = append(changes, ldapwire.Change{Verb: ldapwire.DeleteValues, Name: "member", Values: lost})
	}
	return w.conn.Modify(context.Background(), group, changes)
}

func (w *storyWorld) Move(dn, to string) error {
	rdn, parent, _ := strings.Cut(to, ",")
	return w.conn.ModifyDN(context.Background(), dn, rdn, true, parent)
}

func (w *storyWorld) Delete(dn string) error { return w.conn.Delete(context.Background(), dn) }

func (w *storyWorld) Close(dn string, closed bool) error {
	change := w.opening
	if closed {
		change = w.closing
	}
	return w.conn.Modify(context.Background(), dn, []ldapwire.Change{change})
}

func (w *storyWorld) Restart() error {
	w.conn.Close()
	if err := w.restart(); err != nil {
		return err
	}
	w.redial()
	return nil
}

func (w *storyWorld) Hide(container string) error { return w.hide(container) }
func (w *storyWorld) Show(container string) error { return w.show(container) }

func (w *storyWorld) Open() (directory.Source, error) { return ldap.New("corp", w.cfg, w.asked()) }

func (w *storyWorld) Listing() (directory.Source, error) {
	cfg := w.cfg
	cfg.Changes = "full"
	return ldap.New("corp", cfg, w.asked())
}

func (w *storyWorld) asked() []string { return []string{"title", w.many} }

// crowded are names of n people in a container of their own, and the LDIF of both.
func crowded(s schema, n int) (names []string, text io.Reader) {
	var b strings.Builder
	in := "ou=crowd," + s.base
	for _, dn := range []string{s.base, in} {
		fmt.Fprintf(&b, "dn: %s\nobjectClass: organizationalUnit\nou: %s\n\n", dn, strings.Split(strings.Split(dn, ",")[0], "=")[1])
	}
	for i := range n {
		login := fmt.Sprintf("reader%04d", i)
		dn := s.personRDN + "=" + login + "," + in
		names = append(names, dn)
		fmt.Fprintf(&b, "dn: %s\n", dn)
		attributes := s.person(dn, login)
		// The same text each time: a domain that it was loaded into is kept by it.
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			for _, v := range attributes[name] {
				fmt.Fprintf(&b, "%s: %s\n", name, v)
			}
		}
		b.WriteString("\n")
	}
	return names, strings.NewReader(b.String())
}

// storySlapd is slapd in one of its set-ups, read by one engine.
func storySlapd(mode servers.SlapdSync, changes string, crowd int, overlays ...string) followtest.Start {
	return func(t *testing.T) followtest.World {
		w := &storyWorld{t: t, schema: unix(replace("pwdAccountLockedTime", "000001010000Z"), replace("pwdAccountLockedTime"))}
		cfg := servers.SlapdConfig{Sync: mode, Overlays: append(overlays, "ppolicy")}
		if crowd > 0 {
			var text io.Reader
			w.crowd, text = crowded(w.schema, crowd)
			cfg.LDIF = []io.Reader{text}
		}
		s := servers.StartSlapd(t, cfg)
		w.restart = s.Restart
		w.hide = func(in string) error {
			return s.SetAccess(append([]string{fmt.Sprintf("to dn.subtree=%q by dn.exact=%q none by * break", in, sync)}, s.DefaultAccess()...)...)
		}
		w.blind = func(in string) error {
			return s.SetAccess(append([]string{fmt.Sprintf("to dn.subtree=%q filter=(objectClass=inetOrgPerson) attrs=objectClass by dn.exact=%q none by * break", in, sync)}, s.DefaultAccess()...)...)
		}
		w.show = func(string) error { return s.SetAccess(s.DefaultAccess()...) }
		w.admin = ldapwire.Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: admin, Password: func() (string, error) { return s.AdminPassword, nil }}
		w.cfg = ldap.Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: sync, Password: password(t, "sync"), Changes: changes,
			People: ldap.People{Bases: []string{people}}, Groups: ldap.Groups{Bases: []string{groups}}, Person: ldap.Person{Key: "employeeNumber"}}
		if !slices.Contains(overlays, "refint") {
			w.cfg.Pause = hasty
		}
		return w.open()
	}
}

func TestStoryOnSlapd(t *testing.T) {
	for engine, traits := range map[string]followtest.Traits{"timestamp": {}, "syncrepl": {Deletes: true, Proves: true}} {
		traits.Engine, traits.Now = engine, time.Now
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			followtest.Run(t, storySlapd(servers.SyncSessionLog, engine, 0, "memberof", "refint"), traits)
		})
	}
}

func TestWalkOnSlapd(t *testing.T) {
	for engine, traits := range map[string]followtest.Traits{"timestamp": {}, "syncrepl": {Deletes: true, Proves: true}} {
		traits.Engine, traits.Now = engine, time.Now
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			seed, operations := followtest.Drawn(t, uint64(time.Now().UnixNano()))
			followtest.Walk(t, storySlapd(servers.SyncSessionLog, engine, 0, "memberof", "refint"), traits, seed, operations)
		})
	}
}

// The people are seen, and what the filter asks for is not.
func TestBlindOnSlapd(t *testing.T) {
	t.Parallel()
	followtest.RunHidden(t, func(t *testing.T) followtest.World {
		w := storySlapd(servers.SyncSessionLog, "syncrepl", 0)(t).(*storyWorld)
		w.hide = w.blind
		return w
	}, followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true, Now: time.Now})
}

func TestHiddenOnSlapd(t *testing.T) {
	for engine, traits := range map[string]followtest.Traits{"timestamp": {}, "syncrepl": {Deletes: true, Proves: true}} {
		traits.Engine, traits.Now = engine, time.Now
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			followtest.RunHidden(t, storySlapd(servers.SyncSessionLog, engine, 0), traits)
		})
	}
}
