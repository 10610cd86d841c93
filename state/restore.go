package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Placed says what was restored.
type Placed struct {
	Manifest
	// Kept are the files that were replaced, under their new names.
	Kept []string
}

// Restore puts a backup in the place of the state at path, which nobody may have
// open. The backup is checked whole before anything is changed; what it replaces
// stays beside it. Killed at any instant, the old or the new state is there, and
// it may be run again. Who opens the state then finds that it is a restored one.
func Restore(path string, from *os.File, o Options) (Placed, error) {
	p, err := restore(path, from, o)
	if err != nil {
		return p, fmt.Errorf("restore state: %w", ours(err))
	}
	return p, nil
}

// Renew puts an empty state in the place of one that cannot be used, and keeps
// that.
func Renew(path string, o Options) (Placed, error) {
	p, err := restore(path, nil, o)
	if err != nil {
		return p, fmt.Errorf("begin the state anew: %w", ours(err))
	}
	return p, nil
}

func restore(path string, from *os.File, o Options) (out Placed, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return out, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	var members []member
	if from != nil {
		if out.Manifest, members, err = readBackup(from); err != nil {
			return out, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return out, err
	}
	if err := refuseNetwork(filepath.Dir(path)); err != nil {
		return out, err
	}
	lock, err := lockFile(path, o.Timeout)
	if err != nil {
		return out, err
	}
	defer lock.Close()
	suffix := ".replaced-" + o.Now().UTC().Format("20060102T150405Z")
	for _, m := range members[min(1, len(members)):] {
		kept, err := placeFile(filepath.Join(JournalFolder(path), filepath.Base(m.name)), m, suffix)
		if err != nil {
			return out, err
		}
		out.Kept = append(out.Kept, kept...)
	}
	kept, err := keep(path, lock, suffix)
	if err != nil {
		return out, err
	}
	out.Kept = append(out.Kept, kept...)
	if from == nil {
		return out, errors.Join(os.Remove(path), syncFolder(path))
	}
	temp := restorePath(path)
	if err := writeMember(temp, members[0]); err != nil {
		return out, err
	}
	return out, errors.Join(os.Rename(temp, path), syncFolder(path))
}

// restorePath is where a state grows that is restored.
func restorePath(path string) string { return path + ".restore" }

// keep gives the state that is replaced a second name.
func keep(path string, lock *os.File, suffix string) ([]string, error) {
	info, err := lock.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err // it was made by the lock
	}
	to, err := unused(path + suffix)
	if err == nil {
		err = os.Link(path, to)
	}
	return []string{to}, err
}

// unused is the path, or one like it, at which nothing is.
func unused(path string) (string, error) {
	to := path
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return to, err
		}
		to = fmt.Sprintf("%s.%d", path, n)
	}
}

// placeFile puts a month of the journal in its place. One of the same content
// stays; another is kept under another name.
func placeFile(path string, m member, suffix string) (kept []string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	temp := path + tempSuffix
	if err := writeMember(temp, m); err != nil {
		return nil, err
	}
	same, err := sameFile(temp, path)
	switch {
	case err == nil && same:
		return nil, os.Remove(temp)
	case err == nil:
		var to string
		if to, err = unused(path + suffix); err == nil {
			kept, err = []string{to}, os.Rename(path, to)
		}
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	return kept, errors.Join(err, syncFolder(path))
}

func writeMember(path string, m member) error {
	if _, err := m.body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return writeFile(path, func(f *os.File) error {
		_, err := io.Copy(f, m.body)
		return err
	})
}
