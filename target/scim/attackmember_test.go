package scim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// moved is a target on a server whose clock moves by itself.
func (s *service) moved(t *testing.T, edit ...func(*Config)) *Target {
	t.Helper()
	cfg := s.cfg
	for _, e := range edit {
		e(&cfg)
	}
	now := clock.NewFake(noon)
	t.Cleanup(moving(now))
	w, err := newTarget(cfg, "wiki", now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() }) //nolint:errcheck // it cannot fail
	return w
}

// enter puts members into a group past the protocol.
func (s *service) enter(group string, members ...any) string {
	g, _ := s.Group(group)
	s.Change(scimd.Groups, g.Text("id"), func(r scimd.Resource) { r["members"] = members })
	return g.Text("id")
}

func object1(id target.NativeID) any { return map[string]any{"value": string(id)} }

func (s *service) in(group string) []string {
	g, _ := s.Group(group)
	return slices.Sorted(slices.Values(g.Members()))
}

// TestWholeGroups: a group that can only be written whole is not written while it
// hides members, some or all.
func TestWholeGroups(t *testing.T) {
	for _, m := range []scimd.Mode{scimd.MembersCut, scimd.MembersOmitted} {
		s := serve(t, scimd.Options{}, "Writers")
		refs := s.many(30)
		var members []any
		for _, r := range refs[:25] {
			members = append(members, object1(r.ID))
		}
		s.enter("Writers", members...)
		s.Turn(scimd.PatchUnsupported, m)
		s.Forget()
		errs := s.moved(t).Grant(t.Context(), "Writers", refs[25:])
		if len(errs) != 5 || s.Writes() != 0 || len(s.in("Writers")) != 25 {
			t.Fatalf("%s: %v, %d writes, %d members", m, errs, s.Writes(), len(s.in("Writers")))
		}
		wantClass(t, errs[0], target.Refused, "can only be written whole")
	}
	// One that shows all is; and an empty one where the configuration says that
	// members are shown.
	s := serve(t, scimd.Options{}, "Writers", "Publishers")
	refs := s.many(3)
	s.Turn(scimd.PatchUnsupported)
	wantClass(t, s.moved(t).Grant(t.Context(), "Writers", refs[:1])[0], target.Refused, "shows no members")
	w := s.moved(t, func(c *Config) { c.Dialect.Members = membersShown })
	if errs := w.Grant(t.Context(), "Writers", refs[:2]); errs != nil {
		t.Fatal(errs)
	}
	if errs := s.moved(t).Revoke(t.Context(), "Writers", refs[:1]); errs != nil || !slices.Equal(s.in("Writers"), []string{string(refs[1].ID)}) {
		t.Error(errs, s.in("Writers"))
	}
	// Members that are plain IDs are found, for both.
	s.Turn(scimd.MembersAsTexts)
	w = s.moved(t)
	if errs := w.Grant(t.Context(), "Writers", refs[1:]); errs != nil || len(s.in("Writers")) != 2 {
		t.Error(errs, s.in("Writers"))
	}
	if errs := w.Revoke(t.Context(), "Writers", refs[1:2]); errs != nil || !slices.Equal(s.in("Writers"), []string{string(refs[2].ID)}) {
		t.Error(errs, s.in("Writers"))
	}
}

// TestNestedGroups: groups in a group are put back with everybody else.
func TestNestedGroups(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers", "Editors")
	refs := s.many(4)
	inner, _ := s.Group("Editors")
	s.enter("Writers", map[string]any{"value": inner.Text("id"), "type": "Group"}, object1(refs[0].ID), object1(refs[1].ID))
	s.Turn(scimd.FilteredRemoveWipes)
	w := s.moved(t)
	errs := w.Revoke(t.Context(), "Writers", refs[:1])
	if errs != nil || w.members.stopped() == nil || !slices.Contains(s.in("Writers"), inner.Text("id")) || !slices.Contains(s.in("Writers"), string(refs[1].ID)) {
		t.Errorf("%v, members %v", errs, s.in("Writers"))
	}
	g, _ := s.Group("Writers")
	for _, m := range g["members"].([]any) {
		if o := m.(map[string]any); o["value"] == inner.Text("id") && o["type"] != "Group" {
			t.Error(m)
		}
	}
}

// TestNobodyIsPutBack: who was removed a moment ago is not put back, though the group
// shows them once more before the next change.
func TestNobodyIsPutBack(t *testing.T) {
	for _, update := range []string{auto, updatePut} {
		s := serve(t, scimd.Options{}, "Writers")
		refs := s.many(6)
		var members []any
		for _, r := range refs {
			members = append(members, object1(r.ID))
		}
		id := s.enter("Writers", members...)
		var stale atomic.Bool
		s.http.Config.Handler = before(s.Server, func(w http.ResponseWriter, r *http.Request, _ string) bool {
			if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/Groups/"+id) || !stale.Load() {
				return false
			}
			if update == auto {
				stale.Store(false) // one replica is late
			}
			var list []string
			for _, m := range members {
				list = append(list, fmt.Sprintf(`{"value":%q}`, m.(map[string]any)["value"]))
			}
			fmt.Fprintf(w, `{"id":%q,"displayName":"Writers","members":[%s]}`, id, strings.Join(list, ",")) //nolint:errcheck // a test
			return true
		})
		w := s.moved(t, func(c *Config) { c.Dialect.Update = update })
		if errs := w.Revoke(t.Context(), "Writers", refs[:1]); errs != nil {
			t.Fatal(errs)
		}
		stale.Store(true)
		errs := w.Revoke(t.Context(), "Writers", refs[1:3])
		if in := s.in("Writers"); slices.Contains(in, string(refs[0].ID)) || slices.Contains(in, string(refs[1].ID)) || len(in) != 3 {
			t.Errorf("%s: %v, members %v", update, errs, in)
		}
		if err := w.members.stopped(); err != nil {
			t.Error(err)
		}
	}
}

// TestGroupWithAnotherName: where members are not shown, too, a group that has another
// name by now is not the one that is meant.
func TestGroupWithAnotherName(t *testing.T) {
	for _, members := range []string{membersShown, membersUser, membersAsked, membersOmitted} {
		s := serve(t, scimd.Options{}, "Writers")
		refs := s.many(3)
		id := s.enter("Writers", object1(refs[0].ID))
		w := s.moved(t, func(c *Config) { c.Dialect.Members = members })
		if errs := w.Grant(t.Context(), "Writers", refs[1:2]); errs != nil {
			t.Fatal(errs)
		}
		s.Change(scimd.Groups, id, func(r scimd.Resource) { r["displayName"] = "Administrators" })
		errs := w.Grant(t.Context(), "Writers", refs[2:])
		if len(errs) != 1 || target.ClassOf(errs[0]) != target.Missing || len(s.in("Administrators")) != 2 {
			t.Errorf("%s: %v, %v", members, errs, s.in("Administrators"))
		}
		o, err := w.Look(t.Context(), target.Scope{Entitlements: []string{"Writers"}}, []target.Query{{ID: refs[0].ID}})
		if err != nil || len(o[0].Accounts) != 1 || len(o[0].Accounts[0].Entitlements) != 0 {
			t.Errorf("%s: %+v, %v", members, o, err)
		}
	}
}

// TestOneGroupTwice: two entitlements that mean one group do not change it at once.
func TestOneGroupTwice(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers")
	s.Turn(scimd.ConcurrentLoses)
	refs := s.many(5)
	id := s.enter("Writers", object1(refs[4].ID))
	// What is lost may be found missing and be given once more: so they are counted too.
	var now, most atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
		}
		s.Server.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	w := s.moved(t, func(c *Config) { c.URL = front.URL + "/scim/v2" })
	done := make(chan []error)
	for i, e := range []string{"Writers", byIDPrefix + id, "Writers", byIDPrefix + id} {
		go func() { done <- w.Grant(t.Context(), e, refs[i:i+1]) }()
	}
	for range 4 {
		if errs := <-done; errs != nil {
			t.Error(errs)
		}
	}
	if n := len(s.in("Writers")); n != 5 {
		t.Errorf("%d members", n)
	}
	if n := most.Load(); n != 1 {
		t.Errorf("%d changes of one group at once", n)
	}
}

// TestRemovalOfTheOnlyMember is no proof that others stay.
func TestRemovalOfTheOnlyMember(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers", "Publishers")
	refs := s.many(8)
	var members []any
	for _, r := range refs {
		members = append(members, object1(r.ID))
	}
	s.enter("Writers", members[0])
	s.enter("Publishers", members...)
	s.Turn(scimd.FilteredRemoveWipes)
	w := s.moved(t)
	if errs := w.Revoke(t.Context(), "Writers", refs[:1]); errs != nil {
		t.Fatal(errs)
	}
	s.Forget()
	errs := w.Revoke(t.Context(), "Publishers", refs[:3])
	removals := 0
	for _, r := range s.Requests() {
		removals += strings.Count(string(r.Body), `"op":"remove"`)
	}
	if len(errs) != 3 || removals != 1 || len(s.in("Publishers")) < 7 {
		t.Errorf("%v, %d removals, %d members", errs, removals, len(s.in("Publishers")))
	}
}

// TestMembersShownLater: a server that adds in the place of all is found out though it
// shows it a moment later, and nothing is lost.
func TestMembersShownLater(t *testing.T) {
	for _, m := range []scimd.Mode{scimd.AddReplaces, scimd.FilteredRemoveWipes} {
		s := serve(t, scimd.Options{}, "Writers")
		refs := s.many(12)
		var members []any
		for _, r := range refs[:10] {
			members = append(members, object1(r.ID))
		}
		s.enter("Writers", members...)
		s.Turn(m, scimd.ReadsLag)
		w := s.moved(t)
		var errs []error
		if m == scimd.AddReplaces {
			errs = w.Grant(t.Context(), "Writers", refs[10:])
		} else {
			errs = w.Revoke(t.Context(), "Writers", refs[:1])
		}
		in := s.in("Writers")
		for _, r := range refs[1:10] {
			if !slices.Contains(in, string(r.ID)) {
				t.Errorf("%s: %v, members %v", m, errs, in)
				break
			}
		}
	}
}
