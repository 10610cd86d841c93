package words

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"strings"
)

// HTML writes the page as one file that needs no other: no script, no font, no
// picture from elsewhere, and a policy that forbids the browser to load any.
func (p Page) HTML() string {
	h := &page{style: styles}
	h.body(p)
	sum := sha256.Sum256([]byte(h.style))
	var out strings.Builder
	fmt.Fprintf(&out, `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="rosterd">
<title>%s</title>
<style>%s</style>
</head>
<body>
%s</body>
</html>
`, base64.StdEncoding.EncodeToString(sum[:]), safe(p.Title), h.style, h.Builder.String())
	return out.String()
}

// page is HTML on its way, and the style that its pictures add to.
type page struct {
	strings.Builder
	style    string
	pictures int
}

func (h *page) put(format string, args ...any) { fmt.Fprintf(h, format, args...) }

func (h *page) body(p Page) {
	h.put("<header>\n<h1>%s</h1>\n", safe(p.Title))
	for _, t := range p.Lead {
		h.put("<p>%s</p>\n", rich(t))
	}
	h.put("</header>\n<nav aria-label=\"Contents\">\n<ol>\n")
	for _, s := range p.Sections {
		h.put("<li><a href=\"#%s\">%s</a>", s.ID, safe(s.Title))
		h.entries(s)
		h.put("</li>\n")
	}
	h.put("</ol>\n</nav>\n<main>\n")
	for _, s := range p.Sections {
		h.put("<section id=\"%s\">\n<h2>%s</h2>\n", s.ID, safe(s.Title))
		for _, b := range s.Blocks {
			h.block(b)
		}
		h.put("</section>\n")
	}
	h.put("</main>\n")
}

// entries are the cards of a section in the contents.
func (h *page) entries(s Section) {
	var names []string
	for _, b := range s.Blocks {
		if c, is := b.(Card); is {
			names = append(names, fmt.Sprintf("<li><a href=\"#%s\">%s</a></li>", c.ID, safe(c.Title)))
		}
	}
	if len(names) > 0 {
		h.put("\n<ul>\n%s\n</ul>\n", strings.Join(names, "\n"))
	}
}

func (h *page) block(b Block) {
	switch b := b.(type) {
	case Paragraph:
		h.put("<p>%s</p>\n", rich(b.Text))
	case Items:
		h.put("<ul>\n")
		for _, t := range b.Items {
			h.put("<li>%s</li>\n", rich(t))
		}
		h.put("</ul>\n")
	case Table:
		h.table(b)
	case Card:
		h.card(b)
	case Picture:
		h.pictures++
		picture, rules := b.Diagram.svg(fmt.Sprintf("d%d", h.pictures), b.Title)
		h.style += rules
		h.put("<figure>\n<figcaption>%s</figcaption>\n<div class=\"scroll\">\n%s\n</div>\n</figure>\n", safe(b.Title), picture)
	}
}

func (h *page) card(c Card) {
	h.put("<article class=\"card\" id=\"%s\">\n<h3>%s", c.ID, safe(c.Title))
	if aside := rich(c.Aside); aside != "" {
		h.put(" <span class=\"aside\">%s</span>", aside)
	}
	h.put("</h3>\n")
	if len(c.Lead) > 0 {
		h.put("<p class=\"lead\">%s</p>\n", rich(c.Lead))
	}
	h.put("<dl>\n")
	for _, f := range c.Facts {
		h.put("<dt>%s</dt>\n<dd>", safe(f.Name))
		for _, l := range f.Lines {
			h.put("<p>%s</p>", rich(l))
		}
		h.put("</dd>\n")
	}
	h.put("</dl>\n")
	for _, t := range c.Tables {
		h.put("<h4>%s</h4>\n", safe(t.Title))
		h.table(t.Table)
	}
	h.put("</article>\n")
}

// table writes each cell with the title of its column, which a narrow screen shows
// instead of the head.
func (h *page) table(t Table) {
	h.put("<table>\n<thead><tr>")
	for _, c := range t.Head {
		h.put("<th>%s</th>", safe(c))
	}
	h.put("</tr></thead>\n<tbody>\n")
	for _, row := range t.Rows {
		h.put("<tr>")
		for i, c := range row {
			h.put("<td data-head=\"%s\"><div>%s</div></td>", safe(t.Head[i]), rich(c))
		}
		h.put("</tr>\n")
	}
	h.put("</tbody>\n</table>\n")
}

// safe is a text that is no HTML.
func safe(s string) string { return html.EscapeString(shown(s)) }

// rich writes a text with its marks.
func rich(t Text) string {
	var b strings.Builder
	for _, s := range t {
		x := safe(s.Text)
		switch s.Mark {
		case code:
			x = "<code>" + x + "</code>"
		case strong:
			x = "<b>" + x + "</b>"
		case made:
			x = "<var>" + x + "</var>"
		case quiet:
			x = "<small>" + x + "</small>"
		case link:
			x = "<a href=\"#" + safe(s.To) + "\">" + x + "</a>"
		}
		b.WriteString(x)
	}
	return b.String()
}
