package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// hue is one ANSI colour.
type hue string

const (
	bold   hue = "\x1b[1m"
	dim    hue = "\x1b[2m"
	red    hue = "\x1b[31m"
	green  hue = "\x1b[32m"
	yellow hue = "\x1b[33m"
	blue   hue = "\x1b[34m"
	reset  hue = "\x1b[0m"
)

// colored says whether text to w is to be coloured: on a terminal, unless
// NO_COLOR (no-color.org) or --color says otherwise.
func (a *app) colored(w io.Writer) bool {
	switch a.color {
	case "always":
		return true
	case "never":
		return false
	}
	if a.service != nil {
		return a.service.ask.Color
	}
	return a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb" && terminal(w)
}

func (a *app) paint(w io.Writer, h hue, text string) string {
	if !a.colored(w) {
		return text
	}
	return string(h) + text + string(reset)
}

// asks says whether somebody sits there who can be asked.
func (a *app) asks() bool {
	if a.service != nil {
		return a.service.ask.Terminal
	}
	return terminal(a.stdin)
}

// terminal says whether w is a terminal.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
