package sync_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

// A policy group in which nobody was may be made anew: there is nothing to hold,
// and whoever is in the new one has its roles.
func TestEmptyGroupMadeAgainCounts(t *testing.T) {
	for _, apart := range []bool{false, true} {
		w := newWorld(t)
		w.joinMany("p", 20)
		w.synced()
		w.source.Remove(w.source.At("cn=writers," + groups))
		if apart {
			for range 3 {
				w.synced()
				w.now = w.now.Add(time.Hour)
			}
		}
		w.source.Put(source.Record{Kind: directory.Group, DN: "cn=writers," + groups})
		w.members("writers", "p0001", "p0002")
		w.synced()
		w.has("p0001", true, "Writers")
	}
}

// One in which somebody was is not passed over.
func TestGroupMadeAgainIsHeld(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 20)
	w.members("writers", "p0001")
	w.synced()
	w.source.Remove(w.source.At("cn=writers," + groups))
	w.source.Put(source.Record{Kind: directory.Group, DN: "cn=writers," + groups})
	w.members("writers", "p0001", "p0002")
	if r := w.sync(); r.Exit() != 4 {
		t.Errorf("exit %d, want 4\n%s", r.Exit(), text(r))
	}
	w.has("p0001", true, "Writers")
	w.has("p0002", true)
	if _, err := w.approve(w.onlyHold()); err != nil {
		t.Fatal(err)
	}
	w.synced()
	w.has("p0001", true, "Writers")
	w.has("p0002", true, "Writers")
}

// A group whose last members lost their accounts, and that was deleted then: nobody
// loses anything by it, so no hold asks, and what comes after its right in an exclusive
// list is for those who come all the same.
func TestGroupByWhichNobodyHasAnythingIsPassedOver(t *testing.T) {
	seats := func(members int) (*world, []identity.ID) {
		w := newWorld(t)
		c := w.config.Targets["wiki"]
		c.Entitlements["employee"], c.Entitlements["manager"] = []string{"Light"}, []string{"Full"}
		c.Exclusive = map[string][]string{"seat": {"Full", "Light"}}
		w.config.Targets["wiki"] = c
		w.engine.Policy = w.compile()
		ids := w.joinMany("p", 20)
		w.members("managers", []string{"p0000", "p0001", "p0002", "p0003", "p0004"}[:members]...)
		w.synced()
		return w, ids
	}
	for _, members := range []int{1, ledger.EmptiedFrom} {
		w, _ := seats(members)
		for i := range members {
			who := must(w.engine.Store.FindPerson(fmt.Sprintf("p%04d", i)))[0]
			w.decree(ledger.Exception{Kind: ledger.Deny, Person: who.Ordinal, Reason: "away", By: "admin"})
			w.now = w.now.Add(25 * time.Hour) // so that the guard lets them all go
		}
		w.has("p0000", false)
		w.source.Remove(w.source.At("cn=managers," + groups))
		w.join("late")
		w.sync()
		w.has("late", true) // it is in doubt whether they are a manager
		w.cycle(rostersync.Request{Verb: "sync", Full: true})
		w.synced()
		w.has("late", true, "Light")
		// It is shown again, and whoever is in it has its right.
		w.source.Put(source.Record{Kind: directory.Group, DN: "cn=managers," + groups})
		w.members("managers", "late")
		w.synced()
		w.has("late", true, "Full", "Writers")
	}

	// Somebody still has it: it is theirs until somebody decides.
	w, ids := seats(1)
	w.source.Remove(w.source.At("cn=managers," + groups))
	w.set(ids[0], "employeeType", "staff", "former") // which says nothing
	w.join("late")
	for range 2 {
		if r := w.cycle(rostersync.Request{Verb: "sync", Full: true}); r.Exit() == 0 {
			t.Errorf("exit %d, and somebody has what a missing group gave", r.Exit())
		}
		w.has("p0000", true, "Full", "Writers")
		w.has("late", true)
	}
}
