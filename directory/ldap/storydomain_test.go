package ldap_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/sync/followtest"
)

// storyDomain is the embedded domain controller, which does what Samba does not: it
// gives so many values of an attribute in one answer (0: 1,500), and no more entries
// than its pages have. Who reads may replicate, and look into Deleted Objects.
func storyDomain(changes string, crowd, values int) followtest.Start {
	return storyDomainFor(changes, crowd, values, true)
}

// blindDomain is one whose reader may not look into Deleted Objects.
func blindDomain(changes string) followtest.Start { return storyDomainFor(changes, 0, 0, false) }

func storyDomainFor(changes string, crowd, values int, deleted bool) followtest.Start {
	return func(t *testing.T) followtest.World {
		const suffix, reader = "DC=lab,DC=example", "CN=sync,CN=Users,DC=lab,DC=example"
		w := &storyWorld{t: t, schema: domain()}
		d := ldapd.NewAs(ldapd.ActiveDirectory, suffix)
		d.AD = ldapd.ADSettings{MaxValRange: values, Replicators: []string{reader}}
		if deleted {
			d.AD.DeletedReaders = []string{reader}
		}
		add := func(dn string, attributes map[string][]string) { w.must(d.Add(dn, attributes)) }
		add(reader, map[string][]string{"objectClass": {"user"}, "userPassword": {"sync"}, "userAccountControl": {"512"}})
		if crowd > 0 {
			in := "OU=crowd," + w.base
			for _, dn := range []string{w.base, in} {
				add(dn, map[string][]string{"objectClass": {"organizationalUnit"}})
			}
			for i := range crowd {
				login := fmt.Sprintf("reader%04d", i)
				dn := "CN=" + login + "," + in
				w.crowd = append(w.crowd, dn)
				add(dn, w.person(dn, login))
			}
		}
		s, err := d.Serve(context.Background(), ldapd.Options{AdminDN: "CN=Administrator,CN=Users," + suffix, AdminPassword: "secret"})
		w.must(err)
		t.Cleanup(s.Close)
		w.restart = func() error { return nil } // but for the connection
		w.hide = func(in string) error { s.Faults().HideSubtree(reader, in); return nil }
		w.show = func(string) error { s.Faults().Clear(); return nil }
		w.admin = ldapwire.Config{URLs: []string{s.URL()}, AllowPlaintext: true, BindDN: "CN=Administrator,CN=Users," + suffix, Password: func() (string, error) { return "secret", nil }}
		w.cfg = ldap.Config{URLs: []string{s.URL()}, AllowPlaintext: true, BindDN: reader, Password: password(t, "sync"), Changes: changes, IdleTimeout: span.Duration(time.Minute),
			People: ldap.People{Bases: []string{w.base}}, Groups: ldap.Groups{Bases: []string{w.groups}}, Person: ldap.Person{Key: "employeeNumber"}}
		w.open()
		// Somebody was deleted before, by whom it is proved that deletions are seen.
		w.must(w.AddPerson("CN=left,"+w.base, "left"))
		w.must(w.Delete("CN=left," + w.base))
		return w
	}
}

// A group of many comes by ranges, whatever follows it; one of 5,000, as long as they
// are there, is for make test-servers.
func TestStoryOnADomain(t *testing.T) {
	for _, engine := range []string{"dirsync", "usn"} {
		traits := followtest.Traits{Engine: engine, Deletes: true, Proves: true, Now: time.Now}
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			followtest.Run(t, storyDomain(engine, 0, 0), traits)
		})
		t.Run(engine+" of many", func(t *testing.T) {
			t.Parallel()
			followtest.RunBig(t, storyDomain(engine, 300, 70), traits)
		})
	}
}

// TestWalkOnADomain goes at random where there is no Samba.
func TestWalkOnADomain(t *testing.T) {
	for _, engine := range []string{"dirsync", "usn"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			seed, operations := followtest.Drawn(t, uint64(time.Now().UnixNano()))
			followtest.Walk(t, storyDomain(engine, 0, 0), followtest.Traits{Engine: engine, Deletes: true, Proves: true, Now: time.Now}, seed, operations)
		})
		t.Run(engine+" without the deleted", func(t *testing.T) {
			t.Parallel()
			seed, operations := followtest.Drawn(t, uint64(time.Now().UnixNano()))
			followtest.Walk(t, blindDomain(engine), followtest.Traits{Engine: engine, Now: time.Now}, seed, operations)
		})
	}
}

// TestUnlinkedOnADomain: links go without a trace. DirSync shows who was deleted also
// to those who may not look into Deleted Objects.
func TestUnlinkedOnADomain(t *testing.T) {
	for engine, proves := range map[string]bool{"dirsync": true, "usn": false} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			followtest.RunUnlinked(t, blindDomain(engine), followtest.Traits{Engine: engine, Proves: proves, Now: time.Now})
		})
	}
}
