package handover

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Law 12: where everyone could put a program of theirs in the place of ours, or letters,
// none is handed over; check says so before.
func TestLaw12NobodyElsesPlace(t *testing.T) {
	public, _ := keys(t)
	for name, spoil := range map[string]func(t *testing.T, path string) string{
		"the thing itself":     func(t *testing.T, path string) string { chmod(t, path, 0o777); return path },
		"a place like /tmp":    func(t *testing.T, path string) string { chmod(t, path, os.ModeSticky|0o777); return path },
		"the folder it is in":  func(t *testing.T, path string) string { chmod(t, filepath.Dir(path), 0o777); return path },
		"one above":            func(t *testing.T, path string) string { chmod(t, filepath.Dir(filepath.Dir(path)), 0o777); return path },
		"where a link leads":   func(t *testing.T, path string) string { chmod(t, filepath.Dir(path), 0o777); return link(t, path) },
		"where a link lies":    func(t *testing.T, path string) string { l := link(t, path); chmod(t, filepath.Dir(l), 0o777); return l },
		"theirs, beside a bit": nil,
	} {
		for _, way := range []string{"command", "folder"} {
			t.Run(name+", "+way, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "a", "b", "there")
				mkdir(t, filepath.Dir(path))
				c := Config{}
				if way == "command" {
					if err := os.WriteFile(path, []byte("#!/bin/sh\ncat > $0.got\n"), 0o700); err != nil {
						t.Fatal(err)
					}
				} else {
					mkdir(t, path)
					c.Age = public
				}
				if spoil != nil {
					path = spoil(t, path)
				} else {
					if os.Geteuid() != 0 {
						return // nobody else can give things away
					}
					chmod(t, filepath.Dir(path), os.ModeSticky|0o777)
					if d := of(t, c, way, path); give(t, d, letter()) != nil {
						t.Fatal("what is ours in a folder like /tmp is not trusted")
					}
					if err := os.Lchown(path, 4711, 4711); err != nil {
						t.Fatal(err)
					}
				}
				d := of(t, c, way, path)
				if err := give(t, d, letter()); err == nil || !strings.Contains(err.Error(), "everyone") {
					t.Errorf("it was handed over: %v", err)
				}
				if _, err := d.Ready(); err == nil {
					t.Error("check says nothing")
				}
				if found, _ := filepath.Glob(path + "/*"); spoil != nil && len(found) > 0 || spoil != nil && there(path+".got") {
					t.Errorf("something is there: %v", found)
				}
			})
		}
	}
}

func of(t *testing.T, c Config, way, path string) *Desk {
	t.Helper()
	if way == "command" {
		c.Command = []string{path}
	} else {
		c.Folder = path
	}
	return made(t, c)
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, path string) string {
	t.Helper()
	l := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, l); err != nil {
		t.Fatal(err)
	}
	return l
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Somebody who put a link in the place of a letter, or of the one that is being written,
// gets nothing through it: the link goes, and what it led to stays as it was.
func TestLaw12LinkInThePlaceOfALetter(t *testing.T) {
	public, _ := keys(t)
	folder, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
	d := made(t, Config{Age: public, Folder: folder})
	l := letter()
	name := fileName(l.Target, l.Account)
	for _, at := range []string{name, "." + name + ".new"} {
		if err := os.WriteFile(elsewhere, []byte("as it was"), 0o644); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(filepath.Join(folder, name))
		if err := os.Symlink(elsewhere, filepath.Join(folder, at)); err != nil {
			t.Fatal(err)
		}
		if err := d.Give(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(elsewhere); err != nil || string(b) != "as it was" {
			t.Errorf("%v: what the link led to is now %q", err, b)
		}
		if info, err := os.Lstat(filepath.Join(folder, name)); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v: %v", err, info)
		}
	}
}

// A disk that is full half way: the error says so, nothing is left of the letter, and the
// one before is as it was.
func TestSealedOnAFullDisk(t *testing.T) {
	public, _ := keys(t)
	folder := t.TempDir()
	d := made(t, Config{Age: public, Folder: folder})
	l := letter()
	if err := d.Give(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, fileName(l.Target, l.Account))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	full := was
	full.Cur = 100
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	err = d.Give(t.Context(), l)
	if back := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); back != nil {
		t.Fatal(back)
	}
	if err == nil || !strings.Contains(err.Error(), "file too large") || strings.Contains(err.Error(), "Canary") {
		t.Errorf("the error is %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("%v: the letter before is another", err)
	}
	if files, _ := os.ReadDir(folder); len(files) != 1 {
		t.Errorf("something is left: %v", files)
	}
}
