package main

import (
	"errors"
	"fmt"
	"strings"

	rostersync "github.com/rosterd/rosterd/sync"
)

// exit is an error with the exit code of the program. Without an error in it,
// everything was said already.
type exit struct {
	code int
	err  error
	tip  string
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usage is a mistake of whoever typed the command or wrote the configuration.
func usage(err error, tip string) error {
	return &exit{code: rostersync.ExitUsage, err: err, tip: tip}
}

// failed is everything that went wrong though it was asked for rightly.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &exit{code: rostersync.ExitFailed, err: err, tip: hintOf(err)}
}

// code ends the program with the exit code and no further words.
func code(n int) error {
	if n == rostersync.ExitDone {
		return nil
	}
	return &exit{code: n}
}

// complain prints an error and what to do about it.
func (a *app) complain(err error, tip string) {
	fmt.Fprintf(a.stderr, "%s %s\n", a.paint(a.stderr, red, "rosterd: error:"), indented(err.Error()))
	if tip == "" {
		tip = hintOf(err)
	}
	if tip != "" {
		fmt.Fprintf(a.stderr, "%s %s\n", a.paint(a.stderr, yellow, "rosterd: hint:"), indented(tip))
	}
}

// indented is a text of lines that may name what a directory holds.
func indented(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n  ")
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
