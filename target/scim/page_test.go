package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/target"
)

// users are so many resources, from a number on.
func users(from, n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`{"id":"u%d","userName":"writer%d"}`, from+i, from+i))
	}
	return "[" + strings.Join(out, ",") + "]"
}

// TestLaw01ShortPages: a listing is what the server counts, or an error; nothing
// is yielded of one that is not whole.
func TestLaw01ShortPages(t *testing.T) {
	for _, c := range []struct {
		name  string
		pages map[string]string // by startIndex or cursor
		want  int               // -1: no listing
		edit  func(*Config)
	}{
		{"nobody", map[string]string{"1": `{"totalResults":0}`}, 0, nil},
		{"one page", map[string]string{"1": `{"totalResults":2,"startIndex":1,"itemsPerPage":2,"Resources":` + users(1, 2) + `}`}, 2, nil},
		{"in other cases, as texts", map[string]string{"1": `{"TotalResults":"2","resources":` + users(1, 2) + `}`}, 2, nil},
		{"a page that is smaller than it says", map[string]string{
			"1": `{"totalResults":3,"itemsPerPage":100,"Resources":` + users(1, 1) + `}`,
			"2": `{"totalResults":3,"itemsPerPage":100,"Resources":` + users(2, 2) + `}`}, 3, nil},
		{"overlapping", map[string]string{
			"1": `{"totalResults":3,"Resources":` + users(1, 2) + `}`,
			"3": `{"totalResults":3,"Resources":` + users(2, 2) + `}`}, 3, nil},
		{"past the end comes the beginning", map[string]string{
			"1": `{"totalResults":2,"Resources":` + users(1, 2) + `}`,
			"3": `{"totalResults":2,"Resources":` + users(1, 2) + `}`}, 2, nil},
		{"more after what is counted", map[string]string{
			"1": `{"totalResults":2,"Resources":` + users(1, 2) + `}`,
			"3": `{"totalResults":2,"Resources":` + users(3, 2) + `}`}, -1, nil},
		{"short", map[string]string{
			"1": `{"totalResults":3,"Resources":` + users(1, 2) + `}`,
			"3": `{"totalResults":3,"Resources":[]}`}, -1, nil},
		{"the same page again", map[string]string{
			"1": `{"totalResults":4,"Resources":` + users(1, 2) + `}`,
			"3": `{"totalResults":4,"Resources":` + users(1, 2) + `}`}, -1, nil},
		{"another page than was asked for", map[string]string{
			"1": `{"totalResults":4,"startIndex":1,"Resources":` + users(1, 2) + `}`,
			"3": `{"totalResults":4,"startIndex":1,"Resources":` + users(3, 2) + `}`}, -1, nil},
		{"more than it counts", map[string]string{"1": `{"totalResults":1,"Resources":` + users(1, 2) + `}`}, -1, nil},
		{"the number moves", map[string]string{
			"1": `{"totalResults":4,"Resources":` + users(1, 2) + `}`,
			"3": `{"totalResults":3,"Resources":` + users(3, 1) + `}`}, -1, nil},
		{"no number", map[string]string{"1": `{"Resources":` + users(1, 2) + `}`}, -1, nil},
		{"a number below none", map[string]string{"1": `{"totalResults":-1,"Resources":[]}`}, -1, nil},
		{"no ID", map[string]string{"1": `{"totalResults":1,"Resources":[{"userName":"writer1"}]}`}, -1, nil},
		{"no resource", map[string]string{"1": `{"totalResults":1,"Resources":[null]}`}, -1, nil},
		{"no list", map[string]string{"1": `{"totalResults":1,"Resources":{"id":"1"}}`}, -1, nil},
		{"an error with 200", map[string]string{"1": `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"500"}`}, -1, nil},
		{"a list alone", map[string]string{"1": users(1, 2)}, -1, nil},
		{"two documents", map[string]string{"1": `{"totalResults":0}{"totalResults":0}`}, -1, nil},
		{"cursors", map[string]string{
			"":  `{"totalResults":3,"nextCursor":"a","Resources":` + users(1, 2) + `}`,
			"a": `{"totalResults":3,"Resources":` + users(3, 1) + `}`}, 3, byCursor},
		{"cursors that end too soon", map[string]string{
			"":  `{"totalResults":4,"nextCursor":"a","Resources":` + users(1, 2) + `}`,
			"a": `{"totalResults":4,"Resources":` + users(3, 1) + `}`}, -1, byCursor},
		{"cursors without a number, an empty page among them", map[string]string{
			"":  `{"nextCursor":"a","Resources":[]}`,
			"a": `{"nextCursor":"b","Resources":` + users(1, 2) + `}`,
			"b": `{"Resources":[]}`}, 2, byCursor},
		{"a cursor that comes again", map[string]string{
			"":  `{"nextCursor":"a","Resources":` + users(1, 2) + `}`,
			"a": `{"nextCursor":"a","Resources":` + users(3, 2) + `}`}, -1, byCursor},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.edit == nil {
				c.edit = func(*Config) {}
			}
			requests := 0
			w, _ := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/Users" {
					w.WriteHeader(404)
					return
				}
				requests++
				page := r.URL.Query().Get("startIndex")
				if r.URL.Query().Has("cursor") {
					page = r.URL.Query().Get("cursor")
				}
				body, have := c.pages[page]
				if !have {
					tell(w, 400, "invalidValue", "there is no such page")
					return
				}
				fmt.Fprint(w, body)
			}), c.edit)
			yielded := 0
			done, err := w.List(t.Context(), target.Scope{}, func(target.Account) error { yielded++; return nil })
			if c.want < 0 {
				if err == nil || done.Valid() || yielded > 0 {
					t.Fatalf("%v, valid %v, %d yielded", err, done.Valid(), yielded)
				}
			} else if err != nil || !done.Valid() || yielded != c.want {
				t.Fatalf("%v, valid %v, %d yielded, want %d", err, done.Valid(), yielded, c.want)
			}
			if requests > 3*len(c.pages)+1 {
				t.Errorf("%d requests", requests)
			}
		})
	}
}

func byCursor(c *Config) { c.Dialect.Paging = pagingCursor }

// TestListingBegunAnew: somebody who comes while pages are read is no reason to
// have no listing.
func TestListingBegunAnew(t *testing.T) {
	s := serve(t, scimd.Options{PageSize: 10})
	for i := range 25 {
		s.Add(scimd.Users, scimd.Resource{"userName": fmt.Sprintf("writer%d", i)})
	}
	n := 0
	s.http.Config.Handler = before(s.Server, func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		if strings.HasSuffix(r.URL.Path, "/Users") {
			if n++; n == 2 {
				s.Add(scimd.Users, scimd.Resource{"userName": "late"})
			}
		}
		return false
	})
	l, err := target.Collect(t.Context(), s.open(t), target.Scope{})
	if err != nil || len(l.Accounts()) != 26 {
		t.Fatalf("%v, %d accounts", err, len(l.Accounts()))
	}
}

// TestTotalTimeout ends a listing that takes too long.
func TestTotalTimeout(t *testing.T) {
	w, _ := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		fmt.Fprintf(w, `{"totalResults":100000,"Resources":[{"id":"%s"}]}`, r.URL.Query().Get("startIndex"))
	}), func(c *Config) { c.TotalTimeout = span.Duration(50 * time.Millisecond) })
	w.learned = &server{}
	_, err := target.Collect(t.Context(), w, target.Scope{})
	if err == nil || !strings.Contains(err.Error(), "total_timeout") {
		t.Fatal(err)
	}
}

// FuzzListResponse: whatever comes, a page is read or refused, and what is read
// has IDs.
func FuzzListResponse(f *testing.F) {
	for _, s := range []string{
		`{"totalResults":1,"Resources":[{"id":"1","userName":"a","active":"False","emails":[{"value":"x"}]}]}`, `{"totalResults":"2"}`, `[]`, `{}`, `null`, `{"Resources":[[]]}`,
		`{"totalResults":1e9,"startIndex":0,"nextCursor":"x"}`, `{"TOTALRESULTS":1,"resources":[{"ID":5,"members":[{"value":"1"},"2",3]}]}`,
	} {
		f.Add([]byte(s))
	}
	paths := []path{}
	for _, name := range []string{"displayName", "emails", "emails.work", "name.familyName", "enterprise.manager", "addresses.home.locality", "urn:x:y:badge"} {
		p, err := parsePath(name)
		if err != nil {
			f.Fatal(err)
		}
		paths = append(paths, p)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decode(body)
		if err != nil {
			return
		}
		s := &server{attributes: map[string]definition{}}
		s.define("", "", entries(r.get("attributes")), 1)
		p, err := readPage(r)
		if err != nil {
			return
		}
		for _, r := range p.resources {
			if r.id() == "" {
				t.Fatal("a resource without an ID")
			}
			r.enabled()
			put(r)
			for _, p := range paths {
				for _, want := range [][]string{nil, {"x"}} {
					after := clone(r).(resource)
					e := edit{path: p, values: want}
					if err := s.apply(after, e, defaults); err != nil {
						continue
					}
					if got := after.values(p); !same(p.text, got, want) {
						t.Fatalf("%s is %q after it was written %q, on %v", p.text, got, want, r)
					}
					byPaths(after, []edit{e})
					withoutPaths(after, []edit{e})
				}
			}
		}
	})
}

// FuzzError: whatever a server says, what is repeated is short, one line and fit
// for a terminal.
func FuzzError(f *testing.F) {
	for _, s := range []string{`{"scimType":"uniqueness","detail":"x"}`, `{"error":{"message":"y"}}`, "<html>", "plain\x1b[31m", `{"Errors":[{"description":"z"}]}`, "\xff\xfe", `{"detail":"` + testToken + `"}`, `{"Errors":[5]}`} {
		f.Add([]byte(s), "text/plain")
	}
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		c := &client{}
		c.key.remember(testToken)
		r := c.refuse(answer{status: 400, header: http.Header{"Content-Type": {kind}}, body: body})
		text := r.Error()
		if len(text) > 2*maxWords+100 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x9b || r == 0x202e }) || strings.Contains(text, testToken) {
			t.Fatalf("%q", text)
		}
		if errors.Is(r, errNotKept) {
			t.Fatal("a refusal is no silence")
		}
	})
}
