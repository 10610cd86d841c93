package plan

import (
	"slices"
	"strings"
	"testing"
)

// The first plan of a new target is one hold and nothing else goes there until
// it is approved whole; joiners who come later join it.
func TestFirstHold(t *testing.T) {
	r := newRig(t)
	r.fresh = true
	for i := 1; i <= 100; i++ {
		r.hire(i, "Writers")
	}
	_, v := r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 first waiting 200"}) || !v.Cleared.Empty() {
		t.Fatalf("holds: %v", got)
	}
	r.approve("h1", 1, 2)
	r.hire(101, "Writers")
	_, v = r.cycle(false)
	if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 first waiting 202"}) || r.target().Linked != 2 {
		t.Fatalf("the pilot: %v, %d accounts", got, r.target().Linked)
	}
	// A pilot's new right is part of the first plan too.
	r.roles(1, "Writers", "Publishers")
	_, v = r.cycle(false)
	if !slices.Equal(r.seen(1).Entitlements, []string{"Writers"}) {
		t.Errorf("something went before the first hold was approved: %v", holdIDs(v.Holds))
	}
	r.approve("h1")
	r.cycle(false)
	if r.target().Linked != 101 || len(r.spends) != 0 {
		t.Errorf("%d accounts, %d spends", r.target().Linked, len(r.spends))
	}
	if _, v = r.cycle(false); len(v.Holds) != 0 || !v.Cleared.Empty() {
		t.Errorf("not idempotent: %v", holdIDs(v.Holds))
	}
}

// After a restore nothing goes to the target until it was agreed to, whatever the
// file says of first plans; but a person who is named is removed.
func TestRestoredHold(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		r := newRig(t)
		r.hire(1, "Writers")
		r.hire(2, "Writers")
		r.cycle(false)
		r.restored, r.fresh = "it is old", fresh
		r.rules.Guard.First = "apply"
		r.roles(1, "Writers", "Publishers") // no limit is on what is given
		r.leave(2, 2)
		for range 2 {
			_, v := r.cycle(false)
			if got := holdIDs(v.Holds); !slices.Equal(got, []string{"h1 restored waiting 3"}) || !v.Cleared.Empty() || !strings.Contains(v.Holds[0].Text, "it is old") {
				t.Fatalf("holds: %v", got)
			}
		}
		r.approve("h1")
		r.cycle(false)
		if got := r.seen(1).Entitlements; !slices.Equal(got, []string{"Publishers", "Writers"}) && !slices.Equal(got, []string{"Writers", "Publishers"}) {
			t.Errorf("%v after the approval", got)
		}
	}
}

// An approval of the first plan that was interrupted goes on, whatever
// max_create says.
func TestFirstHoldInterrupted(t *testing.T) {
	r := newRig(t)
	r.fresh = true
	for i := 1; i <= 400; i++ {
		r.hire(i, "Writers")
	}
	r.cycle(false)
	r.approve("h1")
	_, v := r.plan(false)
	r.holds = v.Holds
	done := 0
	for _, wave := range v.Cleared.Waves("wiki") {
		for _, o := range wave {
			if done++; done > 130 {
				break
			}
			r.do(o)
		}
	}
	_, v = r.cycle(false)
	if v.Held() || r.target().Linked != 400 {
		t.Errorf("%d accounts; %v", r.target().Linked, holdIDs(v.Holds))
	}
	if _, v = r.cycle(false); !v.Cleared.Empty() || len(v.Holds) > 0 {
		t.Errorf("left: %d, %v", v.Cleared.Count(), holdIDs(v.Holds))
	}
}

// first = "apply" frees the first plan from max_create, and no later one.
func TestFirstApply(t *testing.T) {
	r := newRig(t)
	r.staff(10)
	for i := 11; i <= 100; i++ {
		r.hire(i)
	}
	if _, v := r.cycle(false); !v.Held() {
		t.Error("90 creations of 10 accounts were not held")
	}
}
