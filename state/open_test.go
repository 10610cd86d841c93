package state

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

func at() time.Time { return newClock().at }

func TestOpenMakesAPrivateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "s.db")
	if _, err := Open(path, Options{Now: at, MustExist: true}); !errors.Is(err, ErrMissing) {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Fatal("a folder was made for a state that had to exist")
	}
	s, err := Open(path, Options{Now: at})
	ok(t, err)
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
		if st, err := os.Stat(p); err != nil || st.Mode() != want {
			t.Errorf("%s: %v %v, want %v", p, st.Mode(), err, want)
		}
	}
	serial := s.Serial()
	if len(serial) != 16 || s.Path() != path {
		t.Fatal(serial, s.Path())
	}
	ok(t, s.Close())
	s, err = Open(path, Options{Now: at, MustExist: true})
	ok(t, err)
	if s.Serial() != serial {
		t.Fatal("another serial")
	}
	ok(t, s.Close())
	if _, err := Open(path, Options{}); err == nil {
		t.Fatal("opened without a clock")
	}
}

func TestAnEmptyFileIsNoState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	ok(t, os.WriteFile(path, nil, 0o600))
	if _, err := Open(path, Options{Now: at, MustExist: true}); !errors.Is(err, ErrMissing) {
		t.Fatalf("%v", err)
	}
	s, err := Open(path, Options{Now: at})
	ok(t, err)
	ok(t, s.Close())
}

func TestARestoredFileIsMadePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := Open(path, Options{Now: at})
	ok(t, err)
	ok(t, s.Close())
	ok(t, os.Chmod(path, 0o664))
	s, err = Open(path, Options{Now: at})
	ok(t, err)
	ok(t, s.Close())
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	folder := filepath.Join(t.TempDir(), "s.db")
	ok(t, os.Mkdir(folder, 0o700))
	if _, err := Open(folder, Options{Now: at}); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("%v", err)
	}
}

func TestWhoMayNotUseTheStateIsToldWhoMay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := Open(path, Options{Now: at})
	ok(t, err)
	ok(t, s.Close())
	ok(t, os.Chmod(path, 0))
	opened := make(chan error)
	go func() {
		// Root may read everything; this thread, which ends here, may not.
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			_ = syscall.Setfsuid(65534)
		}
		_, err := Open(path, Options{Now: at})
		opened <- err
	}()
	var hint interface{ Hint() string }
	if err := <-opened; !errors.Is(err, ErrNotOurs) || !errors.As(err, &hint) || hint.Hint() == "" {
		t.Fatal(err)
	}
}

func TestBusyNamesTheHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := Open(path, Options{Now: at})
	ok(t, err)
	_, err = Open(path, Options{Now: at, Timeout: 60 * time.Millisecond})
	var busy *BusyError
	if !errors.As(err, &busy) || busy.PID != os.Getpid() || busy.Command == "" || !busy.Since.Equal(at()) || busy.Hint() == "" {
		t.Fatalf("%+v", err)
	}
	// No word, or half of one, keeps nobody out and blames nobody.
	ok(t, os.WriteFile(path+".holder", []byte("{"), 0o600))
	if _, err = Open(path, Options{Now: at, Timeout: 60 * time.Millisecond}); !errors.As(err, &busy) || busy.PID != 0 {
		t.Fatalf("%+v", err)
	}
	ok(t, s.Close())
	if _, err := os.Stat(path + ".holder"); err == nil {
		t.Fatal("the holder file stayed")
	}
}

func TestTheWordIsNotWrittenThroughALink(t *testing.T) {
	path, victim := filepath.Join(t.TempDir(), "s.db"), filepath.Join(t.TempDir(), "victim")
	ok(t, os.WriteFile(victim, []byte("precious"), 0o600))
	ok(t, os.Symlink(victim, path+".holder"))
	s, err := Open(path, Options{Now: at})
	ok(t, err)
	ok(t, s.Close())
	if b, err := os.ReadFile(victim); err != nil || string(b) != "precious" {
		t.Fatalf("%q %v", b, err)
	}
}

func TestAWordThatCannotBeLeftKeepsNobodyOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	ok(t, os.MkdirAll(filepath.Join(path+".holder", "x"), 0o700))
	s, err := Open(path, Options{Now: at})
	ok(t, err)
	_, err = Open(path, Options{Now: at, Timeout: 60 * time.Millisecond})
	var busy *BusyError
	if !errors.As(err, &busy) || busy.PID != 0 {
		t.Fatalf("%v", err)
	}
	ok(t, s.Close())
}

func TestDamagedAndForeignFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	s, err := Open(good, Options{Now: at})
	ok(t, err)
	ok(t, s.Note("test", 1, nil))
	ok(t, s.Close())
	whole, err := os.ReadFile(good)
	ok(t, err)
	files := map[string][]byte{
		"text":      []byte(strings.Repeat("this is no state\n", 2000)),
		"cut short": whole[:inUse(t, whole)/3],
		"tiny":      whole[:3000],
		"no metas":  append(make([]byte, 8192), whole[8192:]...),
	}
	for name, content := range files {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		ok(t, os.WriteFile(path, content, 0o600))
		s, err := Open(path, Options{Now: at, Timeout: 100 * time.Millisecond})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		var hint interface{ Hint() string }
		if !errors.Is(err, ErrCorrupt) || !errors.As(err, &hint) || hint.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, edit := range map[string]func(*txn) error{
		"foreign": func(tx *txn) error {
			if err := tx.DeleteBucket(bMeta); err != nil {
				return err
			}
			return nil
		},
		"lacks a bucket": func(tx *txn) error { return tx.DeleteBucket(bLinks) },
	} {
		path := filepath.Join(dir, "edited-"+strings.ReplaceAll(name, " ", "-"))
		ok(t, os.WriteFile(path, whole, 0o600))
		alter(t, path, edit)
		if _, err := Open(path, Options{Now: at}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	alter(t, good, func(tx *txn) error { return tx.Bucket(bMeta).Put(kSchema, []byte{schema + 1}) })
	if _, err := Open(good, Options{Now: at}); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("%v", err)
	}
}

func alter(t *testing.T, path string, edit func(*txn) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	ok(t, err)
	ok(t, db.Update(func(tx *bolt.Tx) error { return edit(wrap(tx)) }))
	ok(t, db.Close())
}

func TestNetworkFileSystemsAreRefused(t *testing.T) {
	for _, magic := range []uint32{0x6969, 0xff534d42, 0x65735546} {
		if err := refuseMagic(magic); !errors.Is(err, ErrNetworkFilesystem) {
			t.Errorf("%x: %v", magic, err)
		}
	}
	if err := refuseMagic(0xef53); err != nil {
		t.Errorf("ext4: %v", err)
	}
}
