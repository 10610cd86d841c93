package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A target that is taken out of the file while accounts there are ours is an
// error, not a way to leave accounts open for ever.
func TestTargetThatIsGoneFromTheFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "demo")
	config := filepath.Join(folder, "rosterd.toml")
	rosterd := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(args, strings.NewReader(""), &out, &errs); code != want {
			t.Fatalf("rosterd %s ended with %d, want %d\n%s\n%s", strings.Join(args, " "), code, want, tail(out.String()), errs.String())
		}
		return out.String() + errs.String()
	}
	rosterd(0, "demo", "--keep", folder)
	rosterd(2, "-c", config, "target", "forget", "wiki")

	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "[target.wiki]")
	writeFile(t, config, before)
	if said := rosterd(2, "-c", config, "status"); !strings.Contains(said, "rosterd target forget wiki") {
		t.Errorf("it does not say what to type:\n%s", said)
	}
	rosterd(2, "-c", config, "target", "forget", "wiki")
	rosterd(2, "-c", config, "target", "forget", "nowhere", "--yes")
	rosterd(0, "-c", config, "target", "forget", "wiki", "--yes")
	rosterd(0, "-c", config, "status")
	rosterd(2, "-c", config, "target", "forget", "wiki", "--yes")
}
