package scim

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/target"
)

var update = flag.Bool("update", false, "write golden files anew")

// story is what a target is asked in the life of two accounts.
func story(t *testing.T, w *Target) {
	t.Helper()
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	set := []target.Value{
		{Name: "name.familyName", Values: []string{"One"}}, {Name: "name.givenName", Values: []string{"Writer"}},
		{Name: "emails", Values: []string{"writer1@corp.example", "w1@corp.example"}},
		{Name: "enterprise.department", Values: []string{"Content"}}, {Name: "title"}, {Name: "nickName", Values: []string{""}},
	}
	ref, err := w.Create(ctx, `a"b\c@x`, set, "rosterd:1:1")
	ok(err)
	boss, err := w.Create(ctx, "boss", nil, "")
	ok(err)
	ok(w.Update(ctx, ref, set)) // it is so already
	ok(w.Update(ctx, ref, []target.Value{
		{Name: "name.familyName", Values: []string{"Two"}}, {Name: "title", Values: []string{"Writer"}}, {Name: "enterprise.department"},
		{Name: "enterprise.manager", Values: []string{string(boss.ID)}}, {Name: "emails.work", Values: []string{"two@corp.example"}},
	}))
	ok(w.Update(ctx, ref, []target.Value{{Name: "emails", Values: []string{"third@corp.example"}, How: target.Merge}, {Name: "title"}}))
	_, err = w.Look(ctx, target.Scope{Entitlements: []string{"Writers"}}, []target.Query{{Match: []target.Match{{Attribute: "userName", Value: ref.Name}}}})
	ok(err)
	for _, do := range []func(*Target) []error{
		func(w *Target) []error { return w.Grant(ctx, "Writers", []target.Ref{ref, boss}) },
		func(w *Target) []error { return w.Grant(ctx, "Writers", []target.Ref{ref, boss}) },
		func(w *Target) []error { return w.Revoke(ctx, "Writers", []target.Ref{ref, boss}) },
	} {
		if errs := do(w); errs != nil {
			t.Fatal(errs)
		}
	}
	ref, err = w.Rename(ctx, ref, "writer1")
	ok(err)
	ok(w.Disable(ctx, ref))
	ok(w.Disable(ctx, ref))
	ok(w.Enable(ctx, ref))
	ok(w.Link(ctx, ref, "rosterd:2:2"))
	ok(w.Delete(ctx, ref))
	ok(w.Delete(ctx, ref))
}

// TestWire: what leaves, word for word. Each change is one request to write, and
// what is so already none.
func TestWire(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Config)
	}{
		{"patch", func(*Config) {}},
		{"no-path", func(c *Config) { c.Dialect.Update, c.Dialect.Active = updateNoPath, activeString }},
		{"put", func(c *Config) {
			c.Dialect = Profile{Update: updatePut, Members: membersShown, Paging: pagingCursor, Mark: none}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := scimd.Options{}
			if c.name == "put" {
				o.Paging = "both"
			}
			s := serve(t, o, "Writers", "Others")
			if c.name == "no-path" {
				s.http.Config.Handler = textual(s.Server)
			}
			story(t, s.open(t, c.edit))
			var got strings.Builder
			for _, r := range s.Requests() {
				query, _ := url.QueryUnescape(r.Query.Encode())
				fmt.Fprintf(&got, "%s %s%s → %d\n", r.Method, r.Path, strings.TrimSuffix("?"+query, "?"), r.Status)
				if len(r.Body) > 0 {
					var text bytes.Buffer
					if err := json.Indent(&text, r.Body, "    ", "  "); err != nil {
						t.Fatal(err)
					}
					fmt.Fprintf(&got, "    %s\n", text.String())
				}
				if a := r.Header.Get("Authorization"); a != "Bearer "+testToken || r.Header.Get("User-Agent") != "rosterd" ||
					!strings.HasPrefix(r.Header.Get("Accept"), "application/scim+json") || len(r.Body) > 0 && r.Header.Get("Content-Type") != "application/scim+json" {
					t.Errorf("%s %s with the headers %v", r.Method, r.Path, r.Header)
				}
				if bytes.Contains(r.Body, []byte("null")) || bytes.Contains(r.Body, []byte("[]")) && !strings.HasPrefix(r.Path, "/Groups") {
					t.Errorf("%s %s sends something empty: %s", r.Method, r.Path, r.Body)
				}
			}
			golden(t, "wire-"+c.name+".txt", got.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update, then read it):\n%s", name, got)
	}
}
