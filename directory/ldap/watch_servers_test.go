//go:build servers

package ldap_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/servers"
)

// A domain controller of Samba tells whoever may read, and see deleted objects.
func TestSambaWatch(t *testing.T) {
	f, _ := samba(t, "deleted")
	domainTells(t, f)
}

// 389 Directory Server does so by a persistent search.
func TestDirsrvWatch(t *testing.T) {
	const base = "dc=lab,dc=example"
	s := servers.StartDirsrv(t, servers.DirsrvConfig{LDIF: []io.Reader{strings.NewReader("dn: ou=people," + base + "\nobjectClass: organizationalUnit\nou: people\n\n" +
		"dn: uid=writer1,ou=people," + base + "\nobjectClass: inetOrgPerson\nuid: writer1\ncn: writer1\nsn: writer1\n")}})
	cfg := ldap.Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: "cn=sync," + base, Password: password(t, "sync"),
		People: ldap.People{Bases: []string{"ou=people," + base}}, Push: true}
	source, err := ldap.New("corp", cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	watch := startWatch(t, source)
	if how := await(t, "the watch", watch.how); !strings.HasPrefix(how, "persistent search at ldaps://") {
		t.Errorf("by %s", how)
	}
	must := func(change string) func() {
		return func() {
			if err := s.Modify(change); err != nil {
				t.Fatal(err)
			}
		}
	}
	time.Sleep(time.Second) // that it has begun it does not say
	told(t, watch, "a change", must("dn: uid=writer1,ou=people,"+base+"\nchangetype: modify\nreplace: title\ntitle: editor\n"))
	told(t, watch, "a joiner", must("dn: uid=writer2,ou=people,"+base+"\nchangetype: add\nobjectClass: inetOrgPerson\nuid: writer2\ncn: writer2\nsn: writer2\n"))
	told(t, watch, "a deletion", must("dn: uid=writer2,ou=people,"+base+"\nchangetype: delete\n"))
}
