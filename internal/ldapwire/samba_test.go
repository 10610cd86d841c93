//go:build servers

package ldapwire

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/servers"
)

// kerberosConfig binds to the controller as a user with a keytab.
func kerberosConfig(t *testing.T, s *servers.Samba, user string) Config {
	t.Helper()
	path, err := s.Keytab(user)
	if err != nil {
		t.Fatal(err)
	}
	return Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, Kerberos: &Kerberos{
		Principal: user + "@" + s.Realm, ConfigFile: s.Krb5Conf, Service: "ldap/dc1." + s.Domain,
		Keytab: func() ([]byte, error) { return os.ReadFile(path) },
	}}
}

func TestSambaKerberos(t *testing.T) {
	s := servers.StartSamba(t, servers.SambaConfig{})
	cfg := kerberosConfig(t, s, "reader")
	for _, starttls := range []bool{false, true} {
		if starttls {
			cfg.URLs = []string{s.URL()}
		}
		c := dial(t, cfg)
		// The deleted password proves nothing: what tells is who the server
		// takes us for, and Samba has no who-am-I. tokenGroups is for the bound.
		if rec, err := c.Base(t.Context(), s.UserDN("reader"), "sAMAccountName", "tokenGroups"); err != nil || rec.First("sAMAccountName") != "reader" || len(rec.Values("tokenGroups")) == 0 {
			t.Errorf("%+v, %v", rec, err)
		}
		if c.Server().BindDN != "reader@"+s.Realm || c.Requests() < 1 {
			t.Errorf("%+v, %d requests", c.Server(), c.Requests())
		}
		_ = c.Close()
	}
	cfg.URLs = []string{s.TLSURL()}
	for _, tc := range []struct {
		name string
		with func(*Kerberos)
		text string
		hint string
	}{
		{"another principal", func(k *Kerberos) { k.Principal = "sync@" + s.Realm }, "no key of sync@", "upper and lower case"},
		{"no such service", func(k *Kerberos) { k.Service = "ldap/elsewhere.example" }, "S_PRINCIPAL_UNKNOWN", "the KDC knows no ldap/elsewhere.example"},
		{"an address for a name", func(k *Kerberos) { k.Service = "" }, "S_PRINCIPAL_UNKNOWN", "not an alias or an address"},
		{"no KDC", func(k *Kerberos) {
			k.ConfigFile = filepath.Join(t.TempDir(), "krb5.conf")
			_ = os.WriteFile(k.ConfigFile, []byte("includedir /etc/krb5.conf.d\n[libdefaults]\n default_realm = "+s.Realm+"\n[realms]\n "+s.Realm+" = {\n  kdc = 127.0.0.1:1\n }\n"), 0o600)
		}, "", "no KDC of the realm answers"},
		{"junk for a keytab", func(k *Kerberos) { k.Keytab = func() ([]byte, error) { return []byte("\x05\x02\xff\xff\xff"), nil } }, "", ""},
		{"no keytab", func(k *Kerberos) { k.Keytab = func() ([]byte, error) { return nil, errors.New("not there") } }, "not there", ""},
		{"a krb5.conf that is none", func(k *Kerberos) { k.ConfigFile = "/nonexistent" }, "/nonexistent", "krb5_conf"},
	} {
		bad := cfg
		k := *cfg.Kerberos
		tc.with(&k)
		bad.Kerberos = &k
		_, err := Dial(t.Context(), bad)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tc.text) || !strings.Contains(hintOf(err, "no hint"), tc.hint) || e.Op != "bind" {
			t.Errorf("%s: %v (%s)", tc.name, err, hintOf(err, "no hint"))
		}
		if IsTransient(err) != (tc.name == "no KDC") {
			t.Errorf("%s: transient %v", tc.name, IsTransient(err))
		}
	}
	// A keytab of before the password was changed.
	if err := s.Tool("user", "setpassword", "reader", "--newpassword=Another.1Word", "--configfile="+filepath.Join(s.Dir, "smb.conf")); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), cfg); err == nil || !strings.Contains(hintOf(err, ""), "make the keytab anew") {
		t.Errorf("an old keytab: %v (%s)", err, hintOf(err, ""))
	}
}

// What DirSync says of a deletion, a cleared attribute and members, and that the
// two readers agree about all of it.
func TestSambaDirSync(t *testing.T) {
	ldif := "dn: OU=Staff,DC=lab,DC=example\nobjectClass: organizationalUnit\n\n"
	for i := range 5 {
		ldif += fmt.Sprintf("dn: CN=writer%d,OU=Staff,DC=lab,DC=example\nobjectClass: user\nsAMAccountName: writer%d\ntitle: writer\n\n", i, i)
	}
	ldif += "dn: CN=all,OU=Staff,DC=lab,DC=example\nobjectClass: group\nsAMAccountName: all\nmember: CN=writer0,OU=Staff,DC=lab,DC=example\nmember: CN=writer1,OU=Staff,DC=lab,DC=example\n"
	s := servers.StartSamba(t, servers.SambaConfig{LDIF: []io.Reader{strings.NewReader(ldif)}})
	follow := func(user string, r Reader, cookie []byte) (map[string]Record, DirSyncDone) {
		t.Helper()
		c := dial(t, Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: s.UserDN(user), Password: password(servers.SambaPassword), Reader: r})
		defer c.Close()
		out := map[string]Record{}
		done, err := c.DirSync(t.Context(), Request{Base: s.BaseDN, Scope: ScopeSubtree, Filter: "(|(objectClass=user)(objectClass=group))",
			Attributes: []string{"sAMAccountName", "title", "member", "isDeleted"}, Controls: []RequestControl{ShowDeleted()}},
			DirSyncRequest{Flags: DirSyncIncrementalValues, Cookie: cookie}, func(e *Entry) error {
				out[string(e.DN)] = e.Record()
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}
		return out, done
	}
	both := func(cookie []byte) (map[string]Record, []byte) {
		t.Helper()
		a, done := follow("sync", Fast, cookie)
		b, _ := follow("sync", Reference, cookie)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("the readers differ:\n%+v\n%+v", a, b)
		}
		return a, done.Cookie
	}
	first, cookie := both(nil)
	if got := first["CN=writer0,OU=Staff,DC=lab,DC=example"]; got.First("title") != "writer" {
		t.Errorf("first: %+v", got)
	}
	if again, _ := both(cookie); len(again) != 0 {
		t.Errorf("nothing changed: %+v", again)
	}
	if err := s.Modify("dn: CN=writer4,OU=Staff,DC=lab,DC=example\nchangetype: delete\n\n" +
		"dn: CN=writer3,OU=Staff,DC=lab,DC=example\nchangetype: modify\ndelete: title\n\n" +
		"dn: CN=all,OU=Staff,DC=lab,DC=example\nchangetype: modify\nadd: member\nmember: CN=writer3,OU=Staff,DC=lab,DC=example\n-\ndelete: member\nmember: CN=writer0,OU=Staff,DC=lab,DC=example\n"); err != nil {
		t.Fatal(err)
	}
	next, _ := both(cookie)
	tombstone := func(seen map[string]Record) (yes bool) {
		for dn, rec := range seen {
			yes = yes || strings.HasPrefix(dn, "CN=writer4\\0ADEL:") && rec.First("isDeleted") == "TRUE"
		}
		return yes
	}
	if !tombstone(next) {
		t.Errorf("no tombstone: %+v", next)
	}
	// The right to follow is not that to see what was deleted, and without it
	// nothing says that something is missing.
	if blind, _ := follow("dirsync", Fast, cookie); tombstone(blind) || len(blind) != len(next)-1 {
		t.Errorf("without a right to see deleted objects: %+v", blind)
	}
	cleared := false
	for _, a := range next["CN=writer3,OU=Staff,DC=lab,DC=example"].Attributes {
		cleared = cleared || a.Name == "title" && len(a.Values) == 0 && a.Part == Whole
	}
	if !cleared {
		t.Errorf("not cleared: %+v", next["CN=writer3,OU=Staff,DC=lab,DC=example"])
	}
	parts := map[Part]string{}
	for _, a := range next["CN=all,OU=Staff,DC=lab,DC=example"].Attributes {
		if a.Name == "member" {
			parts[a.Part] += strings.Join(a.Values, ";")
		}
	}
	if parts[Gained] != "CN=writer3,OU=Staff,DC=lab,DC=example" || parts[Lost] != "CN=writer0,OU=Staff,DC=lab,DC=example" || len(parts) != 2 {
		t.Errorf("members: %+v", parts)
	}
	c := dial(t, Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: s.UserDN("dirsync"), Password: password(servers.SambaPassword)})
	for _, junk := range []string{"junk", strings.Repeat("x", 108)} {
		if _, err := c.DirSync(t.Context(), Request{Base: s.BaseDN, Scope: ScopeSubtree}, DirSyncRequest{Cookie: []byte(junk)}, func(*Entry) error { return nil }); err == nil || !c.Alive() {
			t.Errorf("junk for a cookie: %v", err)
		} else {
			t.Logf("junk for a cookie: %v", err)
		}
	}
}

// Samba honours a range that is asked for, so the parts of a long attribute can
// be read from it one by one.
func TestSambaRanges(t *testing.T) {
	ldif := "dn: OU=Staff,DC=lab,DC=example\nobjectClass: organizationalUnit\n\n"
	lines := ""
	for i := range 120 {
		ldif += fmt.Sprintf("dn: CN=writer%d,OU=Staff,DC=lab,DC=example\nobjectClass: user\nsAMAccountName: writer%d\n\n", i, i)
		lines += fmt.Sprintf("member: CN=writer%d,OU=Staff,DC=lab,DC=example\n", i)
	}
	s := servers.StartSamba(t, servers.SambaConfig{LDIF: []io.Reader{strings.NewReader(ldif + "dn: CN=all,OU=Staff,DC=lab,DC=example\nobjectClass: group\nsAMAccountName: all\n" + lines)}})
	each(t, func(t *testing.T, r Reader) {
		c := dial(t, Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: s.UserDN("reader"), Password: password(servers.SambaPassword), Reader: r})
		whole, err := c.BaseWhole(t.Context(), "CN=all,OU=Staff,DC=lab,DC=example", "member")
		if err != nil || len(whole.Values("member")) != 120 {
			t.Fatalf("%d members, %v", len(whole.Values("member")), err)
		}
		// What is asked for in parts comes in parts, and is read on.
		before := c.Requests()
		parts, err := c.BaseWhole(t.Context(), "CN=all,OU=Staff,DC=lab,DC=example", "member;range=0-49")
		if err != nil || members(parts) != members(whole) || c.Requests()-before != 3 {
			t.Errorf("in parts: %d members in %d requests, %v", len(parts.Values("member")), c.Requests()-before, err)
		}
	})
}

// A domain controller says at once that something below the root of the domain
// changed, to whoever may read it.
func TestSambaNotification(t *testing.T) {
	s := servers.StartSamba(t, servers.SambaConfig{LDIF: []io.Reader{strings.NewReader("dn: OU=Staff,DC=lab,DC=example\nobjectClass: organizationalUnit\n\n" +
		"dn: CN=writer1,OU=Staff,DC=lab,DC=example\nobjectClass: user\nsAMAccountName: writer1\n")}})
	c := dial(t, Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: s.UserDN("reader"), Password: password(servers.SambaPassword)})
	w := startWatch(t, c, Watching{Kind: WatchNotification, Base: s.BaseDN, Scope: ScopeSubtree})
	wait(t, "watching", w.watching)
	select {
	case err := <-w.ended:
		t.Fatal(err)
	case <-time.After(time.Second):
	}
	began := time.Now()
	if err := s.Modify("dn: CN=writer1,OU=Staff,DC=lab,DC=example\nchangetype: modify\nreplace: title\ntitle: editor\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.moved:
		t.Logf("told after %v", time.Since(began))
	case err := <-w.ended:
		t.Fatal(err)
	case <-time.After(30 * time.Second):
		t.Fatal("not told")
	}
}
