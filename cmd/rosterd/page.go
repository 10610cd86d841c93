package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// page writes text in two columns, names at the left, what is said of them at
// the right, wrapped to the width.
type page struct {
	*app
	w     io.Writer
	width int
	left  int // width of the left column, its indent included
}

// page makes one for stdout; elsewhere than on a terminal it is 80 wide.
func (a *app) page() *page {
	p := &page{app: a, w: a.stdout, width: a.width(), left: 2}
	if p.width == 0 {
		p.width = 80
	}
	return p
}

// columns makes the left column wide enough for the names.
func (p *page) columns(names ...string) {
	p.left = 4
	for _, n := range names {
		p.left = max(p.left, min(26, 4+utf8.RuneCountInString(printable(n))))
	}
}

func (p *page) head(text, aside string) {
	line := p.paint(p.w, bold, printable(text))
	if aside != "" {
		line += "  " + aside
	}
	fmt.Fprintln(p.w, line)
}

// row writes a name and what is said of it.
func (p *page) row(name string, h hue, text string) {
	name = printable(name)
	label := name
	if h != "" {
		label = p.paint(p.w, h, name)
	}
	lead, n := "  "+label, 2+utf8.RuneCountInString(name)
	if text == "" {
		fmt.Fprintln(p.w, lead)
		return
	}
	if n > p.left-2 {
		fmt.Fprintln(p.w, lead)
		lead, n = "", 0
	}
	lines := wrap(printable(text), p.width-p.left)
	for i, l := range lines {
		if i > 0 {
			lead, n = "", 0
		}
		fmt.Fprintf(p.w, "%s%s%s\n", lead, strings.Repeat(" ", p.left-n), l)
	}
}

// more writes a line under what was said last.
func (p *page) more(h hue, text string) {
	for _, l := range wrap(printable(text), p.width-p.left) {
		if h != "" {
			l = p.paint(p.w, h, l)
		}
		fmt.Fprintf(p.w, "%s%s\n", strings.Repeat(" ", p.left), l)
	}
}

// wrap breaks a text at blanks. A word that is longer than the width stands
// whole: it may have to be copied.
func wrap(text string, width int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > max(20, width):
			out = append(out, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(out, line)
}

// printable keeps what a directory holds from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, s)
}
