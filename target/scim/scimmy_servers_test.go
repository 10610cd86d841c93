//go:build servers

package scim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/targettest"
)

// scimmy is a SCIMMY without accounts, which several tests use one after the other.
type scimmy struct {
	*servers.Scimmy
	next   int
	before int // requests of tests before
}

func (s *scimmy) store(t *testing.T) servers.ScimmyStore {
	t.Helper()
	all, err := s.Store()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (s *scimmy) empty(t *testing.T) {
	t.Helper()
	all := s.store(t)
	for kind, list := range map[string][]map[string]any{"Users": all.Users, "Groups": all.Groups} {
		for _, r := range list {
			if err := s.Drop(kind, fmt.Sprint(r["id"])); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, g := range suiteGroups {
		if err := s.Put("Groups", fmt.Sprintf("g%d", i), map[string]any{"displayName": g, "members": []any{}}); err != nil {
			t.Fatal(err)
		}
	}
	s.before = s.writes(t)
}

func (s *scimmy) writes(t *testing.T) int {
	n := 0
	for _, r := range s.store(t).Requests {
		if !strings.HasPrefix(r, "GET ") {
			n++
		}
	}
	return n
}

func (s *scimmy) read(t *testing.T) []target.Account {
	all := s.store(t)
	held := map[string][]string{}
	for _, g := range all.Groups {
		members, _ := g["members"].([]any)
		for _, m := range members {
			id := fmt.Sprint(m.(map[string]any)["value"])
			if name := fmt.Sprint(g["displayName"]); !slices.Contains(held[id], name) { // it stores doubles
				held[id] = append(held[id], name)
			}
		}
	}
	var out []target.Account
	for _, u := range all.Users {
		id := fmt.Sprint(u["id"])
		a := target.Account{ID: target.NativeID(id), Name: fmt.Sprint(u["userName"]), Enabled: u["active"] != false,
			Attributes: map[string][]string{}, Entitlements: slices.Sorted(slices.Values(held[id]))}
		a.Mark, _ = u["externalId"].(string)
		for _, name := range suiteAttributes {
			if v := values(u, name); len(v) > 0 {
				a.Attributes[name] = v
			}
		}
		out = append(out, a)
	}
	return out
}

// TestScimmyContract holds the kind against a server that others wrote.
func TestScimmyContract(t *testing.T) {
	t.Setenv("ROSTERD_TEST_SCIMMY", servers.ScimmyToken)
	s := &scimmy{Scimmy: servers.StartScimmy(t, 4)}
	h := harness(scimd.Options{})
	h.New = func(t *testing.T) targettest.System {
		s.empty(t)
		w, err := New(Config{URL: s.URL, Token: secret.Env("ROSTERD_TEST_SCIMMY")}, "wiki")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() }) //nolint:errcheck // it cannot fail
		return targettest.System{
			Target: w, Read: s.read,
			Put: func(t *testing.T, a target.Account) target.NativeID {
				s.next++
				id := fmt.Sprintf("put-%d", s.next)
				u := map[string]any{"userName": a.Name, "active": a.Enabled}
				for name, v := range a.Attributes {
					put_(u, target.Value{Name: name, Values: v})
				}
				if err := s.Scimmy.Put("Users", id, u); err != nil {
					t.Fatal(err)
				}
				return target.NativeID(id)
			},
			Set: func(t *testing.T, id target.NativeID, v target.Value) {
				for _, u := range s.store(t).Users {
					if u["id"] == string(id) {
						put_(u, v)
						if err := s.Scimmy.Put("Users", string(id), u); err != nil {
							t.Fatal(err)
						}
						return
					}
				}
				t.Fatalf("there is no account %q", id)
			},
			// No Login: what is stored there shows no password.
			Requests: func() int { return s.writes(t) - s.before },
		}
	}
	targettest.Run(t, h)
}

// TestScimmyExpress5: a server that shows its first twenty accounts on every page
// has no listing, and nothing is taken from it.
func TestScimmyExpress5(t *testing.T) {
	t.Setenv("ROSTERD_TEST_SCIMMY", servers.ScimmyToken)
	s := servers.StartScimmy(t, 5)
	for i := range 25 {
		if err := s.Put("Users", fmt.Sprintf("u%d", i), map[string]any{"userName": fmt.Sprintf("writer%d", i), "active": true}); err != nil {
			t.Fatal(err)
		}
	}
	w, err := New(Config{URL: s.URL, Token: secret.Env("ROSTERD_TEST_SCIMMY")}, "wiki")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	_, err = target.Collect(t.Context(), w, target.Scope{})
	wantClass(t, err, target.Transient, "not complete")
	// One account is found all the same.
	o, err := w.Look(t.Context(), target.Scope{}, []target.Query{{Match: []target.Match{{Attribute: userName, Value: "writer24"}}}})
	if err != nil || len(o[0].Accounts) != 1 || o[0].Accounts[0].ID != "u24" {
		t.Fatalf("%v, %+v", err, o)
	}
}
