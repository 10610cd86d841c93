package sync_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	rostersync "github.com/rosterd/rosterd/sync"
)

// Groups that vanish with all in their container, and people without an account, are
// in no target's hold. They have one of their own, or nobody could end the doubt.
func TestWhatWentDarkCanBeDecided(t *testing.T) {
	for name, below := range map[string]string{"groups": "ou=wards," + groups, "people": "ou=guests," + people} {
		t.Run(name, func(t *testing.T) {
			w := follows(t, false)
			w.joinMany("p", 80)
			in := "p0001"
			for i, id := range w.joinMany("guest", 6) {
				r, _ := w.source.Get(id)
				w.set(id, "employeeType", "guest")
				w.move(id, "uid="+r.Attributes["uid"][0]+",ou=guests,"+people)
				w.source.Put(source.Record{Kind: directory.Group, DN: "cn=ward" + string(rune('a'+i)) + ",ou=wards," + groups, Members: []string{"uid=" + in + "," + people}})
			}
			w.synced()
			w.source.SetFaults(source.HideBelow(below))
			sweep := rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true}
			for range 2 {
				if r := w.cycle(sweep); r.Exit() != rostersync.ExitHeld {
					t.Fatalf("exit %d\n%s", r.Exit(), text(r))
				}
			}
			h := w.onlyHold()
			if h.Rule != "gone-dark" || h.Target != "source corp" || len(h.Keys) != 6 || !strings.Contains(h.Keys[0].Text, below) {
				t.Fatalf("held: %+v", h)
			}
			if _, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: h.ID, Version: h.Version(), By: "admin", Limit: 2}, rostersync.Request{Verb: "approve"}); err == nil {
				t.Error("a part of what vanished at once was approved")
			}
			// Shown again it drops out by itself, with nobody's word.
			w.source.SetFaults(source.Faults{})
			w.followed()
			if holds := w.openHolds(); len(holds) > 0 {
				t.Fatalf("it came back, and is held: %+v", holds)
			}
			w.source.SetFaults(source.HideBelow(below))
			w.cycle(sweep)
			if r, err := w.approve(w.onlyHold()); err != nil || r.Exit() != 0 {
				t.Fatalf("approve: %v\n%s", err, text(r))
			}
			if facts, err := w.engine.Store.SourceFacts("corp"); err != nil || len(facts.Blackouts) > 0 {
				t.Errorf("%+v, %v", facts, err)
			}
			if r, how := w.followed(); how != "changes" || r.Exit() != 0 || len(w.openHolds()) > 0 {
				t.Errorf("afterwards it goes by %s, exit %d, held %+v\n%s", how, r.Exit(), w.openHolds(), text(r))
			}
			w.quiet()
		})
	}
}

// A right that comes through a group that went dark stays until that is decided.
func TestLaw02DarkGroupsGiveWhatTheyGave(t *testing.T) {
	w := follows(t, false)
	w.joinMany("p", 20)
	var all []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		dn := "cn=ward" + name + ",ou=wards," + groups
		w.source.Put(source.Record{Kind: directory.Group, DN: dn, Members: []string{"uid=p0001," + people}})
		all = append(all, dn)
	}
	id := w.source.At("cn=writers," + groups)
	r, _ := w.source.Get(id)
	r.Members = slices.Concat(r.Members, all)
	w.source.Put(r)
	w.synced()
	w.has("p0001", true, "Writers")
	w.source.SetFaults(source.HideBelow("ou=wards," + groups))
	w.cycle(rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true})
	w.has("p0001", true, "Writers")
	if _, err := w.approve(w.onlyHold()); err != nil {
		t.Fatal(err)
	}
	w.followed()
	w.has("p0001", true)
}
