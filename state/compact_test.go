package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/rosterd/rosterd/identity"
)

// content is all that a state says, but for which file it is in.
func content(t tester, s *Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	ok(t, s.view(func(tx *txn) error {
		return tx.tx.ForEach(func(name []byte, raw *bolt.Bucket) error {
			out[string(name)] = fmt.Sprint("sequence ", raw.Sequence())
			return tx.Bucket(name).ForEach(func(k, v []byte) error {
				if !bytes.Equal(k, kGeneration) {
					out[string(name)+"/"+string(k)] = string(v)
				}
				return nil
			})
		})
	}))
	return out
}

// crowded is a state with something in it, and free pages with what was there.
func crowded(t *testing.T) *kit {
	t.Helper()
	k := newKit(t)
	k.s.db.NoSync = true
	defer func() { k.s.db.NoSync = false }()
	k.persons(300)
	k.group("team", dn("writer1"), dn("writer2"))
	k.read()
	for i := range 300 {
		ok(t, k.s.Note("secret", i, strings.Repeat(fmt.Sprint("erase-me-", i, " "), 50)))
	}
	ok(t, k.s.update(func(tx *txn) error {
		b := tx.Bucket(bJournal)
		for i := range 300 {
			if err := b.Delete(u64(uint64(i + 1))); err != nil {
				return err
			}
		}
		if err := b.SetSequence(0); err != nil {
			return err
		}
		return tx.Bucket(bMeta).Delete(kHead)
	}))
	ok(t, k.s.Note("after", "this stays", nil))
	return k
}

func files(t tester, path string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	ok(t, err)
	for i := range list {
		list[i] = filepath.Base(list[i])
	}
	return list
}

func TestCompactLeavesNothingOfWhatWasDeleted(t *testing.T) {
	k := crowded(t)
	before := content(t, k.s)
	old, err := os.ReadFile(k.path)
	ok(t, err)
	if !bytes.Contains(old, []byte("erase-me-")) {
		t.Fatal("the test proves nothing: what was deleted is not in the free pages")
	}
	beats := 0
	k.s.committed = func() { beats++ }
	ok(t, k.s.Compact(t.Context()))
	fresh, err := os.ReadFile(k.path)
	ok(t, err)
	if bytes.Contains(fresh, []byte("erase-me-")) || len(fresh) >= len(old) {
		t.Fatalf("%d bytes became %d", len(old), len(fresh))
	}
	if got := content(t, k.s); !maps.Equal(got, before) {
		t.Fatal("the content is another")
	}
	if beats == 0 {
		t.Error("nobody was told that something moves")
	}
	if info, err := os.Stat(k.path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	// It goes on, is still locked, and whoever holds it is still named.
	ok(t, k.s.Note("after", "that too", nil))
	var busy *BusyError
	if _, err := Open(k.path, Options{Now: at, Timeout: 60 * time.Millisecond}); !errors.As(err, &busy) || busy.PID != os.Getpid() {
		t.Fatal(err)
	}
	ok(t, k.s.Compact(t.Context()))
	before = content(t, k.s)
	k.reopen()
	if got := content(t, k.s); !maps.Equal(got, before) {
		t.Fatal("the content is another after it was opened again")
	}
	if o := k.s.Opening(); o.Unclean || o.Restored != nil {
		t.Fatalf("its witness was not told: %+v", o)
	}
}

func TestALockOfAFileThatIsGoneDoesNotCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	f, err := lockFile(path, 0)
	ok(t, err)
	defer f.Close()
	if !leadsTo(path, f) {
		t.Fatal("it is there")
	}
	ok(t, os.WriteFile(path+".new", nil, 0o600))
	ok(t, os.Rename(path+".new", path))
	if leadsTo(path, f) {
		t.Fatal("another file took its place")
	}
}

func TestNobodyComesInBetween(t *testing.T) {
	k := crowded(t)
	// Somebody waits for the lock of the old file; it is freed when the new one
	// has taken its place.
	opened := make(chan error, 4)
	for range 4 {
		go func() {
			s, err := Open(k.path, Options{Now: at, Timeout: 300 * time.Millisecond})
			if err == nil {
				err = errors.Join(errors.New("two have the state"), s.Close())
			}
			opened <- err
		}()
	}
	time.Sleep(50 * time.Millisecond)
	for range 3 {
		ok(t, k.s.Compact(t.Context()))
	}
	for range 4 {
		var busy *BusyError
		if err := <-opened; !errors.As(err, &busy) {
			t.Error(err)
		}
	}
	// And whoever waits long enough gets the file that is there.
	k.clock.forward(1)
	late := make(chan error, 1)
	go func() {
		s, err := Open(k.path, Options{Now: at, Timeout: 5 * time.Second})
		if err == nil {
			_, _, err = s.JournalHead()
			err = errors.Join(err, s.Note("late", 1, nil), s.Close())
		}
		late <- err
	}()
	time.Sleep(50 * time.Millisecond)
	ok(t, k.s.Compact(t.Context()))
	ok(t, k.s.Note("early", 1, nil))
	ok(t, k.s.Close())
	ok(t, <-late)
	k.open()
	var kinds []string
	for _, r := range records(t, k.s, JournalFilter{}) {
		kinds = append(kinds, r.Kind)
	}
	if want := []string{"early", "late"}; !slices.Equal(kinds[len(kinds)-2:], want) {
		t.Fatalf("%v", kinds)
	}
}

// A copy of the folder at any instant is what a kill at that instant leaves.
func TestCompactKilledLeavesOneWholeFile(t *testing.T) {
	k := crowded(t)
	before := content(t, k.s)
	copies := map[string]string{}
	k.s.step = func(at string) {
		to := t.TempDir()
		ok(t, os.CopyFS(to, os.DirFS(filepath.Dir(k.path))))
		copies[at] = filepath.Join(to, filepath.Base(k.path))
	}
	ok(t, k.s.Compact(t.Context()))
	if len(copies) != 2 {
		t.Fatalf("%v", copies)
	}
	for at, path := range copies {
		s, err := Open(path, Options{Now: k.clock.now})
		ok(t, err)
		if got := content(t, s); !maps.Equal(got, before) {
			t.Errorf("killed when %s: the content is another", at)
		}
		check(t, s)
		ok(t, s.Close())
		if list := files(t, path); slices.Contains(list, filepath.Base(compactPath(path))) {
			t.Errorf("killed when %s: there are %v", at, list)
		}
	}
	half := compactPath(copies["written"])
	ok(t, os.WriteFile(half, []byte("half a file"), 0o600))
	s, err := Open(copies["written"], Options{Now: k.clock.now})
	ok(t, err)
	defer s.Close()
	if _, err := os.Stat(half); err == nil {
		t.Error("half a file was left")
	}
	ok(t, os.WriteFile(half, []byte("half a file"), 0o600))
	ok(t, s.Compact(t.Context()))
}

func TestCompactThatEndsEarlyChangesNothing(t *testing.T) {
	k := crowded(t)
	before, list := content(t, k.s), files(t, k.path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.s.Compact(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	tamper(t, k.s, func(tx *bolt.Tx) error { return tx.Bucket(bTargets).Put([]byte("a"), []byte("12345")) })
	if err := k.s.Compact(t.Context()); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	tamper(t, k.s, func(tx *bolt.Tx) error { return tx.Bucket(bTargets).Delete([]byte("a")) })
	if got := files(t, k.path); !slices.Equal(got, list) {
		t.Fatalf("%v, before %v", got, list)
	}
	if got := content(t, k.s); !maps.Equal(got, before) {
		t.Fatal("the content is another")
	}
}

func TestAFileThatWasReplacedIsNotWrittenOn(t *testing.T) {
	k := crowded(t)
	other := filepath.Join(t.TempDir(), "other.db")
	s, err := Open(other, Options{Now: at})
	ok(t, err)
	ok(t, s.Close())
	ok(t, os.Rename(k.path, k.path+".aside"))
	ok(t, os.Rename(other, k.path))
	for name, err := range map[string]error{"write": k.s.Note("x", 1, nil), "compact": k.s.Compact(t.Context())} {
		var hint interface{ Hint() string }
		if !errors.Is(err, ErrReplaced) || !errors.As(err, &hint) || hint.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	ok(t, os.Rename(k.path+".aside", k.path))
	ok(t, k.s.Note("x", 1, nil))
}

func TestOthersWorkWhileItIsCompacted(t *testing.T) {
	k := crowded(t)
	k.s.db.NoSync = true
	stop := make(chan struct{})
	var all sync.WaitGroup
	var wrote, read int
	do := func(n *int, f func() error) {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil {
					t.Error(err)
					return
				}
				*n++
			}
		})
	}
	do(&wrote, func() error { return k.s.Note("write", 1, nil) })
	do(&read, func() error {
		return k.s.EachPerson("corp", func(p identity.Person) error {
			_, err := k.s.Sequence(p.Ordinal)
			return err
		})
	})
	for range 10 {
		ok(t, k.s.Compact(t.Context()))
	}
	close(stop)
	all.Wait()
	if n := len(records(t, k.s, JournalFilter{Kind: "write"})); n != wrote || n == 0 || read == 0 {
		t.Fatalf("%d were written and %d are there; %d reads", wrote, n, read)
	}
}

func TestALinkToTheStateStaysALink(t *testing.T) {
	k := crowded(t)
	ok(t, k.s.Close())
	link := filepath.Join(t.TempDir(), "s.db")
	ok(t, os.Symlink(k.path, link))
	s, err := Open(link, Options{Now: at})
	ok(t, err)
	k.s = s
	ok(t, s.Compact(t.Context()))
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Fatalf("%v %v", info, err)
	}
	k.reopen()
}
