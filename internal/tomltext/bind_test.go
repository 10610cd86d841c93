package tomltext

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
)

type common struct {
	Kind string `toml:"kind"`
	Pool int8   `toml:"pool"`
}

type nested struct {
	A string `toml:"a"`
	B bool   `toml:"b"`
}

type other struct {
	C int `toml:"c"`
}

type options struct {
	common
	URLs     []string          `toml:"urls"`
	Wait     span.Duration     `toml:"wait"`
	Share    float64           `toml:"share"`
	Count    *int              `toml:"count"`
	Nested   nested            `toml:"nested"`
	Words    map[string]string `toml:"words"`
	Tables   map[string]nested `toml:"tables"`
	Any      any               `toml:"any"`
	Password secret.Secret     `toml:"password"`
	Skipped  string            `toml:"-"`
	Untagged string
}

type second struct {
	Nested other `toml:"nested"`
	Extra  bool  `toml:"extra"`
}

func TestBind(t *testing.T) {
	d := Parse("x.toml", []byte(`
[t]
kind = "ldap"
pool = 4
urls = ["a", "b"]
wait = "2w"
share = 5
count = 3
nested.a = "x"
nested.c = 7
any = ["x", 1]
extra = true
password = { env = "X" }
[t.words]
k = "v"
[t.tables.one]
b = true
`))
	var o options
	o.Nested.B = true // a default
	var s second
	d.Bind([]string{"t"}, &o, &s)
	d.Bind([]string{"none"}, &s)
	if p := d.Problems(); len(p) != 0 {
		t.Fatalf("unexpected problems:\n%s", p.Error())
	}
	three := 3
	want := options{
		common: common{"ldap", 4}, URLs: []string{"a", "b"}, Wait: span.Duration(14 * 24 * time.Hour),
		Share: 5, Count: &three, Nested: nested{"x", true}, Words: map[string]string{"k": "v"},
		Tables: map[string]nested{"one": {B: true}}, Any: []any{"x", int64(1)}, Password: secret.Env("X"),
	}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("got  %+v\nwant %+v", o, want)
	}
	if !reflect.DeepEqual(s, second{other{7}, true}) {
		t.Errorf("got %+v", s)
	}
	if !d.Has("t", "nested", "a") || d.Has("t", "nested", "b") || d.Has("t", "kind", "x") {
		t.Error("Has is wrong")
	}
	if got := d.Names("t", "nested"); !reflect.DeepEqual(got, []string{"a", "c"}) {
		t.Errorf("Names = %q", got)
	}
	if got := d.Where("t", "words", "k"); got != "x.toml:15" {
		t.Errorf("Where = %s", got)
	}
	if got := d.Where("t", "words", "none"); got != "x.toml:14" {
		t.Errorf("Where of a missing key = %s", got)
	}
}

// TestBindReports: each wrong value is placed, and nothing of it is taken.
func TestBindReports(t *testing.T) {
	for text, want := range map[string]string{
		`kind = 1`:                          "x.toml:2:8: t.kind: must be a text, not a whole number",
		`kind = 2020-01-01`:                 "x.toml:2:8: t.kind: must be a text, not a date or time",
		`kind = ["a"]`:                      "x.toml:2:1: t.kind: must be a text, not a list",
		`pool = "4"`:                        "x.toml:2:8: t.pool: must be a whole number, not a text",
		`pool = 4.5`:                        "x.toml:2:8: t.pool: must be a whole number, not a number with a point",
		`pool = 400`:                        "x.toml:2:8: t.pool: the number is too large",
		`wait = 5`:                          "x.toml:2:8: t.wait: must be a length of time in quotes",
		`share = []`:                        "x.toml:2:1: t.share: must be a number, not a list",
		`nested.b = "yes"`:                  "x.toml:2:12: t.nested.b: must be true or false, not a text",
		`nested = "x"`:                      "x.toml:2:10: t.nested: must be a table, not a text",
		`words = []`:                        "x.toml:2:1: t.words: must be a table, not a list",
		`urls = "a"`:                        "x.toml:2:8: t.urls: must be a list, not a text",
		`urls = 5`:                          "x.toml:2:8: t.urls: must be a list, not a whole number",
		`urls = ["a", 5]`:                   "x.toml:2:14: t.urls.1: must be a text, not a whole number",
		`share = nan`:                       "x.toml:2:9: t.share: must be a number that can be counted to",
		`share = "5%"`:                      "x.toml:2:9: t.share: must be a number, not a text",
		`wait = "1x"`:                       `x.toml:2:8: t.wait: not a length of time: "1x": unknown unit "x"`,
		`words.a = true`:                    "x.toml:2:11: t.words.a: must be a text, not true",
		`Kind = "a"`:                        "x.toml:2:1: t.Kind: unknown key (the case of letters counts)",
		`kidn = "a"`:                        "x.toml:2:1: t.kidn: unknown key",
		`skipped = "a"`:                     "x.toml:2:1: t.skipped: unknown key",
		`untagged = "a"`:                    "x.toml:2:1: t.untagged: unknown key",
		`nested.d = 1`:                      "x.toml:2:8: t.nested.d: unknown key",
		`password = "hunter2"`:              "x.toml:2:12: t.password: a secret does not stand in this file",
		`password = { files = "/hunter2" }`: `x.toml:2:1: t.password: unknown key "files" in a secret`,
		"[[t.tables.a]]\nb=true":            "x.toml:2:12: t.tables.a: must be a table, not a list of tables ([[…]])",
	} {
		d := Parse("x.toml", []byte("[t]\n"+text))
		var o options
		var s second
		d.Bind([]string{"t"}, &o, &s)
		p := d.Problems()
		if len(p) != 1 {
			t.Errorf("%s: %d problems:\n%s", text, len(p), p.Error())
			continue
		}
		if got, _, _ := strings.Cut(p[0].String(), "\n"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
		if p[0].Hint == "" {
			t.Errorf("%s: no hint", text)
		}
		if strings.Contains(p.Error(), "hunter2") {
			t.Errorf("%s: the password is shown:\n%s", text, p.Error())
		}
	}
}

func TestBindTopIsNoTable(t *testing.T) {
	d := Parse("x.toml", []byte("t = 1"))
	d.Bind([]string{"t"}, &options{})
	if got := d.Problems().Error(); !strings.Contains(got, "x.toml:1:5: t: must be a table, not a whole number") {
		t.Error(got)
	}
}

type inner struct{}

func (*inner) UnmarshalTOML(any) error { return &innerError{} }

type innerError struct{}

func (*innerError) Error() string  { return "bad mode" }
func (*innerError) Path() []string { return []string{"mode"} }

// TestErrorNamesKeyBelow: a type that reads a table can say which key is wrong.
func TestErrorNamesKeyBelow(t *testing.T) {
	d := Parse("x.toml", []byte("[t]\na = { from = 1,\n mode = 2 }"))
	var to struct {
		A inner `toml:"a"`
	}
	d.Bind([]string{"t"}, &to)
	if got := d.Problems().Error(); !strings.Contains(got, "x.toml:3:9: t.a.mode: bad mode") {
		t.Error(got)
	}
}

// TestNoConsequences: what could not be read is not also said to be missing.
func TestNoConsequences(t *testing.T) {
	d := Parse("x.toml", []byte("[t]\npol = 4\nkind = 5\nnested = 3\n"))
	d.Bind([]string{"t"}, &options{})
	for _, path := range []string{"pool", "kind", "nested", "nested.a"} {
		d.Report(problem.Problem{Path: append([]string{"t"}, strings.Split(path, ".")...), Offset: -1, Message: "missing"})
	}
	if p := d.Problems(); len(p) != 3 || strings.Contains(p.Error(), "missing") {
		t.Error(p.Error())
	}
	d.Report(problem.Problem{Path: []string{"t", "urls"}, Offset: -1, Message: "missing"})
	if p := d.Problems(); len(p) != 4 || p[0].Line != 1 || p[0].Column != 2 {
		t.Errorf("a missing key stands at its table:\n%s", p.Error())
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"base", "bind_dn", "ca_file", "groups", "max_remove", "object_classes", "password", "people", "urls"}
	for word, want := range map[string]string{
		"bse": "base", "urs": "urls", "url": "urls", "BASE": "base", "bindDN": "bind_dn", "bind-dn": "bind_dn", "cafile": "ca_file",
		"grouops": "groups", "gruops": "groups", "max_remvoe": "max_remove", "objectclasses": "object_classes", "base_dn": "base",
		"bind": "bind_dn", "color": "", "x": "", "": "",
	} {
		if got := Suggest(word, known); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

var _ error = Problems{}
