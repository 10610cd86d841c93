package scim

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// many puts so many accounts on the server.
func (s *service) many(n int) (refs []target.Ref) {
	for i := range n {
		name := fmt.Sprintf("writer%d", i)
		refs = append(refs, target.Ref{ID: target.NativeID(s.Add(scimd.Users, scimd.Resource{"userName": name, "active": true})), Name: name})
	}
	return refs
}

func collect(t *testing.T, w *Target, scope target.Scope) target.Listing {
	t.Helper()
	l, err := target.Collect(t.Context(), w, scope)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestThousandMembers: a thousand members are ten requests to write, and no look
// at each of them where they were listed before. The removal begins with one.
func TestThousandMembers(t *testing.T) {
	s := serve(t, scimd.Options{PageSize: 1000}, "Writers")
	refs := s.many(1000)
	w := s.open(t, func(c *Config) { c.Dialect.PageSize = 1000 })
	scope := target.Scope{Entitlements: []string{"Writers"}}
	collect(t, w, scope)
	s.Forget()
	for half := range slices.Chunk(refs, 500) { // as the engine hands them over
		if errs := w.Grant(t.Context(), "Writers", half); errs != nil {
			t.Fatal(errs)
		}
	}
	if s.Writes() != 10 || s.Count("GET", "/Users") != 0 || len(s.Requests()) > 20 {
		t.Errorf("%d writes, %d requests, %d of users", s.Writes(), len(s.Requests()), s.Count("GET", "/Users"))
	}
	g, _ := s.Group("Writers")
	if n := len(g.Members()); n != 1000 {
		t.Fatalf("%d members", n)
	}
	s.Forget()
	if errs := w.Grant(t.Context(), "Writers", refs); errs != nil || s.Writes() != 0 {
		t.Errorf("%v, %d writes of what is so already", errs, s.Writes())
	}
	s.Forget()
	if errs := w.Revoke(t.Context(), "Writers", refs[:101]); errs != nil {
		t.Fatal(errs)
	}
	if s.Writes() != 6 { // 1 and 5 of 20
		t.Errorf("%d writes for 101 removals", s.Writes())
	}
	g, _ = s.Group("Writers")
	if n := len(g.Members()); n != 899 {
		t.Fatalf("%d members", n)
	}
}

// TestRequestsOfProvisioning: a listing, an account each, a listing.
func TestRequestsOfProvisioning(t *testing.T) {
	const n = 500
	s := serve(t, scimd.Options{}, "Writers")
	w := s.open(t)
	scope := target.Scope{Attributes: []string{"name.familyName", "emails"}, Entitlements: []string{"Writers"}}
	collect(t, w, scope)
	for i := range n {
		name := fmt.Sprintf("writer%d", i)
		if _, err := w.Create(t.Context(), name, []target.Value{{Name: "name.familyName", Values: []string{name}}, {Name: "emails", Values: []string{name + "@corp.example"}}}, "rosterd:1:"+name); err != nil {
			t.Fatal(err)
		}
	}
	l := collect(t, w, scope)
	if got := len(s.Requests()); s.Writes() != n || got > n+n/10 {
		t.Errorf("%d requests, %d writes for %d accounts", got, s.Writes(), n)
	}
	for _, a := range l.Accounts() {
		if a.Mark != "rosterd:1:"+a.Name || !slices.Equal(a.Attributes["emails"], []string{a.Name + "@corp.example"}) {
			t.Fatalf("%+v", a)
		}
	}
}

// TestNotStored: what a server does not keep is told, and after three times not
// written any more, to anybody; the next day it is tried again. What it keeps is
// written all the same.
func TestNotStored(t *testing.T) {
	s := serve(t, scimd.Options{})
	s.Turn(scimd.NotStored)
	refs := s.many(10)
	now := clock.NewFake(noon)
	made, err := newTarget(s.cfg, "wiki", now)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	title := func(v string) []target.Value { return []target.Value{{Name: "title", Values: []string{v}}} }
	counts := []int{}
	for _, r := range refs {
		s.Forget()
		err := made.Update(t.Context(), r, title("Chief"))
		wantClass(t, err, target.Refused, "title")
		counts = append(counts, s.Writes())
	}
	if counts[0] == 0 || slices.Max(counts[3:]) != 0 {
		t.Errorf("writes to one after the other: %d", counts)
	}
	both := append(title("Chief"), target.Value{Name: "nickName", Values: []string{"w"}})
	wantClass(t, made.Update(t.Context(), refs[9], both), target.Refused, "does not store title", "3 times")
	if err := made.Update(t.Context(), refs[9], both[1:]); err != nil {
		t.Error(err)
	}
	now.Set(now.Now().Add(strikesFor + 1))
	s.TurnOff(scimd.NotStored)
	if err := made.Update(t.Context(), refs[9], title("Chief")); err != nil {
		t.Error(err)
	}
	if err := made.Update(t.Context(), refs[8], title("Chief")); err != nil {
		t.Error(err)
	}
}

// TestMembersWhoAreNobody: an ID that no account has is no member, and is not made
// one; a member who is nobody's account is nobody's entitlement.
func TestMembersWhoAreNobody(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers", "Others")
	s.Turn(scimd.MembersUnchecked)
	refs := s.many(3)
	g, _ := s.Group("Writers")
	other, _ := s.Group("Others")
	s.Change(scimd.Groups, g.Text("id"), func(g scimd.Resource) {
		g["members"] = []any{map[string]any{"value": "gone"}, map[string]any{"value": other.Text("id"), "type": "Group"}, map[string]any{"value": string(refs[0].ID)}}
	})
	w := s.open(t)
	scope := target.Scope{Entitlements: []string{"Writers"}}
	for _, a := range func() []target.Account { l := collect(t, w, scope); return l.Accounts() }() {
		if (a.ID == refs[0].ID) != (len(a.Entitlements) == 1) {
			t.Errorf("%+v", a)
		}
	}
	errs := w.Grant(t.Context(), "Writers", []target.Ref{refs[1], {ID: "ghost", Name: "ghost"}, refs[2]})
	if len(errs) != 3 || errs[0] != nil || errs[2] != nil {
		t.Fatal(errs)
	}
	wantClass(t, errs[1], target.Missing)
	notes, err := w.Check(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(notes); !slices.ContainsFunc(notes, func(n target.Note) bool { return !n.Broken && n.Text == `members of "Writers" who are no accounts: 1` }) {
		t.Error(text)
	}
}
