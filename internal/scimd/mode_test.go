package scimd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// teller tells a server one story of requests and notes what comes back.
type teller struct {
	t     *testing.T
	s     *Server
	lines []string
	agent string
}

// sink keeps what a server sends, up to an end that no answer should reach.
type sink struct {
	header http.Header
	status int
	body   bytes.Buffer
}

var errFull = errors.New("nobody reads that much")

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(n int)   { s.status = n }
func (s *sink) Flush()              {}
func (s *sink) Write(b []byte) (int, error) {
	if s.body.Len() > 64<<10 {
		return 0, errFull
	}
	return s.body.Write(b)
}

func (w *teller) ask(method, path, body string) (int, Resource) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Millisecond)
	defer cancel()
	if w.s.modes[Stall] == nil {
		ctx = w.t.Context()
	}
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	r.Header.Set("User-Agent", w.agent)
	r.Header.Set("Authorization", "Bearer t")
	out := &sink{header: http.Header{}}
	broken := ""
	func() {
		defer func() {
			if v := recover(); v == http.ErrAbortHandler {
				broken = " BROKEN"
			} else if v != nil {
				panic(v)
			}
		}()
		w.s.ServeHTTP(out, r)
	}()
	var got Resource
	_ = json.Unmarshal(out.body.Bytes(), &got)
	w.note(fmt.Sprintf("%s %s %s", method, path, strings.TrimPrefix(strings.TrimSuffix(body, `]}`), `{"schemas":["`+patchOp+`"],"Operations":[`)), out, broken)
	return out.status, got
}

// note writes one line for an answer, with headers that matter.
func (w *teller) note(asked string, out *sink, broken string) {
	line := fmt.Sprintf("%s\n    %d%s", asked, out.status, broken)
	for _, name := range []string{"Location", "Retry-After", "X-Retry-After", "X-Ratelimit-Reset", "Etag"} {
		if v := out.header.Get(name); v != "" {
			line += " " + name + "=" + v
		}
	}
	if kind := out.header.Get("Content-Type"); kind != "" && kind != "application/scim+json" {
		line += " " + kind
	}
	text := strings.ReplaceAll(out.body.String(), "\n", `\n`)
	w.lines = append(w.lines, line+" "+strings.TrimSpace(text))
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// stored notes what is in the store, past the protocol.
func (w *teller) stored(kind Kind, id string) {
	r, _ := w.s.Get(kind, id)
	text, _ := json.Marshal(r)
	w.lines = append(w.lines, fmt.Sprintf("stored %s %s\n    %s", kind, id, text))
}

func (w *teller) id(name string) string {
	if u, ok := w.s.User(name); ok {
		return u.Text("id")
	}
	return "none"
}

// story is told to every server: what a client does that means well.
func (w *teller) story() {
	const user = `{"schemas":["` + CoreUser + `"],`
	w.ask("GET", "/ServiceProviderConfig", "")
	ada := user + `"userName":"Ada","externalId":"x1","title":"T","displayName":"Ada","emails":[{"value":"a@content.example","type":"work"}],"` + EnterpriseUser + `":{"department":"Text"}}`
	w.ask("POST", "/Users", ada)
	w.ask("POST", "/Users", ada)
	w.ask("POST", "/Users", user+`"userName":"bo","externalId":"x1"}`)
	w.ask("POST", "/Users", user+`"userName":"cy","active":"True"}`)
	id := w.id("ada")
	at := "/Users/" + escaped(id)
	for _, f := range []string{`userName eq "ADA"`, `userName eq "nobody"`} {
		w.ask("GET", filterURL(Users, f)+"&count=2", "")
	}
	w.ask("GET", at, "")
	w.ask("GET", strings.ToUpper(at), "")
	w.ask("GET", "/Users/nobody", "")
	w.agent = ""
	w.ask("GET", at+"?attributes=userName", "")
	w.agent = "test"
	patch := func(at string, operations ...string) {
		w.ask("PATCH", at, patchBody(strings.Join(operations, ",")))
	}
	patch(at, `{"op":"replace","path":"title","value":"N"}`)
	patch(at, `{"op":"replace","path":"nickName","value":"N"}`, `{"op":"replace","path":"displayName","value":"N"}`)
	patch(at, `{"op":"replace","value":{"displayName":"M"}}`)
	patch(at, `{"op":"replace","path":"`+EnterpriseUser+`:department","value":"N"}`)
	patch(at, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"n@content.example"}`)
	patch(at, `{"op":"replace","path":"nickName","value":"half"}`, `{"op":"replace","path":"shoe","value":"N"}`)
	patch(at, `{"op":"Replace","path":"externalId","value":"x2"}`, `{"op":"twist","path":"title"}`)
	patch(at, `{"op":"remove","path":"nickName"}`)
	w.stored(Users, id)
	for _, active := range []string{`"False"`, `true`, `false`} {
		patch(at, `{"op":"replace","path":"active","value":`+active+`}`)
		w.ask("GET", at+"?attributes=active", "")
	}
	w.ask("GET", filterURL(Users, `userName eq "ada"`)+"&attributes=active", "")
	w.ask("GET", at+"?attributes=active", "")
	patch(at, `{"op":"replace","value":{"active":true}}`)
	w.ask("PUT", at, user+`"userName":"Ada","active":false,"title":"P","`+EnterpriseUser+`":{"department":"P"}}`)
	w.stored(Users, id)
	patch(at, `{"op":"replace","path":"userName","value":"Ada2"}`)
	w.stored(Users, id)
	w.members()
	at = "/Users/" + escaped(w.id("bo"))
	w.ask("DELETE", at, "")
	if g, ok := w.s.Group("g"); ok {
		w.holders(g.Text("id"))
	}
	w.stored(Users, w.id("bo"))
	w.ask("POST", "/Users", user+`"userName":"bo"}`)
	w.pages()
}

func (w *teller) members() {
	var ids []string
	for i := range 130 {
		ids = append(ids, w.s.Add(Users, Resource{"userName": fmt.Sprintf("m%d", i), "active": true}))
	}
	value := func(ids ...string) string {
		var out []string
		for _, id := range ids {
			out = append(out, fmt.Sprintf(`{"value":%q}`, id))
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	remove := func(id string) string {
		filter, _ := json.Marshal(fmt.Sprintf("members[value eq %q]", id))
		return `{"op":"remove","path":` + string(filter) + `}`
	}
	w.ask("POST", "/Groups", `{"schemas":["`+CoreGroup+`"],"displayName":"g"}`)
	g, _ := w.s.Group("g")
	at := "/Groups/" + escaped(g.Text("id"))
	for _, operations := range []string{
		`{"op":"add","path":"members","value":` + value(ids[:3]...) + `}`,
		`{"op":"add","path":"members","value":` + value(ids[2], ids[3]) + `}`,
		remove(ids[0]),
		remove(ids[1]) + "," + remove(ids[2]),
		`{"op":"remove","path":"members","value":` + value(ids[3]) + `}`,
		`{"op":"add","path":"members","value":` + value("nobody") + `}`,
		`{"op":"add","path":"members","value":` + value(ids[:4]...) + `}`,
		`{"op":"replace","value":{"displayName":"g"}}`,
		`{"op":"replace","path":"members","value":` + value(ids[:5]...) + `}`,
		`{"op":"add","path":"members","value":` + value(ids[:120]...) + `}`,
	} {
		w.ask("PATCH", at, patchBody(operations))
		w.holders(g.Text("id"))
	}
	w.ask("GET", at, "")
	w.ask("GET", filterURL(Groups, `displayName eq "g"`)+"&excludedAttributes=members", "")
	if w.s.modes[ConcurrentLoses] != nil {
		var both sync.WaitGroup
		for _, id := range ids[125:127] {
			both.Go(func() {
				other := &teller{t: w.t, s: w.s, agent: "test"}
				other.ask("PATCH", at, patchBody(`{"op":"add","path":"members","value":`+value(id)+`}`))
			})
		}
		both.Wait()
		w.holders(g.Text("id"))
	}
	bo := w.id("bo")
	w.s.Change(Groups, g.Text("id"), func(r Resource) { r["members"] = []any{map[string]any{"value": bo}} })
}

// holders notes how many a group has, and the first of them.
func (w *teller) holders(id string) {
	r, _ := w.s.Get(Groups, id)
	m := r.Members()
	w.lines = append(w.lines, fmt.Sprintf("members %d\n    %s", len(m), cut(strings.Join(m, " "), 60)))
}

func (w *teller) pages() {
	for _, query := range []string{"startIndex=1&count=60", "startIndex=61&count=60", "startIndex=121&count=60", "startIndex=999&count=3", "startIndex=1&count=10&cursor="} {
		status, r := w.ask("GET", "/Users?attributes=userName&"+query, "")
		w.lines = w.lines[:len(w.lines)-1]
		first, last := "", ""
		list, _ := r["Resources"].([]any)
		for i, e := range list {
			if e, ok := e.(map[string]any); ok && (i == 0 || i == len(list)-1) {
				first, last = last, Resource(e).Text("userName")
			}
		}
		w.lines = append(w.lines, fmt.Sprintf("page %s\n    %d: %T of %d (%s … %s), total %#v, start %#v, per page %#v, next %v", query, status, r["Resources"], len(list), first, last,
			r["totalResults"], r["startIndex"], r["itemsPerPage"], r["nextCursor"]))
		if next := r.Text("nextCursor"); next != "" {
			_, r = w.ask("GET", "/Users?attributes=userName&count=1&cursor="+next, "")
		}
	}
}

func tell(t *testing.T, m Mode) []string {
	t.Helper()
	paging := ""
	if m == CursorCircle || m == CursorLost || m == "cursors" {
		paging = "both"
	}
	s := New(Options{PageSize: 100, Elsewhere: "http://elsewhere.example", Slow: time.Microsecond, Paging: paging, ETags: m == ETagIsHash || m == NeedsIfMatch})
	if m != "" && m != "cursors" {
		s.Turn(m)
	}
	w := &teller{t: t, s: s, agent: "test"}
	w.story()
	return w.lines
}

// TestModes tells every mode the same story and holds what is different about it
// to a golden file: the first three answers that are not those of the server
// without a mode.
func TestModes(t *testing.T) {
	plain := tell(t, "")
	var out strings.Builder
	seen := map[Mode]bool{}
	for _, d := range Modes() {
		if seen[d.Mode] || d.Does == "" || d.Source == "" {
			t.Errorf("mode %s: told twice, or not told", d.Mode)
		}
		seen[d.Mode] = true
		right := plain
		if d.Mode == CursorCircle || d.Mode == CursorLost {
			right = tell(t, "cursors")
		}
		fmt.Fprintf(&out, "== %s: %s\n", d.Mode, d.Does)
		differ := 0
		for i, line := range tell(t, d.Mode) {
			if i < len(right) && line == right[i] {
				continue
			}
			if differ++; differ <= 3 {
				asked, got, _ := strings.Cut(line, "\n")
				fmt.Fprintf(&out, "%s\n%s\n", cut(asked, 120), cut(got, 300))
			}
		}
		// What is only late is not seen in an answer.
		if differ == 0 && d.Mode != Slow {
			t.Errorf("mode %s changes nothing", d.Mode)
		}
		fmt.Fprintf(&out, "(%d answers differ)\n\n", differ)
	}
	golden := filepath.Join("testdata", "modes.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != out.String() {
		t.Errorf("%s differs; -update writes it anew:\n%s", golden, firstDifference(string(want), out.String()))
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d\n-%s\n+%s", i+1, x[i], y[i])
		}
	}
	return "one of them is longer"
}
