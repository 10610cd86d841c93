package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each event of the log is explained by journalctl -x, and nothing else is.
func TestTheCatalogExplainsEachEvent(t *testing.T) {
	read := func(parts ...string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(parts...))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	events := map[string]string{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	event := regexp.MustCompile(`(?m)^\s*(event[A-Z]\w*)\s*=\s*"([0-9a-f]{32})"`)
	for _, f := range files {
		for _, m := range event.FindAllStringSubmatch(read(f), -1) {
			if other := events[m[2]]; other != "" {
				t.Errorf("%s and %s have one ID", other, m[1])
			}
			events[m[2]] = m[1]
		}
	}
	if len(events) < 12 {
		t.Fatalf("%d events were found", len(events))
	}
	catalog := read("..", "..", "packaging", "systemd", "rosterd.catalog")
	explained := map[string]bool{}
	entry := regexp.MustCompile(`(?m)^-- ([0-9a-f]{32})\nSubject: \S.*\nDefined-By: rosterd\n\n\S`)
	for _, m := range entry.FindAllStringSubmatch(catalog, -1) {
		if events[m[1]] == "" || explained[m[1]] {
			t.Errorf("the catalog explains %s, which is no event, or twice", m[1])
		}
		explained[m[1]] = true
	}
	for id, name := range events {
		if !explained[id] {
			t.Errorf("the catalog does not explain %s (%s)", name, id)
		}
	}
	known := map[string]bool{}
	for _, f := range []string{"log.go", "run.go"} {
		for _, m := range regexp.MustCompile(`"([a-z]+)",`).FindAllStringSubmatch(read(f), -1) {
			known["ROSTERD_"+strings.ToUpper(m[1])] = true
		}
	}
	for _, m := range regexp.MustCompile(`@(\w+)@`).FindAllStringSubmatch(catalog, -1) {
		if !known[m[1]] {
			t.Errorf("the catalog names the field %s, which no message has", m[1])
		}
	}
}
