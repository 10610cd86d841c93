package tomltext

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// corpus holds what TOML allows in odd places.
var corpus = []string{
	"",
	"a = 1",
	"a.b.c = 1\na.b.d = 2\n[x.y]\nz = 1\n[x]\nw = 2 # comment\n",
	`"a.b" = 1` + "\n" + `'c d'."e\"f" = "x"`,
	"[ a . \"b\" ]\n c  =  'd' \n",
	"a = [1, [2, 3], # no\n {b = 4, c.d = [5]}, ]\n",
	"t = {a = 1, b = { c = \"}\" } }",
	"t = {\n a = 1, # one\n b = 2,\n}\n",
	"[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 3\n[[a.e]]\nf=4\n[[a.e]]\nf=5\n",
	"a = \"\"\"\nline\\\n   next \"quoted\"\"\"\"\"\nb = '''\r\nx'y\r\n'''\n",
	"a = \"\\u00e9\\U0001F600\\t\\\\ \\e \\x41\"\nb = 'c:\\d'\n",
	"d = 1979-05-27 07:32:00 # date\ne = 07:32:00\nf = -1.5e3\ng = inf\n",
	"[[x.y]]\na=1\n[x.z]\nb=2\n",
	"\r\n[a]\r\nb = 1\r\n",
	"'' = 1\n[\"\"]\na = 2\n[\"\".\"\"]\nb = 3",
	"3.14 = 'pi'\ntrue = false\n- = 1\n",
}

// FuzzScan holds the places to the real parser: every key of a text that is
// TOML has one, and the text that stands there means the value.
func FuzzScan(f *testing.F) {
	for _, text := range corpus {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := decode(text)
		if err != nil || strings.HasPrefix(text, "\ufeff") || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
			return
		}
		places, err := scan(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		left := len(places)
		walk(t, text, places, nil, tree, &left)
		if left != 0 {
			t.Fatalf("%q: %d places more than keys: %v", text, left, places)
		}
	})
}

// walk compares a value and all below it with the places.
func walk(t *testing.T, text string, places map[string]place, path []string, value any, left *int) {
	if len(path) > 0 {
		p, ok := places[pathKey(path)]
		if !ok {
			t.Fatalf("%q: no place for %q", text, path)
		}
		*left--
		name := text[p.key:p.keyEnd]
		if p.key < p.keyEnd {
			if c := name[0]; c == '"' || c == '\'' {
				name, _ = unquote(name)
			}
			if want := path[len(path)-1]; name != want {
				// The elements of an array of tables have the place of its header.
				if _, err := strconv.Atoi(want); err != nil || name != path[len(path)-2] {
					t.Fatalf("%q: at the place of %q stands %q", text, path, name)
				}
			}
		}
		if p.value >= 0 {
			same(t, text, path, text[p.value:p.valueEnd], value)
		}
	}
	below := func(name string, value any) {
		walk(t, text, places, append(append([]string{}, path...), name), value, left)
	}
	switch value := value.(type) {
	case map[string]any:
		for name, value := range value {
			below(name, value)
		}
	case []any:
		for i, value := range value {
			below(strconv.Itoa(i), value)
		}
	case []map[string]any:
		for i, value := range value {
			below(strconv.Itoa(i), value)
		}
	}
}

// same holds the token to what the parser read there.
func same(t *testing.T, text string, path []string, token string, value any) {
	again, err := decode("x = " + token)
	if err != nil {
		t.Fatalf("%q: at %q stands %q: %v", text, path, token, err)
	}
	if _, number := value.(float64); !number && !reflect.DeepEqual(again["x"], value) {
		t.Fatalf("%q: at %q stands %q, want %v", text, path, token, value)
	}
	want, ok := value.(string)
	if !ok {
		return
	}
	got, offsets := unquote(token)
	if got != want {
		t.Fatalf("%q: unquote(%q) = %q, want %q", text, token, got, want)
	}
	if len(offsets) != len(want)+1 {
		t.Fatalf("unquote(%q): %d offsets for %d bytes", token, len(offsets), len(want))
	}
	for i := 1; i < len(offsets); i++ {
		if offsets[i] < offsets[i-1] || offsets[i] >= len(token) {
			t.Fatalf("unquote(%q): offsets %v", token, offsets)
		}
	}
}

func TestUnquoteOffsets(t *testing.T) {
	for _, c := range []struct {
		token string
		byte  int
		want  string
	}{
		{`"abc"`, 1, "bc\""},
		{`'abc'`, 0, "abc'"},
		{`"a\tb"`, 2, `b"`},
		{`"a\u00e9b"`, 3, `b"`},
		{"\"\"\"\nab\\\n   c\"\"\"", 2, `c"""`},
		{"'''\na'''", 0, "a'''"},
		{`"abc"`, 3, `"`},
	} {
		_, offsets := unquote(c.token)
		if got := c.token[offsets[c.byte]:]; got != c.want {
			t.Errorf("%s: byte %d stands at %q, want %q", c.token, c.byte, got, c.want)
		}
	}
}
