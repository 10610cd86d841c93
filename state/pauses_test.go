package state

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/rosterd/rosterd/ledger"
)

// A pause outlives a restart, ends by itself, and is replaced by the next one of
// the same target.
func TestPauses(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "state.db")
	open := func() *Store {
		s, err := Open(path, Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	for _, p := range []ledger.Pause{{Target: "wiki", Reason: "one"}, {Target: "wiki", Reason: "two", Until: now.Add(time.Hour)}, {Reason: "all"}} {
		if err := s.Pause(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer s.Close()
	want := func(n int, reasons ...string) {
		t.Helper()
		all, err := s.Pauses(now)
		if err != nil || len(all) != n {
			t.Fatalf("%d pauses, %v; want %d", len(all), err, n)
		}
		for i, r := range reasons {
			if all[i].Reason != r {
				t.Errorf("pause %d: %s, want %s", i, all[i].Reason, r)
			}
		}
	}
	want(2, "all", "two")
	now = now.Add(time.Hour)
	want(1, "all")
	if was, err := s.Resume("wiki", "", ""); was || err != nil {
		t.Errorf("one that is over was resumed: %v", err)
	}
	if was, err := s.Resume("", "", ""); !was || err != nil {
		t.Errorf("resume: %v %v", was, err)
	}
	want(0)
	if n, _, err := s.VerifyJournal(); err != nil || n < 4 {
		t.Errorf("%d records, %v", n, err)
	}
}
