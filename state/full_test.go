package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or what one of them has run in another process.
func TestMain(m *testing.M) {
	if folder := os.Getenv("ROSTERD_SMALL_DISK"); folder != "" {
		if err := onSmallDisk(folder); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// The disk is a small one of its own, seen by nobody but a process that the test
// starts, so that it can be full.
func TestAFullDiskLosesNothing(t *testing.T) {
	args := []string{"-rm", os.Args[0]}
	if os.Geteuid() == 0 {
		args[0] = "-m"
	}
	cmd := exec.Command("unshare", args...)
	cmd.Env = append(os.Environ(), "ROSTERD_SMALL_DISK="+t.TempDir())
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// crash makes an error of what the helpers of the tests find.
type crash struct{}

func (crash) Helper()                         {}
func (crash) Fatal(args ...any)               { panic(fmt.Sprint(args...)) }
func (crash) Fatalf(form string, args ...any) { panic(fmt.Sprintf(form, args...)) }

func onSmallDisk(folder string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	t := crash{}
	ok(t, syscall.Mount("none", folder, "tmpfs", 0, "size=3M"))
	path := filepath.Join(folder, "s.db")
	s, err := Open(path, Options{Now: at})
	ok(t, err)
	for i := range 200 {
		ok(t, s.Note("x", i, strings.Repeat("a note ", 100)))
	}
	for round := range 4 {
		filler := filepath.Join(folder, "filler")
		f, err := os.Create(filler)
		ok(t, err)
		n, err := io.Copy(f, zeros{})
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal("the disk is not full: ", err)
		}
		f.Close()
		// What is there is written until nothing more can be.
		wrote := 0
		for ; wrote < 3000; wrote++ {
			if err = s.Note("full", wrote, strings.Repeat("more ", 200)); err != nil {
				break
			}
		}
		var hint interface{ Hint() string }
		if !errors.Is(err, ErrDiskFull) || !errors.As(err, &hint) || hint.Hint() == "" {
			t.Fatalf("round %d: after %d notes: %v", round, wrote, err)
		}
		if trouble := s.Trouble(); !errors.Is(trouble, ErrDiskFull) {
			t.Fatal("it does not say that it cannot write: ", trouble)
		}
		before := content(t, s)
		for range 20 {
			if err := s.Note("full", 1, strings.Repeat("more ", 20000)); !errors.Is(err, ErrDiskFull) {
				t.Fatal(err)
			}
		}
		if err := s.Compact(context.Background()); !errors.Is(err, ErrDiskFull) {
			t.Fatal("compact: ", err)
		}
		if got := content(t, s); !maps.Equal(got, before) {
			t.Fatal("a half of what could not be written is there")
		}
		fits(t, s)
		// It can be looked at, also by who opens it now.
		if round%2 == 1 {
			ok(t, s.Close())
			s, err = Open(path, Options{Now: at})
			ok(t, err)
			if o := s.Opening(); o.Restored != nil || o.Torn {
				t.Fatalf("%+v", o)
			}
			if got := content(t, s); !maps.Equal(got, before) {
				t.Fatal("another content")
			}
		}
		var b bytes.Buffer
		if _, err := s.Backup(context.Background(), &b); err != nil {
			t.Fatal("back up: ", err)
		}
		// There is room again, and it goes on in the same process.
		ok(t, os.Remove(filler))
		for i := range 20 {
			ok(t, s.Note("room", i, strings.Repeat("b", 3000)))
		}
		ok(t, s.Trouble())
		fits(t, s)
		ok(t, s.Compact(context.Background()))
		check(t, s)
		fmt.Printf("round %d: %d bytes of filler, %d notes until it was full\n", round, n, wrote)
	}
	ok(t, s.Close())
	// A new state cannot be made on a full disk, and half of one is none.
	f, err := os.Create(filepath.Join(folder, "filler"))
	ok(t, err)
	_, _ = io.Copy(f, zeros{})
	f.Close()
	other := filepath.Join(folder, "other.db")
	if _, err = Open(other, Options{Now: at}); !errors.Is(err, ErrDiskFull) {
		t.Fatal("a new state on a full disk: ", err)
	}
	ok(t, os.Remove(f.Name()))
	s, err = Open(other, Options{Now: at})
	ok(t, err)
	if s.Opening().Restored != nil {
		t.Fatal("half of a new state was taken for a restored one")
	}
	ok(t, s.Close())
	// A disk that is read-only.
	ok(t, syscall.Mount("none", folder, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	var hint interface{ Hint() string }
	if _, err = Open(path, Options{Now: at, Timeout: time.Second}); !errors.Is(err, ErrReadOnlyDisk) || !errors.As(err, &hint) || hint.Hint() == "" {
		t.Fatal("read-only: ", err)
	}
	return nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
