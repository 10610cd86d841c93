package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Whoever uses a state holds the lock (flock) of its file. A file takes the place
// of another by a rename, so a lock may be got of a file that is not there any
// more: it counts only while path still leads to it.

// lockEvery is how often a lock that somebody has is asked for again.
const lockEvery = 25 * time.Millisecond

// errGone: between opening and locking, another file took the place.
var errGone = errors.New("another file took its place")

// lockFile opens the file at path, made if it is missing, and locks it. While
// somebody else has the lock it waits, and ends with a *BusyError.
func lockFile(path string, timeout time.Duration) (*os.File, error) {
	for waited := time.Duration(0); ; waited += lockEvery {
		f, err := tryLock(path)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, unix.EWOULDBLOCK) && waited < timeout:
			time.Sleep(lockEvery)
		case errors.Is(err, unix.EWOULDBLOCK):
			return nil, busy(path)
		case errors.Is(err, errGone) && waited < timeout:
		default:
			return nil, err
		}
	}
}

func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil && !leadsTo(path, f) {
		err = errGone
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// leadsTo says whether the path names the open file.
func leadsTo(path string, f *os.File) bool {
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	here, err := f.Stat()
	return err == nil && os.SameFile(there, here)
}

// syncFolder makes a rename in the folder of path last.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("write folder of the state: %w", err)
	}
	return nil
}
