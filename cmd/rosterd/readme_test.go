package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The configuration that the README shows first is one that works.
func TestReadmeConfiguration(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "$ cat rosterd.toml\n")
	text, _, ok := strings.Cut(rest, "\n$ ")
	if !ok {
		t.Fatal("the README shows no configuration")
	}
	path := filepath.Join(t.TempDir(), "rosterd.toml")
	writeFile(t, path, text)
	var out, errs bytes.Buffer
	if code := run([]string{"-c", path, "check", "--offline"}, strings.NewReader(""), &out, &errs); code != 0 || errs.Len() > 0 {
		t.Errorf("check --offline: %d\n%s%s", code, out.String(), errs.String())
	}
}
