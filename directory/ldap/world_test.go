package ldap_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	suffix = sourcetest.Suffix
	people = sourcetest.People
	groups = sourcetest.Groups
	admin  = "cn=admin," + suffix
	sync   = "cn=sync," + suffix
)

// readers decode listings in two ways, which must not differ.
var readers = map[string]ldapwire.Reader{"fast": ldapwire.Fast, "reference": ldapwire.Reference}

// world is a directory behind LDAP, written to over a connection of its own.
type world struct {
	t     testing.TB
	conn  *ldapwire.Conn
	cfg   ldap.Config // to read with
	slapd *servers.Slapd
	ldapd *ldapd.Server
	ds    *servers.Dirsrv
}

// password puts a password where only this account can read it.
func password(t testing.TB, text string) secret.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return secret.File(path)
}

// containers are those of the contract.
func (w *world) containers() {
	w.t.Helper()
	for _, dn := range []string{suffix, people, groups, sourcetest.Elsewhere} {
		if dn == suffix && w.ldapd == nil {
			continue
		}
		rdn := identity.MustDN(dn).RDN()[0]
		class := map[string]string{"ou": "organizationalUnit", "dc": "domain"}[rdn.Type]
		w.must(w.Add(dn, map[string][]string{"objectClass": {class}, rdn.Type: {rdn.Value}}))
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// redial connects again, after a restart.
func (w *world) redial() {
	w.t.Helper()
	if w.ds != nil {
		w.dial(w.ds.TLSURL(), w.ds.CACert, w.ds.AdminPassword)
		return
	}
	w.dial(w.slapd.TLSURL(), w.slapd.CACert, w.slapd.AdminPassword)
}

// both writes the authorities of two servers into one file.
func both(t testing.TB, files ...string) string {
	t.Helper()
	var all []byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	path := filepath.Join(t.TempDir(), "authorities.pem")
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// hasty is a pause for a server that does not rewrite names: nothing comes of
// waiting for that. A second is waited whole: time stamps are of seconds.
func hasty(ctx context.Context, d time.Duration) error {
	if d < time.Second {
		d /= 25
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (w *world) dial(url, ca, pw string) {
	w.t.Helper()
	who := admin
	if w.ds != nil {
		who = w.ds.AdminDN
	}
	conn, err := ldapwire.Dial(w.t.Context(), ldapwire.Config{URLs: []string{url}, CAFile: ca, BindDN: who,
		Password: func() (string, error) { return pw, nil }})
	w.must(err)
	w.conn = conn
	w.t.Cleanup(func() { conn.Close() })
}

func (w *world) config(url, ca string) {
	w.cfg = ldap.Config{URLs: []string{url}, CAFile: ca, BindDN: sync, Password: password(w.t, "sync"),
		People: ldap.People{Bases: []string{people}}, Groups: ldap.Groups{Bases: []string{groups}},
		Person: ldap.Person{Key: "employeeNumber"}}
}

func slapdWorld(t testing.TB, cfg servers.SlapdConfig) *world {
	t.Helper()
	s := servers.StartSlapd(t, cfg)
	w := &world{t: t, slapd: s}
	w.dial(s.TLSURL(), s.CACert, s.AdminPassword)
	w.containers()
	w.config(s.TLSURL(), s.CACert)
	return w
}

func ldapdWorld(t testing.TB) *world {
	t.Helper()
	s, err := ldapd.New(suffix).Serve(context.Background(), ldapd.Options{AdminDN: admin, AdminPassword: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	w := &world{t: t, ldapd: s}
	w.must(os.WriteFile(ca, s.CAPEM(), 0o600))
	w.dial(s.TLSURL(), ca, "secret")
	w.containers()
	w.must(w.Add(sync, map[string][]string{"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"sync"}, "userPassword": {"sync"}}))
	w.config(s.TLSURL(), ca)
	return w
}

func (w *world) Add(dn string, attributes map[string][]string) error {
	var values []ldapwire.Values
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		v := attributes[name]
		if name == "objectClass" && slices.Equal(v, []string{"posixGroup"}) && w.slapd != nil {
			v = append(v, "organizationalRole") // auxiliary there, RFC 2307bis
		}
		values = append(values, ldapwire.Values{Name: name, Values: v})
	}
	return w.conn.Add(w.t.Context(), dn, values)
}

func (w *world) Set(dn, attribute string, values ...string) error {
	return w.conn.Modify(w.t.Context(), dn, []ldapwire.Change{{Verb: ldapwire.ReplaceValues, Name: attribute, Values: values}})
}

func (w *world) Move(dn, to string) error {
	rdn, parent, _ := strings.Cut(to, ",")
	return w.conn.ModifyDN(w.t.Context(), dn, rdn, true, parent)
}

func (w *world) Delete(dn string) error { return w.conn.Delete(w.t.Context(), dn) }

func (w *world) Open(o sourcetest.Options) (directory.Source, error) {
	cfg := w.cfg
	cfg.Canaries = o.Canaries
	s, err := ldap.New("corp", cfg, o.Attributes)
	if err == nil {
		w.t.Cleanup(func() { s.Close() })
	}
	return s, err
}

// open makes a source from changed settings.
func (w *world) open(change func(*ldap.Config), attributes ...string) *ldap.Source {
	w.t.Helper()
	cfg := w.cfg
	if change != nil {
		change(&cfg)
	}
	s, err := ldap.New("corp", cfg, attributes)
	w.must(err)
	w.t.Cleanup(func() { s.Close() })
	return s
}

// person and group add entries.
func (w *world) person(login, container string) string {
	w.t.Helper()
	dn, attributes := sourcetest.Person(login, container)
	w.must(w.Add(dn, attributes))
	return dn
}

func (w *world) group(name string, members ...string) string {
	w.t.Helper()
	dn := "cn=" + identity.EscapeValue(name) + "," + groups
	w.must(w.Add(dn, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {name}, "member": members}))
	return dn
}

// crowd adds people writer0000 and so on, and returns their names.
func (w *world) crowd(n int, container string) []string {
	w.t.Helper()
	var dns []string
	for i := range n {
		dns = append(dns, w.person(fmt.Sprintf("writer%04d", i), container))
	}
	return dns
}

func TestContractOnSlapd(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.World { return slapdWorld(t, servers.SlapdConfig{}) })
}

func TestContractOnTheEmbeddedDirectory(t *testing.T) {
	for name, reader := range readers {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.World {
				w := ldapdWorld(t)
				w.cfg.Reader = reader
				return w
			})
		})
	}
}
