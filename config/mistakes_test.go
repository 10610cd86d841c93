package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMistakenPolicies: each file in testdata/mistakes but base.toml is put at
// the end of that one and makes a policy that somebody got wrong. What is said
// stands beside it: all of it at once, in order, each with its place, the line
// and a hint. What begins with over- is only told later, by check; what begins with
// included- is a file that the owner of the wiki keeps.
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
			if strings.HasPrefix(name, "included-") {
				included(t, strings.TrimSuffix(file, ".toml")+".want", string(base), text)
				return
			}
			read := func(string) ([]byte, error) { return nil, nil }
			config, problems := parse("rosterd.toml", []byte(string(base)+"\n"+string(text)), read, testKinds(t))
			if strings.HasPrefix(name, "over-") {
				if config == nil || len(problems) > 0 || len(config.Over(time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC))) > 0 {
					t.Fatalf("time makes a mistake of it, or is told too early: %s", problems.Error())
				}
				problems = config.Over(time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC))
			}
			if warning := strings.HasPrefix(name, "warning-") || strings.HasPrefix(name, "over-"); len(problems) == 0 || problems.Broken() == warning || (config == nil) == warning {
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

// included reads a mistaken file that somebody else keeps: what is wrong is told
// where it stands, and never of the main file.
func included(t *testing.T, want, base string, text []byte) {
	main := base + `
[include.wiki]
file = "conf.d/wiki.toml"
may  = ["target.wiki", "role.wiki-*", "table.wiki-*", "test.wiki-*"]
`
	read := files(func(name string) ([]byte, error) {
		if name != "conf.d/wiki.toml" {
			t.Errorf("%s is read", name)
		}
		return text, nil
	})
	config, problems := parse("rosterd.toml", []byte(main), read, testKinds(t))
	if config != nil || len(problems) == 0 {
		t.Fatal("it was taken")
	}
	for _, p := range problems {
		if p.File != "conf.d/wiki.toml" || p.Line < 1 || p.Column < 1 || p.Hint == "" || strings.Contains(p.Hint, "the example file") || p.Source == "" {
			t.Errorf("no place in the file itself, or no hint: %+v", p)
		}
	}
	golden(t, want, problems)
}
