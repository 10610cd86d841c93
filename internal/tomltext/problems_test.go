package tomltext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rosterd/rosterd/internal/problem"
)

// TestLaw12NoPasswordInAProblem: the line that is shown with a mistake never
// shows a password, whatever the mistake is.
func TestLaw12NoPasswordInAProblem(t *testing.T) {
	for _, text := range []string{
		`password = "swordfish`,
		`password = swordfish`,
		`password = "swordfish" x`,
		`bind_password = "swordfish"`,
		`t = { urls = 3, token = "swordfish" }`,
		`"token" = 'swordfish' 4`,
		`PASSWORD="swordfish"`,
		"kind = \"x\"\npassword = \"\"\"\nswordfish\n\"\"\"\n",
		`api_token = "swordfish"`,
		`client-secret = "swordfish"`,
		`bind_pw = "swordfish"`,
		`passphrase = "swordfish"`,
		"password = [\n \"swordfish\",\n]\nurls = 3",
		`kidn = "ldap://cn=x:swordfish@host"`,
		"password = 'a'\n\npassword = 'swordfish'\n",
		`password = [ "swordfish" ]`,
	} {
		d := Parse("x.toml", []byte(text))
		d.Bind(nil, &options{})
		d.Report(problem.Problem{Path: []string{"t"}, Offset: -1, Message: "also"})
		p := d.Problems()
		if len(p) == 0 || strings.Contains(p.Error(), "swordfish") {
			t.Errorf("%s:\n%s", text, p.Error())
		}
	}
}

// TestExpressionsAreShown: what only sounds like a password is not hidden.
func TestExpressionsAreShown(t *testing.T) {
	for _, text := range []string{
		`when = 'person.pwdAccountLockedTime == "x"'`,
		`when = 'person.pwdReset != "x"'`,
		`password = { credential = "corp-bind" }`,
	} {
		d := Parse("x.toml", []byte(text))
		d.Report(problem.Problem{Path: []string{"when"}, Offset: -1, Message: "m"})
		if got := d.Problems().Error(); !strings.Contains(got, text) {
			t.Errorf("%s is not shown:\n%s", text, got)
		}
	}
}

func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"a = b":               `key = ["a", "b"]`,
		"a = \"x":             "close the text",
		"[a":                  "]",
		"a\n":                 `write key = "text"`,
		"a":                   `write key = "text"`,
		"a = [1 2]":           "comma",
		"a = 1\na = 2":        "may stand once",
		"a = \"c:\\dir\"":     `in '…' a backslash`,
		"a = 1 b = 2":         "line of its own",
		"\xff\xfea\x00=\x00":  "UTF-8",
		"a = \"\x00\"":        "UTF-8",
		"[t]\n[t]":            "may stand once",
		"a = {b = 1":          "",
		"[a]\nb = 1\n[[a]]\n": "may stand once",
	} {
		d := Parse("x.toml", []byte(text))
		p := d.Problems()
		if len(p) != 1 || !p.Broken() || !strings.Contains(p[0].Hint, want) {
			t.Errorf("%q: want the hint %q:\n%s", text, want, p.Error())
		}
		if len(d.Names()) != 0 {
			t.Errorf("%q: has keys", text)
		}
	}
}

func TestOffsetsInTexts(t *testing.T) {
	text := "[r]\nwhen = 'person.x == \"é\" foo'\nlong = \"\"\"\n\tone\n  two\"\"\"\nesc = \"a\\tbc\"\n"
	for _, c := range []struct {
		key    string
		offset int
		want   string
	}{
		{"when", 0, "x.toml:2:9: r.when: m\n     2 | when = 'person.x == \"é\" foo'\n       |         ^\n"},
		{"when", 17, "x.toml:2:25: r.when: m\n     2 | when = 'person.x == \"é\" foo'\n       |                         ^\n"},
		{"when", 99, "x.toml:2:28: r.when: m\n"},
		{"long", 7, "x.toml:5:3: r.long: m\n     5 |   two\"\"\"\n       |   ^\n"},
		{"long", 1, "x.toml:4:2: r.long: m\n     4 | \tone\n       | \t^\n"},
		{"esc", 2, "x.toml:6:11: r.esc: m\n"},
		{"esc", 1, "x.toml:6:9: r.esc: m\n     6 | esc = \"a\\tbc\"\n       |         ^^\n"},
	} {
		d := Parse("x.toml", []byte(text))
		d.Report(problem.Problem{Path: []string{"r", c.key}, Offset: c.offset, Message: "m"})
		if got := d.Problems().Error() + "\n"; !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %d:\n%s\nwant\n%s", c.key, c.offset, got, c.want)
		}
	}
}

// TestQuotedItem: a problem of a list stands at the item that it quotes.
func TestQuotedItem(t *testing.T) {
	d := Parse("x.toml", []byte("a = [\"b\",\n  \"c\"]"))
	d.Report(problem.Problem{Path: []string{"a"}, Offset: -1, Message: `there is no "c"`})
	d.Report(problem.Problem{Path: []string{"a"}, Offset: -1, Message: `there is no "d"`})
	if p := d.Problems(); len(p) != 2 || p[0].Line != 1 || p[0].Column != 1 || p[1].Line != 2 || p[1].Column != 3 || p[1].Length != 3 {
		t.Error(p.Error())
	}
}

func TestProblemsAreSortedAndOnce(t *testing.T) {
	d := Parse("x.toml", []byte("a = 1\nb = 2\n[\"q.r\".s]\nt.u = 3\n"))
	for _, path := range [][]string{{"b"}, {"a"}, {"b"}, {"q.r", "s", "t.u"}} {
		d.Report(problem.Problem{Path: path, Offset: -1, Message: "m", Warning: true})
	}
	p := d.Problems()
	if len(p) != 3 || p[0].Key != "a" || p[1].Key != "b" || p[2].Line != 4 || p[2].Key != `"q.r".s."t.u"` {
		t.Errorf("%s", p.Error())
	}
	if p.Broken() {
		t.Error("warnings are said to be more")
	}
}

func TestLongLinesAndControlCharacters(t *testing.T) {
	d := Parse("x.toml", []byte("# \x1b[31m\na = \""+strings.Repeat("ä", 1000)+"x"+strings.Repeat("ö", 1000)+"\"\n"))
	if got := d.Problems().Error(); strings.Contains(got, "\x1b") || !strings.Contains(got, "·[31m") {
		t.Errorf("%q", got)
	}
	d = Parse("x.toml", []byte("a = \""+strings.Repeat("ä", 1000)+"x"+strings.Repeat("ö", 1000)+"\"\n"))
	d.Report(problem.Problem{Path: []string{"a"}, Offset: 2000, Message: "m"})
	lines := strings.Split(d.Problems().Error(), "\n")
	_, line, _ := strings.Cut(lines[1], "|")
	_, carets, _ := strings.Cut(lines[2], "|")
	at, shown := strings.Index(carets, "^"), []rune(line)
	if len(shown) > 160 || shown[at] != 'x' || d.Problems()[0].Column != 1006 {
		t.Errorf("the caret is not below the x:\n%s", strings.Join(lines, "\n"))
	}
}

func TestFileTooLong(t *testing.T) {
	if p := Parse("x.toml", []byte(strings.Repeat("#", Limit+1))).Problems(); len(p) != 1 || !strings.Contains(p[0].Message, "longer") {
		t.Error(p.Error())
	}
	// Deep nesting must not end the process.
	if p := Parse("x.toml", []byte("a = "+strings.Repeat("[", 1<<13))).Problems(); len(p) != 1 {
		t.Error(p.Error())
	}
}

func TestByteOrderMark(t *testing.T) {
	d := Parse("x.toml", []byte("\ufeffabc = 1"))
	d.Report(problem.Problem{Path: []string{"abc"}, Offset: -1, Message: "m"})
	if p := d.Problems(); p[0].Column != 7 {
		t.Error(p.Error())
	}
}

// FuzzParse: no text panics, every problem has a place in it and can be shown.
func FuzzParse(f *testing.F) {
	for _, text := range corpus {
		f.Add(text, "a", 3)
	}
	f.Fuzz(func(t *testing.T, text, key string, offset int) {
		d := Parse("x.toml", []byte(text))
		d.Bind(nil, &options{}, &second{})
		d.Report(problem.Problem{Path: []string{key}, Offset: offset, Message: "m"})
		for _, p := range d.Problems() {
			if p.Line < 1 || p.Line > len(d.lines) || p.Column < 1 || p.Column > utf8.RuneCountInString(d.line(p.Line))+2 || p.Length < 1 {
				t.Fatalf("%q: %+v", text, p)
			}
			_ = p.String()
		}
	})
}
