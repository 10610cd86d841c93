package state

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// claim is a proof for measuring with.
type claim struct {
	coverage       identity.Coverage
	people, groups int
	at             time.Time
}

func (c claim) Valid() bool                 { return true }
func (c claim) Source() string              { return "corp" }
func (c claim) Server() string              { return "measured" }
func (c claim) Bind() string                { return "nobody" }
func (c claim) Scope() string               { return "all" }
func (c claim) Coverage() identity.Coverage { return c.coverage }
func (c claim) People() int                 { return c.people }
func (c claim) Groups() int                 { return c.groups }
func (c claim) At() time.Time               { return c.at }

// population is n people with 15 attributes, a group for each hundred of them,
// and ten groups above those.
func population(n int) (identity.Coverage, []directory.Entry) {
	names := []string{"uid", "mail", "cn"}
	for j := range 12 {
		names = append(names, fmt.Sprintf("attribute%02d", j))
	}
	coverage := identity.NewCoverage(names...)
	var out []directory.Entry
	add := func(e directory.Entry, id int, dn string, list []identity.Attribute) {
		e.ID = identity.ID(fmt.Sprintf("%08x-7c1b-103f-9e4d-%012x", uint32(id)*2654435761, id))
		e.DN, e.Attributes = identity.MustDN(dn), identity.NewAttributes(coverage, list)
		out = append(out, e)
	}
	person := func(i int) string { return fmt.Sprintf("uid=writer%06d,ou=site%d,%s", i, i%50, people) }
	for i := range n {
		uid := fmt.Sprintf("writer%06d", i)
		list := []identity.Attribute{{Name: "uid", Values: []string{uid}}, {Name: "mail", Values: []string{uid + "@example.com"}},
			{Name: "cn", Values: []string{"Person " + uid}}}
		for j := range 12 {
			list = append(list, identity.Attribute{Name: fmt.Sprintf("attribute%02d", j), Values: []string{fmt.Sprintf("value %d of %s", j, uid)}})
		}
		add(directory.Entry{Kind: directory.Person, Login: uid, Mail: uid + "@example.com", Name: "Person " + uid, RehireKey: fmt.Sprint(i)}, i, person(i), list)
	}
	teams := n / 100
	for t := range teams {
		e := directory.Entry{Kind: directory.Group, Name: fmt.Sprintf("team%d", t)}
		for i := t * 100; i < t*100+100; i++ {
			e.Members = append(e.Members, directory.Member{DN: identity.MustDN(person(i))})
		}
		add(e, n+t, "cn="+e.Name+","+groups, nil)
	}
	for r := range 10 {
		e := directory.Entry{Kind: directory.Group, Name: fmt.Sprintf("role%d", r)}
		for t := r; t < teams; t += 10 {
			e.Members = append(e.Members, directory.Member{DN: identity.MustDN(fmt.Sprintf("cn=team%d,%s", t, groups))})
		}
		add(e, n+teams+r, "cn="+e.Name+","+groups, nil)
	}
	return coverage, out
}

// take stages, seals and drains a listing.
func take(t testing.TB, s *Store, c *clock, coverage identity.Coverage, entries []directory.Entry) Drained {
	t.Helper()
	c.forward(time.Second)
	g, err := s.Stage("corp", coverage)
	if err != nil {
		t.Fatal(err)
	}
	p := claim{coverage: coverage, at: c.at}
	for chunk := range slices.Chunk(entries, 1000) {
		if err := g.Add(chunk); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range entries {
		if e.Kind == directory.Person {
			p.people++
		} else {
			p.groups++
		}
	}
	missing, err := g.Missing()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range missing {
		if err := g.Found([]directory.Finding{{Kind: m.Kind, ID: m.ID}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.seal(p, SealRules{Now: c.at}); err != nil {
		t.Fatal(err)
	}
	d, err := s.Drain(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// cpu is the processor time of this process, which a busy machine does not
// stretch.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRead measures what the state adds to a read of 100,000 people with
// 1,010 groups, and what else goes through all of them.
func BenchmarkRead(b *testing.B) {
	c := newClock()
	coverage, entries := population(100_000)
	path := filepath.Join(b.TempDir(), "s.db")
	var s *Store
	open := func() {
		var err error
		if s, err = Open(path, Options{Now: c.now}); err != nil {
			b.Fatal(err)
		}
	}
	run := func(name string, f func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			before := cpu(b)
			f(b)
			b.ReportMetric(float64((cpu(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
	run("first", func(b *testing.B) {
		for b.Loop() {
			if s != nil {
				s.Close()
			}
			os.Remove(path)
			open()
			take(b, s, c, coverage, entries)
		}
	})
	run("unchanged", func(b *testing.B) {
		for b.Loop() {
			take(b, s, c, coverage, entries)
		}
	})
	run("one in a hundred", func(b *testing.B) {
		for b.Loop() {
			for i := 0; i < 100_000; i += 100 {
				entries[i].Mail += "x"
			}
			take(b, s, c, coverage, entries)
		}
	})
	run("memberships of all", func(b *testing.B) {
		var written []string
		for r := range 10 {
			written = append(written, fmt.Sprintf("cn=role%d,%s", r, groups))
		}
		pins, err := s.Pins("corp", written)
		if err != nil {
			b.Fatal(err)
		}
		var named []identity.Ordinal
		for _, p := range pins {
			named = append(named, p.Group)
		}
		for b.Loop() {
			m, err := s.Memberships(nil, named)
			if err != nil || len(m) != 100_000 {
				b.Fatal(len(m), err)
			}
		}
	})
	run("each person", func(b *testing.B) {
		for b.Loop() {
			if err := s.EachPerson("", func(identity.Person) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	run("take and settle all", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.MarkEveryone("corp", "resync"); err != nil {
				b.Fatal(err)
			}
			marks, err := s.Take(c.at)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := s.Settle(marks); err != nil {
				b.Fatal(err)
			}
		}
	})
	run("one percent absent", func(b *testing.B) {
		for b.Loop() {
			take(b, s, c, coverage, slices.Concat(entries[1000:]))
		}
	})
	s.Close()
}

// BenchmarkActing measures what the state adds to ten thousand creates in
// batches of a hundred.
func BenchmarkActing(b *testing.B) {
	c := newClock()
	s, err := Open(filepath.Join(b.TempDir(), "s.db"), Options{Now: c.now})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	before, n := cpu(b), 0
	for b.Loop() {
		for range 100 {
			orders := make([]ledger.Order, 100)
			for i := range orders {
				n++
				orders[i] = order(identity.Ordinal(n), target.Create, "")
			}
			intents, err := s.Intend("c", orders)
			if err != nil {
				b.Fatal(err)
			}
			results := make([]Result, len(intents))
			for i, in := range intents {
				p := in.Order().Change.Person
				results[i] = Result{Intent: in, Outcome: ledger.Outcome{Done: true},
					Link: &ledger.Link{Person: p, Target: "wiki", Account: target.NativeID(p.String()), Phase: ledger.Open}}
			}
			if err := s.Record(results); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
}
func (c claim) Knowledge() directory.Knowledge { return nil }
func (c claim) Shown() directory.Knowledge     { return nil }
