//go:build servers

package ldap_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/servers"
)

// What a domain controller shows of accounts: whoever was just made is open,
// without an end; an end is a moment; a lock-out is none.
func TestSambaAccountState(t *testing.T) {
	f, _ := samba(t, "reader")
	plain, ends, never, off := f.person("Plain", adPeople), f.person("Ends", adPeople), f.person("Never", adPeople), f.person("Off", adPeople)
	f.set(ends, "accountExpires", "134116128000000000")
	f.set(never, "accountExpires", "9223372036854775807")
	f.set(off, "userAccountControl", "546")
	stage, _ := sourcetest.Read(t, f.open(nil, "accountExpires", "userAccountControl"))
	want := map[string]identity.Validity{plain: {}, never: {},
		ends: {Until: identity.Bound{At: time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), By: "accountExpires"}}, off: {ClosedBy: "userAccountControl"}}
	for dn, w := range want {
		e := stage.Get(t, dn)
		if v := e.Validity; v.ClosedBy != w.ClosedBy || v.Until != w.Until || v.From != w.From || len(v.Unread) != 0 {
			t.Errorf("%s: %+v", dn, v)
		}
		// That it is always shown is what makes a missing one tell something.
		for _, name := range []string{"accountExpires", "userAccountControl"} {
			if _, p := e.Attributes.Get(name); p != identity.Present {
				t.Errorf("%s shows no %s", dn, name)
			}
		}
	}
}

// 389 Directory Server shows its lock only to who asks for it by name.
func TestDirsrvAccountState(t *testing.T) {
	const base = "dc=lab,dc=example"
	s := servers.StartDirsrv(t, servers.DirsrvConfig{LDIF: []io.Reader{strings.NewReader("dn: ou=people," + base + "\nobjectClass: organizationalUnit\nou: people\n")}})
	for _, name := range []string{"plain", "locked", "unlocked", "shadow"} {
		if err := s.Modify("dn: uid=" + name + ",ou=people," + base + "\nobjectClass: inetOrgPerson\nobjectClass: shadowAccount\nuid: " + name + "\ncn: " + name + "\nsn: " + name + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]string{"locked": "nsAccountLock: true", "unlocked": "nsAccountLock: false", "shadow": "shadowExpire: 20819"} {
		attribute, _, _ := strings.Cut(change, ":")
		if err := s.Modify("dn: uid=" + name + ",ou=people," + base + "\nchangetype: modify\nreplace: " + attribute + "\n" + change + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	source, err := ldap.New("corp", ldap.Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: "cn=sync," + base, Password: password(t, "sync"),
		People: ldap.People{Bases: []string{"ou=people," + base}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stage, _ := sourcetest.Read(t, source)
	for _, e := range stage.Entries() {
		v := e.Validity
		closed, until := v.ClosedBy == "nsAccountLock", v.Until.By == "shadowExpire" && v.Until.At.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
		if closed != (e.Login == "locked") || until != (e.Login == "shadow") || len(v.Unread) != 0 {
			t.Errorf("%s: %+v", e.Login, v)
		}
	}
	if n := len(stage.Entries()); n != 4 {
		t.Errorf("%d people", n)
	}
}
