package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// places is where each change stands in the order of work.
func places(c Cleared) map[string]int {
	out := map[string]int{}
	for i, wave := range c.Waves("wiki") {
		for _, o := range wave {
			out[Words(o.Change)] = i
		}
	}
	return out
}

func inOrder(t *testing.T, at map[string]int, words ...string) {
	t.Helper()
	for i := range words {
		if _, is := at[words[i]]; !is {
			t.Fatalf("%q is not planned: %v", words[i], at)
		}
		if i > 0 && at[words[i-1]] >= at[words[i]] {
			t.Errorf("%q is not before %q: %v", words[i-1], words[i], at)
		}
	}
}

func TestOrderOfWork(t *testing.T) {
	r := newRig(t)
	r.staff(30)
	r.leave(1, 1)
	r.roles(2, "Readers")
	r.name(3, "author3")
	r.hire(40, "Writers")
	r.name(40, "writer3") // the name that writer3 gives up
	r.match(40, "name", "writer3", "report")
	r.hire(41, "Writers")
	r.mem.Put(target.Account{Name: "writer41", Enabled: true})
	r.match(41, "name", "writer41", "link")
	r.standing(5, identity.Disabled)
	r.cycle(false, 5)
	r.standing(5, identity.Active)
	r.attribute(6, "title", "Author")
	r.name(7, "author7")
	_, v := r.plan(true)
	at := places(v.Cleared)
	inOrder(t, at, "disable writer1", "revoke Writers of writer1", "link writer41", "rename writer3 to author3", "create writer3",
		"enable writer5", "rename writer7 to author7", "update title of writer6", "grant Readers of writer2", "revoke Writers of writer2")
	r.apply(v.Cleared)
	if _, v = r.cycle(true); v.Pending() {
		t.Errorf("left: %v", places(v.Cleared))
	}
}

// A chain of renames runs from its free end; what needs a name that is not
// freed waits.
func TestRenameChain(t *testing.T) {
	r := newRig(t)
	r.staff(4)
	r.name(1, "writer2")
	r.name(2, "writer3")
	r.name(3, "author3")
	_, v := r.plan(false)
	inOrder(t, places(v.Cleared), "rename writer3 to author3", "rename writer2 to writer3", "rename writer1 to writer2")
	r.apply(v.Cleared)
	if _, v = r.cycle(true); v.Pending() {
		t.Errorf("left: %v", places(v.Cleared))
	}
}

func TestRenameCircle(t *testing.T) {
	r := newRig(t)
	r.staff(40)
	r.name(1, "writer2")
	r.name(2, "writer3")
	r.name(3, "writer1")
	r.name(4, "writer1") // and a tail that waits for the circle
	r.roles(1, "Readers", "Writers")
	p, v := r.cycle(false)
	for i := 1; i <= 4; i++ {
		s := subjectOf(t, p, i)
		if s.Park == nil || slices.ContainsFunc(s.Changes, func(c Planned) bool { return c.Change.Verb == target.Rename }) {
			t.Errorf("writer%d: %v, parked %v", i, said(s), s.Park)
		}
	}
	if got := stageOf(t, p, v, 2); got.Stage != Parked || !strings.Contains(got.Why, "swap") {
		t.Errorf("standing %+v", got)
	}
	if !slices.Contains(r.seen(1).Entitlements, "Readers") {
		t.Error("a name kept other changes from an account")
	}
}

func TestOneNameForTwo(t *testing.T) {
	r := newRig(t)
	r.staff(3)
	r.caps.SameName = strings.EqualFold
	r.hire(10, "Writers")
	r.hire(11, "Writers")
	for _, n := range []int{10, 11} {
		r.name(n, map[int]string{10: "anna", 11: "Anna"}[n])
		r.match(n, "mail", "none@example.org", "link")
	}
	r.hire(12)
	r.name(12, "WRITER1")
	r.match(12, "mail", "none@example.org", "link")
	p, _ := r.cycle(false)
	if s := subjectOf(t, p, 10); len(s.Changes) != 2 {
		t.Errorf("the first: %v", said(s))
	}
	if s := subjectOf(t, p, 11); len(s.Changes) != 0 || s.Park == nil || s.Park.Error != "the name Anna is also wanted by writer10" || s.Park.Class != "exists" {
		t.Errorf("the second: %v %+v", said(s), s.Park)
	}
	if s := subjectOf(t, p, 12); len(s.Changes) != 0 || s.Park == nil || s.Park.Error != "the name WRITER1 is that of the account of writer1" {
		t.Errorf("a name that is held: %v %+v", said(s), s.Park)
	}
}

// Two people who match one account: it is nobody's.
func TestOneAccountForTwo(t *testing.T) {
	r := newRig(t)
	r.mem.Put(target.Account{Name: "shared", Enabled: true, Attributes: map[string][]string{"mail": {"desk@example.org"}}})
	for n := 1; n <= 2; n++ {
		r.hire(n)
		r.match(n, "mail", "desk@example.org", "link")
	}
	p, v := r.cycle(false)
	for n := 1; n <= 2; n++ {
		if s := subjectOf(t, p, n); s.Situation != Ambiguous || s.Held == "" || len(s.Changes) > 0 {
			t.Errorf("writer%d: %s %v", n, s.Situation, said(s))
		}
	}
	if v.Pending() {
		t.Error("something goes")
	}
}

// A name whose owner is held is not free.
func TestNameOfAHeldRename(t *testing.T) {
	r := newRig(t)
	r.staff(40)
	r.rules.Guard.MaxRename = &Limit{Count: 1}
	r.name(1, "author1")
	r.name(2, "author2")
	r.hire(50, "Writers")
	r.name(50, "writer1")
	r.match(50, "mail", "none@example.org", "link")
	p, v := r.cycle(false)
	st := stageOf(t, p, v, 50)
	if st.Stage != Held || !slices.Equal(st.Holds, []string{"h1"}) || st.Why != "waits for: rename writer1 to author1" {
		t.Errorf("standing %+v of %v", st, said(subjectOf(t, p, 50)))
	}
	if v.Cleared.Count() != 0 {
		t.Errorf("%v goes", places(v.Cleared))
	}
	r.approve("h1")
	if r.cycle(false); r.links[50].Phase != ledger.Open || r.seen(50).Name != "writer1" {
		t.Errorf("after the approval: %+v", r.links[50])
	}
}

// So it is of an account that nobody owns yet, and that is to be taken over and renamed:
// also where it was looked at alone, and nothing else is listed.
func TestNameOfAHeldAdoption(t *testing.T) {
	for _, full := range []bool{true, false} {
		r := newRig(t)
		r.staff(3)
		r.mem.Put(target.Account{Name: "writer40", Enabled: true})
		r.hire(40)
		r.name(40, "author40")
		r.match(40, "name", "writer40", "report")
		r.hire(50, "Writers")
		r.name(50, "writer40")
		r.match(50, "name", "writer50", "link")
		p, v := r.cycle(full)
		if st := stageOf(t, p, v, 50); st.Stage != Held || st.Why != "waits for: rename writer40 to author40" {
			t.Errorf("full %t: standing %+v of %v", full, st, said(subjectOf(t, p, 50)))
		}
		if v.Cleared.Count() != 0 {
			t.Errorf("full %t: %v goes", full, places(v.Cleared))
		}
	}
}
