package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

// A deletion was told beside something that only a listing decides. The listing comes
// too late to be told again, and has that it was proved: also of whom it was thought
// before that they are presumed gone, or out of scope.
func TestADeletionThatWasPutAsideIsProved(t *testing.T) {
	for name, c := range map[string]struct {
		// before is what somebody is when they are deleted; after what comes of that
		// where they are found elsewhere again before it is read.
		before func(*kit, identity.ID)
		after  identity.Standing
	}{
		"who was there": {func(*kit, identity.ID) {}, identity.OutOfScope},
		"who was closed": {func(k *kit, id identity.ID) {
			k.src.Change(id, func(r *memory.Record) { r.Disabled = true })
			k.follow()
		}, identity.OutOfScope},
		"who was missed":   {func(k *kit, id identity.ID) { k.hidden(id, 1) }, identity.OutOfScope},
		"who was presumed": {func(k *kit, id identity.ID) { k.hidden(id, 2) }, identity.PresumedGone},
		"who was away": {func(k *kit, id identity.ID) {
			k.src.Change(id, func(r *memory.Record) { r.DN = "uid=writer3," + alumni })
			k.follow()
		}, identity.OutOfScope},
	} {
		for _, back := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, back %t", name, back), func(t *testing.T) {
				k := newKit(t, "title")
				var ids []identity.ID
				for i := range 12 {
					ids = append(ids, k.person(fmt.Sprintf("writer%d", i+1), "employeeNumber", fmt.Sprint(i+1)))
				}
				k.read()
				c.before(k, ids[2])
				k.src.Remove(ids[2])
				k.person("late", "employeeNumber", "5") // which is writer5's
				k.undecided("rehire key of somebody known")
				want := identity.Gone
				if back {
					k.src.Put(memory.Record{Kind: directory.Person, ID: ids[2], DN: "uid=writer3," + alumni, Attributes: map[string][]string{"uid": {"writer3"}}})
					want = c.after
				}
				k.read()
				p := k.wantStanding("writer3", want, identity.NoDoubt)
				if want == identity.Gone && p.Why != "deleted: the log" {
					t.Errorf("why: %s", p.Why)
				}
				if f, err := k.s.SourceFacts("corp"); err != nil || !f.SecondLookAt.IsZero() {
					t.Errorf("a second look at %v, %v", f.SecondLookAt, err)
				}
				k.read() // it stays so, though nothing is told any more
				k.wantStanding("writer3", want, identity.NoDoubt)
			})
		}
	}
}

// hidden lets so many listings, a minute from one another, not show somebody.
func (k *kit) hidden(id identity.ID, listings int) {
	k.Helper()
	k.src.SetFaults(memory.Faults{Hide: func(e directory.Entry) bool { return e.ID == id }})
	for range listings {
		k.clock.forward(time.Minute)
		k.read()
	}
	k.src.SetFaults(memory.Faults{})
}

// Whoever has the key of somebody whose deletion was put aside is them.
func TestADeletionThatWasPutAsideAndARehire(t *testing.T) {
	k := newKit(t, "title")
	var ids []identity.ID
	for i := range 12 {
		ids = append(ids, k.person(fmt.Sprintf("writer%d", i+1), "employeeNumber", fmt.Sprint(i+1)))
	}
	k.read()
	k.hidden(ids[2], 2)
	who := k.wantStanding("writer3", identity.PresumedGone, identity.NoDoubt).Ordinal
	k.src.Remove(ids[2])
	k.person("back", "employeeNumber", "3")
	k.undecided("rehire key of somebody known")
	k.read()
	if p := k.wantStanding("back", identity.Active, identity.NoDoubt); p.Ordinal != who {
		t.Errorf("they are %s, and were %s", p.Ordinal, who)
	}
}

// What was told of somebody can only make them gone: not doubted because of others,
// not called out of scope by where they are found, and not gone a second time.
func TestADeletionThatWasPutAsideDecidesNothingElse(t *testing.T) {
	k := newKit(t, "title")
	var ids []identity.ID
	for i := range 12 {
		ids = append(ids, k.person(fmt.Sprintf("writer%d", i+1), "employeeNumber", fmt.Sprint(i+1)))
	}
	k.read()
	k.src.Remove(ids[0])
	k.follow()
	k.src.Change(ids[1], func(r *memory.Record) { r.DN = "uid=writer2," + alumni })
	k.follow()
	k.hidden(ids[2], 2)

	// Two carry the key of one who was presumed gone and is deleted.
	k.src.Remove(ids[2])
	k.person("late", "employeeNumber", "3")
	k.person("later", "employeeNumber", "3")
	k.undecided("rehire key")
	k.read()
	k.wantStanding("writer3", identity.Gone, identity.NoDoubt)
	k.wantStanding("late", identity.Unknown, identity.SharedKey)

	// They are found, and where others are listed: that is no matter of those who left.
	k.hidden(ids[3], 2)
	k.clock.forward(time.Second)
	g := must2(k.s.Stage("corp", k.src.Coverage()))
	g.Evidence([]directory.Gone{{ID: ids[0], By: "the log"}, {ID: ids[1], By: "the log"}, {ID: ids[3], By: "the log"}})
	hide := func(e directory.Entry) bool { return e.ID == ids[3] }
	k.src.SetFaults(memory.Faults{Hide: hide})
	p := must2(k.src.Read(t.Context(), g))
	k.src.SetFaults(memory.Faults{})
	missing := must2(g.Missing())
	if len(missing) != 2 {
		t.Fatalf("to be looked up are %v", missing)
	}
	var found []directory.Finding
	for _, m := range missing {
		if m.ID != ids[1] && m.ID != ids[3] {
			t.Errorf("%s is to be looked up", m.DN)
		}
		found = append(found, directory.Finding{Kind: m.Kind, ID: m.ID, Found: true, DN: identity.MustDN(dn("elsewhere-" + string(m.ID[len(m.ID)-2:])))})
	}
	ok(t, g.Found(found))
	k.rules.Now = k.clock.at
	must2(g.Seal(p, k.rules))
	must2(k.s.Drain(t.Context()))
	k.wantStanding("writer1", identity.Gone, identity.NoDoubt)
	k.wantStanding("writer2", identity.OutOfScope, identity.NoDoubt)
	k.wantStanding("writer4", identity.PresumedGone, identity.NoDoubt)
	if f := must2(k.s.SourceFacts("corp")); !f.SecondLookAt.IsZero() {
		t.Errorf("a second look at %s", f.SecondLookAt)
	}
}
