package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
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

// The page of the example, as it is read.
func TestPolicyOfTheExample(t *testing.T) {
	golden(t, "policy.md", ran(t, "policy", "--file", "-c", exampleFile))
	golden(t, "policy.html", ran(t, "policy", "--file", "--html", "-c", exampleFile))
}
