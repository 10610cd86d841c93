package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMistakenPolicies: each file in testdata/mistakes but base.toml is put at
// the end of that one and makes a policy that somebody got wrong. What is said
// stands beside it: all of it at once, in order, each with its place, the line
// and a hint.
func TestMistakenPolicies(t *testing.T) {
	const folder = "testdata/mistakes/"
	base, err := os.ReadFile(folder + "base.toml")
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := Parse("rosterd.toml", base, testKinds(t)); len(problems) > 0 {
		t.Fatal(problems.Error())
	}
	files, err := filepath.Glob(folder + "*.toml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("only %d files with mistakes", len(files))
	}
	began := strings.Count(string(base), "\n")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		if name == "base" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			config, problems := Parse("rosterd.toml", []byte(string(base)+"\n"+string(text)), testKinds(t))
			if warning := strings.HasPrefix(name, "warning-"); len(problems) == 0 || problems.Broken() == warning || (config == nil) == warning {
				t.Errorf("%d problems, broken %t", len(problems), problems.Broken())
			}
			last := 0
			for _, p := range problems {
				if p.Hint == "" || strings.Contains(p.Hint, "the example file") || p.Column < 1 || p.Message == "" || p.Key == "" && len(problems) > 1 {
					t.Errorf("no hint, place or key: %+v", p)
				}
				if p.Line < last {
					t.Errorf("line %d is told after line %d", p.Line, last)
				}
				if last = p.Line; p.Line <= began {
					t.Errorf("told of line %d, where nothing is wrong: %s", p.Line, p.Message)
				}
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".want", problems)
		})
	}
}
