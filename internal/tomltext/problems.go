package tomltext

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Problem is one mistake and its place in the file.
type Problem struct {
	File string `json:"file"`
	// Line and Column count from 1, the column in characters.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Length is that of what is wrong, in characters of its first line.
	Length int `json:"length"`
	// Key is the dotted key; may be empty.
	Key     string `json:"key,omitempty"`
	Message string `json:"message"`
	// Hint is what to write instead; may be empty.
	Hint string `json:"hint,omitempty"`
	// Warning is set for what works and is probably not meant.
	Warning bool `json:"warning,omitempty"`
	// Source is the line, without what may be a password.
	Source string `json:"source"`
}

// Problems are sorted by place and each is there once.
type Problems []Problem

// Broken says whether any is more than a warning.
func (p Problems) Broken() bool {
	return slices.ContainsFunc(p, func(p Problem) bool { return !p.Warning })
}

// Mistakes is how many of them are more than warnings.
func (p Problems) Mistakes() int {
	n := 0
	for _, p := range p {
		if !p.Warning {
			n++
		}
	}
	return n
}

// add places a problem at an offset.
func (d *Document) add(at, length int, p Problem) {
	d.problems = append(d.problems, d.at(at, length, p))
}

// at is a problem with the place of an offset.
func (d *Document) at(at, length int, p Problem) Problem {
	at = max(0, min(at, len(d.text)))
	number, start := d.lineOf(at)
	line := d.line(number)
	before := line[:min(at-start, len(line))]
	p.File, p.Line = d.file, number
	p.Column = utf8.RuneCountInString(before) + 1
	marked := line[len(before):min(len(line), len(before)+max(length, 0))]
	p.Length = max(1, utf8.RuneCountInString(marked))
	return p
}

// Problems are those found so far.
func (d *Document) Problems() Problems {
	out := d.own()
	for _, part := range d.parts {
		out = append(out, part.own()...)
	}
	return out
}

// own are those in this file.
func (d *Document) own() Problems {
	out := slices.Clone(d.problems)
	for i := range out {
		out[i].Source = d.shown(out[i].Line)
	}
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Hint, b.Hint))
	})
	return slices.CompactFunc(out, func(a, b Problem) bool {
		return a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	})
}

// confidential finds the value of a key that sounds like a password, unless it
// is a table, and a password in a URL.
var confidential = regexp.MustCompile(`(?i)[\w-]*(?:pass|pw|secret|token)[\w-]*["']?\s*=\s*([^\s{=].*)|://[^\s/@"']*:([^\s/@"']+)@`)

// table is the value in the table of such a key, and placed one that says where the secret
// stands, which is no secret.
var (
	table  = regexp.MustCompile(`(?i)[\w-]*(?:pass|pw|secret|token)[\w-]*["']?\s*=\s*\{(\s*(?:[\w-]+\s*=\s*)?(.*))`)
	placed = regexp.MustCompile(`^\s*(?:file|credential|env)\s*=`)
)

// private begins a key that somebody took for a public one.
var private = regexp.MustCompile(`(?i)AGE-SECRET-KEY-|-----BEGIN [A-Z ]*PRIVATE KEY`)

// hiding is what is shown instead.
const hiding = "[secret]"

// longest is the longest line that is searched and shown, in bytes.
const longest = 64 << 10

// visible is how many bytes of a line may be shown. What may be a password cuts
// the line, since nobody knows where a text ends that is not TOML.
func (d *Document) visible(number int) int {
	line, start := d.line(number), d.lines[number-1]
	if len(line) > longest {
		return 0
	}
	cut := len(line) + 1
	if m := confidential.FindStringSubmatchIndex(line); m != nil {
		cut = max(m[2], m[4])
	}
	if m := table.FindStringSubmatchIndex(line); m != nil && !placed.MatchString(line[m[2]:]) {
		cut = min(cut, m[4])
	}
	if at := private.FindStringIndex(line); at != nil {
		cut = min(cut, at[0])
	}
	for _, p := range d.hidden {
		if p.value < start+len(line) && start < p.valueEnd {
			cut = min(cut, max(0, p.value-start))
		}
	}
	return cut
}

// shown is a line without what may be a password.
func (d *Document) shown(number int) string {
	line := d.line(number)
	if cut := d.visible(number); cut <= len(line) {
		return line[:cut] + hiding
	}
	return line
}

// width is how much of a line is shown, in characters.
const width = 150

// Write prints each problem with its line, a caret below what is wrong, and the
// hint.
func (p Problems) Write(w io.Writer) error {
	_, err := io.WriteString(w, p.text())
	return err
}

func (p Problems) text() string {
	var out strings.Builder
	for _, p := range p {
		out.WriteString(p.String())
	}
	return out.String()
}

// Error is the text of Write, so that problems can be returned as an error.
func (p Problems) Error() string {
	return strings.TrimSuffix(p.text(), "\n")
}

// String is the problem as it is shown, with a line end.
func (p Problem) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Warning {
		out.WriteString("warning: ")
	}
	if p.Key != "" {
		out.WriteString(p.Key + ": ")
	}
	out.WriteString(p.Message + "\n")

	source := []rune(strings.Map(graphic, p.Source))
	column := p.Column - 1
	if from := column - width/2; len(source) > width && from > 0 {
		source = append([]rune("…"), source[min(from, len(source)):]...)
		column -= from - 1
	}
	if len(source) > width {
		source = append(source[:width], '…')
	}
	fmt.Fprintf(&out, "%6d | %s\n", p.Line, string(source))
	if column <= len(source) {
		before := strings.Map(func(r rune) rune {
			if r == '\t' {
				return r
			}
			return ' '
		}, string(source[:column]))
		carets := strings.Repeat("^", max(1, min(p.Length, len(source)-column)))
		fmt.Fprintf(&out, "       | %s%s\n", before, carets)
	}
	if p.Hint != "" {
		out.WriteString("         hint: " + p.Hint + "\n")
	}
	return out.String()
}

// graphic keeps a control character in a file from reaching the terminal.
func graphic(r rune) rune {
	if r != '\t' && !unicode.IsGraphic(r) {
		return '·'
	}
	return r
}
