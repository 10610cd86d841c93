package state

import (
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

func TestSinceIsWhenTheStandingBegan(t *testing.T) {
	k := newKit(t, "title")
	ids := k.persons(6)
	k.read()
	began := k.clock.at
	k.src.Change(ids[0], func(r *memory.Record) { r.Attributes["title"] = []string{"x"} })
	k.read()
	if p := k.one("writer1"); !p.Since.Equal(began) || p.Attributes.First("title") != "x" || p.Why != "in the directory" {
		t.Fatalf("%+v", p)
	}
	k.src.Change(ids[0], func(r *memory.Record) { r.Disabled = true })
	k.read()
	p := k.wantStanding("writer1", identity.Disabled, identity.NoDoubt)
	if !p.Since.Equal(k.clock.at) || p.Why != "disabled at the source by disabled" {
		t.Fatalf("%+v", p)
	}
	k.clean()
	k.src.Remove(ids[1])
	k.read()
	absent := k.clock.at
	k.read()
	if p := k.one("writer2"); !p.Since.Equal(absent) {
		t.Fatalf("%+v", p)
	}
	if marks := must2(k.s.Take(k.clock.at.Add(time.Minute))); len(marks) != 1 || marks[0].Reasons[len(marks[0].Reasons)-1] != "second look" {
		t.Fatalf("%+v", marks)
	}
}

func TestFindPersonByEveryName(t *testing.T) {
	k := newKit(t)
	k.person("Anna")
	k.persons(6)
	id := k.src.Put(memory.Record{ID: "AbC-1", Kind: directory.Person, DN: `uid=x\2Cy,` + people,
		Attributes: map[string][]string{"uid": {"Odd"}, "mail": {"Odd@Example.COM"}}})
	k.group("odd")
	k.read()
	want := k.one("odd").Ordinal
	for _, text := range []string{"ODD", " odd ", "odd@example.com", `UID="x,y" , ` + people, `uid=X\,Y,` + people, string(id), want.String()} {
		if found := must2(k.s.FindPerson(text)); len(found) != 1 || found[0].Ordinal != want {
			t.Errorf("%q finds %v", text, found)
		}
	}
	group := must2(k.s.Pins("corp", []string{cn("odd")}))[0].Group
	for _, text := range []string{"", "nobody", "#0", "#999", cn("odd"), group.String(), "x,y", "#"} {
		if found := must2(k.s.FindPerson(text)); len(found) != 0 {
			t.Errorf("%q finds %v", text, found)
		}
	}
	if _, err := k.s.People(want, 999); err == nil {
		t.Error("somebody who is not there was read")
	}
}

func TestSourcesAreApart(t *testing.T) {
	k := newKit(t)
	k.persons(6)
	k.group("team", dn("writer1"))
	k.read()
	corp := k.src
	k.src = memory.New("lab", memory.Config{Key: "employeeNumber", Bases: []string{people, groups}}, k.clock.now)
	k.persons(6) // the same IDs, DNs and logins
	k.group("team", dn("writer2"))
	k.clock.forward(time.Second)
	g := must2(k.s.Stage("lab", k.src.Coverage()))
	p := must2(k.src.Read(t.Context(), g))
	if _, err := g.Seal(p, SealRules{Now: k.clock.at}); err != nil {
		t.Fatal(err)
	}
	must2(k.s.Drain(t.Context()))
	found := must2(k.s.FindPerson("writer1"))
	if len(found) != 2 || found[0].Key.Source != "corp" || found[1].Key.Source != "lab" {
		t.Fatalf("%+v", found)
	}
	lab := must2(k.s.Pins("lab", []string{cn("team")}))[0].Group
	here := must2(k.s.Pins("corp", []string{cn("team")}))[0].Group
	m := must2(k.s.Memberships(nil, []identity.Ordinal{lab, here}))
	if len(m) != 2 || m[found[0].Ordinal][0].Group != here {
		t.Fatalf("%+v", m)
	}
	k.clean()
	if n := must2(k.s.MarkEveryone("lab", "x")); n != 6 || len(must2(k.s.Take(k.clock.at))) != 6 {
		t.Fatal(n)
	}
	if n := must2(k.s.MarkEveryone("none", "x")); n != 0 {
		t.Fatal(n)
	}
	count := 0
	ok(t, k.s.EachPerson("corp", func(p identity.Person) error {
		if p.Key.Source != "corp" {
			t.Errorf("%+v", p)
		}
		count++
		return nil
	}))
	k.clean()
	k.src = corp
	if d := k.read(); count != 6 || d.Changed+d.New+d.Missing != 0 {
		t.Fatalf("%d, %+v", count, d)
	}
	k.wantDirty()
}

func TestAPinRemembersTheMost(t *testing.T) {
	k := newKit(t)
	k.persons(6)
	team := k.group("team", dn("writer1"))
	k.read()
	k.pins(ledger.PinOK, "team")
	k.members(team, dn("writer1"), dn("writer2"), dn("writer3"), dn("writer4"), dn("writer5"))
	k.read()
	k.pins(ledger.PinOK, "team")
	k.members(team, dn("writer1"))
	k.read()
	if p := k.pins(ledger.PinOK, "team")[0]; p.Had != 5 || p.Members != 1 {
		t.Fatalf("%+v", p)
	}
	k.members(team)
	k.read()
	k.pins(ledger.PinEmptied, "team")
}

func TestManyPeopleInChunks(t *testing.T) {
	path, c := t.TempDir()+"/s.db", newClock()
	s := must2(Open(path, Options{Now: c.now}))
	defer s.Close()
	s.db.NoSync = true
	coverage, entries := population(12_000) // more than one chunk of everything
	if d := take(t, s, c, coverage, entries); d.New != len(entries) || d.Dangling != 0 || d.Marked != 12_000 {
		t.Fatalf("%+v", d)
	}
	n := 0
	var last identity.Ordinal
	ok(t, s.EachPerson("corp", func(p identity.Person) error {
		if n++; p.Ordinal <= last {
			t.Fatalf("%s after %s", p.Ordinal, last)
		}
		last = p.Ordinal
		return nil
	}))
	marks := must2(s.Take(c.at))
	if n != 12_000 || len(marks) != n || must2(s.Settle(marks)) != n {
		t.Fatal(n, len(marks))
	}
	if d := take(t, s, c, coverage, entries); d.Changed+d.New+d.Missing+d.Marked != 0 {
		t.Fatalf("%+v", d)
	}
	role := must2(s.Pins("corp", []string{"cn=role3," + groups}))[0].Group
	if m := must2(s.Memberships(nil, []identity.Ordinal{role})); len(m) != 1200 {
		t.Fatal(len(m))
	}
	check(t, s)
}
