package ad

import (
	"context"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/target/targettest"
)

// embedded is a domain in the process, which misbehaves on demand.
type embedded struct {
	dir    *ldapd.Directory
	server *ldapd.Server
	config Config
}

const admin = "CN=rosterd,CN=Users," + suffix

func embed(t *testing.T, groups ...string) *embedded {
	t.Helper()
	e := &embedded{dir: ldapd.NewAs(ldapd.ActiveDirectory, suffix)}
	for _, dn := range []string{inAccounts, inGroups, "OU=sub," + inAccounts} {
		e.add(t, dn, map[string][]string{"objectClass": {"organizationalUnit"}})
	}
	for _, g := range groups {
		e.add(t, "CN="+identity.EscapeValue(g)+","+inGroups, map[string][]string{"objectClass": {"group"}, samAccountName: {g}})
	}
	server, err := e.dir.Serve(context.Background(), ldapd.Options{AdminDN: admin, AdminPassword: bindPW})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	e.server = server
	ca := t.TempDir() + "/ca.pem"
	write(t, ca, string(server.CAPEM()))
	e.config = Config{
		URLs: []string{server.TLSURL()}, CAFile: ca, BindDN: admin, Password: passwordFile(t, bindPW),
		Base: inAccounts, Mark: "employeeNumber", Groups: Groups{Base: inGroups},
	}
	return e
}

func (e *embedded) faults() *ldapd.Faults { return e.server.Faults() }

func (e *embedded) cfg(*testing.T) Config { return e.config }

func (e *embedded) requests() int { return e.faults().Count(ldapd.AnyWrite) }

func (e *embedded) add(t *testing.T, dn string, attrs map[string][]string) {
	t.Helper()
	if err := e.dir.Add(dn, attrs); err != nil {
		t.Fatal(err)
	}
}

func (e *embedded) set(t *testing.T, dn, attribute string, values ...string) {
	t.Helper()
	if err := e.dir.Modify(dn, ldapd.Change{Op: ldapd.ReplaceValues, Attr: attribute, Values: values}); err != nil {
		t.Fatal(err)
	}
}

func (e *embedded) all(t *testing.T) (out []ldif.Entry) {
	t.Helper()
	var b strings.Builder
	if err := e.dir.Dump(&b); err != nil {
		t.Fatal(err)
	}
	all, err := ldif.All(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		if dn := identity.MustDN(x.DN); dn.Within(identity.MustDN(inAccounts)) || dn.Within(identity.MustDN(inGroups)) {
			out = append(out, x)
		}
	}
	return out
}

func TestContractEmbedded(t *testing.T) {
	for _, without := range []string{"", withRandom} {
		t.Run("without_password="+without, func(t *testing.T) {
			h := harness(without)
			h.New = func(t *testing.T) targettest.System {
				e := embed(t, three...)
				e.config.WithoutPassword = without
				return system(t, e, e.config)
			}
			targettest.Run(t, h)
		})
	}
}
