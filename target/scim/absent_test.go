package scim

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestLaw02NotFoundByAProxy: where nothing at all is found, nobody is absent and
// nobody is deleted.
func TestLaw02NotFoundByAProxy(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers")
	refs := s.many(2)
	var away atomic.Bool
	s.http.Config.Handler = before(s.Server, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if away.Load() {
			http.Error(w, "404 page not found", http.StatusNotFound)
		}
		return away.Load()
	})
	w := s.open(t)
	scope := target.Scope{Entitlements: []string{"Writers"}}
	look := func(q ...target.Query) ([]target.Observation, error) { return w.Look(t.Context(), scope, q) }
	o, err := look(target.Query{ID: refs[0].ID}, target.Query{ID: "nobody"})
	if err != nil || len(o[0].Accounts) != 1 || len(o[1].Accounts) != 0 {
		t.Fatalf("%v, %+v", err, o)
	}
	away.Store(true)
	if o, err := look(target.Query{ID: refs[0].ID}); err == nil {
		t.Errorf("looked at: %+v", o)
	}
	if o, err := look(target.Query{Match: []target.Match{{Attribute: userName, Value: "writer0"}}}); err == nil {
		t.Errorf("found: %+v", o)
	}
	if err := w.Delete(t.Context(), refs[0]); err == nil {
		t.Error("called deleted")
	}
	if l, err := target.Collect(t.Context(), w, scope); err == nil {
		t.Errorf("listed %d", len(l.Accounts()))
	}
	away.Store(false)
	if err := w.Delete(t.Context(), target.Ref{ID: "nobody"}); err != nil {
		t.Error(err)
	}
	for _, id := range []target.NativeID{"", ".", ".."} {
		if err := w.Delete(t.Context(), target.Ref{ID: id, Name: "writer0"}); err == nil {
			t.Errorf("%q was deleted", id)
		}
	}
	if n := len(s.All(scimd.Users)); n != 2 || strings.Contains(strings.Join(paths(s), " "), "DELETE /Users ") {
		t.Errorf("%d accounts, after %q", n, paths(s))
	}
}

func paths(s *service) (out []string) {
	for _, r := range s.Requests() {
		out = append(out, r.Method+" "+r.Path+" ")
	}
	return out
}

// TestFirstRemoval: of the first removal in a process one member is asked, and the
// group is read before there are more.
func TestFirstRemoval(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers")
	refs := s.many(10)
	w := s.open(t)
	if errs := w.Grant(t.Context(), "Writers", refs); errs != nil {
		t.Fatal(errs)
	}
	s.Turn(scimd.FilteredRemoveWipes)
	s.Forget()
	errs := w.Revoke(t.Context(), "Writers", refs[:5])
	if len(errs) != 5 {
		t.Fatal(errs)
	}
	wantClass(t, errs[4], target.Denied, "took away 9 others, who were put back")
	var removals, additions int
	for _, r := range s.Requests() {
		if r.Method == http.MethodPatch {
			removals += strings.Count(string(r.Body), `"op":"remove"`)
			additions += strings.Count(string(r.Body), `"op":"add"`)
		}
	}
	if removals != 1 || additions != 1 {
		t.Errorf("%d removals, %d additions", removals, additions)
	}
	g, _ := s.Group("Writers")
	if n := len(g.Members()); n != 9 && n != 10 {
		t.Errorf("%d members", n)
	}
	// It stays so until the process is another one.
	s.Forget()
	s.TurnOff(scimd.FilteredRemoveWipes)
	errs = w.Revoke(t.Context(), "Writers", refs[:5])
	wantClass(t, errs[0], target.Denied, "took away")
	if s.Writes() != 0 {
		t.Errorf("%d writes to a server that does other things", s.Writes())
	}
	if errs := s.open(t).Revoke(t.Context(), "Writers", refs[:5]); errs != nil {
		t.Error(errs)
	}
}
