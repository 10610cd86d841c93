package servers

import (
	"errors"
	"fmt"
	"os"
)

// copyTree copies a folder with modes, times and special files; to must not be
// there yet.
func copyTree(from, to string) error {
	if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("copy %s to %s: it is there already", from, to)
	}
	return run("cp", "-a", "--reflink=auto", from, to)
}

// replaceTree puts a copy of from in the place of to.
func replaceTree(from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("find the copy: %w", err)
	}
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("remove what is there: %w", err)
	}
	return copyTree(from, to)
}
