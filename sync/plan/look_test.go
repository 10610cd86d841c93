package plan

import (
	"slices"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// An incremental cycle looks before it changes anything, and not where nothing
// differs.
func TestLooksBeforeChanges(t *testing.T) {
	r := newRig(t)
	r.staff(3)
	r.standing(1, identity.Gone)
	r.attribute(2, "title", "Author")
	p := Make(r.input(false))
	for n, want := range map[int]bool{1: true, 2: true, 3: false} {
		s := subjectOf(t, p, n)
		if (s.Look != nil) != want || len(s.Changes) > 0 {
			t.Errorf("writer%d: look %v, changes %v", n, s.Look, said(s))
		}
		if want && s.Look.ID != r.links[identity.Ordinal(n)].Account {
			t.Errorf("writer%d: looks for %+v", n, s.Look)
		}
	}
	if v := Judge(p, Book{Now: r.now, Targets: r.input(false).Targets, FirstFreeHold: 1}); v.Pending() || !p.Wants() {
		t.Error("a plan that wants looks lets changes go")
	}
	r.hire(4)
	if s := subjectOf(t, Make(r.input(false)), 4); s.Look == nil || !slices.Equal(s.Look.Match, []target.Match{{Attribute: "name", Value: "writer4"}}) {
		t.Errorf("a new person: look %+v", s.Look)
	}
	r.match(4, "mail", "w4@example.org", "link")
	want := []target.Match{{Attribute: "mail", Value: "w4@example.org"}, {Attribute: "name", Value: "writer4"}}
	if s := subjectOf(t, Make(r.input(false)), 4); !slices.Equal(s.Look.Match, want) {
		t.Errorf("a new person: look %+v, want the name too", s.Look)
	}
}

// An answer that no target gave, or that is about another account, proves
// nothing.
func TestAnswerMustBeOne(t *testing.T) {
	r := newRig(t)
	r.staff(2)
	r.standing(1, identity.Gone)
	in := r.input(false)
	for _, o := range []*target.Observation{{}, {Accounts: r.mem.Accounts()[:1]}} {
		s := in.People[0].Seen["wiki"]
		s.Observed = o
		in.People[0].Seen["wiki"] = s
		if got := subjectOf(t, Make(in), 1); got.Look == nil || len(got.Changes) > 0 || got.Link != nil {
			t.Errorf("an unproved answer was believed: %v", said(got))
		}
	}
	other := r.answer(in)
	s := other.People[0].Seen["wiki"]
	s.Observed.Accounts = r.mem.Accounts()[1:2]
	if got := subjectOf(t, Make(other), 1); got.Look == nil || len(got.Changes) > 0 {
		t.Errorf("somebody else's account was taken for the linked one: %v", said(got))
	}
}
