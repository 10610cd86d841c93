package plan

import (
	"testing"

	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// A merge whose values were not seen to go is tried again, though nothing is
// wanted any more and nothing counts as written.
func TestMergeTriesAgainToTake(t *testing.T) {
	r := newRig(t)
	r.hire(1)
	merge := func(values ...string) {
		r.set(1, mapping.Attribute{Name: "mail", Values: values, Mode: mapping.Merge})
	}
	r.rules.Guard.First = apply
	merge("a", "b")
	r.cycle(false)
	merge()
	p, v := r.plan(false)
	wantWords(t, subjectOf(t, p, 1), "update mail of writer1")
	l := r.links[1]
	r.apply(v.Cleared)
	if got := r.seen(1).Attributes["mail"]; len(got) > 0 {
		t.Fatalf("it has %q", got)
	}
	// The target did not show it, and the link says so.
	r.edit(1, func(a *target.Account) {
		a.Attributes = map[string][]string{"title": {"Writer"}, "mail": {"a", "b", "theirs"}}
	})
	for _, wave := range v.Cleared.Waves("wiki") {
		for _, o := range wave {
			l = r.links[1].Without(o)
		}
	}
	r.links[1] = l
	r.cycle(false)
	if got := r.seen(1).Attributes["mail"]; len(got) != 1 || got[0] != "theirs" {
		t.Fatalf("it has %q", got)
	}
}

// What a policy would do is worked out from links alone, and is the same as
// before where only the mode says what stands there.
func TestImpactKnowsWhatModesLeft(t *testing.T) {
	r := newRig(t)
	r.rules.Guard.First = apply
	r.hire(1)
	for name, mode := range map[string]mapping.Mode{"mail": mapping.Merge, "room": mapping.IfEmpty} {
		r.set(1, mapping.Attribute{Name: name, Values: []string{"ours"}, Mode: mode})
	}
	r.cycle(false)
	for _, values := range [][]string{{"ours"}, {"theirs", "ours"}} {
		r.edit(1, func(a *target.Account) {
			a.Attributes = map[string][]string{"title": {"Writer"}, "mail": values, "room": {"theirs"}}
		})
		r.cycle(true)
		in := r.input(false)
		in.Assumed = true
		wantWords(t, subjectOf(t, Make(in), 1))
	}
	r.set(1, mapping.Attribute{Name: "room", Values: []string{"new"}, Mode: mapping.IfEmpty})
	r.set(1, mapping.Attribute{Name: "mail", Mode: mapping.Merge})
	in := r.input(false)
	in.Assumed = true
	wantWords(t, subjectOf(t, Make(in), 1), "update mail of writer1")
}
