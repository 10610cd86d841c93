package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// A part of a hold can be approved; the rest waits on, and what is approved is
// all that is done.
func TestApprovePart(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.approve("h1", 2, 3)
	_, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove waiting 12"}) {
		t.Fatalf("holds: %v", got)
	}
	for i := 1; i <= 6; i++ {
		if want := i != 2 && i != 3; r.seen(i).Enabled != want {
			t.Errorf("writer%d enabled = %v", i, !want)
		}
	}
	_, v = r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove waiting 8"}) {
		t.Errorf("holds after: %v", got)
	}
}

func TestApprovalExpires(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.approve("h1")
	r.now = r.now.Add(24 * time.Hour)
	_, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove waiting 12"}) || !r.seen(1).Enabled {
		t.Errorf("an old approval was used: %v", got)
	}
}

func TestRejectSilences(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.reject("h1")
	p, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove rejected 12"}) || !v.Cleared.Empty() {
		t.Fatalf("after the rejection: %v", got)
	}
	if s := stageOf(t, p, v, 1); s.Stage != Held || s.Why != "rejected" {
		t.Errorf("stage: %+v", s)
	}
	if v.Held() {
		t.Error("a rejection is not silent")
	}
	// Others are judged for themselves, and the rejected do not count.
	r.leave(7, 8)
	if _, v = r.cycle(false); r.seen(7).Enabled || r.seen(8).Enabled {
		t.Errorf("a rejection held others: %v", holdIDs(v.Holds))
	}
	// Who came back drops out.
	for i := 1; i <= 6; i++ {
		r.standing(i, identity.Active)
	}
	if _, v = r.cycle(false); len(v.Holds) != 0 {
		t.Errorf("holds of people who came back: %v", holdIDs(v.Holds))
	}
}

// People who came back drop out of a hold, and those who were not in the plan
// stay in it.
func TestHoldRebuilt(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.standing(1, identity.Active)
	_, v := r.cycle(false, 1)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 max_remove waiting 10"}) {
		t.Errorf("holds: %v", got)
	}
	// Nothing is known of a person now: what was held stays held.
	r.people[2].Desired.Standing, r.people[2].Standing = identity.Unknown, identity.Unknown
	if _, v = r.cycle(false); len(v.Holds) != 1 || len(v.Holds[0].Keys) != 10 {
		t.Errorf("holds: %v", holdIDs(v.Holds))
	}
	// A target that is down says nothing.
	r.down = "connection refused"
	if _, v = r.cycle(false); len(v.Holds) != 1 || len(v.Holds[0].Keys) != 10 || !v.Parked() {
		t.Errorf("holds: %v", holdIDs(v.Holds))
	}
	r.down = ""
	for i := 2; i <= 6; i++ {
		r.standing(i, identity.Active)
	}
	if _, v = r.cycle(false); len(v.Holds) != 0 {
		t.Errorf("holds: %v", holdIDs(v.Holds))
	}
}

// Naming a person approves their removal, a few an hour.
func TestNamed(t *testing.T) {
	r := newRig(t)
	r.staff(20)
	r.sources[0].MinPeople = true
	r.leave(1, 8)
	for i := 1; i <= 8; i++ {
		r.people[identity.Ordinal(i)].Named = true
	}
	_, v := r.cycle(false)
	disabled := 0
	for i := 1; i <= 8; i++ {
		if !r.seen(i).Enabled {
			disabled++
		}
	}
	if disabled != namedPerHour || len(v.Holds) != 1 || v.Holds[0].Rule != "min-people" {
		t.Fatalf("%d disabled, holds %v", disabled, holdIDs(v.Holds))
	}
	if _, v = r.cycle(false); v.Pending() {
		t.Error("naming went on within the hour")
	}
	r.now = r.now.Add(time.Hour)
	if r.cycle(false); r.seen(8).Enabled {
		t.Error("naming did not go on after an hour")
	}
}

// A change that waits in one hold and now needs another reason to be trusted is
// not let go by the approval of the first.
func TestApprovalCoversItsReason(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	r.leave(1, 6)
	r.cycle(false)
	r.approve("h1")
	r.sources[0].MinPeople = true
	_, v := r.cycle(false)
	if v.Pending() || !r.seen(1).Enabled {
		t.Errorf("an approval for max_remove let a removal of a shrunken source go: %v", holdIDs(v.Holds))
	}
}
