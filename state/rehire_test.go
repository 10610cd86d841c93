package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

func (k *kit) employee(uid, number string) identity.ID {
	return k.person(uid, "employeenumber", number)
}

func TestLaw08RehireKeepsTheOrdinal(t *testing.T) {
	for name, leave := range map[string]func(k *kit, id identity.ID){
		"absent from this listing": func(k *kit, id identity.ID) { k.src.Remove(id) },
		"seen absent once":         func(k *kit, id identity.ID) { k.src.Remove(id); k.read() },
		"presumed gone": func(k *kit, id identity.ID) {
			k.src.Remove(id)
			k.read()
			k.clock.forward(time.Hour)
			k.read()
			k.wantStanding("writer9", identity.PresumedGone, identity.NoDoubt)
		},
		"out of scope, then deleted": func(k *kit, id identity.ID) {
			k.src.Change(id, func(r *memory.Record) { r.DN = "uid=writer9," + alumni })
			k.read()
			k.wantStanding("writer9", identity.OutOfScope, identity.NoDoubt)
			k.src.Remove(id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			k.persons(5)
			id := k.employee("writer9", "900")
			k.read()
			before := k.one("writer9")
			ok(t, k.s.PutLinks([]ledger.Link{{Person: before.Ordinal, Target: "wiki", Account: "a9", Phase: ledger.Open}}))
			leave(k, id)
			k.clean()
			again := k.employee("writer9b", "900")
			if d := k.read(); d.Relinked != 1 || d.Rekeyed != 0 {
				t.Fatalf("%+v", d)
			}
			after := k.wantStanding("writer9b", identity.Active, identity.NoDoubt)
			if after.Ordinal != before.Ordinal || after.Key.ID != again || after.Why != "returned under a new ID" {
				t.Fatalf("%+v", after)
			}
			if found, _ := k.s.FindPerson("writer9"); len(found) != 0 {
				t.Fatalf("the old login still finds %v", found)
			}
			if found, _ := k.s.FindPerson(string(id)); len(found) != 0 {
				t.Fatalf("the old ID still finds %v", found)
			}
			k.wantDirty("writer9b")
			k.clean()
			if d := k.read(); d.Changed+d.New+d.Missing != 0 {
				t.Fatalf("%+v", d)
			}
			k.wantDirty()
		})
	}
}

func TestLaw08AMoveKeepsTheOrdinalAndADNIsNoKey(t *testing.T) {
	k := newKit(t)
	ids := k.persons(6)
	k.read()
	k.clean()
	first, second := k.one("writer1"), k.one("writer2")
	// They swap their DNs.
	k.src.Change(ids[0], func(r *memory.Record) { r.DN = dn("writer2") })
	k.src.Change(ids[1], func(r *memory.Record) { r.DN = dn("writer1") })
	if d := k.read(); d.Changed != 2 || d.New != 0 || d.Missing != 0 {
		t.Fatalf("%+v", d)
	}
	if p := k.one(dn("writer2")); p.Ordinal != first.Ordinal {
		t.Fatalf("%s, want %s", p.Ordinal, first.Ordinal)
	}
	if p := k.one(dn("writer1")); p.Ordinal != second.Ordinal {
		t.Fatalf("%s, want %s", p.Ordinal, second.Ordinal)
	}
	// Without a key, the same DN and login under a new ID is a new person.
	k.src.Remove(ids[2])
	k.person("writer3")
	k.read()
	found, _ := k.s.FindPerson("writer3")
	if len(found) != 2 || found[0].Doubt != identity.SecondLook || found[1].Standing != identity.Active {
		t.Fatalf("%+v", found)
	}
}

func TestSharedKeyIsDoubted(t *testing.T) {
	k := newKit(t)
	k.persons(5)
	k.employee("one", "7")
	k.read()
	k.clean()
	two := k.employee("two", "7")
	k.read()
	k.wantStanding("one", identity.Unknown, identity.SharedKey)
	k.wantStanding("two", identity.Unknown, identity.SharedKey)
	k.wantDirty("one", "two")
	k.clean()
	k.read()
	k.wantDirty() // the same doubt is no news
	k.src.Change(two, func(r *memory.Record) { r.Attributes["employeenumber"] = []string{"8"} })
	k.read()
	k.wantStanding("one", identity.Active, identity.NoDoubt)
	k.wantStanding("two", identity.Active, identity.NoDoubt)
	k.wantDirty("one", "two")
}

func TestKeyOfSomebodyFoundElsewhereIsDoubted(t *testing.T) {
	k := newKit(t)
	k.persons(5)
	id := k.employee("one", "7")
	k.read()
	k.src.Change(id, func(r *memory.Record) { r.DN = "uid=one," + alumni })
	k.employee("two", "7")
	k.read()
	k.wantStanding("one", identity.OutOfScope, identity.NoDoubt)
	k.wantStanding("two", identity.Unknown, identity.SharedKey)
}

func TestKeyOfTwoWhoLeftIsDoubted(t *testing.T) {
	k := newKit(t)
	k.persons(8)
	one, two := k.employee("one", "7"), k.employee("two", "8")
	k.read()
	k.src.Remove(one)
	k.read()
	k.src.Change(two, func(r *memory.Record) { r.Attributes["employeenumber"] = []string{"7"} })
	k.read()
	k.src.Remove(two)
	k.employee("three", "7")
	if d := k.read(); d.Relinked != 0 {
		t.Fatalf("%+v", d)
	}
	for _, login := range []string{"one", "two", "three"} {
		k.wantStanding(login, identity.Unknown, identity.SharedKey)
	}
	ok(t, k.s.Relink(k.one("one").Ordinal, k.one("three").Ordinal, "admin"))
	k.wantStanding("three", identity.Active, identity.NoDoubt)
}

func TestDisabledAtTheSourceIsNotInDoubt(t *testing.T) {
	k := newKit(t)
	id := k.employee("one", "7")
	k.src.Change(id, func(r *memory.Record) { r.Disabled = true })
	k.employee("two", "7")
	k.read()
	k.wantStanding("one", identity.Disabled, identity.NoDoubt)
	k.wantStanding("two", identity.Unknown, identity.SharedKey)
}

func TestManyNewIDsRelinkAndDisableNobody(t *testing.T) {
	k := newKit(t)
	var ids []identity.ID
	for i := range 20 {
		ids = append(ids, k.employee(fmt.Sprintf("w%02d", i), fmt.Sprint(100+i)))
	}
	k.read()
	var old []identity.Person
	for i := range 6 {
		old = append(old, k.one(fmt.Sprintf("w%02d", i)))
		k.src.Remove(ids[i])
	}
	for i := range 6 {
		k.employee(fmt.Sprintf("n%02d", i), fmt.Sprint(100+i))
	}
	k.clean()
	if d := k.read(); d.Rekeyed != 6 || d.Relinked != 0 {
		t.Fatalf("%+v", d)
	}
	for range 3 {
		for i := range 6 {
			k.wantStanding(fmt.Sprintf("w%02d", i), identity.Unknown, identity.Rekeyed)
			k.wantStanding(fmt.Sprintf("n%02d", i), identity.Unknown, identity.Rekeyed)
		}
		k.clean()
		k.clock.forward(time.Hour)
		if d := k.read(); d.Rekeyed != 6 {
			t.Fatalf("%+v", d)
		}
		k.wantDirty()
	}
	if f, _ := k.s.SourceFacts("corp"); f.Rekeyed != 6 {
		t.Fatalf("%+v", f)
	}
	// An approval relinks them one by one.
	for i, o := range old {
		ok(t, k.s.Relink(o.Ordinal, k.one(fmt.Sprintf("n%02d", i)).Ordinal, "admin"))
		p := k.wantStanding(fmt.Sprintf("n%02d", i), identity.Active, identity.NoDoubt)
		if p.Ordinal != o.Ordinal {
			t.Fatalf("%s, want %s", p.Ordinal, o.Ordinal)
		}
	}
	k.clean()
	if d := k.read(); d.Rekeyed != 0 || d.Changed+d.New+d.Missing != 0 {
		t.Fatalf("%+v", d)
	}
	k.wantDirty()
	// Five are as usual.
	for i := 10; i < 15; i++ {
		k.src.Remove(ids[i])
		k.employee(fmt.Sprintf("n%02d", i), fmt.Sprint(100+i))
	}
	if d := k.read(); d.Relinked != 5 || d.Rekeyed != 0 {
		t.Fatalf("%+v", d)
	}
}

func TestNewIDsUnderTheSameDNsCountToo(t *testing.T) {
	k := newKit(t)
	ids := k.persons(20)
	k.read()
	k.src.Remove(ids[:7]...)
	for i := range 7 {
		k.person(fmt.Sprintf("writer%d", i+1))
	}
	if d := k.read(); d.Rekeyed != 7 || d.Missing != 7 {
		t.Fatalf("%+v", d)
	}
	for range 2 {
		found, _ := k.s.FindPerson("writer1")
		if len(found) != 2 || found[0].Doubt != identity.Rekeyed || found[1].Doubt != identity.Rekeyed {
			t.Fatalf("%+v", found)
		}
		k.clock.forward(time.Hour)
		k.read()
	}
	// The old ones come back, as after a wrong restore: all is as before.
	for i := range 7 {
		k.src.Remove(k.src.At(dn(fmt.Sprintf("writer%d", i+1))))
	}
	for i, id := range ids[:7] {
		uid := fmt.Sprintf("writer%d", i+1)
		k.src.Put(memory.Record{ID: id, Kind: directory.Person, DN: dn(uid), Attributes: map[string][]string{"uid": {uid}}})
	}
	k.read()
	found, _ := k.s.FindPerson("writer1")
	if found[0].Standing != identity.Active || found[1].Standing != identity.Unknown {
		t.Fatalf("%+v", found)
	}
}

func TestRelinkRefuses(t *testing.T) {
	k := newKit(t)
	ids := k.persons(8)
	k.read()
	one, two := k.one("writer1").Ordinal, k.one("writer2").Ordinal
	if err := k.s.Relink(one, two, "admin"); err == nil {
		t.Fatal("somebody who is there was given another's entry")
	}
	k.src.Remove(ids[0])
	k.read()
	ok(t, k.s.PutLinks([]ledger.Link{{Person: two, Target: "wiki", Account: "a", Phase: ledger.Open}}))
	if err := k.s.Relink(one, two, "admin"); err == nil {
		t.Fatal("somebody with accounts was dissolved")
	}
	for _, pair := range [][2]identity.Ordinal{{one, one}, {one, 999}, {999, two}} {
		if err := k.s.Relink(pair[0], pair[1], "admin"); err == nil {
			t.Fatal(pair)
		}
	}
	// A listing that began before a relink cannot be sealed after it.
	g := must2(k.s.Stage("corp", k.src.Coverage()))
	p := must2(k.src.Read(t.Context(), g))
	missing := must2(g.Missing())
	ok(t, g.Found(must2(k.src.Find(t.Context(), missing))))
	ok(t, k.s.Relink(one, k.one("writer3").Ordinal, "admin"))
	if _, err := g.Seal(p, SealRules{Now: k.clock.at}); err == nil {
		t.Fatal("a stale listing was sealed")
	}
	k.read()
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
