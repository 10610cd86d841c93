package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of `go test -json`, see `go doc test2json`.
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string
	Elapsed                       float64
}

// report collects events.
type report struct {
	out io.Writer
	// output is what a test or package printed, until it passed.
	output                  map[string]*strings.Builder
	passed, failed, skipped map[string]bool
	slow                    []timed
	seconds                 float64
}

type timed struct {
	name    string
	seconds float64
}

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[string]*strings.Builder{},
		passed: map[string]bool{}, failed: map[string]bool{}, skipped: map[string]bool{}}
}

// read takes all events. A line that is none is printed as it is: it is what
// the tool itself has to say.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(r.out, "%s", line)
			} else {
				r.take(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		if e.Action == "build-output" {
			key = e.ImportPath + " "
		}
		if r.output[key] == nil {
			r.output[key] = &strings.Builder{}
		}
		r.output[key].WriteString(e.Output)
	case "pass", "skip":
		delete(r.output, key)
		if e.Test == "" {
			if e.Action == "pass" {
				fmt.Fprintf(r.out, "ok    %-52s %6.1f s\n", e.Package, e.Elapsed)
				r.seconds += e.Elapsed
			}
			return
		}
		if e.Action == "skip" {
			r.skipped[key] = true
			return
		}
		r.passed[key] = true
		if !strings.Contains(e.Test, "/") {
			r.slow = append(r.slow, timed{key, e.Elapsed})
		}
	case "fail", "build-fail":
		if e.Action == "build-fail" {
			key = e.ImportPath + " "
		}
		r.failed[key] = true
		if text := r.output[key]; text != nil {
			fmt.Fprintf(r.out, "FAIL  %s\n%s", strings.TrimSpace(key), text)
		} else {
			fmt.Fprintf(r.out, "FAIL  %s\n", strings.TrimSpace(key))
		}
		delete(r.output, key)
	}
}

// most is how many slow tests are named, and from how many seconds on.
const (
	most      = 10
	slowAbove = 5
)

// end prints the totals and says whether all is well.
func (r *report) end(allowed map[string]bool) bool {
	well := len(r.failed) == 0
	for _, key := range sorted(r.skipped) {
		if !allowed[key] {
			fmt.Fprintf(r.out, "SKIP  %s: not on the list of tests that may be skipped\n", key)
			well = false
		}
	}
	for _, key := range sorted(allowed) {
		if !r.skipped[key] {
			fmt.Fprintf(r.out, "note  %s may be skipped and was not\n", key)
		}
	}
	if len(r.passed) == 0 {
		fmt.Fprintln(r.out, "FAIL  no test ran")
		well = false
	}
	slices.SortStableFunc(r.slow, func(a, b timed) int {
		if a.seconds != b.seconds {
			if a.seconds > b.seconds {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	for i, t := range r.slow {
		if i == most || t.seconds < slowAbove {
			break
		}
		fmt.Fprintf(r.out, "slow  %s %.1f s\n", t.name, t.seconds)
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped, packages together %.0f s\n", len(r.passed), len(r.failed), len(r.skipped), r.seconds)
	return well
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for key := range set {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}
