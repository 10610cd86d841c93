package ldapwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/servers"
)

func password(s string) func() (string, error) {
	return func() (string, error) { return s, nil }
}

// people is LDIF of n people with awkward names among them, and a group of all.
func people(n int) io.Reader {
	var b, members strings.Builder
	b.WriteString("dn: ou=people,dc=lab,dc=example\nobjectClass: organizationalUnit\nou: people\n\n")
	for i := range n {
		name := fmt.Sprintf("uid=writer%d,ou=people,dc=lab,dc=example", i)
		fmt.Fprintf(&b, "dn: %s\nobjectClass: inetOrgPerson\nuid: writer%d\ncn: Writer %d\nsn: %d\nmail: writer%d@lab.example\nmail: w%d@lab.example\n"+
			"givenName: Writer\nemployeeType: staff\nemployeeNumber: %d\ntitle: content writer\ntelephoneNumber: +49 30 %07d\nl: Berlin\n"+
			"description: keeps the pages about the sea up to date, and the harbour\n\n", name, i, i, i, i, i, i, i)
		fmt.Fprintf(&members, "member: %s\n", name)
	}
	b.WriteString("dn: cn=\\, Odd \\\"One\\\" \\ ,ou=people,dc=lab,dc=example\nobjectClass: inetOrgPerson\nsn:: w6k=\ncn;lang-de: anders\njpegPhoto:: AAEC/w==\n\n")
	b.WriteString("dn: cn=all,dc=lab,dc=example\nobjectClass: groupOfNames\ncn: all\n" + members.String() + "\n")
	return strings.NewReader(b.String())
}

func syncConfig(s *servers.Slapd) Config {
	return Config{URLs: []string{s.URL()}, CAFile: s.CACert, BindDN: "cn=sync," + s.Suffix, Password: password("sync")}
}

func dial(t testing.TB, cfg Config) *Conn {
	t.Helper()
	c, err := Dial(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestSlapdListing(t *testing.T) {
	s := servers.StartSlapd(t, servers.SlapdConfig{LDIF: []io.Reader{people(1203)}})
	var listings [][]Record
	for _, r := range readers {
		cfg := syncConfig(s)
		cfg.Reader = r.kind
		c := dial(t, cfg)
		records, done, err := c.Collect(t.Context(), Request{Base: s.Suffix, Scope: ScopeSubtree, Attributes: []string{"*", "+"}, PageSize: 100})
		if err != nil {
			t.Fatal(err)
		}
		// The suffix, ou=people, the two users, the odd one and the group.
		if len(records) != 1203+6 || done.Entries != len(records) || done.Pages != 13 || done.Bytes < 400*1203 {
			t.Errorf("%s: %d records, %+v", r.name, len(records), done)
		}
		if done.Server.AuthzID != "dn:cn=sync,dc=lab,dc=example" || !done.Server.HasControl(OIDPaging) ||
			done.Server.NamingContexts()[0] != s.Suffix || done.Server.URL != s.URL() {
			t.Errorf("%s: server %+v", r.name, done.Server)
		}
		listings = append(listings, records)
	}
	if !reflect.DeepEqual(listings[0], listings[1]) {
		t.Error("the two readers differ")
	}
	for _, r := range listings[0] {
		if !strings.HasPrefix(r.DN, "cn=\\") {
			continue
		}
		if r.First("SN") != "\u00e9" || r.First("jpegphoto") != "\x00\x01\x02\xff" || len(r.First("entryUUID")) != 36 {
			t.Errorf("odd one: %+v", r)
		}
		for _, a := range r.Attributes {
			if a.Name == "cn" && len(a.Options) == 1 && (a.Options[0] != "lang-de" || a.Values[0] != "anders") {
				t.Errorf("options: %+v", a)
			}
		}
	}
}

func TestSlapdRefuses(t *testing.T) {
	s := servers.StartSlapd(t, servers.SlapdConfig{LDIF: []io.Reader{people(700)}})
	for _, r := range readers {
		cfg := syncConfig(s)
		cfg.Reader = r.kind
		limited := cfg
		limited.BindDN, limited.Password = "cn=limited,"+s.Suffix, password("limited")
		_, done, err := dial(t, limited).Collect(t.Context(), Request{Base: s.Suffix, Scope: ScopeSubtree, PageSize: 100})
		var e *Error
		if !errors.Is(err, ErrSizeLimit) || !errors.As(err, &e) || done.Entries != 0 {
			t.Fatalf("%s: over the limit: %v, %+v", r.name, err, done)
		}
		if want := `limits dn.exact="cn=limited,dc=lab,dc=example" size=unlimited time=unlimited`; !strings.Contains(e.Hint(), want) {
			t.Errorf("hint %q lacks %q", e.Hint(), want)
		}
		c := dial(t, cfg)
		_, _, err = c.Collect(t.Context(), Request{Base: "ou=gone," + s.Suffix, Scope: ScopeSubtree})
		if !errors.Is(err, ErrNoSuchObject) || !errors.As(err, &e) || e.Matched != s.Suffix || !strings.Contains(e.Hint(), "check the base") {
			t.Errorf("wrong base: %v", err)
		}
		if _, err := c.Base(t.Context(), "cn=nobody,"+s.Suffix); !errors.Is(err, ErrNoSuchObject) {
			t.Errorf("no such entry: %v", err)
		}
		if _, _, err := c.Collect(t.Context(), Request{Base: s.Suffix, Filter: "(uid=x"}); err == nil || IsTransient(err) {
			t.Errorf("bad filter: %v", err)
		}
		// An answer of the server leaves the connection usable.
		if rec, err := c.Base(t.Context(), "uid=writer1,ou=people,"+s.Suffix, "sn"); err != nil || rec.First("sn") != "1" || len(rec.Attributes) != 1 {
			t.Errorf("after errors: %+v, %v", rec, err)
		}
	}
}

func TestSlapdTransports(t *testing.T) {
	s := servers.StartSlapd(t, servers.SlapdConfig{})
	base := syncConfig(s)
	with := func(f func(*Config)) Config {
		c := base
		f(&c)
		return c
	}
	for name, cfg := range map[string]Config{
		"StartTLS":  base,
		"ldaps":     with(func(c *Config) { c.URLs = []string{s.TLSURL()} }),
		"ldapi":     with(func(c *Config) { c.URLs = []string{s.LDAPIURL()} }),
		"plain":     with(func(c *Config) { c.CAFile, c.AllowPlaintext = "", true }),
		"fail-over": with(func(c *Config) { c.URLs = []string{"ldaps://127.0.0.1:1", "ldapi://%2Fnowhere", s.URL()} }),
	} {
		if got := dial(t, cfg).Server().AuthzID; got != "dn:cn=sync,dc=lab,dc=example" {
			t.Errorf("%s: we are %q", name, got)
		}
	}
	if got := dial(t, Config{URLs: []string{s.LDAPIURL()}, External: true}).Server().AuthzID; !strings.Contains(got, "peercred") {
		t.Errorf("EXTERNAL: we are %q", got)
	}
	if got := dial(t, Config{URLs: []string{s.URL()}, CAFile: s.CACert}).Server().AuthzID; got != "" {
		t.Errorf("anonymous: we are %q", got)
	}
	dead := "ldap://127.0.0.1:1"
	for name, tc := range map[string]struct {
		cfg       Config
		hint      string
		transient bool
	}{
		"wrong password, and no fail-over": {with(func(c *Config) { c.Password, c.URLs = password("wrong"), []string{s.URL(), dead} }), "check bind_dn and password", false},
		"empty password":                   {with(func(c *Config) { c.Password = password("") }), "check password", false},
		"password not readable":            {with(func(c *Config) { c.Password = func() (string, error) { return "", io.EOF } }), "check password", false},
		"authority not trusted":            {with(func(c *Config) { c.CAFile = "" }), "ca_file", false},
		"ca_file missing":                  {with(func(c *Config) { c.CAFile = "/nowhere" }), "check ca_file", false},
		"another name":                     {with(func(c *Config) { c.ServerName = "ldap.lab.example" }), "server_name", false},
		"no TLS there":                     {with(func(c *Config) { c.URLs = []string{strings.Replace(s.URL(), "ldap:", "ldaps:", 1)} }), "speaks TLS", true},
		"nobody there":                     {with(func(c *Config) { c.URLs = []string{dead, dead} }), "", true},
		"no socket":                        {with(func(c *Config) { c.URLs = []string{"ldapi://%2Fnowhere"} }), "nothing listens", true},
	} {
		c, err := Dial(t.Context(), tc.cfg)
		if err == nil {
			_ = c.Close()
			t.Errorf("%s: connected", name)
			continue
		}
		var h interface{ Hint() string }
		if !errors.As(err, &h) || !strings.Contains(h.Hint(), tc.hint) {
			t.Errorf("%s: %v: the hint lacks %q", name, err, tc.hint)
		}
		if IsTransient(err) != tc.transient {
			t.Errorf("%s: %v: transient %v", name, err, !tc.transient)
		}
		if strings.Contains(err.Error(), "wrong\"") {
			t.Errorf("%s: the password is in the error: %v", name, err)
		}
		if name == "wrong password, and no fail-over" && !errors.Is(err, ErrInvalidCredentials) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSlapdWrites(t *testing.T) {
	s := servers.StartSlapd(t, servers.SlapdConfig{LDIF: []io.Reader{people(3)}})
	cfg := syncConfig(s)
	cfg.BindDN, cfg.Password = s.AdminDN, password(s.AdminPassword)
	c, ctx := dial(t, cfg), t.Context()
	ou, dn := "ou=people,"+s.Suffix, "uid=new,ou=people,"+s.Suffix
	person := []Values{{"objectClass", []string{"inetOrgPerson"}}, {"uid", []string{"new"}}, {"cn", []string{"New"}}, {"sn", []string{"New"}}}
	steps := []struct {
		name string
		do   func() error
		want error
	}{
		{"add", func() error { return c.Add(ctx, dn, person) }, nil},
		{"add again", func() error { return c.Add(ctx, dn, person) }, ErrAlreadyExists},
		{"add below nothing", func() error { return c.Add(ctx, "uid=new,ou=no,"+s.Suffix, person) }, ErrNoSuchObject},
		{"add against the schema", func() error { return c.Add(ctx, "uid=bad,"+ou, person[:2]) }, ErrObjectClassViolation},
		{"add a value", func() error { return c.Modify(ctx, dn, []Change{{AddValues, "mail", []string{"a@x", "b@x"}}}) }, nil},
		{"add it again", func() error { return c.Modify(ctx, dn, []Change{{AddValues, "mail", []string{"a@x"}}}) }, ErrTypeOrValueExists},
		{"delete a value", func() error { return c.Modify(ctx, dn, []Change{{DeleteValues, "mail", []string{"a@x"}}}) }, nil},
		{"delete it again", func() error { return c.Modify(ctx, dn, []Change{{DeleteValues, "mail", []string{"a@x"}}}) }, ErrNoSuchAttribute},
		{"replace", func() error {
			return c.Modify(ctx, dn, []Change{{ReplaceValues, "sn", []string{"Newer"}}, {ReplaceValues, "title", nil}})
		}, nil},
		{"delete the naming value", func() error { return c.Modify(ctx, dn, []Change{{DeleteValues, "uid", nil}}) }, ErrNamingViolation},
		{"rename", func() error { return c.ModifyDN(ctx, dn, "uid=newer", true, "") }, nil},
		{"rename what is gone", func() error { return c.ModifyDN(ctx, dn, "uid=newer", true, "") }, ErrNoSuchObject},
		{"move", func() error { return c.ModifyDN(ctx, "uid=newer,"+ou, "uid=newer", true, s.Suffix) }, nil},
		{"delete a branch", func() error { return c.Delete(ctx, ou) }, ErrNotAllowedOnNonLeaf},
		{"delete", func() error { return c.Delete(ctx, "uid=newer,"+s.Suffix) }, nil},
		{"delete again", func() error { return c.Delete(ctx, "uid=newer,"+s.Suffix) }, ErrNoSuchObject},
	}
	for _, st := range steps {
		err := st.do()
		if st.want == nil && err != nil || st.want != nil && !errors.Is(err, st.want) {
			t.Errorf("%s: %v, want %v", st.name, err, st.want)
		}
		if IsInDoubt(err) || IsTransient(err) {
			t.Errorf("%s: %v: in doubt %v, transient %v", st.name, err, IsInDoubt(err), IsTransient(err))
		}
		if st.name == "move" {
			rec, err := c.Base(ctx, "uid=newer,"+s.Suffix, "*")
			if err != nil || rec.First("mail") != "b@x" || rec.First("sn") != "Newer" || rec.First("uid") != "newer" {
				t.Errorf("after the moves: %+v, %v", rec, err)
			}
		}
	}
	first := "uid=writer1," + ou
	if yes, err := c.Compare(ctx, first, "uid", "WRITER1"); !yes || err != nil {
		t.Errorf("compare: %v, %v", yes, err)
	}
	if yes, err := c.Compare(ctx, first, "uid", "other"); yes || err != nil {
		t.Errorf("compare: %v, %v", yes, err)
	}
	if _, err := c.Compare(ctx, first, "title", "x"); err != nil {
		t.Errorf("compare: %v", err)
	}
	if _, err := c.Compare(ctx, first, "street", "x"); !errors.Is(err, ErrNoSuchAttribute) {
		t.Errorf("compare: %v", err)
	}
	ro := dial(t, syncConfig(s))
	if err := ro.Delete(ctx, first); !errors.Is(err, ErrInsufficientAccess) {
		t.Errorf("without the right: %v", err)
	}
}

func TestSlapdStopsInMidRead(t *testing.T) {
	s := servers.StartSlapd(t, servers.SlapdConfig{LDIF: []io.Reader{people(3000)}})
	for _, r := range readers {
		cfg := syncConfig(s)
		cfg.Reader = r.kind
		c := dial(t, cfg)
		n := 0
		_, err := c.Search(t.Context(), Request{Base: s.Suffix, Scope: ScopeSubtree, Attributes: []string{"*"}, PageSize: 200}, func(*Entry) error {
			if n++; n == 700 {
				if err := s.Kill(); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		if err == nil || !IsTransient(err) || c.Alive() {
			t.Errorf("%s: killed after 700: %v, alive %v", r.name, err, c.Alive())
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		// It hangs: accepts, and says nothing.
		cfg.IdleTimeout = 200 * time.Millisecond
		c, n = dial(t, cfg), 0
		_, err = c.Search(t.Context(), Request{Base: s.Suffix, Scope: ScopeSubtree, Attributes: []string{"*"}, PageSize: 200}, func(*Entry) error {
			if n++; n == 700 {
				if err := s.Pause(); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		if !errors.Is(err, ErrIdle) || !IsTransient(err) {
			t.Errorf("%s: hanging after 700: %v", r.name, err)
		}
		if err := s.Resume(); err != nil {
			t.Fatal(err)
		}
	}
}
