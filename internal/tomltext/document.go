package tomltext

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/rosterd/rosterd/internal/problem"
)

// Document is one file of TOML and the problems that were found in it. It is
// used by one goroutine.
type Document struct {
	file   string
	text   string
	tree   map[string]any
	places map[string]place
	// lines are the offsets at which the lines begin.
	lines []int

	// owners are documents of which a part stands in the tree, by its path.
	owners map[string]*Document
	parts  []*Document

	problems []Problem
	// known holds what binding complained about, so that nothing is said twice.
	known map[string]bool
	// hidden are the values that must not be shown.
	hidden []place
}

// Limit is the longest file that is read, in bytes.
const Limit = 1 << 20

// Parse reads a text; file is its name in messages. A text that is no TOML has
// one problem and no keys.
func Parse(file string, text []byte) *Document {
	d := &Document{
		file:  file,
		text:  strings.TrimPrefix(string(text), "\ufeff"),
		tree:  map[string]any{},
		known: map[string]bool{},
	}
	for i := 0; i >= 0 && i <= len(d.text); {
		d.lines = append(d.lines, i)
		end := strings.IndexByte(d.text[i:], '\n')
		if end < 0 {
			break
		}
		i += end + 1
	}
	if len(d.text) > Limit {
		d.add(0, 0, Problem{Message: fmt.Sprintf("the file is longer than %d bytes", Limit)})
		return d
	}
	if at := strings.IndexByte(d.text, 0); at >= 0 {
		d.add(at, 1, Problem{Message: "the file holds a zero byte", Hint: "save it as UTF-8"})
		return d
	}
	if at := tooDeep(d.text); at >= 0 {
		d.add(at, 1, Problem{Message: "tables and lists are nested too deep", Hint: "no key of a configuration lies so deep; is a bracket not closed?"})
		return d
	}
	tree, err := decode(d.text)
	if err != nil {
		d.syntax(err)
		return d
	}
	d.tree = tree
	// A scan that loses its way leaves the places up to there; what comes later
	// is then shown at its table.
	d.places, _ = scan(d.text)
	return d
}

// decode keeps a bug of the parser from ending the process.
func decode(text string) (tree map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read TOML: %v", r)
		}
	}()
	_, err = toml.Decode(text, &tree)
	return tree, err
}

// syntax reports what the parser said.
func (d *Document) syntax(err error) {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		d.add(0, 0, Problem{Message: err.Error()})
		return
	}
	message := strings.TrimSuffix(parse.Message, ".")
	if first, size := utf8.DecodeRuneInString(message); first >= 'A' && first <= 'Z' {
		message = strings.ToLower(message[:size]) + message[size:]
	}
	hint := syntaxHint(message)
	start := max(0, min(parse.Position.Start, len(d.text)))
	if line, begin := d.lineOf(start); start-begin >= d.visible(line) {
		// The parser quotes what it did not understand.
		message, hint = "the value cannot be read", `name where the secret stands: { file = "…" }, { credential = "…" } or { env = "…" }`
	}
	d.add(start, parse.Position.Len, Problem{Message: message, Hint: hint})
}

// syntaxHints are the usual causes of what the parser says.
var syntaxHints = []struct{ part, hint string }{
	{"already been defined", "each key and each [table] may stand once; put the two together"},
	{"already created", "each key and each [table] may stand once; put the two together"},
	{"strings cannot contain newlines", `close the text with a quote on the same line, or use """ for more than one line`},
	{"expected value", `a text stands in quotes: key = "text"; a list in brackets: key = ["a", "b"]`},
	{"expected '\"'", `close the text with a quote on the same line`},
	{"expected key separator", `write key = "text"`},
	{"unexpected eof", "a quote, bracket or brace was opened and not closed"},
	{"escape", `in '…' a backslash is only a backslash; in "…" write \\`},
	{"expected '.' or '='", `write key = "text"`},
	{"end table name", "close the name of the table with ]"},
	{"array terminator", "separate the items of a list with a comma and close it with ]"},
	{"inline table", "separate the pairs with a comma and close the table with }"},
	{"top-level item", "each key stands on a line of its own"},
}

func syntaxHint(message string) string {
	for _, h := range syntaxHints {
		if strings.Contains(strings.ToLower(message), h.part) {
			return h.hint
		}
	}
	return ""
}

// Report places a problem of a room in the file. It is the problem.Report that
// is handed to them.
func (d *Document) Report(p problem.Problem) {
	if d.known[pathKey(p.Path)] {
		return
	}
	for i := range p.Path {
		// What is wrong with a table that could not be read is a consequence.
		if d.known[pathKey(p.Path[:i])] && i > 0 {
			return
		}
	}
	o, placed := d.located(p)
	o.problems = append(o.problems, placed)
}

// Placed is a problem with its place, which is not kept among those of the file.
func (d *Document) Placed(p problem.Problem) Problem {
	o, placed := d.located(p)
	placed.Source = o.shown(placed.Line)
	return placed
}

// located finds the file and the place of a problem.
func (d *Document) located(p problem.Problem) (*Document, Problem) {
	o := d.of(p.Path)
	at, length := o.find(p.Path, p.Offset)
	if p.Offset < 0 {
		at, length = o.quotedItem(p.Path, p.Message, at, length)
	}
	return o, o.at(at, length, Problem{Key: dotted(p.Path), Message: p.Message, Hint: p.Hint, Warning: p.Warning})
}

// Where is file:line of a key, or of the nearest table around it.
func (d *Document) Where(path ...string) string {
	o := d.of(path)
	at, _ := o.find(path, -1)
	line, _ := o.lineOf(at)
	return filepath.Base(o.file) + ":" + strconv.Itoa(line)
}

// Has says whether the file has the key.
func (d *Document) Has(path ...string) bool {
	_, ok := d.lookup(path)
	return ok
}

// Names are the keys of the table at a path, sorted; none if there is no table.
func (d *Document) Names(path ...string) []string {
	value, _ := d.lookup(path)
	table, _ := value.(map[string]any)
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (d *Document) lookup(path []string) (any, bool) {
	var value any = d.tree
	for _, name := range path {
		table, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = table[name]; !ok {
			return nil, false
		}
	}
	return value, true
}

// find gives the offset and length of what a path, and an offset in its text,
// stand for; the nearest table around it if the file has no such key.
func (d *Document) find(path []string, offset int) (at, length int) {
	for n := len(path); n > 0; n-- {
		p, ok := d.place(path[:n])
		if !ok {
			continue
		}
		if n < len(path) || p.value < 0 {
			return p.key, p.keyEnd - p.key
		}
		token := d.text[p.value:p.valueEnd]
		if offset >= 0 && strings.ContainsAny(token[:1], `"'`) {
			text, offsets := unquote(token)
			offset = min(offset, len(text))
			_, size := utf8.DecodeRuneInString(text[offset:])
			return p.value + offsets[offset], max(1, offsets[min(offset+size, len(text))]-offsets[offset])
		}
		if strings.ContainsAny(token[:1], "[{") && p.keyEnd > p.key {
			return p.key, p.keyEnd - p.key
		}
		return p.value, len(token)
	}
	return 0, 0
}

// quotedItem is the place of the one item of a list that a message quotes, since
// a problem names only the list.
func (d *Document) quotedItem(path []string, message string, at, length int) (int, int) {
	value, _ := d.lookup(path)
	items, _ := value.([]any)
	for i, item := range items {
		if text, ok := item.(string); ok && strings.Contains(message, strconv.Quote(text)) {
			return d.find(append(slices.Clone(path), strconv.Itoa(i)), -1)
		}
	}
	return at, length
}

// place looks a path up. A name with dots may stand for nested tables, as where
// name.familyName is one attribute.
func (d *Document) place(path []string) (place, bool) {
	if p, ok := d.places[pathKey(path)]; ok {
		return p, true
	}
	for i, name := range path {
		if strings.Contains(name, ".") {
			split := append(append([]string{}, path[:i]...), strings.Split(name, ".")...)
			if p, ok := d.place(append(split, path[i+1:]...)); ok {
				return p, true
			}
		}
	}
	return place{}, false
}

// lineOf gives the number of the line, from 1, and where it begins.
func (d *Document) lineOf(at int) (line, start int) {
	line = sort.SearchInts(d.lines, at+1)
	return line, d.lines[line-1]
}

// line is the text of a line.
func (d *Document) line(number int) string {
	end := len(d.text)
	if number < len(d.lines) {
		end = d.lines[number]
	}
	return strings.TrimRight(d.text[d.lines[number-1]:end], "\r\n")
}

// dotted writes a path as TOML does.
func dotted(path []string) string {
	return toml.Key(path).String()
}
