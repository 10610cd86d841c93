package state

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

func (k *kit) cursor() directory.Cursor {
	k.Helper()
	c, _, err := k.s.Cursor("corp", k.src.Coverage())
	if err != nil {
		k.Fatal(err)
	}
	return c
}

// A stage that was not sealed is nothing: neither for the snapshot nor for the next.
func TestLaw07ChangesThatWereNotSealed(t *testing.T) {
	k := newKit(t)
	ids := k.persons(8)
	k.read()
	k.clean()
	before := k.cursor()
	begin := func() *Changes {
		c := must2(k.s.Changes("corp", k.src.Coverage()))
		ok(t, c.Gone([]directory.Gone{{ID: ids[0], By: "a tombstone"}}))
		ok(t, c.flush())
		return c
	}
	begin()
	k.reopen()
	if d := must2(k.s.Drain(t.Context())); d.Source != "" {
		t.Fatalf("drained %+v", d)
	}
	left := begin()
	other := must2(k.s.Changes("corp", k.src.Coverage())) // takes its place
	if _, err := left.Seal(k.proof(), SealRules{Now: k.clock.at}); err == nil {
		t.Error("two stages at once, and the first was sealed")
	}
	ok(t, other.Discard())
	left = begin()
	ok(t, left.Discard())
	if _, err := left.Seal(k.proof(), SealRules{Now: k.clock.at}); !errors.Is(err, errOver) {
		t.Errorf("sealed after it was discarded: %v", err)
	}
	k.wantDirty()
	k.wantStanding("writer1", identity.Active, identity.NoDoubt)
	if c := k.cursor(); !sameCursor(c, before) {
		t.Errorf("the cursor moved: %+v", c)
	}
	// Sealed, it holds up everything until it is drained.
	k.seal(begin())
	if _, err := k.s.Changes("corp", k.src.Coverage()); !errors.Is(err, ErrUndrained) {
		t.Errorf("changes beside what is not drained: %v", err)
	}
	if c := k.cursor(); !sameCursor(c, before) {
		t.Errorf("the cursor moved before the drain: %+v", c)
	}
	k.reopen()
	must2(k.s.Drain(t.Context()))
	k.wantStanding("writer1", identity.Gone, identity.NoDoubt)
	if sameCursor(k.cursor(), before) {
		t.Error("the cursor did not move")
	}
}

// Who is relinked or forgotten while changes are told, is not the one of whom they
// speak.
func TestChangesAndARelinkMeanwhile(t *testing.T) {
	k := newKit(t)
	ids := k.persons(8)
	k.read()
	k.src.Remove(ids[0])
	k.follow()
	now := k.person("writer9")
	k.follow()
	c := must2(k.s.Changes("corp", k.src.Coverage()))
	ok(t, c.Gone([]directory.Gone{{ID: now, By: "a tombstone"}}))
	ok(t, k.s.Relink(must2(k.s.FindPerson(string(ids[0])))[0].Ordinal, k.one("writer9").Ordinal, "admin"))
	if _, err := c.Seal(k.proof(), SealRules{Now: k.clock.at}); err == nil || !strings.Contains(err.Error(), "relinked") {
		t.Errorf("sealed: %v", err)
	}
	ok(t, c.Discard())
	k.wantStanding("writer9", identity.Active, identity.NoDoubt)
}

// What was read in another way is not mixed with the snapshot.
func TestChangesOfAnotherPlace(t *testing.T) {
	k := newKit(t)
	k.persons(8)
	k.read()
	if c, known, err := k.s.Cursor("nobody", k.src.Coverage()); err != nil || !c.IsZero() || known != nil {
		t.Errorf("of a source that was never read: %+v, %v, %v", c, known, err)
	}
	if c, _, err := k.s.Cursor("corp", identity.NewCoverage("uid")); err != nil || !c.IsZero() {
		t.Errorf("with another coverage: %+v, %v", c, err)
	}
	var u *UndecidedError
	if _, err := k.s.Changes("corp", identity.NewCoverage("uid")); !errors.As(err, &u) {
		t.Errorf("with another coverage: %v", err)
	}
	for name, c := range map[string]struct {
		as     string
		cfg    memory.Config
		faults memory.Faults
		want   string
	}{
		"bases":    {"corp", memory.Config{Key: "employeeNumber", Bases: []string{people}, Follow: true}, memory.Faults{}, "other bases"},
		"coverage": {"corp", memory.Config{Key: "employeeNumber", Bases: []string{people, groups}, Follow: true, Attributes: []string{"sn"}}, memory.Faults{}, "coverage"},
		"source":   {"other", memory.Config{Key: "employeeNumber", Bases: []string{people, groups}, Follow: true}, memory.Faults{}, "for source other"},
		"identity": {"corp", memory.Config{Key: "employeeNumber", Bases: []string{people, groups}, Follow: true}, memory.Faults{Bind: "somebody"}, "as anybody"},
	} {
		src := memory.New(c.as, c.cfg, k.clock.now)
		src.SetFaults(c.faults)
		var r recorded
		since := must2(src.Read(t.Context(), &r)).Cursor()
		src.Put(memory.Record{Kind: directory.Person, DN: dn("late")})
		open := func() (directory.Changes, error) { return nowhere{}, nil }
		p := must2(src.Follow(t.Context(), since, nil, open))
		changes := must2(k.s.Changes("corp", k.src.Coverage()))
		if _, err := changes.Seal(p, SealRules{Now: k.clock.at}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: sealed with %v", name, err)
		}
		ok(t, changes.Discard())
		if name == "source" {
			continue
		}
		same := must2(src.Follow(t.Context(), p.Facts().Cursor, nil, open))
		if err := k.s.Unchanged(same, SealRules{Now: k.clock.at}); err == nil {
			t.Errorf("%s: taken for unchanged", name)
		}
	}
	changes := must2(k.s.Changes("corp", k.src.Coverage()))
	if _, err := changes.Seal(directory.Followed{}, SealRules{Now: k.clock.at}); err == nil {
		t.Error("sealed without a proof")
	}
	if err := k.s.Unchanged(directory.Followed{}, SealRules{Now: k.clock.at}); err == nil {
		t.Error("unchanged without a proof")
	}
}

// Law 13: a server that has seen less changes nothing, and nothing is not news of it.
func TestLaw13ChangesOfAServerThatIsBehind(t *testing.T) {
	k := newKit(t)
	k.persons(8)
	k.src.SetFaults(memory.Faults{Knowledge: directory.Knowledge{"here": "2"}})
	k.read()
	proof := k.proof()
	k.src.SetFaults(memory.Faults{Knowledge: directory.Knowledge{"here": "3"}})
	k.person("late")
	k.follow()
	var behind *directory.BehindError
	c := must2(k.s.Changes("corp", k.src.Coverage()))
	if _, err := c.Seal(proof, SealRules{Now: k.clock.at}); !errors.As(err, &behind) {
		t.Errorf("sealed: %v", err)
	}
	ok(t, c.Discard())
	if err := k.s.Unchanged(proof, SealRules{Now: k.clock.at}); !errors.As(err, &behind) {
		t.Errorf("unchanged: %v", err)
	}
}

// When nothing changed, nothing is written: neither the cursor nor when that was.
func TestUnchangedWritesNothing(t *testing.T) {
	k := newKit(t)
	k.persons(8)
	k.read()
	was := must2(k.s.SourceFacts("corp"))
	before := k.s.Work()
	for range 3 {
		k.clock.forward(time.Second)
		if _, err := k.tryFollow(); err != nil {
			t.Fatal(err)
		}
	}
	if n := k.s.Work().Less(before).Commits; n != 0 {
		t.Errorf("%d commits", n)
	}
	f := must2(k.s.SourceFacts("corp"))
	if !f.LastFollow.Equal(k.clock.at) || !f.LastFollow.After(was.LastFollow) || !f.Deletions().Equal(k.clock.at) {
		t.Errorf("followed at %v, deletions as of %v", f.LastFollow, f.Deletions())
	}
	k.reopen() // that goes with the close
	if f := must2(k.s.SourceFacts("corp")); !f.LastFollow.Equal(k.clock.at) {
		t.Errorf("after a restart: %v", f.LastFollow)
	}
	// A cursor that moved over what is none of ours is kept.
	at := k.cursor()
	p := k.proof()
	facts := p.Facts()
	if sameCursor(at, facts.Cursor) {
		t.Fatal("the log did not move")
	}
	ok(t, k.s.Unchanged(p, SealRules{Now: k.clock.at}))
	if !sameCursor(k.cursor(), facts.Cursor) {
		t.Error("the cursor was not kept")
	}
}

// A sweep keeps the cursor; a listing of who cannot be followed forgets it.
func TestTheCursorOfAListing(t *testing.T) {
	k := newKit(t)
	k.persons(8)
	k.read()
	before := k.cursor()
	k.person("late") // which the sweep does not tell
	k.src.Remove(k.src.At(dn("late")))
	g := must2(k.s.Stage("corp", k.src.Coverage()))
	if !g.OnlyIDs() {
		t.Fatal("no sweep")
	}
	p := must2(k.src.Sweep(t.Context(), g))
	must2(g.Seal(p, SealRules{Now: k.clock.at}))
	must2(k.s.Drain(t.Context()))
	if !sameCursor(k.cursor(), before) {
		t.Error("a sweep moved the cursor over what it did not show")
	}
	k.src = memory.New("corp", memory.Config{Key: "employeeNumber", Bases: []string{people, groups}}, k.clock.now)
	k.persons(8)
	k.read()
	if c := k.cursor(); !c.IsZero() {
		t.Errorf("followed from %+v, where nobody follows", c)
	}
}

// An older state has an older cursor: what came since comes again.
func TestLaw07AnOlderStateReplays(t *testing.T) {
	k := newKit(t)
	ids := k.persons(12)
	g := k.group("writers", dn("writer1"), dn("writer2"))
	k.read()
	k.close()
	old, err := os.ReadFile(k.path)
	ok(t, err)
	k.open()
	change := func(n int) {
		k.src.Remove(ids[n])
		k.src.Edit(g, []string{dn("writer3")}, []string{dn("writer1")})
		k.src.Edit(g, []string{dn("writer1")}, []string{dn("writer2")})
		k.src.Change(ids[n+1], func(r *memory.Record) { r.DN = "uid=elsewhere," + alumni })
		k.follow()
	}
	change(4)
	change(6)
	k.close()
	ok(t, os.WriteFile(k.path, old, 0o600))
	k.open()
	k.follow()
	for l, want := range map[string]identity.Standing{"writer5": identity.Gone, "writer6": identity.OutOfScope, "writer7": identity.Gone, "writer8": identity.OutOfScope} {
		k.wantStanding(l, want, identity.NoDoubt)
	}
	if d := k.read(); d.Changed+d.New+d.Missing+d.Marked != 0 {
		t.Errorf("a listing differs: %+v", d)
	}
}
