package words

import (
	"fmt"
	"strings"
	"unicode"
)

// Text is a line with marks in it.
type Text []Span

// Span is a piece of a text.
type Span struct {
	Text string
	Mark mark
	// To is the anchor of a link.
	To string
}

type mark uint8

const (
	plain mark = iota
	code       // as it stands in a file or a directory
	strong
	made // what comes from the person
	quiet
	link
)

// text puts pieces together: strings, spans and texts.
func text(parts ...any) (out Text) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			if p != "" {
				out = append(out, Span{Text: p})
			}
		case Span:
			out = append(out, p)
		case Text:
			out = append(out, p...)
		case int:
			out = append(out, Span{Text: fmt.Sprint(p)})
		default:
			panic(fmt.Sprintf("words: a %T is no text", p))
		}
	}
	return out
}

func asCode(s string) Span   { return Span{Text: s, Mark: code} }
func asStrong(s string) Span { return Span{Text: s, Mark: strong} }
func asMade(s string) Span   { return Span{Text: s, Mark: made} }
func asQuiet(s string) Span  { return Span{Text: s, Mark: quiet} }

// linkTo is a name that leads to its section.
func linkTo(kind, name string) Span { return Span{Text: name, Mark: link, To: anchor(kind, name)} }

// anchor is where a thing is described. Names of the configuration have letters,
// digits, - and _ alone.
func anchor(kind, name string) string { return kind + "-" + name }

// shown keeps what stands in a file from steering a terminal, and from turning the
// direction of a line.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, s)
}

// list joins texts as a sentence does.
func list(word string, items ...Text) (out Text) {
	for i, t := range items {
		switch {
		case i == 0:
		case i == len(items)-1:
			out = append(out, Span{Text: " " + word + " "})
		default:
			out = append(out, Span{Text: ", "})
		}
		out = append(out, t...)
	}
	return out
}

// each makes a text of each name.
func each(names []string, f func(string) Span) (out []Text) {
	for _, n := range names {
		out = append(out, Text{f(n)})
	}
	return out
}

// String is the text without its marks.
func (t Text) String() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.Text)
	}
	return b.String()
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	switch {
	case strings.HasSuffix(noun, "y"):
		noun = strings.TrimSuffix(noun, "y") + "ie"
	case strings.HasSuffix(noun, "person"):
		return fmt.Sprint(n) + " people"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
