// Testreport reads the output of `go test -json` and prints what a person wants
// of it: a line for each package, and the whole output of what failed. It ends
// with 1 if anything failed, if a test was skipped that is not on the list of
// those that may be, or if nothing was tested at all: `go test` says ok to a
// package whose every test was skipped.
//
//	go test -json ./... | go run ./internal/testreport SKIPS
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) != 1 {
		fmt.Fprintln(errs, "testreport: usage: go test -json ./... | testreport SKIPS")
		return 2
	}
	file, err := os.Open(args[0])
	if err != nil {
		fmt.Fprintln(errs, "testreport:", err)
		return 2
	}
	defer file.Close()
	allowed, err := readSkips(file)
	if err != nil {
		fmt.Fprintln(errs, "testreport:", err)
		return 2
	}
	r := newReport(out)
	if err := r.read(in); err != nil {
		fmt.Fprintln(errs, "testreport:", err)
		return 1
	}
	if !r.end(allowed) {
		return 1
	}
	return 0
}

// readSkips reads lines "PACKAGE TEST  reason"; # begins a comment.
func readSkips(in io.Reader) (map[string]bool, error) {
	allowed := map[string]bool{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case len(fields) < 3:
			return nil, fmt.Errorf("read skips: %q: write the package, the test and a reason", line)
		default:
			allowed[fields[0]+" "+fields[1]] = true
		}
	}
	return allowed, lines.Err()
}
