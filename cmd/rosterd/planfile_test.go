package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const somePlan = `{
  "format_version": 1,
  "digest": "0000000000000000000000000000000000000000000000000000000000000000",
  "people": [ { "person": 7, "login": "writer7", "changes": [ { "text": "disable <writer7>" } ] } ]
}`

// Whatever byte of a plan is changed, left out or put in: it is found.
func TestLaw04APlanFileIsAsItWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	a := &app{}
	read := func(text []byte) error {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := a.readPlan(path)
		return err
	}
	text := append(signed([]byte(somePlan)), '\n')
	if err := read(text); err != nil || !json.Valid(text) {
		t.Fatal(err)
	}
	for i := range text {
		for bit := range 8 {
			b := bytes.Clone(text)
			b[i] ^= 1 << bit
			if read(b) == nil {
				t.Fatalf("byte %d (%q) was changed to %q, and nobody noticed", i, text[i], b[i])
			}
		}
		if read(bytes.Join([][]byte{text[:i], text[i+1:]}, nil)) == nil {
			t.Fatalf("byte %d (%q) was left out, and nobody noticed", i, text[i])
		}
		if read(bytes.Join([][]byte{text[:i], text[i:]}, []byte(" "))) == nil {
			t.Fatalf("a blank before byte %d, and nobody noticed", i)
		}
		if read(text[:i]) == nil {
			t.Fatalf("cut at byte %d, and nobody noticed", i)
		}
	}
}

// What held a plan before holds it still; a device is nobody's to remove.
func TestNoEmptyPlanStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	for _, before := range []string{"", "a plan of before"} {
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		closePlan(file)
		left, err := os.ReadFile(path)
		if (err == nil) != (before != "") || string(left) != before {
			t.Errorf("%q became %q, %v", before, left, err)
		}
	}
	link := filepath.Join(t.TempDir(), "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(link, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	closePlan(file)
	if _, err := os.Lstat(link); err != nil {
		t.Error(err)
	}
}
