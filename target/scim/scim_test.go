package scim

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/targettest"
)

const testToken = "let-me-in-0123456789"

// service is a server in the process, which misbehaves on demand.
type service struct {
	*scimd.Server
	http *httptest.Server
	cfg  Config
}

// serve starts a server with three groups.
func serve(t testing.TB, o scimd.Options, groups ...string) *service {
	t.Helper()
	if o.Token == "" {
		o.Token = testToken
	}
	o.Base = "/scim/v2"
	s := &service{Server: scimd.New(o)}
	s.http = httptest.NewServer(s.Server)
	t.Cleanup(s.http.Close)
	for _, g := range groups {
		s.Add(scimd.Groups, scimd.Resource{"displayName": g})
	}
	s.cfg = Config{URL: s.http.URL + "/scim/v2", Token: tokenFile(t, o.Token), IdleTimeout: span.Duration(10 * time.Second)}
	return s
}

func tokenFile(t testing.TB, text string) secret.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return secret.File(path)
}

// open is a target on the server.
func (s *service) open(t testing.TB, edit ...func(*Config)) *Target {
	t.Helper()
	cfg := s.cfg
	for _, e := range edit {
		e(&cfg)
	}
	made, err := New(cfg, "wiki")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { made.Close() }) //nolint:errcheck // it cannot fail
	return made
}

// suiteAttributes are those of the suite.
var suiteAttributes = []string{"displayName", "title", emails}

// read is every account as the server has it.
func (s *service) read(*testing.T) []target.Account {
	var out []target.Account
	held := map[string][]string{}
	for _, g := range s.All(scimd.Groups) {
		for _, m := range g.Members() {
			held[m] = append(held[m], g.Text("displayName"))
		}
	}
	for _, u := range s.All(scimd.Users) {
		a := target.Account{ID: target.NativeID(u.Text("id")), Name: u.Text("userName"), Enabled: u.Text("active") != "false",
			Mark: u.Text("externalId"), Attributes: map[string][]string{}, Entitlements: slices.Sorted(slices.Values(held[u.Text("id")]))}
		for _, name := range suiteAttributes {
			if v := values(u, name); len(v) > 0 {
				a.Attributes[name] = v
			}
		}
		out = append(out, a)
	}
	return out
}

// values are those of an attribute as the server has them, past the kind.
func values(u scimd.Resource, name string) (out []string) {
	if name != emails {
		if v, _ := u[name].(string); v != "" {
			out = append(out, v)
		}
		return out
	}
	list, _ := u[emails].([]any)
	for _, e := range list {
		out = append(out, e.(map[string]any)["value"].(string))
	}
	return out
}

func put_(u scimd.Resource, v target.Value) {
	switch {
	case len(v.Values) == 0:
		delete(u, v.Name)
	case v.Name == emails:
		var list []any
		for _, x := range v.Values {
			list = append(list, map[string]any{"value": x})
		}
		u[emails] = list
	default:
		u[v.Name] = v.Values[0]
	}
}

func (s *service) system(t *testing.T, edit ...func(*Config)) targettest.System {
	return targettest.System{
		Target: s.open(t, edit...),
		Read:   s.read,
		Put: func(t *testing.T, a target.Account) target.NativeID {
			u := scimd.Resource{"userName": a.Name, "active": a.Enabled}
			for name, v := range a.Attributes {
				put_(u, target.Value{Name: name, Values: v})
			}
			return target.NativeID(s.Add(scimd.Users, u))
		},
		Set: func(t *testing.T, id target.NativeID, v target.Value) {
			if !s.Change(scimd.Users, string(id), func(u scimd.Resource) { put_(u, v) }) {
				t.Fatalf("there is no account %q", id)
			}
		},
		Requests: s.Writes,
		Login: func(_ *testing.T, account target.Ref, password string) (in, mustChange bool) {
			u, _ := s.Get(scimd.Users, string(account.ID))
			return u.Text("password") == password && u.Text("active") == "true", false
		},
	}
}

var suiteGroups = [3]string{"Writers", `Publishers "of" \news`, "Žurnál (all)"}

func harness(o scimd.Options, edit ...func(*Config)) targettest.Harness {
	return targettest.Harness{
		New: func(t *testing.T) targettest.System {
			return serve(t, o, suiteGroups[:]...).system(t, edit...)
		},
		Want: target.Description{
			Kind: "scim", NameAttribute: "userName", CanRename: true, CanDisable: true, CanDelete: true,
			Entitlements: true, ReadBack: true, Marks: true, Passwords: true,
		},
		Single: [2]string{"displayName", "title"}, Multi: emails,
		Entitlements: suiteGroups, NoEntitlement: "Nobody",
		Same:   []targettest.Pair{{Attribute: emails, A: []string{"A@corp.example"}, B: []string{"a@corp.example"}}},
		Differ: []targettest.Pair{{Attribute: "displayName", A: []string{"mcdonald"}, B: []string{"McDonald"}}},
	}
}

func TestContract(t *testing.T) {
	for _, c := range []struct {
		name string
		o    scimd.Options
		edit func(*Config)
	}{
		{"patch", scimd.Options{}, nil},
		{"etags, small pages", scimd.Options{ETags: true, PageSize: 7}, nil},
		{"cursors", scimd.Options{Paging: "cursor", PageSize: 7}, nil},
		{"no path", scimd.Options{}, func(c *Config) { c.Dialect.Update = updateNoPath }},
		{"put", scimd.Options{ETags: true}, func(c *Config) { c.Dialect.Update, c.Dialect.Members = updatePut, membersShown }},
		{"no filter, members of users", scimd.Options{}, func(c *Config) { c.Dialect.Filter, c.Dialect.Members = off, membersUser }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.edit == nil {
				c.edit = func(*Config) {}
			}
			h := harness(c.o, c.edit)
			h.Want.Passwords = c.name != "put"
			targettest.Run(t, h)
		})
	}
}
