package state

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

func mustDN(text string) identity.DN {
	dn, err := identity.ParseDN(text)
	if err != nil {
		panic(err)
	}
	return dn
}

// settle settles every mark, and notes whom those name who name others.
func (k *kit) settle(refers map[identity.Ordinal][]string) {
	k.Helper()
	for who := range refers {
		ok(k, k.s.Mark("refers", who))
	}
	marks := must2(k.s.Take(k.clock.at))
	for i := range marks {
		for _, d := range refers[marks[i].Person] {
			marks[i].Refers = append(marks[i].Refers, mustDN(d))
		}
	}
	must2(k.s.Settle(marks))
}

func (k *kit) wantMeant(d string, who identity.Ordinal) {
	k.Helper()
	if got := must2(k.s.Referred("corp", []identity.DN{mustDN(d)}))[0]; !got.Known || got.Person != who {
		k.Fatalf("%s means %+v, want %s", d, got, who)
	}
}

// called gives an entry another DN.
func (k *kit) called(id identity.ID, d string) {
	k.Helper()
	if !k.src.Change(id, func(r *memory.Record) { r.DN = d }) {
		k.Fatalf("no entry %s", id)
	}
}

// index is how many keys the index of references has.
func (k *kit) index() (n int) {
	ok(k, k.s.view(func(tx *txn) error {
		n = len(under(tx.Bucket(bReferred), nil))
		return nil
	}))
	return n
}

// Law 8: the name by which somebody is referred to means them, whatever they are
// called by now, as long as somebody refers by it and nobody else has it.
func TestLaw08AFormerNameMeansThemStill(t *testing.T) {
	k := newKit(t)
	ids := k.persons(4)
	k.read()
	one, boss, other := k.one("writer1").Ordinal, k.one("writer2").Ordinal, k.one("writer3").Ordinal
	names := map[identity.Ordinal][]string{one: {dn("writer2")}}
	k.settle(names)

	// By the name of the fourth nobody refers to anybody.
	k.called(ids[3], dn("four"))
	k.called(ids[1], dn("boss"))
	k.read()
	k.wantDirty("writer1", "writer2", "writer4")
	k.wantMeant(dn("writer4"), 0)
	k.wantMeant(dn("writer2"), boss)
	k.settle(names)
	k.wantMeant(dn("writer2"), boss)
	k.called(ids[1], dn("chief"))
	k.read()
	k.settle(names)
	k.reopen()
	k.wantMeant(dn("writer2"), boss)
	k.wantMeant(dn("boss"), 0)

	// Whoever refers to them is marked when their account is another one.
	ok(t, k.s.PutLinks([]ledger.Link{{Person: boss, Target: "wiki", Account: "a-1", Owner: ledger.Created, Phase: ledger.Open}}))
	k.wantDirty("writer1")
	k.settle(names)

	// Somebody else gets the name, and then leaves it; a group is nobody.
	k.called(ids[2], dn("writer2"))
	k.read()
	k.wantDirty("writer1", "writer3")
	k.wantMeant(dn("writer2"), other)
	k.settle(names)
	k.called(ids[2], dn("three"))
	k.read()
	k.wantMeant(dn("writer2"), other)
	k.settle(names)
	group := k.group("staff")
	k.called(group, dn("writer2"))
	k.read()
	k.wantMeant(dn("writer2"), 0)
	k.called(group, "cn=staff,"+groups)
	k.read()
	k.wantMeant(dn("writer2"), 0)

	// Nobody refers by it any more.
	k.settle(map[identity.Ordinal][]string{one: {dn("three")}})
	k.called(ids[2], dn("writer3"))
	k.read()
	k.wantMeant(dn("three"), other)
	k.settle(map[identity.Ordinal][]string{one: {dn("writer3")}})
	k.wantMeant(dn("three"), 0)
	if n := k.index(); n != 2 {
		t.Errorf("the index has %d keys, want 2: who names, and who is named", n)
	}
}

// Those who swap their names are each whoever has the name now, in whatever order they
// are read; a name that nobody has any more is that of who had it last.
func TestLaw08FormerNamesAtRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	k := newKit(t)
	ids := k.persons(6)
	k.read()
	who, at, names := make([]identity.Ordinal, len(ids)), make([]string, len(ids)), []string{dn("x"), dn("y")}
	for i := range ids {
		at[i] = dn(fmt.Sprintf("writer%d", i+1))
		who[i] = k.one(fmt.Sprintf("writer%d", i+1)).Ordinal
		names = append(names, at[i])
	}
	refers, last, kept := map[identity.Ordinal][]string{}, map[string]identity.Ordinal{}, 0
	holds := func(name string) identity.Ordinal {
		if i := slices.Index(at, name); i >= 0 {
			return who[i]
		}
		return 0
	}
	used := func(name string) bool {
		for _, list := range refers {
			if slices.Contains(list, name) {
				return true
			}
		}
		return false
	}
	for range 40 {
		// Two of them name others, and some move at once, to names that are free then.
		for _, o := range who[:2] {
			refers[o] = nil
			for _, i := range random.Perm(len(names))[:random.IntN(3)] {
				refers[o] = append(refers[o], names[i])
			}
		}
		k.settle(refers)
		var free []string
		for _, n := range names {
			if !used(n) {
				delete(last, n)
			}
			if !holds(n).Valid() {
				free = append(free, n)
			}
		}
		moving, old := random.Perm(len(ids))[:random.IntN(4)], slices.Clone(at)
		for _, i := range moving {
			free = append(free, at[i])
		}
		random.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
		for n, i := range moving {
			at[i] = free[n]
		}
		for _, i := range moving { // none has the name of another on the way
			k.called(ids[i], fmt.Sprintf("uid=away%d,%s", i, people))
		}
		for _, i := range moving {
			k.called(ids[i], at[i])
		}
		k.read()
		for _, i := range moving {
			if used(old[i]) {
				last[old[i]] = who[i]
			}
		}
		for _, n := range names {
			want := holds(n)
			if want.Valid() {
				delete(last, n)
			} else if want = last[n]; want.Valid() {
				kept++
			}
			k.wantMeant(n, want)
		}
	}
	if kept == 0 {
		t.Error("no name was a former one: nothing of it is tested")
	}
}

// Whoever is forgotten is meant by no name that they had; whom else somebody names
// stays known.
func TestAFormerNameIsForgotten(t *testing.T) {
	k := newKit(t)
	ids := k.persons(3)
	k.read()
	one, boss, other := k.one("writer1").Ordinal, k.one("writer2").Ordinal, k.one("writer3").Ordinal
	names := map[identity.Ordinal][]string{one: {dn("writer2"), dn("writer3")}}
	k.settle(names)
	k.called(ids[1], dn("boss"))
	k.called(ids[2], dn("three"))
	k.read()
	k.settle(names)
	k.src.Remove(ids[1])
	k.read()
	k.clock.forward(time.Hour)
	k.read()
	k.settle(names)
	k.wantMeant(dn("writer2"), boss)
	must2(k.s.Forget(context.Background(), []identity.Ordinal{boss}, "admin", ""))
	k.wantMeant(dn("writer2"), 0)
	k.wantMeant(dn("writer3"), other)
	k.wantDirty("writer1")
}

// Whoever comes back under another ID and another name is meant by the old one.
func TestAFormerNameOfWhoComesBack(t *testing.T) {
	k := newKit(t)
	k.persons(1)
	k.person("boss", "employeeNumber", "7")
	k.read()
	one, boss := k.one("writer1").Ordinal, k.one("boss").Ordinal
	names := map[identity.Ordinal][]string{one: {dn("boss")}}
	k.settle(names)
	k.src.Remove(k.src.At(dn("boss")))
	k.read()
	k.clock.forward(time.Hour)
	k.read()
	k.settle(names)
	k.person("chief", "employeeNumber", "7")
	k.read()
	k.wantMeant(dn("chief"), boss)
	k.wantMeant(dn("boss"), boss)
}
