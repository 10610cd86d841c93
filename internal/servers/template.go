package servers

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// templateAge is how long a server that took long to make is copied from: its
// passwords and tickets age.
const templateAge = 24 * time.Hour

// template copies to the folder `to`, which is not there yet, what fill once put
// into a folder. That is kept between test binaries in the user's cache, by what
// it was made of, and made anew each day; one process makes it while others wait.
func template(kind string, of []string, fill func(dir string) error, to string) error {
	root, err := templateRoot()
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(strings.Join(of, "\x00")))
	dir := filepath.Join(root, fmt.Sprintf("%s-%x", kind, sum[:8]))
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the template: %w", err)
	}
	defer lock.Close()
	for {
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("lock the template: %w", err)
	}
	// The name without `making` comes last, so nobody takes a template over which
	// somebody was killed.
	if st, err := os.Stat(dir); err == nil && time.Since(st.ModTime()) < templateAge {
		return copyTree(dir, to)
	}
	making := dir + ".making"
	if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(making), outdated(root)); err != nil {
		return fmt.Errorf("remove the old template: %w", err)
	}
	if err := os.Mkdir(making, 0o700); err != nil {
		return fmt.Errorf("make the template: %w", err)
	}
	if err := fill(making); err != nil {
		return errors.Join(err, os.RemoveAll(making))
	}
	if err := os.Rename(making, dir); err != nil {
		return fmt.Errorf("complete the template: %w", err)
	}
	return copyTree(dir, to)
}

// outdated removes the templates of two days ago, of whatever they were made.
func outdated(root string) error {
	all, err := os.ReadDir(root)
	for _, e := range all {
		if info, gone := e.Info(); gone == nil && e.IsDir() && time.Since(info.ModTime()) > 2*templateAge {
			err = errors.Join(err, os.RemoveAll(filepath.Join(root, e.Name())))
		}
	}
	return err
}

// templateRoot is a folder that is ours alone.
func templateRoot() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	root := filepath.Join(cache, fmt.Sprintf("rosterd-test-servers-%d", os.Getuid()))
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of templates: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(root, &st); err != nil {
		return "", fmt.Errorf("look at the folder of templates: %w", err)
	}
	if int(st.Uid) != os.Getuid() || st.Mode&unix.S_IFMT != unix.S_IFDIR || st.Mode&0o022 != 0 {
		return "", fmt.Errorf("use the folder of templates %s: it is not ours alone", root)
	}
	return root, nil
}
