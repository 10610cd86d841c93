package sourcetest

import (
	"context"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Stage keeps what a source reads. The zero value is ready.
type Stage struct {
	// Chunks as they were handed over, not copied: a source must not touch
	// them again.
	Chunks [][]directory.Entry
	// Before is called with each chunk first; its error is that of Add.
	Before func([]directory.Entry) error
}

// Add keeps the chunk.
func (s *Stage) Add(entries []directory.Entry) error {
	if s.Before != nil {
		if err := s.Before(entries); err != nil {
			return err
		}
	}
	s.Chunks = append(s.Chunks, entries)
	return nil
}

// Entries returns all people and groups, in the order in which they came.
func (s *Stage) Entries() []directory.Entry {
	return s.of(func(k directory.Kind) bool { return k != directory.Container })
}

// Containers returns the others.
func (s *Stage) Containers() []directory.Entry {
	return s.of(func(k directory.Kind) bool { return k == directory.Container })
}

func (s *Stage) of(wanted func(directory.Kind) bool) []directory.Entry {
	var all []directory.Entry
	for _, c := range s.Chunks {
		for _, e := range c {
			if wanted(e.Kind) {
				all = append(all, e)
			}
		}
	}
	return all
}

// Get returns the entry with the DN.
func (s *Stage) Get(t testing.TB, dn string) directory.Entry {
	t.Helper()
	want := identity.MustDN(dn)
	for _, e := range s.Entries() {
		if e.DN.Equal(want) {
			return e
		}
	}
	t.Fatalf("the listing does not hold %s", dn)
	return directory.Entry{}
}

// Read reads a source that must succeed.
func Read(t testing.TB, source directory.Source) (*Stage, directory.Proof) {
	t.Helper()
	stage := &Stage{}
	p, err := source.Read(context.Background(), stage)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if !p.Valid() {
		t.Fatal("a read without an error has no valid proof")
	}
	return stage, p
}

// MustNotRead reads a source that must fail, and returns the error.
func MustNotRead(ctx context.Context, t testing.TB, source directory.Source, stage directory.Stage) error {
	t.Helper()
	p, err := source.Read(ctx, stage)
	if err == nil {
		t.Fatal("the read has no error")
	}
	if p.Valid() {
		t.Fatalf("the read failed (%v) and has a valid proof", err)
	}
	return err
}

// open, add: what every part does.
func open(t *testing.T, w World, o Options) directory.Source {
	t.Helper()
	s, err := w.Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Person is the DN of a person in a container, and Attributes what they have.
func Person(login, container string) (dn string, attributes map[string][]string) {
	// A mail address is ASCII in most schemas.
	ascii := strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			if r < '0' || r > '9' {
				return '-'
			}
		}
		return r
	}, login)
	return "uid=" + identity.EscapeValue(login) + "," + container, map[string][]string{
		"objectClass": {"inetOrgPerson"}, "uid": {login}, "cn": {"Name of " + login}, "sn": {"of " + login},
		"mail": {ascii + "@lab.example"}, "employeeNumber": {"n-" + login},
	}
}

func addPerson(t *testing.T, w World, login, container string) string {
	t.Helper()
	dn, attributes := Person(login, container)
	must(t, w.Add(dn, attributes))
	return dn
}

func addGroup(t *testing.T, w World, name string, members ...string) string {
	t.Helper()
	dn := "cn=" + identity.EscapeValue(name) + "," + Groups
	must(t, w.Add(dn, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {name}, "member": members}))
	return dn
}
