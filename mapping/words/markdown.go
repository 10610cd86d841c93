package words

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown writes the page for a terminal, a repository or a wiki. Diagrams are for
// HTML; what they show stands in the tables too.
func (p Page) Markdown() string {
	m := &markdown{}
	m.line("# %s", escape(p.Title))
	for _, t := range p.Lead {
		m.line("")
		m.line("%s", inline(t))
	}
	m.line("")
	for _, s := range p.Sections {
		if pictures(s) {
			continue
		}
		m.line("- [%s](#%s)", escape(s.Title), slug(s.Title))
	}
	for _, s := range p.Sections {
		if pictures(s) {
			continue
		}
		m.line("\n## %s", escape(s.Title))
		for _, b := range s.Blocks {
			m.block(b)
		}
	}
	return m.String()
}

// pictures says whether a section is one of pictures.
func pictures(s Section) bool {
	return slices.ContainsFunc(s.Blocks, func(b Block) bool { _, is := b.(Picture); return is })
}

type markdown struct{ strings.Builder }

func (m *markdown) line(format string, args ...any) {
	fmt.Fprintf(m, format+"\n", args...)
}

func (m *markdown) block(b Block) {
	m.line("")
	switch b := b.(type) {
	case Paragraph:
		m.line("%s", inline(b.Text))
	case Items:
		for _, t := range b.Items {
			m.line("- %s", inline(t))
		}
	case Table:
		m.table(b)
	case Card:
		m.line("### %s", escape(b.Title))
		if len(b.Lead) > 0 {
			m.line("\n%s", inline(b.Lead))
		}
		m.line("")
		for _, f := range b.Facts {
			m.line("- **%s:** %s", escape(f.Name), inline(f.Lines[0]))
			for _, l := range f.Lines[1:] {
				m.line("  %s", inline(l))
			}
		}
		if len(b.Aside) > 0 {
			m.line("- %s", inline(b.Aside))
		}
		for _, t := range b.Tables {
			m.line("\n%s:\n", escape(t.Title))
			m.table(t.Table)
		}
	}
}

func (m *markdown) table(t Table) {
	cells := func(row []string) { m.line("| %s |", strings.Join(row, " | ")) }
	var head, rule []string
	for _, h := range t.Head {
		head, rule = append(head, escape(h)), append(rule, "---")
	}
	cells(head)
	cells(rule)
	for _, row := range t.Rows {
		var out []string
		for _, c := range row {
			out = append(out, inline(c))
		}
		cells(out)
	}
}

// inline writes a text with its marks.
func inline(t Text) string {
	var b strings.Builder
	for _, s := range t {
		switch s.Mark {
		case code:
			b.WriteString(codeSpan(s.Text))
		case strong:
			// The blank after it stays outside: else it is no mark.
			trimmed := strings.TrimRight(s.Text, " ")
			b.WriteString("**" + escape(trimmed) + "**" + s.Text[len(trimmed):])
		case made:
			b.WriteString("*" + escape(s.Text) + "*")
		case quiet:
			b.WriteString(codeSpan(s.Text))
		case link:
			b.WriteString("[" + escape(s.Text) + "](#" + slug(s.Text) + ")")
		default:
			b.WriteString(escape(s.Text))
		}
	}
	return b.String()
}

// codeSpan fences a text with more backticks than it has in a row. A bar would end
// the cell of a table even here.
func codeSpan(s string) string {
	if s = shown(oneLine(s)); strings.Contains(s, `\|`) {
		return escape(s) // the backslash would be escaped, and not the bar
	}
	s = strings.ReplaceAll(s, "|", `\|`)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || s == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}

// escape keeps what people wrote from being Markdown.
func escape(s string) string {
	var b strings.Builder
	for _, r := range shown(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")) {
		if strings.ContainsRune("\\`*_[]<>|#&~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// slug is the anchor that viewers of Markdown give a title.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r == ' ' || r == '-':
			b.WriteByte('-')
		case r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		}
	}
	return b.String()
}
