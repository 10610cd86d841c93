package state

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

// clock is a clock that a test moves.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) forward(d time.Duration) { c.at = c.at.Add(d) }

type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// kit is a state with a source beside it.
type kit struct {
	tester
	path   string
	clock  *clock
	s      *Store
	src    *memory.Source
	rules  SealRules
	before func() error
	// loose: the test speaks of people who are not there.
	loose bool
	// gone is what a follow that was put aside had proved, for the listing that is made
	// instead; told: it was told to its end.
	gone []directory.Gone
	told bool
}

const (
	people = "ou=people,dc=example,dc=com"
	groups = "ou=groups,dc=example,dc=com"
	alumni = "ou=alumni,dc=example,dc=com"
)

func newKit(t *testing.T, attributes ...string) *kit {
	t.Helper()
	k := &kit{tester: t, path: filepath.Join(t.TempDir(), "state", "rosterd.db"), clock: newClock()}
	k.start(attributes...)
	t.Cleanup(func() { k.close() })
	return k
}

func (k *kit) start(attributes ...string) {
	k.src = memory.New("corp", memory.Config{Key: "employeeNumber", Attributes: attributes, Bases: []string{people, groups}, Follow: true}, k.clock.now)
	k.rules = SealRules{VanishAfter: time.Minute}
	k.open()
}

func (k *kit) open() {
	k.Helper()
	s, err := Open(k.path, Options{Now: k.clock.now, Timeout: 100 * time.Millisecond})
	if err != nil {
		k.Fatal(err)
	}
	k.s = s
	s.before = k.before
}

// close checks every page of the file.
func (k *kit) close() {
	k.Helper()
	if k.s == nil {
		return
	}
	check(k, k.s)
	if !k.loose {
		fits(k, k.s)
	}
	if err := k.s.Close(); err != nil {
		k.Fatal(err)
	}
	k.s = nil
}

func check(t tester, s *Store) {
	t.Helper()
	if err := s.view(func(tx *txn) error {
		for err := range tx.tx.Check() {
			t.Fatalf("the file is inconsistent: %v", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.VerifyJournal(); err != nil {
		t.Fatal(err)
	}
}

// fits checks that what refers to one another is there.
func fits(t tester, s *Store) {
	t.Helper()
	c, err := s.Check(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Problems) > 0 {
		t.Fatalf("the state does not fit together: %v", c.Problems)
	}
}

func (k *kit) reopen() {
	k.Helper()
	k.close()
	k.open()
}

func ok(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read stages and seals what the source shows.
func (k *kit) tryRead() (Sealed, error) {
	k.Helper()
	g, err := k.s.Stage("corp", k.src.Coverage())
	if err != nil {
		return Sealed{}, err
	}
	g.Evidence(k.gone)
	k.gone = nil
	p, err := k.src.Read(context.Background(), g)
	if err != nil {
		return Sealed{}, err
	}
	missing, err := g.Missing()
	if err != nil {
		return Sealed{}, err
	}
	found, err := k.src.Find(context.Background(), missing)
	if err != nil {
		return Sealed{}, err
	}
	if err := g.Found(found); err != nil {
		return Sealed{}, err
	}
	k.rules.Now = k.clock.at
	return g.Seal(p, k.rules)
}

// read takes a listing all the way, a second after the last.
func (k *kit) read() Drained {
	k.Helper()
	k.clock.forward(time.Second)
	if _, err := k.tryRead(); err != nil {
		k.Fatal(err)
	}
	d, err := k.s.Drain(context.Background())
	if err != nil {
		k.Fatal(err)
	}
	return d
}

// tryFollow stages and seals what changed since the last cursor, or takes that
// nothing did.
func (k *kit) tryFollow() (Sealed, error) {
	k.Helper()
	k.told = false
	since, known, err := k.s.Cursor("corp", k.src.Coverage())
	if err != nil {
		return Sealed{}, err
	}
	var c *Changes
	p, err := k.src.Follow(context.Background(), since, known, func() (directory.Changes, error) {
		var err error
		c, err = k.s.Changes("corp", k.src.Coverage())
		return c, err
	})
	k.rules.Now = k.clock.at
	switch {
	case err != nil:
		return Sealed{}, err
	case c == nil:
		return Sealed{}, k.s.Unchanged(p, k.rules)
	}
	k.told = true
	sealed, err := c.Seal(p, k.rules)
	if undecided := (*UndecidedError)(nil); errors.As(err, &undecided) {
		k.gone = c.Evidence()
	}
	return sealed, err
}

// follow takes what changed all the way, a second after the last.
func (k *kit) follow() Drained {
	k.Helper()
	k.clock.forward(time.Second)
	if _, err := k.tryFollow(); err != nil {
		k.Fatal(err)
	}
	d, err := k.s.Drain(context.Background())
	if err != nil {
		k.Fatal(err)
	}
	return d
}

func dn(uid string) string { return "uid=" + uid + "," + people }

func (k *kit) person(uid string, attributes ...string) identity.ID {
	a := map[string][]string{"uid": {uid}, "mail": {uid + "@example.com"}, "cn": {"Person " + uid}}
	for i := 0; i+1 < len(attributes); i += 2 {
		a[attributes[i]] = append(a[attributes[i]], attributes[i+1])
	}
	return k.src.Put(memory.Record{Kind: directory.Person, DN: dn(uid), Attributes: a})
}

func (k *kit) persons(n int) []identity.ID {
	out := make([]identity.ID, n)
	for i := range n {
		out[i] = k.person(fmt.Sprintf("writer%d", i+1))
	}
	return out
}

func (k *kit) group(name string, members ...string) identity.ID {
	return k.src.Put(memory.Record{Kind: directory.Group, DN: "cn=" + name + "," + groups,
		Attributes: map[string][]string{"cn": {name}}, Members: members})
}

// one returns the person with the login.
func (k *kit) one(login string) identity.Person {
	k.Helper()
	found, err := k.s.FindPerson(login)
	if err != nil {
		k.Fatal(err)
	}
	if len(found) != 1 {
		k.Fatalf("%d people are called %s", len(found), login)
	}
	return found[0]
}

func (k *kit) wantStanding(login string, s identity.Standing, d identity.Doubt) identity.Person {
	k.Helper()
	p := k.one(login)
	if p.Standing != s || p.Doubt != d {
		k.Fatalf("%s is %s/%s (%s), want %s/%s", login, p.Standing, p.Doubt, p.Why, s, d)
	}
	return p
}

// clean settles every mark.
func (k *kit) clean() {
	k.Helper()
	marks, err := k.s.Take(k.clock.at)
	if err != nil {
		k.Fatal(err)
	}
	if _, err := k.s.Settle(marks); err != nil {
		k.Fatal(err)
	}
}

// dirty returns the logins that are marked, with their reasons.
func (k *kit) dirty() map[string][]string {
	k.Helper()
	marks, err := k.s.Take(k.clock.at)
	if err != nil {
		k.Fatal(err)
	}
	out := map[string][]string{}
	for _, m := range marks {
		p, err := k.s.People(m.Person)
		if err != nil {
			k.Fatal(err)
		}
		out[p[0].Login] = m.Reasons
	}
	return out
}

func (k *kit) wantDirty(logins ...string) {
	k.Helper()
	var got []string
	d := k.dirty()
	for l := range d {
		got = append(got, l)
	}
	slices.Sort(got)
	slices.Sort(logins)
	if !slices.Equal(got, logins) {
		k.Fatalf("dirty are %v, want %v", d, logins)
	}
}
