package handover

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"filippo.io/age"
)

// sealed are files that only the holders of keys can read, one for each account.
type sealed struct {
	folder string
	keys   []age.Recipient
}

func (s *sealed) String() string { return "as an encrypted file in " + s.folder }

// give puts the file there, whole and on disk or not at all. A later one of the same
// account takes its place: the password in the earlier is not valid any more.
func (s *sealed) give(ctx context.Context, text []byte, l Letter) (err error) {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, s.keys...)
	if err != nil {
		return fmt.Errorf("encrypt: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("encrypt: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("encrypt: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Mkdir(s.folder, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	if err := trusted(s.folder); err != nil {
		return err
	}
	// An account is written by one at a time; what an earlier one left was cut off.
	name := fileName(l.Target, l.Account)
	fresh := filepath.Join(s.folder, "."+name+".new")
	if err := os.Remove(fresh); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(fresh)
		}
	}()
	if _, err = f.Write(b.Bytes()); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err = os.Rename(fresh, filepath.Join(s.folder, name)); err != nil {
		return err
	}
	return syncFolder(s.folder)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// longest is how much of an account's name stands in the name of its file.
const longest = 100

// fileName is of one account, whatever its name is made of. Where the name cannot be
// written as it is, a digest tells it from others that look alike.
func fileName(target, account string) string {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.@+", r) {
				return r
			}
			return '_'
		}, s)
	}
	name := plain(account)
	if name != account || len(name) > longest || strings.HasPrefix(name, ".") || strings.Contains(name, "~") {
		sum := sha256.Sum256([]byte(account))
		name = name[:min(len(name), longest)] + "~" + hex.EncodeToString(sum[:8])
	}
	return target + "~" + name + ".age"
}

// ready looks whether a file can be put there.
func (s *sealed) ready() (string, error) {
	info, err := os.Stat(s.folder)
	if os.IsNotExist(err) {
		if up, err := os.Stat(filepath.Dir(s.folder)); err != nil || !up.IsDir() {
			return "", fmt.Errorf("there is no folder %s, and nothing to make it in", s.folder)
		}
		return fmt.Sprintf("passwords are handed over %s, which is made with the first", s), nil
	}
	switch {
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%s is no folder", s.folder)
	case syscall.Access(s.folder, mayRun|mayWrite) != nil:
		return "", fmt.Errorf("%s may not be written by this user", s.folder)
	}
	if err := trusted(s.folder); err != nil {
		return "", err
	}
	return "passwords are handed over " + s.String(), nil
}
