package state

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// backed is a state with closed months, and a backup of it.
func backed(t *testing.T) (k *kit, file string) {
	t.Helper()
	k = newKit(t)
	k.persons(20)
	k.read()
	for month := range 3 {
		for i := range 5 {
			ok(t, k.s.Note("x", fmt.Sprint(month, i), "personal"))
		}
		k.clock.forward(32 * 24 * time.Hour)
	}
	if list, err := k.s.CloseMonths(t.Context()); err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	ok(t, k.s.Note("open", 1, nil))
	file = filepath.Join(t.TempDir(), "backup.tar")
	backUp(t, k.s, file)
	return k, file
}

func backUp(t *testing.T, s *Store, file string) Manifest {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	ok(t, err)
	m, err := s.Backup(t.Context(), f)
	ok(t, err)
	ok(t, f.Close())
	return m
}

func restoreFrom(t *testing.T, path, file string) (Placed, error) {
	t.Helper()
	f, err := os.Open(file)
	ok(t, err)
	defer f.Close()
	return Restore(path, f, Options{Now: at, Timeout: 50 * time.Millisecond})
}

func TestABackupIsRestoredElsewhereAndInPlace(t *testing.T) {
	k, file := backed(t)
	before := content(t, k.s)
	n, head, err := k.s.VerifyJournal()
	ok(t, err)
	elsewhere := filepath.Join(t.TempDir(), "new", "s.db")
	placed, err := restoreFrom(t, elsewhere, file)
	ok(t, err)
	if placed.Head != head || placed.Records != uint64(n) || len(placed.Months) != 3 || len(placed.Kept) != 0 {
		t.Fatalf("%+v", placed)
	}
	s := wantRestored(t, elsewhere, "not beside it")
	if m, _, err := s.VerifyJournal(); err != nil || m != n+1 {
		t.Fatalf("%d records of %d: %v", m, n, err)
	}
	fits(t, s)
	after := content(t, s)
	for key := range before {
		if strings.HasPrefix(key, "people/") && after[key] != before[key] {
			t.Errorf("%q is another", key)
		}
	}
	ok(t, s.Close())
	for _, f := range files(t, elsewhere) {
		if info, err := os.Stat(filepath.Join(filepath.Dir(elsewhere), f)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v %v", f, info.Mode(), err)
		}
	}

	// In place, where nothing happened since: it is the state itself.
	ok(t, k.s.Close())
	k.s = nil
	placed, err = restoreFrom(t, k.path, file)
	ok(t, err)
	if len(placed.Kept) != 1 || !strings.Contains(placed.Kept[0], ".replaced-2026") {
		t.Fatalf("%+v", placed)
	}
	k.open()
	if o := k.s.Opening(); o.Restored != nil {
		t.Fatalf("%+v", o.Restored)
	}
	if !maps.Equal(content(t, k.s), before) {
		t.Fatal("the content is another")
	}
	// And where something happened it is old. What was replaced can be put back.
	ok(t, k.s.Note("later", 1, nil))
	ok(t, k.s.Close())
	k.s = nil
	placed, err = restoreFrom(t, k.path, file)
	ok(t, err)
	k.s = wantRestored(t, k.path, "older")
	ok(t, k.s.Close())
	k.s = nil
	_, err = restoreFrom(t, k.path, placed.Kept[0])
	ok(t, err)
	k.open()
	if len(records2(t, k.s, "later")) != 1 {
		t.Fatal("what was replaced is not what it was")
	}
}

func TestNothingIsRestoredUnderWhoHasTheState(t *testing.T) {
	k, file := backed(t)
	before := files(t, k.path)
	var busy *BusyError
	if _, err := restoreFrom(t, k.path, file); !errors.As(err, &busy) {
		t.Fatal(err)
	}
	if _, err := Renew(k.path, Options{Now: at, Timeout: 50 * time.Millisecond}); !errors.As(err, &busy) {
		t.Fatal(err)
	}
	if after := files(t, k.path); !slices.Equal(after, before) {
		t.Fatalf("%v, before %v", after, before)
	}
	ok(t, k.s.Note("x", 1, nil))
}

// A backup that was changed or cut anywhere is refused, and nothing is changed.
func TestADamagedBackupIsRefused(t *testing.T) {
	k, file := backed(t)
	ok(t, k.s.Close())
	k.s = nil
	whole, err := os.ReadFile(file)
	ok(t, err)
	state, err := os.ReadFile(k.path)
	ok(t, err)
	before := files(t, k.path)
	try := func(what string, b []byte) {
		t.Helper()
		ok(t, os.WriteFile(file, b, 0o600))
		_, err := restoreFrom(t, k.path, file)
		if err == nil {
			// What stands in a header beside the name, or behind a member, is nobody's.
			f, err := os.Open(file)
			ok(t, err)
			defer f.Close()
			m, members, err := readBackup(f)
			if err != nil || m.Records == 0 || len(members) != 4 {
				t.Errorf("%s: %+v %v", what, m, err)
			}
			return
		}
		var hint interface{ Hint() string }
		if !errors.Is(err, ErrNoBackup) && !errors.Is(err, ErrCorrupt) || !errors.As(err, &hint) {
			t.Errorf("%s: %v", what, err)
		}
		if now, _ := os.ReadFile(k.path); !bytes.Equal(now, state) {
			t.Fatalf("%s: the state was changed", what)
		}
		if after := files(t, k.path); !slices.Equal(after, before) {
			t.Fatalf("%s: %v, before %v", what, after, before)
		}
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	refused := func(what string, b []byte) {
		t.Helper()
		try(what, b)
		if _, err := restoreFrom(t, k.path, file); err == nil {
			t.Errorf("%s: restored", what)
		}
	}
	for range 10 {
		cut := r.IntN(len(whole) - 3000)
		refused(fmt.Sprintf("seed %d: cut at %d", seed, cut), whole[:cut])
	}
	begin := bytes.Index(whole, whole[bytes.Index(whole, []byte(stateName)):][:8]) + 512
	for range 20 {
		b := bytes.Clone(whole)
		i := begin + 600 + r.IntN((len(whole)-begin)/2)
		b[i] ^= 1 << r.IntN(8)
		refused(fmt.Sprintf("seed %d: byte %d changed", seed, i), b)
	}
	refused("text", []byte("this is no backup"))
	refused("empty", nil)
	for name, member := range map[string]string{"leads out": monthFolder + "../../evil", "foreign": "etc/passwd"} {
		var b bytes.Buffer
		tw := tar.NewWriter(&b)
		tr := tar.NewReader(bytes.NewReader(whole))
		for {
			h, err := tr.Next()
			if err != nil {
				break
			}
			if h.Name == sumsName {
				ok(t, tw.WriteHeader(&tar.Header{Name: member, Size: 3, Mode: 0o600}))
				_, _ = tw.Write([]byte("bad"))
			}
			ok(t, tw.WriteHeader(h))
			var body bytes.Buffer
			_, _ = body.ReadFrom(tr)
			_, _ = tw.Write(body.Bytes())
		}
		ok(t, tw.Close())
		refused(name, b.Bytes())
	}
}

func TestBackupWhileOthersWrite(t *testing.T) {
	k := crowded(t)
	k.s.db.NoSync = true
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := k.s.Note("busy", i, "x"); err != nil {
				done <- err
				return
			}
		}
	}()
	file := filepath.Join(t.TempDir(), "b.tar")
	var failed error
	for i := 0; i < 4 && failed == nil; i++ {
		backUp(t, k.s, file)
		path := filepath.Join(t.TempDir(), "s.db")
		if _, failed = restoreFrom(t, path, file); failed == nil {
			s := wantRestored(t, path, "not beside it")
			fits(t, s)
			ok(t, s.Close())
		}
	}
	close(stop)
	ok(t, <-done)
	ok(t, failed)
}

func TestABackupOfADamagedStateIsNotMade(t *testing.T) {
	k, _ := backed(t)
	m := must2(k.s.Months())
	ok(t, os.Remove(k.s.monthPath(m[1].Name)))
	if _, err := k.s.Backup(t.Context(), new(bytes.Buffer)); err == nil {
		t.Fatal("a month is missing")
	}
	k.loose = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.s.Backup(ctx, new(bytes.Buffer)); err == nil {
		t.Fatal("it was cancelled")
	}
	s := k.s
	k.s = nil
	ok(t, s.Close())
}

func TestRenewKeepsWhatItReplaces(t *testing.T) {
	k, _ := backed(t)
	ok(t, k.s.Close())
	k.s = nil
	whole, err := os.ReadFile(k.path)
	ok(t, err)
	ok(t, os.WriteFile(k.path, whole[:inUse(t, whole)/3], 0o600))
	if _, err := Open(k.path, Options{Now: at}); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	var kept []string
	for range 2 {
		p, err := Renew(k.path, Options{Now: at})
		ok(t, err)
		s, err := Open(k.path, Options{Now: at})
		ok(t, err)
		if n, _, err := s.JournalHead(); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		ok(t, s.Close())
		kept = append(kept, p.Kept...)
	}
	if len(kept) != 2 || kept[0] == kept[1] {
		t.Fatalf("%v", kept)
	}
	if b, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(b, whole[:inUse(t, whole)/3]) {
		t.Fatal(err)
	}
}

// Whatever stands in a file, it is refused or is whole, and nothing panics.
func FuzzBackup(f *testing.F) {
	path := filepath.Join(f.TempDir(), "s.db")
	s, err := Open(path, Options{Now: at})
	ok(f, err)
	var b bytes.Buffer
	_, err = s.Backup(context.Background(), &b)
	ok(f, err)
	ok(f, s.Close())
	f.Add(uint32(1000), []byte{1, 2, 3})
	f.Add(uint32(100), []byte("99999999999"))
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, at uint32, change []byte) {
		c := bytes.Clone(b.Bytes())
		copy(c[int(at)%len(c):], change)
		file := filepath.Join(folder, "b.tar")
		ok(t, os.WriteFile(file, c, 0o600))
		open, err := os.Open(file)
		ok(t, err)
		defer open.Close()
		if _, _, err := readBackup(open); err != nil && !errors.Is(err, ErrNoBackup) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewerSchema) {
			t.Fatal(err)
		}
	})
}
