package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// Deletion needs a setting, a grace period, and a complete read after its end.
func TestDeletion(t *testing.T) {
	for _, s := range []identity.Standing{identity.Gone, identity.OutOfScope, identity.PresumedGone, identity.Disabled} {
		r := newRig(t)
		r.rules.Leaver.Delete = map[string]string{"gone": "30d", "out-of-scope": "30d", "presumed-gone": "30d", "disabled": "30d", "unentitled": "never"}
		r.staff(3)
		r.standing(1, s)
		p, v := r.cycle(false)
		deletes := s == identity.Gone || s == identity.OutOfScope
		r.now = r.now.Add(29 * day)
		r.sources[0].LastComplete = r.now
		p, v = r.cycle(false)
		if st := stageOf(t, p, v, 1); deletes != (st.Stage == Retained) {
			t.Errorf("%s: stage %+v", s, st)
		}
		if got := subjectOf(t, p, 1).Retained; deletes && !got.Equal(noon.Add(30*day)) {
			t.Errorf("%s: retained until %v", s, got)
		}
		r.now = r.now.Add(2 * day)
		p, v = r.cycle(false)
		if r.seen(1) == nil {
			t.Fatalf("%s: deleted without a complete read after the date", s)
		}
		if st := stageOf(t, p, v, 1); deletes && st.Stage != Retained {
			t.Errorf("%s: stage %+v", s, st)
		}
		r.sources[0].LastComplete = noon.Add(30*day + time.Second)
		p, v = r.cycle(false)
		if deleted := r.seen(1) == nil; deleted != deletes {
			t.Errorf("%s: deleted = %v", s, deleted)
		}
		if deletes {
			if l := r.links[1]; l.Phase != ledger.Deleted || len(l.Granted) > 0 {
				t.Errorf("%s: link %+v", s, l)
			}
			if p, v = r.cycle(true); v.Pending() || subjectOf(t, p, 1).Situation != None {
				t.Errorf("%s: after deletion: %v", s, said(subjectOf(t, p, 1)))
			}
			r.standing(1, identity.Active)
			if r.cycle(false); r.seen(1) == nil {
				t.Errorf("%s: a rehire after deletion got no account", s)
			}
		}
	}
}

// Whoever was closed for one reason and is gone later has the whole grace from
// then on; a closed account that was opened again is closed before it may go.
func TestGraceBeginsAnew(t *testing.T) {
	r := newRig(t)
	r.rules.Leaver.Delete = map[string]string{"gone": "30d"}
	r.staff(3)
	r.standing(1, identity.Disabled)
	r.cycle(false)
	r.now = r.now.Add(40 * day)
	r.sources[0].LastComplete = r.now
	r.standing(1, identity.Gone)
	if r.cycle(true); r.seen(1) == nil {
		t.Fatal("deleted at once")
	}
	r.now = r.now.Add(31 * day)
	r.sources[0].LastComplete = r.now
	r.edit(1, func(a *target.Account) { a.Enabled = true })
	p, _ := r.cycle(true)
	wantWords(t, subjectOf(t, p, 1), "disable writer1")
	p, _ = r.cycle(true)
	wantWords(t, subjectOf(t, p, 1), "delete writer1")
}

// What somebody else disabled stays so, over any number of cycles, until it is
// released; its rights are kept in step all the same.
func TestClosedElsewhere(t *testing.T) {
	r := newRig(t)
	r.staff(3)
	r.edit(1, func(a *target.Account) { a.Enabled = false })
	for range 2 {
		p, v := r.cycle(true)
		if v.Pending() || r.links[1].Phase != ledger.ClosedElsewhere {
			t.Fatalf("phase %s, %v", r.links[1].Phase, said(subjectOf(t, p, 1)))
		}
	}
	p, _ := r.cycle(false)
	if s := subjectOf(t, p, 1); s.Situation != Drifted || !strings.Contains(strings.Join(s.Notes, ""), "rosterd release writer1") {
		t.Errorf("%s %v", s.Situation, s.Notes)
	}
	r.roles(1, "Readers")
	if r.cycle(false); !slices.Equal(r.seen(1).Entitlements, []string{"Readers"}) || r.seen(1).Enabled {
		t.Errorf("account %+v", r.seen(1))
	}
	r.release = 1
	if r.cycle(false); !r.seen(1).Enabled || r.links[1].Phase != ledger.Open {
		t.Errorf("not released: %+v", r.links[1])
	}
	r.release = 0
	if _, v := r.cycle(true); v.Pending() || len(r.links[1].Cause) > 0 {
		t.Errorf("link %+v", r.links[1])
	}
	// Enabled again over there: we have nothing against it.
	r.edit(1, func(a *target.Account) { a.Enabled = false })
	r.cycle(true)
	r.edit(1, func(a *target.Account) { a.Enabled = true })
	if r.cycle(true); r.links[1].Phase != ledger.Open {
		t.Errorf("phase %s", r.links[1].Phase)
	}
}

// A target that cannot disable loses the rights and says so.
func TestCannotDisable(t *testing.T) {
	r := newRig(t)
	r.caps.CanDisable = false
	r.staff(8)
	r.leave(1, 1)
	p, _ := r.cycle(false)
	wantWords(t, subjectOf(t, p, 1), "revoke Writers of writer1")
	if !strings.Contains(strings.Join(subjectOf(t, p, 1).Notes, ""), "cannot disable") {
		t.Errorf("notes %v", subjectOf(t, p, 1).Notes)
	}
	if r.cycle(false); r.links[1].Phase != ledger.Closed || r.links[1].Cause != "gone" {
		t.Errorf("link %+v", r.links[1])
	}
	r.standing(1, identity.Active)
	p, _ = r.cycle(false)
	wantWords(t, subjectOf(t, p, 1), "grant Writers of writer1")
	if r.links[1].Phase != ledger.Open {
		t.Errorf("link %+v", r.links[1])
	}
	// Such removals count too.
	r.leave(1, 3)
	if _, v := r.cycle(false); len(v.Holds) != 1 || v.Holds[0].Rule != "max_remove" {
		t.Errorf("holds %v", holdIDs(v.Holds))
	}
}

// A leaver's account that is not ours is named, and left alone.
func TestLeaverWithForeignAccount(t *testing.T) {
	r := newRig(t)
	r.hire(1)
	r.standing(1, identity.Gone)
	r.mem.Put(target.Account{Name: "writer1", Enabled: true})
	p, v := r.plan(true)
	s := subjectOf(t, p, 1)
	if s.Situation != Gone || len(s.Changes) > 0 || len(s.Notes) != 1 {
		t.Errorf("%s %v %v", s.Situation, said(s), s.Notes)
	}
	if v.Held() || v.Pending() || len(p.Orphans) != 1 {
		t.Errorf("held %v, pending %v, orphans %v", v.Held(), v.Pending(), p.Orphans)
	}
}
