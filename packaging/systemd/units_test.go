// Package systemd holds the units; its test has systemd itself read them.
package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The units say nothing that systemd does not know. It looks for the program, so
// one lies where the copies name it.
func TestTheUnitsAreRight(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatal("systemd-analyze is missing: install the package systemd, as .ci/prepare does")
	}
	folder := t.TempDir()
	program := filepath.Join(folder, "rosterd")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	units, err := filepath.Glob("*.service")
	if err != nil || len(units) < 2 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, unit)
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "/usr/bin/rosterd", program)), 0o600); err != nil {
			t.Fatal(err)
		}
		// A mistake makes it speak; the test would not see one otherwise.
		for _, bad := range []bool{false, true} {
			if bad {
				if err := os.WriteFile(path, append(text, "\n[Service]\nNoSuchKey=1\n"...), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.Command(tool, "verify", "--man=no", path).CombinedOutput()
			if said := strings.TrimSpace(string(out)); (said != "" || err != nil) != bad {
				t.Errorf("%s, with a mistake %v: %v\n%s", unit, bad, err, said)
			}
		}
	}
}

// The resync has the sandbox of the service: it does the same.
func TestBothUnitsHaveOneSandbox(t *testing.T) {
	sandbox := map[string]string{}
	for _, unit := range []string{"rosterd.service", "rosterd-resync.service"} {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(text), "\nNoNewPrivileges=yes\n")
		if !found {
			t.Fatalf("%s has no sandbox", unit)
		}
		rest, _, _ = strings.Cut(rest, "\n[")
		sandbox[unit] = strings.TrimSpace(rest)
	}
	if sandbox["rosterd.service"] != sandbox["rosterd-resync.service"] {
		t.Errorf("the service has\n%s\nand the resync\n%s", sandbox["rosterd.service"], sandbox["rosterd-resync.service"])
	}
}
