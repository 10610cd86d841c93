package handover

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// trusted says who could put something else in the place of a path: everyone who may
// write to it or to a folder above it, by the path as it stands and as it leads. In a
// folder like /tmp everyone may keep only what is theirs, so what lies there must be ours
// or root's.
func trusted(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for _, p := range []string{path, real} {
		mayReplace := false // everyone may, but for what is not theirs
		for _, at := range upTo(p) {
			info, err := os.Lstat(at)
			if err != nil {
				return err
			}
			stat, is := info.Sys().(*syscall.Stat_t)
			if mayReplace && is && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
				return fmt.Errorf("%s belongs to somebody else, in a folder that everyone may write to", at)
			}
			mayReplace = false
			if info.Mode()&fs.ModeSymlink != 0 || info.Mode().Perm()&0o002 == 0 {
				continue
			}
			if !info.IsDir() || info.Mode()&fs.ModeSticky == 0 || at == p {
				return fmt.Errorf("%s may be changed by everyone (mode %04o)", at, info.Mode().Perm())
			}
			mayReplace = true
		}
	}
	return nil
}

// upTo are the folders that lead to a path, from the root on, and the path.
func upTo(path string) []string {
	out := []string{path}
	for up := filepath.Dir(path); ; up = filepath.Dir(up) {
		out = append([]string{up}, out...)
		if up == filepath.Dir(up) {
			return out
		}
	}
}
