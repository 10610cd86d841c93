package state

import (
	"errors"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

func TestLaw02TwoCompleteListingsMakeAnAbsence(t *testing.T) {
	k := newKit(t)
	ids := k.persons(8)
	if d := k.read(); d.New != 8 || d.People != 8 || d.Peak != 8 {
		t.Fatalf("%+v", d)
	}
	k.clean()
	k.src.Remove(ids[0])
	d := k.read()
	if want := k.clock.at.Add(time.Minute); !d.SecondLookAt.Equal(want) || d.Missing != 1 {
		t.Fatalf("%+v, want a second look at %s", d, want)
	}
	k.wantStanding("writer1", identity.Unknown, identity.SecondLook)
	k.wantDirty("writer1")
	k.clean()
	k.read() // too early
	k.wantStanding("writer1", identity.Unknown, identity.SecondLook)
	k.clock.forward(58 * time.Second)
	k.read() // 60 s after the first
	k.wantStanding("writer1", identity.PresumedGone, identity.NoDoubt)
	k.wantDirty("writer1")
	k.clean()
	k.src.Put(memory.Record{ID: ids[0], Kind: directory.Person, DN: dn("writer1"), Attributes: map[string][]string{"uid": {"writer1"}}})
	k.read()
	k.wantStanding("writer1", identity.Active, identity.NoDoubt)
	if r := k.dirty()["writer1"]; len(r) == 0 || r[0] != "is back" {
		t.Fatalf("reasons %v", r)
	}
}

func TestLaw02AnotherServerBindOrCoverageBeginsAfresh(t *testing.T) {
	for name, turn := range map[string]func(*kit){
		"server": func(k *kit) { k.src.SetFaults(memory.Faults{Server: "another"}) },
		"bind":   func(k *kit) { k.src.SetFaults(memory.Faults{Bind: "somebody else"}) },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			ids := k.persons(8)
			k.read()
			k.src.Remove(ids[0])
			k.read()
			turn(k)
			k.clock.forward(time.Hour)
			d := k.read()
			k.wantStanding("writer1", identity.Unknown, identity.SecondLook)
			if want := k.clock.at.Add(time.Minute); !d.SecondLookAt.Equal(want) {
				t.Fatalf("second look at %s, want %s", d.SecondLookAt, want)
			}
			k.clock.forward(time.Hour)
			k.read()
			k.wantStanding("writer1", identity.PresumedGone, identity.NoDoubt)
		})
	}
}

func TestLaw02ContainerThatFallsSilentIsABlackout(t *testing.T) {
	k := newKit(t)
	k.persons(6)
	for _, site := range []string{"a", "b"} {
		for _, n := range []string{"1", "2", "3", "4", "5"} {
			k.src.Put(memory.Record{Kind: directory.Person, DN: "uid=" + site + n + ",ou=" + site + "," + people,
				Attributes: map[string][]string{"uid": {site + n}}})
		}
	}
	k.read()
	k.src.SetFaults(memory.HideBelow("ou=a," + people))
	for range 3 {
		d := k.read()
		if len(d.Blackout) != 1 || d.Blackout[0] != "ou=a,"+people || !d.SecondLookAt.IsZero() {
			t.Fatalf("%+v", d)
		}
		k.wantStanding("a1", identity.Unknown, identity.Blackout)
		k.wantStanding("b1", identity.Active, identity.NoDoubt)
		k.clock.forward(time.Hour)
	}
	// Once it is no blackout any more, it takes two looks as ever.
	k.src.SetFaults(memory.Faults{Hide: func(e directory.Entry) bool { return e.Login == "a1" }})
	k.read()
	k.wantStanding("a1", identity.Unknown, identity.SecondLook)
	k.src.SetFaults(memory.Faults{})
	if d := k.read(); len(d.Blackout) != 0 {
		t.Fatalf("%+v", d)
	}
	k.wantStanding("a1", identity.Active, identity.NoDoubt)
	// Four of the five: the container still shows one.
	k.src.SetFaults(memory.Faults{Hide: func(e directory.Entry) bool {
		return e.DN.Within(identity.MustDN("ou=a,"+people)) && e.Login != "a5"
	}})
	if d := k.read(); len(d.Blackout) != 0 || d.Missing != 4 {
		t.Fatalf("%+v", d)
	}
	k.wantStanding("a1", identity.Unknown, identity.SecondLook)
}

// Groups that vanish with all in their container give what they gave until that is
// accepted, and then nobody is in them.
func TestLaw02GroupsThatFallSilent(t *testing.T) {
	k := newKit(t)
	k.persons(2)
	var those []identity.ID
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		those = append(those, k.group(name, dn("writer1")))
	}
	k.read()
	in := k.pins(ledger.PinOK, "a")[0].Group
	for _, id := range those {
		k.src.Remove(id)
	}
	for range 3 {
		if d := k.read(); len(d.Blackout) != 1 || d.Blackout[0] != groups {
			t.Fatalf("%+v", d)
		}
		k.clock.forward(time.Hour)
	}
	ok(t, k.s.EachPresent("corp", func(p Present) error {
		if p.Entry.Kind == directory.Group {
			t.Errorf("%s was not shown, and is said to be there", p.Entry.DN)
		}
		return nil
	}))
	if got := k.in("writer1", in); len(got) == 0 {
		t.Error("writer1 lost a group of which nothing is known")
	}
	k.clean()
	ok(t, k.s.AcceptDark("corp", "admin"))
	k.wantDirty("writer1", "writer2")
	if got := k.in("writer1", in); len(got) != 0 {
		t.Errorf("writer1 is still in a group that is accepted to be gone: %v", got)
	}
	if d := k.read(); len(d.Blackout) != 0 || d.Missing != 0 || !d.SecondLookAt.IsZero() {
		t.Errorf("what was accepted is asked for again: %+v", d)
	}
}

func TestLaw02FoundElsewhereIsOutOfScope(t *testing.T) {
	k := newKit(t)
	ids := k.persons(3)
	k.read()
	k.clean()
	k.src.Change(ids[1], func(r *memory.Record) { r.DN = "uid=writer2," + alumni })
	k.read()
	p := k.wantStanding("writer2", identity.OutOfScope, identity.NoDoubt)
	if p.Why != "found at uid=writer2,"+alumni+" outside base or filter" {
		t.Fatal(p.Why)
	}
	k.wantDirty("writer2")
	k.clean()
	if d := k.read(); d.Missing != 0 {
		t.Fatalf("settled, and still asked for: %+v", d)
	}
	k.wantDirty()
	k.src.Change(ids[1], func(r *memory.Record) { r.DN = dn("writer2") })
	k.read()
	k.wantStanding("writer2", identity.Active, identity.NoDoubt)
}

func TestLaw02LostRightsAreNotData(t *testing.T) {
	k := newKit(t, "employeeType")
	for i := range 10 {
		k.person("p"+string(rune('a'+i)), "employeeType", "staff")
	}
	for i := range 6 {
		k.group("g"+string(rune('a'+i)), dn("pa"))
	}
	k.read()
	for _, lose := range []string{"employeetype", "member"} {
		k.src.SetFaults(memory.Lose(lose))
		_, err := k.tryRead()
		var lost *LostCoverageError
		if !errors.As(err, &lost) || lost.Hint() == "" {
			t.Fatalf("lose %s: %v", lose, err)
		}
		if d, err := k.s.Drain(t.Context()); err != nil || d.Source != "" {
			t.Fatalf("something was sealed: %+v %v", d, err)
		}
	}
	k.src.SetFaults(memory.HideBelow(people))
	var nobody *NobodyError
	if _, err := k.tryRead(); !errors.As(err, &nobody) || nobody.Known != 10 {
		t.Fatalf("%v", err)
	}
	// Nine of ten lack it: the line. Eight of ten is data.
	k.src.SetFaults(memory.Faults{})
	drop := func(n int) {
		for i := range 10 {
			id := k.src.At(dn("p" + string(rune('a'+i))))
			k.src.Change(id, func(r *memory.Record) {
				r.Attributes["employeetype"] = []string{"staff"}
				if i < n {
					delete(r.Attributes, "employeetype")
				}
			})
		}
	}
	drop(9)
	var lost *LostCoverageError
	if _, err := k.tryRead(); !errors.As(err, &lost) || lost.Attribute != "employeetype" || lost.Had != 10 || lost.Lack != 9 {
		t.Fatalf("%v", err)
	}
	drop(8)
	k.read()
	if v, p := k.one("pa").Attributes.Get("employeeType"); p != identity.Absent || v != nil {
		t.Fatalf("%v %v", v, p)
	}
}

func TestLaw02AnAttributeThatWasNotReadIsNotEmpty(t *testing.T) {
	k := newKit(t)
	for range 1 {
		k.persons(6)
	}
	k.read()
	if _, p := k.one("writer1").Attributes.Get("title"); p != identity.NotRead {
		t.Fatal(p)
	}
	wider := memory.New("corp", memory.Config{Key: "employeeNumber", Attributes: []string{"title"}, Bases: []string{people, groups}}, k.clock.now)
	for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
		r, _ := k.src.Get(k.src.At(dn("writer" + id)))
		wider.Put(r)
	}
	k.clean()
	narrow := k.src
	k.src = wider
	if d := k.read(); d.Changed != 6 {
		t.Fatalf("%+v", d)
	}
	if _, p := k.one("writer1").Attributes.Get("title"); p != identity.Absent {
		t.Fatal(p)
	}
	if len(k.dirty()) != 6 {
		t.Fatal(k.dirty())
	}
	k.src = narrow
	k.read() // and back: what is not asked for is not lost
	if c, ok := k.s.Coverage("corp"); !ok || c.Has("title") || !c.Has("uid") {
		t.Fatal(c.Names())
	}
}

func TestFewWhoLoseAnAttributeAreData(t *testing.T) {
	k := newKit(t, "title")
	var ids, teams []identity.ID
	for i := range 12 {
		c := string(rune('a' + i))
		if i < 5 {
			ids = append(ids, k.person("p"+c, "title", "x"))
			teams = append(teams, k.group("g"+c, dn("pa")))
			continue
		}
		k.person("p" + c)
		k.group("g" + c)
	}
	k.read()
	for i, id := range ids { // all of those who had it, and they are not half
		k.src.Change(id, func(r *memory.Record) { delete(r.Attributes, "title") })
		k.src.Change(teams[i], func(r *memory.Record) { r.Members = nil })
	}
	if d := k.read(); d.Changed != 10 {
		t.Fatalf("%+v", d)
	}
}

func TestMinPeople(t *testing.T) {
	k := newKit(t)
	ids := k.persons(100)
	k.read()
	for _, id := range ids[:10] { // to 90 %: within
		k.src.Remove(id)
	}
	if d := k.read(); d.Drop || d.Peak != 90 {
		t.Fatalf("%+v", d)
	}
	for _, id := range ids[10:22] { // 78 of 90
		k.src.Remove(id)
	}
	if d := k.read(); !d.Drop || d.Peak != 90 {
		t.Fatalf("%+v", d)
	}
	if f, _ := k.s.SourceFacts("corp"); !f.MinPeople || f.People != 78 || f.Peak != 90 {
		t.Fatalf("%+v", f)
	}
	ok(t, k.s.AcceptDrop("corp", "admin"))
	if f, _ := k.s.SourceFacts("corp"); f.MinPeople || f.Peak != 78 {
		t.Fatalf("%+v", f)
	}
	if d := k.read(); d.Drop {
		t.Fatalf("%+v", d)
	}
	k2 := newKit(t)
	ids = k2.persons(8)
	k2.read()
	for _, id := range ids[:5] {
		k2.src.Remove(id)
	}
	if d := k2.read(); d.Drop {
		t.Fatalf("a drop of five: %+v", d)
	}
}

func TestLaw02MovedWhileItWasReadIsNotOutOfScope(t *testing.T) {
	k := newKit(t)
	k.persons(6)
	k.read()
	p := k.one("writer1")
	entries := func() []directory.Entry {
		var r recorded
		must2(k.src.Read(t.Context(), &r))
		return r
	}()
	read := func(foundAt string) {
		t.Helper()
		k.clock.forward(time.Second)
		g := must2(k.s.Stage("corp", k.src.Coverage()))
		for _, e := range entries {
			if e.ID != p.Key.ID {
				ok(t, g.Add([]directory.Entry{e}))
			}
		}
		ok(t, g.Found([]directory.Finding{{Kind: directory.Person, ID: p.Key.ID, Found: true, DN: identity.MustDN(foundAt)}}))
		must2(g.seal(claim{coverage: k.src.Coverage(), people: 5, at: k.clock.at}, SealRules{Now: k.clock.at, VanishAfter: time.Minute}))
		must2(k.s.Drain(t.Context()))
	}
	k.clean()
	read("uid=renamed," + people)
	k.wantStanding("writer1", identity.Unknown, identity.SecondLook)
	if f := must2(k.s.SourceFacts("corp")); f.SecondLookAt.IsZero() {
		t.Fatal("no second look is due")
	}
	k.read() // there they are
	k.wantStanding("writer1", identity.Active, identity.NoDoubt)
	read("uid=renamed," + people)
	k.clock.forward(time.Minute)
	read("uid=renamed," + people)
	k.wantStanding("writer1", identity.OutOfScope, identity.NoDoubt)
	k.read()
	read("uid=writer1," + alumni) // where nobody is listed: at once
	k.wantStanding("writer1", identity.OutOfScope, identity.NoDoubt)
	k.read()
	read(dn("writer1")) // where they were: the filter
	k.wantStanding("writer1", identity.OutOfScope, identity.NoDoubt)
}

func (c claim) Cursor() directory.Cursor { return directory.Cursor{} }

type recorded []directory.Entry

func (r *recorded) Add(e []directory.Entry) error {
	*r = append(*r, e...)
	return nil
}
