package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	pass = `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"m/a","Test":"TestA","Elapsed":7.5}
{"Action":"output","Package":"m/a","Output":"ok\n"}
{"Action":"pass","Package":"m/a","Elapsed":8}
`
	skip = `{"Action":"output","Package":"m/b","Test":"TestB/sub","Output":"no slapd\n"}
{"Action":"skip","Package":"m/b","Test":"TestB/sub","Elapsed":0}
{"Action":"pass","Package":"m/b","Test":"TestB","Elapsed":0}
{"Action":"pass","Package":"m/b","Elapsed":1}
`
	fail = `{"Action":"output","Package":"m/c","Test":"TestC","Output":"    c_test.go:4: got 1\n"}
{"Action":"fail","Package":"m/c","Test":"TestC","Elapsed":0}
{"Action":"fail","Package":"m/c","Elapsed":1}
`
	build = `{"ImportPath":"m/d [m/d.test]","Action":"build-output","Output":"d.go:1: undefined: x\n"}
{"ImportPath":"m/d [m/d.test]","Action":"build-fail"}
{"Action":"fail","Package":"m/d","Elapsed":0,"FailedBuild":"m/d [m/d.test]"}
`
	noTests = `{"Action":"output","Package":"m/e","Output":"?   \tm/e\t[no test files]\n"}
{"Action":"skip","Package":"m/e","Elapsed":0}
`
)

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name, input, skips string
		code               int
		says, silent       []string
	}{
		{"pass", pass, "", 0, []string{"ok    m/a", "1 passed, 0 failed, 0 skipped, packages together 8 s", "slow  m/a TestA 7.5 s"}, []string{"chatter"}},
		{"no test files is no skip", pass + noTests, "", 0, []string{"0 skipped"}, nil},
		{"skip", pass + skip, "", 1, []string{"SKIP  m/b TestB/sub: not on the list"}, nil},
		{"skip allowed", pass + skip, "m/b TestB/sub needs a machine of its own # why\n", 0, []string{"1 skipped"}, []string{"SKIP"}},
		{"skip of another test", pass + skip, "m/b TestB needs a machine of its own\n", 1, []string{"SKIP  m/b TestB/sub", "note  m/b TestB may"}, nil},
		{"fail", pass + fail, "", 1, []string{"FAIL  m/c TestC\n    c_test.go:4: got 1", "1 passed, 2 failed"}, []string{"chatter"}},
		{"build", build, "", 1, []string{"FAIL  m/d [m/d.test]\nd.go:1: undefined: x"}, nil},
		{"nothing", "", "", 1, []string{"no test ran"}, nil},
		{"only skips", skip, "m/b TestB/sub x", 0, nil, nil},
		{"the tool speaks", "go: cannot find module\n" + pass, "", 0, []string{"go: cannot find module"}, nil},
		{"no reason", pass, "m/b TestB\n", 2, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "skips")
			if err := os.WriteFile(file, []byte("# none\n\n"+c.skips), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs strings.Builder
			code := run([]string{file}, strings.NewReader(c.input), &out, &errs)
			if code != c.code {
				t.Errorf("ended with %d, want %d", code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("does not say %q", want)
				}
			}
			for _, not := range c.silent {
				if strings.Contains(out.String(), not) {
					t.Errorf("says %q", not)
				}
			}
			if t.Failed() {
				t.Logf("%s%s", out.String(), errs.String())
			}
		})
	}
}

func TestUsage(t *testing.T) {
	var out, errs strings.Builder
	if code := run(nil, strings.NewReader(""), &out, &errs); code != 2 || !strings.Contains(errs.String(), "usage") {
		t.Errorf("%d %s", code, errs.String())
	}
	if code := run([]string{filepath.Join(t.TempDir(), "none")}, strings.NewReader(pass), &out, &errs); code != 2 {
		t.Errorf("%d", code)
	}
}
