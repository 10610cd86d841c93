package ad

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/targettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	suffix     = "DC=lab,DC=example"
	inAccounts = "OU=accounts," + suffix
	inGroups   = "OU=groups," + suffix
	bindPW     = "Passw0rd.1"
)

var three = []string{"Publishers", "Readers", "Writers"}

// domain is a domain to test on, asked and changed round the kind.
type domain interface {
	add(t *testing.T, dn string, attrs map[string][]string)
	set(t *testing.T, dn, attribute string, values ...string)
	// all are the entries below OU=accounts and OU=groups.
	all(t *testing.T) []ldif.Entry
	// requests counts the requests to write.
	requests() int
	cfg(t *testing.T) Config
}

func passwordFile(t *testing.T, text string) secret.Secret {
	t.Helper()
	path := t.TempDir() + "/password"
	write(t, path, text)
	return secret.File(path)
}

func newTarget(t *testing.T, cfg Config) *Target {
	t.Helper()
	tg, err := New(cfg, "corp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tg.Close(); err != nil {
			t.Error(err)
		}
	})
	return tg
}

// entryOf is the entry of the account.
func entryOf(t *testing.T, d domain, id target.NativeID) ldif.Entry {
	t.Helper()
	for _, x := range d.all(t) {
		if v := x.Get(objectGUID); len(v) == 1 && guidText(v[0]) == string(id) {
			return x
		}
	}
	t.Fatalf("there is no entry with the ID %s", id)
	return ldif.Entry{}
}

// hidden are attributes that the domain keeps and that an account of the suite does
// not have.
var hidden = strings.Fields(`objectclass objectguid samaccountname cn name useraccountcontrol employeenumber objectcategory instancetype
	usncreated usnchanged whencreated whenchanged distinguishedname objectsid primarygroupid samaccounttype accountexpires pwdlastset
	badpwdcount lastlogon unicodepwd entryuuid entrycsn memberof badpasswordtime lastlogoff logoncount codepage countrycode admincount
	dscorepropagationdata createtimestamp modifytimestamp structuralobjectclass lastlogontimestamp`)

// truth is every account, as the domain has it.
func truth(t *testing.T, d domain) (out []target.Account) {
	t.Helper()
	held := map[string][]string{}
	all := d.all(t)
	for _, x := range all {
		for _, m := range x.Get("member") {
			held[identity.MustDN(m).Key()] = append(held[identity.MustDN(m).Key()], x.Get(samAccountName)[0])
		}
	}
	for _, x := range all {
		if !slices.Contains(x.Get("objectClass"), "user") {
			continue
		}
		a := target.Account{ID: target.NativeID(guidText(x.Get(objectGUID)[0])), Name: x.Get(samAccountName)[0], Attributes: map[string][]string{}}
		for _, v := range x.Attrs {
			switch name := strings.ToLower(v.Name); {
			case name == "employeenumber":
				a.Mark = v.Values[0]
			case name == "useraccountcontrol":
				a.Enabled = bitsOf(v.Values[0])&bitDisabled == 0
			case !slices.Contains(hidden, name):
				a.Attributes[v.Name] = v.Values
			}
		}
		a.Entitlements = slices.Sorted(slices.Values(held[identity.MustDN(x.DN).Key()]))
		out = append(out, a)
	}
	return out
}

func system(t *testing.T, d domain, cfg Config) targettest.System {
	return targettest.System{
		Target: newTarget(t, cfg),
		Read:   func(t *testing.T) []target.Account { return truth(t, d) },
		Put: func(t *testing.T, a target.Account) target.NativeID {
			t.Helper()
			dn := "CN=" + identity.EscapeValue(a.Name) + "," + inAccounts
			attrs := map[string][]string{"objectClass": {"user"}, samAccountName: {a.Name}, userAccountControl: {"512"}, unicodePwd: {quoted("Somebody-Else.1")}}
			for name, v := range a.Attributes {
				attrs[name] = v
			}
			d.add(t, dn, attrs)
			for _, x := range truth(t, d) {
				if x.Name == a.Name {
					return x.ID
				}
			}
			t.Fatalf("%q was not made", a.Name)
			return ""
		},
		Set: func(t *testing.T, id target.NativeID, v target.Value) {
			d.set(t, entryOf(t, d, id).DN, v.Name, v.Values...)
		},
		Requests: d.requests,
		Login: func(t *testing.T, account target.Ref, password string) (in, mustChange bool) {
			t.Helper()
			return login(t, d, entryOf(t, d, account.ID).DN, password)
		},
	}
}

func login(t *testing.T, d domain, dn, password string) (in, mustChange bool) {
	t.Helper()
	wire := d.cfg(t).wire()
	wire.BindDN, wire.Password = dn, func() (string, error) { return password, nil }
	conn, err := ldapwire.Dial(t.Context(), wire)
	if err == nil {
		conn.Close() //nolint:errcheck // it was only to log in
		return true, false
	}
	var e *ldapwire.Error
	if !errors.Is(err, ldapwire.ErrInvalidCredentials) || !errors.As(err, &e) {
		t.Fatalf("log in as %s: %v", dn, err)
	}
	return false, strings.Contains(e.Diagnostic, "data 773")
}

// harness is what the suite knows of the kind.
func harness(without string) targettest.Harness {
	h := targettest.Harness{
		Want: target.Description{
			Kind: "active-directory", NameAttribute: samAccountName, CanRename: true, CanDisable: true, CanDelete: true,
			Entitlements: true, ReadBack: true, Marks: true, Passwords: true, MustChange: true, PasswordFirst: without == "",
		},
		Single: [2]string{"displayName", "title"}, Multi: "otherMailbox",
		Entitlements: [3]string(three), NoEntitlement: "Nobody",
		Batches: true, Names: []string{"Zoë Äßç", "#hash", "(paren)", "日本語", "Robert') DROP", "o'brien & co", "a.b_c-d"},
		Odd: "writer #(3)'",
		Same: []targettest.Pair{
			{Attribute: "title", A: []string{"Content Writer"}, B: []string{"content writer"}},
			{Attribute: "manager", A: []string{"CN=a,OU=x"}, B: []string{"cn=A, ou=X"}},
		},
		Differ: []targettest.Pair{{Attribute: "manager", A: []string{"CN=a,OU=x"}, B: []string{"CN=a,OU=y"}}},
		Weak:   "Sh0.t",
	}
	return h
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
