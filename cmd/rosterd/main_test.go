package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	gosync "sync"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if folder := built.folder; folder != "" {
		os.RemoveAll(folder) //nolint:errcheck // a folder in the system's temporary one
	}
	os.Exit(code)
}

// built is the program as people run it, built once for all tests that start,
// stop or kill it.
var built struct {
	once   gosync.Once
	folder string
	err    error
}

// rosterdBinary is the path of the program.
func rosterdBinary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.folder, built.err = os.MkdirTemp("", "rosterd"); built.err != nil {
			return
		}
		// Tests run it as other users, too.
		built.err = os.Chmod(built.folder, 0o755)
		build := exec.Command("go", "build", "-o", built.folder, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = errors.Join(built.err, fmt.Errorf("%w: %s", err, out))
		}
	})
	if built.err != nil {
		t.Fatalf("build rosterd: %v", built.err)
	}
	return filepath.Join(built.folder, "rosterd")
}
