package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// ran is what the program prints, which must end with 0.
func ran(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(args, strings.NewReader(""), &out, &errs); code != 0 || errs.Len() > 0 {
		t.Fatalf("%v: %d\n%s%s", args, code, out.String(), errs.String())
	}
	return out.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		writeFile(t, path, got)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another now; look at it after: go test ./cmd/rosterd -run %s -update\n%s", path, t.Name(), got)
	}
}

const exampleFile = "../../config.example.toml"

// The page of a policy, as it is read. Its version changes with what a version is,
// and is left out.
func TestPolicyInWords(t *testing.T) {
	file := filepath.Join("testdata", "policy.toml")
	version := regexp.MustCompile(`(version (?:<code>|` + "`" + `))[0-9a-f]{12}`)
	for name, flag := range map[string]string{"policy.md": "--markdown", "policy.html": "--html"} {
		page := ran(t, "policy", "--file", flag, "-c", file)
		if !version.MatchString(page) {
			t.Errorf("%s does not say which version it is of", name)
		}
		golden(t, name, version.ReplaceAllString(page, "${1}0123456789ab"))
	}
}
