package rosterd_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/floors"
)

// TestHouse holds every file of the module to the rules of the house.
func TestHouse(t *testing.T) {
	var files []floors.File
	rooms := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		if entry.IsDir() {
			// What is built, downloaded or found by fuzzing is not ours.
			if path == ".git" || path == "bin" || path == "dist" || path == "vendor" || strings.HasSuffix(path, "/testdata/fuzz") {
				return fs.SkipDir
			}
			return nil
		}
		// In a second work tree .git is a file.
		if !entry.Type().IsRegular() || path == ".git" {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		room, _, _ := strings.Cut(path, "/")
		rooms[room] = true
		files = append(files, floors.File{Path: path, Source: source})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{"identity", "directory", "target", "ledger", "mapping", "state", "sync", "config", "internal", "cmd"} {
		if !rooms[room] {
			t.Errorf("the room %s was not found; is this the root of the module?", room)
		}
	}
	for _, breach := range floors.Check(files) {
		t.Error(breach)
	}
}
