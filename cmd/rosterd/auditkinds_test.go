package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryKindOfRecordCanBeAskedFor: the kinds that audit knows are those that the state
// writes, all of them and no others.
func TestEveryKindOfRecordCanBeAskedFor(t *testing.T) {
	files, err := filepath.Glob("../../state/*.go")
	if err != nil {
		t.Fatal(err)
	}
	writes := regexp.MustCompile(`(?:recordOf\(|Record\{Kind: |note(?:Exception|Hold)\(tx, |changePauses\(|noteIntent\(.*)"([a-z-]+)"`)
	var source strings.Builder
	found := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
		for _, m := range writes.FindAllSubmatch(text, -1) {
			found++
			if !slices.Contains(recordKinds, string(m[1])) {
				t.Errorf("%s writes records of the kind %s, which audit --kind refuses", filepath.Base(f), m[1])
			}
		}
	}
	if found < 25 {
		t.Errorf("only %d places were found that write a record", found)
	}
	for _, k := range recordKinds {
		if !strings.Contains(source.String(), `"`+k+`"`) {
			t.Errorf("nothing writes records of the kind %s", k)
		}
	}
	for word, kind := range saidOtherwise {
		if !slices.Contains(recordKinds, kind) || slices.Contains(recordKinds, word) {
			t.Errorf("%s is called %s", word, kind)
		}
	}
}
