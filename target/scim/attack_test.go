package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

// TestWordsThatComeTwice: of two words on one thing nobody knows which is true, so
// neither is.
func TestWordsThatComeTwice(t *testing.T) {
	for _, text := range []string{
		`{"id":"1","active":true,"active":false}`, `{"id":"1","active":true,"Active":false}`, `{"id":"1","name":{"a":1,"A":2}}`,
		`{"id":"1"}}`, `{"id":"1"} {}`, `{"id":"1",}`, `{"id":"1"`, `null`, `[]`, `"x"`, ``, `{"id":}`,
		strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
	} {
		if r, err := decode([]byte(text)); err == nil {
			t.Errorf("%s is read as %v", text, r)
		}
	}
	r, err := decode([]byte(` {"id":12345678901234567890,"a":[null,true,"x",[],{}]} `))
	if err != nil || r.id() != "12345678901234567890" || fmt.Sprint(r["a"]) != "[<nil> true x [] map[]]" {
		t.Error(r, err)
	}
	if _, err := readPage(resource{"Resources": []any{}, "nextCursor": map[string]any{}}); err == nil {
		t.Error("a cursor that is no text is the end of a listing")
	}
}

// TestErrorsWithin200: a no is a no, whatever the status says.
func TestErrorsWithin200(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers")
	refs := s.many(2)
	s.http.Config.Handler = before(s.Server, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method == http.MethodGet {
			return false
		}
		w.WriteHeader(http.StatusOK)
		fmt.Fprint(w, `{"schemas":["`+errorMessage+`"],"status":"409","scimType":"uniqueness","detail":"that is taken"}`) //nolint:errcheck // a test
		return true
	})
	w := s.open(t)
	_, err := w.Create(t.Context(), "writer0", nil, "mark")
	wantClass(t, err, target.Exists, "that is taken")
	wantClass(t, w.Delete(t.Context(), refs[0]), target.Exists, "that is taken")
	if errs := w.Grant(t.Context(), "Writers", refs); len(errs) != 2 {
		t.Error("called granted:", errs)
	}
}

// TestCreateAnsweredByAnother: an account that was there is not taken for one that
// was made, though the server says 200 and shows it.
func TestCreateAnsweredByAnother(t *testing.T) {
	s := serve(t, scimd.Options{})
	s.Add(scimd.Users, scimd.Resource{"id": "theirs", "userName": "writer0", "externalId": "of-somebody", "active": true})
	for name, answer := range map[string]string{"shown": `{"id":"theirs","userName":"writer0","externalId":"of-somebody"}`, "bare": `{}`, "named": `{"id":"theirs"}`} {
		s.http.Config.Handler = before(s.Server, func(w http.ResponseWriter, r *http.Request, _ string) bool {
			if r.Method == http.MethodPost {
				fmt.Fprint(w, answer) //nolint:errcheck // a test
			}
			return r.Method == http.MethodPost
		})
		ref, err := s.open(t).Create(t.Context(), "writer0", nil, "rosterd:1")
		if target.ClassOf(err) != target.Exists {
			t.Errorf("%s: %v, %v", name, ref, err)
		}
	}
}

// TestGoneIsNotMadeAnew: of an account that went while it was changed nothing is
// written whole: a server may make it of a PUT.
func TestGoneIsNotMadeAnew(t *testing.T) {
	s := serve(t, scimd.Options{})
	refs := s.many(2)
	var puts atomic.Int32
	s.http.Config.Handler = before(s.Server, func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		switch r.Method {
		case http.MethodPatch:
			s.Drop(scimd.Users, string(refs[0].ID))
		case http.MethodPut:
			puts.Add(1)
		}
		return false
	})
	err := s.open(t).Update(t.Context(), refs[0], []target.Value{{Name: "title", Values: []string{"Editor"}}})
	if wantClass(t, err, target.Missing); puts.Load() != 0 || s.Writes() != 1 {
		t.Errorf("%d requests to write, %d of them whole", s.Writes(), puts.Load())
	}
}

// TestLaw02ServerInTrouble: that a server fails on an ID, and finds nothing by a
// filter, is no proof that there is no such account.
func TestLaw02ServerInTrouble(t *testing.T) {
	s := serve(t, scimd.Options{})
	refs := s.many(2)
	s.http.Config.Handler = before(s.Server, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		switch {
		case strings.HasPrefix(r.URL.Path, "/scim/v2/Users/"):
			tell(w, http.StatusInternalServerError, "", "trouble")
		case strings.HasPrefix(r.URL.Query().Get("filter"), "id eq"):
			fmt.Fprint(w, `{"totalResults":0,"Resources":[]}`) //nolint:errcheck // a test
		default:
			return false
		}
		return true
	})
	o, err := s.open(t).Look(t.Context(), target.Scope{}, []target.Query{{ID: refs[0].ID}, {ID: "nobody"}})
	if err != nil || len(o[0].Accounts) != 1 || len(o[1].Accounts) != 0 {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestEndlessAnswers: neither a byte now and then, nor accounts without end, nor a
// wait of nothing keep rosterd for ever.
func TestEndlessAnswers(t *testing.T) {
	drip, _ := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 1000 {
			if _, err := w.Write([]byte(" ")); err != nil || r.Context().Err() != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	}))
	drip.http.whole = 50 * time.Millisecond
	k := call{doing: "create", method: http.MethodPost, path: "Users", body: resource{}}
	_, err := drip.http.do(t.Context(), k)
	wantClass(t, err, target.InDoubt, "does not end")

	n := 0
	ever, _ := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; !strings.HasPrefix(r.URL.Path, "/Users") {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `{"Resources":[{"id":"%d","title":"%s"}],"nextCursor":"%d"}`, n, strings.Repeat("x", 1<<10), n) //nolint:errcheck // a test
	}), byCursor)
	ever.most = 64 << 10
	if l, err := target.Collect(t.Context(), ever, target.Scope{}); err == nil || !strings.Contains(err.Error(), "longer than") || n > 80 {
		t.Errorf("%d, %v after %d pages", len(l.Accounts()), err, n)
	}

	asked := 0
	now, moved := at(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(moving(moved))
	_, err = now.http.do(t.Context(), call{doing: "read", method: http.MethodGet, path: "Users"})
	if wantClass(t, err, target.Transient); asked > 50 {
		t.Errorf("%d requests in %s", asked, maxWait)
	}
}

// TestSecretsAreNotCutOut: a token is found in an error also where the end of what is
// shown would cut it, or signs that nobody sees stand in it.
func TestSecretsAreNotCutOut(t *testing.T) {
	c := &client{}
	c.key.remember(testToken)
	half := testToken[:len(testToken)/2]
	for _, text := range []string{strings.Repeat(" ", 4*maxWords-len(half)) + testToken, strings.Repeat("x", maxWords-len(half)) + testToken, half + "\u200b" + testToken[len(half):]} {
		r := c.refuse(answer{status: 400, header: http.Header{}, body: []byte(text)})
		if strings.Contains(r.Error(), half) {
			t.Errorf("%q is shown", r)
		}
	}
}

// TestNamesOfAnotherScript: a letter that only looks like another is another.
func TestNamesOfAnotherScript(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{{"Alice", "aLICE", true}, {"JOSÉ", "josé", true}, {"mike", "mi\u212ae", false}, {"susan", "\u017fusan", false}, {"i", "\u0130", false}, {"ΩΣ", "ωσ", true}} {
		if sameName(c.a, c.b) != c.same || same(userName, []string{c.a}, []string{c.b}) != c.same {
			t.Errorf("%q and %q", c.a, c.b)
		}
	}
}

// TestCapitalOperations: a server that knows only Add, Replace and Remove is asked
// twice once, and then in its words.
func TestCapitalOperations(t *testing.T) {
	s := serve(t, scimd.Options{}, "Writers")
	s.Turn(scimd.PatchCapitalOps)
	refs := s.many(4)
	w := s.open(t)
	if err := w.Update(t.Context(), refs[0], []target.Value{{Name: "title", Values: []string{"Editor"}}}); err != nil {
		t.Fatal(err)
	}
	if n := s.Writes(); n != 2 {
		t.Errorf("%d writes", n)
	}
	s.Forget()
	if errs := w.Grant(t.Context(), "Writers", refs); errs != nil {
		t.Fatal(errs)
	}
	if errs := w.Revoke(t.Context(), "Writers", refs[:1]); errs != nil {
		t.Fatal(errs)
	}
	if err := w.Disable(t.Context(), refs[1]); err != nil || active(s, "writer1") {
		t.Fatal(err)
	}
	if n := s.Writes(); n != 3 {
		t.Errorf("%d writes", n)
	}
	for _, r := range s.Requests() {
		var p patch
		if r.Method == http.MethodPatch && (json.Unmarshal(r.Body, &p) != nil || slices.ContainsFunc(p.Operations, func(o operation) bool { return strings.ToLower(o.Op) == o.Op })) {
			t.Errorf("%s", r.Body)
		}
	}
	// A refusal that is of something else is not repeated.
	s.TurnOff(scimd.PatchCapitalOps)
	s.Turn(scimd.AttributeReadOnly)
	s.Forget()
	fresh := s.open(t)
	wantClass(t, fresh.Update(t.Context(), refs[2], []target.Value{{Name: "title", Values: []string{"Chief"}}}), target.Refused)
	if n := s.Writes(); n != 1 {
		t.Errorf("%d writes of what is refused", n)
	}
}
