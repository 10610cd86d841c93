package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state/journal"
)

// noteMonths writes n records a month and returns to the first of the next one.
func noteMonths(k *kit, months, n int) {
	k.Helper()
	for range months {
		for i := range n {
			ok(k, k.s.Note("test", map[string]int{"n": i}, map[string]string{"login": "writer1"}))
			k.clock.forward(time.Hour)
		}
		at := k.clock.at
		k.clock.at = time.Date(at.Year(), at.Month()+1, 1, 0, 0, 1, 0, time.UTC)
	}
}

func seqs(t tester, s *Store, f JournalFilter) []uint64 {
	t.Helper()
	var out []uint64
	ok(t, s.Journal(f, func(r journal.Sealed) error { out = append(out, r.Seq); return nil }))
	return out
}

func upTo(from, to uint64) []uint64 {
	var out []uint64
	for n := from; n <= to; n++ {
		out = append(out, n)
	}
	return out
}

func closeMonths(k *kit) []Month {
	k.Helper()
	m, err := k.s.CloseMonths(context.Background())
	ok(k, err)
	return m
}

func TestMonthsBecomeFiles(t *testing.T) {
	k := newKit(t)
	noteMonths(k, 3, 4)
	ok(t, k.s.Note("test", nil, nil))
	before := records(t, k.s, JournalFilter{})
	closed := closeMonths(k)
	if len(closed) != 3 || closed[0].Name != "2026-11.journal" || closed[2].Name != "2027-01.journal" || closed[2].To != 12 || closed[1].From != 5 {
		t.Fatalf("%+v", closed)
	}
	if again := closeMonths(k); len(again) != 0 {
		t.Fatalf("closed twice: %+v", again)
	}
	k.reopen()
	after := records(t, k.s, JournalFilter{})
	if fmt.Sprint(before) != fmt.Sprint(after) || len(after) != 13 {
		t.Fatalf("%d records were %d", len(after), len(before))
	}
	ok(t, k.s.view(func(tx *txn) error {
		if first, _ := tx.Bucket(bJournal).Cursor().First(); fromU64(first) != 13 {
			t.Errorf("record %d is in the state still", fromU64(first))
		}
		return nil
	}))
	if info, err := os.Stat(k.s.monthPath(closed[0].Name)); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if info, err := os.Stat(JournalFolder(k.s.path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info, err)
	}
	for name, c := range map[string]struct {
		f    JournalFilter
		want []uint64
	}{
		"last in the open month": {JournalFilter{Last: 1}, upTo(13, 13)},
		"last in files":          {JournalFilter{Last: 6}, upTo(8, 13)},
		"more than there are":    {JournalFilter{Last: math.MaxInt}, upTo(1, 13)},
		"last of those before":   {JournalFilter{Last: 2, Until: closed[1].Newest}, upTo(6, 7)},
		"one month":              {JournalFilter{Since: closed[1].Oldest, Until: closed[2].Oldest}, upTo(5, 8)},
		"across":                 {JournalFilter{Since: closed[1].Newest, Until: closed[2].Newest}, upTo(8, 11)},
	} {
		if got := seqs(t, k.s, c.f); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	r, err := k.s.CheckJournal()
	if err != nil || r.Records != 13 || r.From != 1 || !r.Since.IsZero() {
		t.Fatalf("%+v %v", r, err)
	}
	// A month may be closed while somebody reads.
	noteMonths(k, 1, 2*journalChunk)
	n := 0
	ok(t, k.s.Journal(JournalFilter{}, func(r journal.Sealed) error {
		if n++; n == journalChunk+5 {
			closeMonths(k)
		}
		if int(r.Seq) != n {
			return fmt.Errorf("record %d comes as the %d.", r.Seq, n)
		}
		return nil
	}))
	if n != 13+2*journalChunk {
		t.Error(n)
	}
	if err := k.s.Journal(JournalFilter{}, func(journal.Sealed) error { return errKilled }); err != errKilled {
		t.Error(err)
	}
}

// A missing, cut, changed, swapped or older file is found.
func TestMonthsVerify(t *testing.T) {
	k := newKit(t)
	noteMonths(k, 3, 4)
	closed := closeMonths(k)
	path := func(i int) string { return k.s.monthPath(closed[i].Name) }
	var good [3][]byte
	for i := range closed {
		good[i] = must2(os.ReadFile(path(i)))
	}
	lines := strings.SplitAfter(string(good[1]), "\n")
	changed := slices.Clone(good[1])
	changed[len(changed)/2] ^= 1
	put := func(i int, b []byte) func() error { return func() error { return os.WriteFile(path(i), b, 0o600) } }
	for name, do := range map[string]func() error{
		"missing":       func() error { return os.Remove(path(1)) },
		"first missing": func() error { return os.Remove(path(0)) },
		"last missing":  func() error { return os.Remove(path(2)) },
		"empty":         put(1, nil),
		"cut":           put(1, good[1][:len(good[1])/2]),
		"end cut":       put(1, good[1][:len(good[1])-10]),
		"a byte":        put(1, changed),
		"swapped":       put(1, good[2]),
		"twice":         put(2, good[1]),
		"a record less": put(1, []byte(strings.Join(append(slices.Clone(lines[:3]), lines[5:]...), ""))),
		"no records":    put(1, []byte(lines[0]+lines[len(lines)-2])),
		"a folder":      func() error { return errors.Join(os.Remove(path(1)), os.Mkdir(path(1), 0o700)) },
	} {
		ok(t, do())
		if _, err := k.s.CheckJournal(); err == nil || name != "a folder" && !errors.Is(err, journal.ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
		if err := k.s.Journal(JournalFilter{}, func(journal.Sealed) error { return nil }); err == nil && name != "a byte" {
			t.Errorf("%s: was read", name)
		}
		for i := range closed {
			_ = os.Remove(path(i))
			ok(t, put(i, good[i])())
		}
	}
	if r, err := k.s.CheckJournal(); err != nil || r.Records != 12 {
		t.Fatal(r, err)
	}
}

// copyFolder is what a killed process leaves behind.
func copyFolder(t tester, from, to string) {
	t.Helper()
	ok(t, os.CopyFS(to, os.DirFS(from)))
}

// Law 7: killed at any step of closing and dropping months, every record is
// there once.
func TestLaw07KilledWhileMonthsAreClosed(t *testing.T) {
	k := newKit(t)
	noteMonths(k, 2, 3)
	ok(t, k.s.Note("test", nil, nil))
	kills := 0
	folder := filepath.Dir(k.path)
	look := func(name string, dropped uint64) {
		kills++
		dead := &kit{tester: t, path: filepath.Join(t.TempDir(), "s", filepath.Base(k.path)), clock: k.clock}
		copyFolder(t, folder, filepath.Dir(dead.path))
		dead.open()
		defer dead.close()
		check := func(when string) {
			t.Helper()
			r, err := dead.s.CheckJournal()
			if got := seqs(t, dead.s, JournalFilter{}); err != nil || r.From != dropped+1 || !slices.Equal(got, upTo(dropped+1, dropped+uint64(r.Records))) || r.Records < 7-int(dropped) {
				t.Fatalf("%s, %s: %v: %+v %v", name, when, got, r, err)
			}
		}
		check("opened")
		closeMonths(dead)
		check("closed again")
		if _, err := dead.s.DropMonths(time.Time{}); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(JournalFolder(dead.path))
		if n := len(must2(dead.s.Months())); err == nil && len(files) != n {
			t.Fatalf("%s: %d files and %d months: %v", name, len(files), n, files)
		}
	}
	n := 0
	k.s.before = func() error { n++; look(fmt.Sprint("before commit ", n), 0); return nil }
	k.s.step = func(what string) { look(what, 0) }
	closeMonths(k)
	if kills < 8 {
		t.Fatal("only", kills)
	}
	kills = 0
	k.s.before = func() error { look("before the drop", 0); return nil }
	k.s.step = func(what string) { look(what, 3) }
	if n, err := k.s.DropMonths(k.clock.at.AddDate(0, -1, -1)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	k.s.before, k.s.step = nil, func(string) {}
	r, err := k.s.CheckJournal()
	if err != nil || r.From != 4 || r.Records != 5 || r.Since.IsZero() || kills != 2 {
		t.Fatalf("%+v %v, %d kills", r, err, kills)
	}
	if n, err := k.s.DropMonths(k.clock.at.AddDate(0, -1, -1)); n != 0 || err != nil {
		t.Fatal(n, err)
	}
}

// A state that was replaced by an older one does not write over the files of the
// newer one.
func TestMonthsOfAnotherState(t *testing.T) {
	k := newKit(t)
	noteMonths(k, 1, 3)
	stranger := k.s.monthPath("2026-11.journal")
	ok(t, os.MkdirAll(filepath.Dir(stranger), 0o700))
	ok(t, os.WriteFile(stranger, []byte("kept"), 0o600))
	if m := closeMonths(k); len(m) != 1 || m[0].Name != "2026-11.2.journal" {
		t.Fatalf("%+v", m)
	}
	k.reopen()
	if b := must2(os.ReadFile(stranger)); string(b) != "kept" {
		t.Fatalf("%s", b)
	}
}

// Whatever is written, closed, dropped and forgotten, wherever the clock goes and
// wherever it is killed, the journal has every record since its beginning, once, and
// verifies, and nobody is in a file who was forgotten.
func TestMonthsAnySequence(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		k := &kit{tester: rt, path: filepath.Join(dir, fmt.Sprint(runs), "s.db"), clock: newClock()}
		var kill killer
		k.before = kill.before
		k.open()
		k.s.db.NoSync = true
		defer os.RemoveAll(filepath.Dir(k.path))
		defer k.close()
		var noted, first uint64 = 0, 1
		forgotten, looked := map[string]bool{}, 0
		survive := func(err error) {
			if kill.left = 0; err != nil && !errors.Is(err, errKilled) {
				rt.Fatal(err)
			}
			if err != nil {
				ok(k, k.s.Close())
				k.open()
				k.s.db.NoSync = true
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"note": func(rt *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(rt, "n") {
					name := fmt.Sprintf("person%d", rapid.IntRange(0, 9).Draw(rt, "who"))
					if forgotten[name] {
						continue
					}
					ok(k, k.s.update(func(tx *txn) error {
						return k.s.note(tx, recordOf("test"), nil, said{uint64(len(name) + int(name[6])), map[string]string{"login": name}},
							said{0, "speaks of " + name}, said{1, "manager: " + name}, said{journal.Everybody, "all"})
					}))
					noted++
				}
			},
			"time passes": func(rt *rapid.T) {
				k.clock.forward(time.Duration(rapid.IntRange(-40, 70).Draw(rt, "days")) * 24 * time.Hour)
			},
			"close": func(rt *rapid.T) {
				kill.left = rapid.IntRange(0, 4).Draw(rt, "kill at")
				_, err := k.s.CloseMonths(context.Background())
				survive(err)
			},
			"drop": func(rt *rapid.T) {
				kill.left = rapid.IntRange(0, 1).Draw(rt, "kill at")
				_, err := k.s.DropMonths(k.clock.at.AddDate(0, 0, -rapid.IntRange(0, 200).Draw(rt, "days")))
				survive(err)
				if b, n := first, 0; true {
					r, err := k.s.CheckJournal()
					ok(k, err)
					if first = r.From; first < b {
						rt.Fatal("the journal begins earlier than before", n)
					}
					if u := r.From + uint64(r.Records) - 1; u == noted+1 && first > b {
						noted++ // the drop itself
					}
				}
			},
			"forget": func(rt *rapid.T) {
				// It writes and syncs whole files, and so is the rarer one.
				if noted < first || rapid.IntRange(0, 3).Draw(rt, "rarely") > 0 {
					return
				}
				name := fmt.Sprintf("person%d", rapid.IntRange(0, 9).Draw(rt, "who"))
				who := identity.Ordinal(len(name) + int(name[6]))
				forgotten[name] = true
				// As Forget does it, of somebody whom no source had.
				ok(k, k.s.update(func(tx *txn) error {
					if err := k.s.note(tx, recordOf("forget"), map[string]any{"people": []identity.Ordinal{who}}); err != nil {
						return err
					}
					return putJSON(tx.Bucket(bMeta), kForgetting, forgetting{People: []identity.Ordinal{who}, Names: []string{name}})
				}))
				noted += 2 // with the one at the end
				kill.left = rapid.IntRange(0, 4).Draw(rt, "kill at")
				_, err := k.s.FinishForget(context.Background())
				survive(err)
				_, err = k.s.FinishForget(context.Background())
				ok(k, err)
			},
			"": func(rt *rapid.T) {
				r, err := k.s.CheckJournal()
				if got := seqs(k, k.s, JournalFilter{}); err != nil || !slices.Equal(got, upTo(first, noted)) || r.Records != len(got) {
					rt.Fatalf("%v, want %d to %d: %+v %v", got, first, noted, r, err)
				}
				if len(forgotten) == looked {
					return
				}
				looked = len(forgotten)
				for name := range forgotten {
					ok(k, filepath.WalkDir(filepath.Dir(k.path), func(path string, d fs.DirEntry, err error) error {
						if err != nil || d.IsDir() {
							return err
						}
						if b, err := os.ReadFile(path); err != nil || bytes.Contains(b, []byte(name)) {
							return fmt.Errorf("%s is in %s: %v", name, path, err)
						}
						return nil
					}))
				}
			},
		})
	})
}
