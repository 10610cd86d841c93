package scim

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestMadeClosed: an account is open after it was made, also where the server makes
// closed ones.
func TestMadeClosed(t *testing.T) {
	s := serve(t, scimd.Options{})
	s.Turn(scimd.CreatedInactive)
	if _, err := s.open(t).Create(t.Context(), "writer1", nil, ""); err != nil {
		t.Fatal(err)
	}
	if u, _ := s.User("writer1"); u["active"] != true {
		t.Error(u)
	}
	s.Turn(scimd.EnableNeedsNewUser)
	if _, err := s.open(t).Create(t.Context(), "writer2", nil, ""); target.ClassOf(err) != target.InDoubt {
		t.Errorf("it stays closed: %v", err)
	}
}

// TestDeleteWithIfMatch: a server that takes no change without a version deletes.
func TestDeleteWithIfMatch(t *testing.T) {
	s := serve(t, scimd.Options{ETags: true})
	s.Turn(scimd.NeedsIfMatch)
	id := s.Add(scimd.Users, scimd.Resource{"userName": "writer1"})
	if err := s.open(t).Delete(t.Context(), target.Ref{ID: target.NativeID(id), Name: "writer1"}); err != nil {
		t.Fatal(err)
	}
	if s.All(scimd.Users) != nil {
		t.Error("it is there still")
	}
}

// TestAsManyAsThePage: who counts only the page has not listed all, and says so.
func TestLaw1AsManyAsThePage(t *testing.T) {
	s := serve(t, scimd.Options{PageSize: 5})
	for range 12 {
		s.Add(scimd.Users, scimd.Resource{"userName": string(rune('a' + len(s.All(scimd.Users))))})
	}
	w := s.open(t)
	if l, err := target.Collect(t.Context(), w, target.Scope{}); err != nil || len(l.Accounts()) != 12 {
		t.Fatal(err)
	}
	s.Turn(scimd.TotalOfPage)
	if l, err := target.Collect(t.Context(), w, target.Scope{}); err == nil {
		t.Errorf("%d accounts are called all", len(l.Accounts()))
	}
	s.TurnOff(scimd.TotalOfPage)
	s.Turn(scimd.PastEndFirst)
	if _, err := target.Collect(t.Context(), w, target.Scope{}); err != nil {
		t.Error(err)
	}
}

// TestMembersAsked: where a group shows no members, whether one is in it is asked for
// each; granted and revoked is what differs, and only what is answered counts.
func TestMembersAsked(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers", "Publishers")
	s.Turn(scimd.MembersOmitted)
	refs := s.many(4)
	s.enter("Writers", object1(refs[0].ID), object1(refs[3].ID))
	w := s.open(t, func(c *Config) { c.Dialect.Members = membersAsked })
	scope := target.Scope{Entitlements: []string{"Writers", "Publishers"}}
	for i, a := range func() []target.Account { l := collect(t, w, scope); return l.Accounts() }() {
		if has := len(a.Entitlements) == 1; has != (i == 0 || i == 3) {
			t.Errorf("%+v", a)
		}
	}
	s.Forget()
	if errs := w.Grant(t.Context(), "Writers", refs[:2]); errs != nil || s.Writes() != 1 {
		t.Fatal(errs, s.Writes())
	}
	if errs := w.Revoke(t.Context(), "Writers", refs[:3]); errs != nil || !slices.Equal(s.in("Writers"), []string{string(refs[3].ID)}) {
		t.Fatal(errs, s.in("Writers"))
	}
	s.Forget()
	if errs := w.Revoke(t.Context(), "Writers", refs[:3]); errs != nil || s.Writes() != 0 {
		t.Errorf("%v, %d writes of what is so already", errs, s.Writes())
	}
	// A server that does not heed the filter says nothing of anybody.
	s.Turn(scimd.FilterIgnored)
	if errs := w.Grant(t.Context(), "Writers", refs[1:2]); len(errs) != 1 || target.ClassOf(errs[0]) != target.Refused || len(s.in("Writers")) != 1 {
		t.Error(errs, s.in("Writers"))
	}
	if _, err := target.Collect(t.Context(), w, scope); err == nil {
		t.Error("everybody is in the group that the server answers with")
	}
}

// TestMembersByUser: an account says in which groups it is.
func TestMembersByUser(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers")
	s.Turn(scimd.MembersOmitted)
	refs := s.many(3)
	s.enter("Writers", object1(refs[0].ID))
	w := s.open(t, func(c *Config) { c.Dialect.Members = membersUser })
	if l := collect(t, w, target.Scope{Entitlements: []string{"Writers"}}); len(l.Accounts()[0].Entitlements) != 1 || len(l.Accounts()[1].Entitlements) != 0 {
		t.Errorf("%+v", l.Accounts())
	}
	s.Forget()
	if errs := w.Grant(t.Context(), "Writers", refs[:2]); errs != nil || s.Writes() != 1 {
		t.Fatal(errs, s.Writes())
	}
	if errs := w.Revoke(t.Context(), "Writers", refs[1:]); errs != nil || !slices.Equal(s.in("Writers"), []string{string(refs[0].ID)}) {
		t.Error(errs, s.in("Writers"))
	}
}

// TestRemoveByValue: members are named in a list where the server wants that; one that
// takes it for the removal of all is found out by the first.
func TestRemoveByValue(t *testing.T) {
	for _, m := range []scimd.Mode{scimd.FilteredRemoveNothing, scimd.FilteredRemoveRefused, ""} {
		s := serve(t, scimd.Options{}, "Writers")
		if m != "" {
			s.Turn(m)
		}
		refs := s.many(5)
		var all []any
		for _, r := range refs {
			all = append(all, object1(r.ID))
		}
		s.enter("Writers", all...)
		w := s.open(t, func(c *Config) { c.Dialect.MemberRemove = removeValue })
		errs := w.Revoke(t.Context(), "Writers", refs[:3])
		if m == "" { // the RFC knows no such form: all are removed
			if in := s.in("Writers"); len(errs) != 3 || w.members.stopped() == nil || len(in) != 4 || s.Writes() != 2 {
				t.Errorf("%v, %v, %d writes", errs, in, s.Writes())
			}
			continue
		}
		if errs != nil || s.Writes() != 2 || !slices.Equal(s.in("Writers"), []string{string(refs[3].ID), string(refs[4].ID)}) {
			t.Errorf("%s: %v, %v, %d writes", m, errs, s.in("Writers"), s.Writes())
		}
		for _, r := range s.Requests() {
			if r.Write() && strings.Contains(string(r.Body), "[value eq") {
				t.Errorf("%s", r.Body)
			}
		}
	}
}

// TestManagerAsText: the manager is a text in this dialect, on every road, and is read
// whichever way it is written.
func TestManagerAsText(t *testing.T) {
	var bodies []string
	shown := `"m-1"`
	w, _ := at(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/Users/"):
		case r.Method == http.MethodGet:
			http.NotFound(rw, r)
			return
		default:
			b, _ := io.ReadAll(r.Body)
			bodies = append(bodies, string(b))
			shown = `"m-2"`
			if r.Method == http.MethodPost {
				rw.WriteHeader(http.StatusCreated)
			}
		}
		fmt.Fprintf(rw, `{"id":"u-1","userName":"writer1","%s":{"manager":%s}}`, enterpriseUser, shown) //nolint:errcheck // a test
	}), func(c *Config) { c.Dialect.Manager = managerString })
	set := []target.Value{{Name: "enterprise.manager", Values: []string{"m-2"}}}
	ref, err := w.Create(t.Context(), "writer1", set, "")
	if err != nil {
		t.Fatal(err)
	}
	shown = `"m-1"`
	if err := w.Update(t.Context(), ref, set); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`"manager":"m-2"`, `{"op":"replace","path":"` + enterpriseUser + `:manager","value":"m-2"}`} {
		if i >= len(bodies) || !strings.Contains(bodies[i], want) {
			t.Fatalf("%q lacks %s", bodies, want)
		}
	}
	for _, shown = range []string{`"m-2"`, `{"value":"m-2","displayName":"Two"}`} {
		if err := w.Update(t.Context(), ref, set); err != nil || len(bodies) != 2 {
			t.Errorf("%s is written anew: %v, %q", shown, err, bodies)
		}
	}
}

// TestActiveInEveryDialect: closed is what says so in one of the forms that servers
// have; all else is open, so that nobody is called closed who may not be.
func TestActiveInEveryDialect(t *testing.T) {
	for text, open := range map[string]bool{
		`true`: true, `"True"`: true, `"true"`: true, `1`: true, `null`: true, `""`: true, `"no"`: true, `[]`: true, `{}`: true, `"falsehood"`: true,
		`false`: false, `"False"`: false, `"false"`: false, `" FALSE "`: false, `0`: false,
	} {
		r, err := decode([]byte(`{"id":"1","active":` + text + `}`))
		if err != nil || r.enabled() != open {
			t.Errorf("%s: open %v, %v", text, r.enabled(), err)
		}
	}
	if !(resource{"id": "1"}).enabled() {
		t.Error("one without active is closed")
	}
	s := serve(t, scimd.Options{})
	s.Turn(scimd.ActiveAsText)
	tg := s.open(t)
	ref, err := tg.Create(t.Context(), "writer1", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, open := range []bool{false, true} {
		set := tg.Disable
		if open {
			set = tg.Enable
		}
		if err := set(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		o, err := tg.Look(t.Context(), target.Scope{}, []target.Query{{ID: ref.ID}})
		if u, _ := s.User("writer1"); err != nil || len(o[0].Accounts) != 1 || o[0].Accounts[0].Enabled != open || u["active"] != open {
			t.Errorf("open %v: %+v, %v, %v", open, o, u, err)
		}
	}
}
