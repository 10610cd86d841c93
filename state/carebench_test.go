package state

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// BenchmarkCare measures what a state of 100,000 people with an account and two
// journal records each costs to check, to open after a kill, to compact and to
// back up.
func BenchmarkCare(b *testing.B) {
	c := newClock()
	coverage, entries := population(100_000)
	path := filepath.Join(b.TempDir(), "state", "s.db")
	s, err := Open(path, Options{Now: c.now})
	ok(b, err)
	take(b, s, c, coverage, entries)
	var orders []ledger.Order
	for i := range 100_000 {
		orders = append(orders, order(identity.Ordinal(i+1), target.Create, ""))
	}
	for chunk := range slices.Chunk(orders, 1000) {
		intents, err := s.Intend("c", chunk)
		ok(b, err)
		results := make([]Result, len(intents))
		for i, in := range intents {
			p := in.Order().Change.Person
			results[i] = Result{Intent: in, Outcome: ledger.Outcome{Done: true},
				Link: &ledger.Link{Person: p, Target: "wiki", Account: target.NativeID(p.String()), Phase: ledger.Open}}
		}
		ok(b, s.Record(results))
	}
	info, err := os.Stat(path)
	ok(b, err)
	b.Logf("the file has %.0f MB", float64(info.Size())/1e6)
	killed := filepath.Join(b.TempDir(), "killed")
	ok(b, os.CopyFS(killed, os.DirFS(filepath.Dir(path))))
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Check(b.Context())
			ok(b, err)
		}
	})
	b.Run("backup", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Backup(b.Context(), io.Discard)
			ok(b, err)
		}
	})
	b.Run("compact", func(b *testing.B) {
		for b.Loop() {
			ok(b, s.Compact(b.Context()))
		}
		info, err := os.Stat(path)
		ok(b, err)
		b.ReportMetric(float64(info.Size())/1e6, "MB-after")
	})
	ok(b, s.Close())
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			s, err := Open(path, Options{Now: c.now})
			ok(b, err)
			ok(b, s.Close())
		}
	})
	b.Run("open after a kill", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			to := filepath.Join(b.TempDir(), "x")
			ok(b, os.CopyFS(to, os.DirFS(killed)))
			b.StartTimer()
			s, err := Open(filepath.Join(to, "s.db"), Options{Now: c.now})
			ok(b, err)
			if !s.Opening().Unclean {
				b.Fatal("it was closed")
			}
			b.StopTimer()
			ok(b, s.Close())
			ok(b, os.RemoveAll(to))
			b.StartTimer()
		}
	})
}
