package plan

import (
	"slices"
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

// Whose values stand there is remembered over a change of the mode. What others
// have beside ours is no drift once the policy wants ours alone, it is what the
// edit does, and is said so before; what we wrote alone is ours to take under merge,
// and what somebody else had there is not.
func TestModesChangeAndWhoseValuesTheyAreStays(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after mapping.Mode
		theirs        []string // stands there before we write, or beside ours
		edit          string   // what the edit would do
		then          []string // once ours are not wanted any more
	}{
		{"merge to enforce", mapping.Merge, mapping.Enforce, []string{"theirs"}, "update mail of writer1", nil},
		{"enforce to merge", mapping.Enforce, mapping.Merge, nil, "", nil},
		{"on-create to merge", mapping.OnCreate, mapping.Merge, nil, "", nil},
		{"if-empty to merge", mapping.IfEmpty, mapping.Merge, []string{"theirs"}, "update mail of writer1", []string{"theirs"}},
		{"merge to if-empty", mapping.Merge, mapping.IfEmpty, []string{"theirs"}, "", []string{"theirs", "ours"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.rules.Guard.First = apply
			r.hire(1)
			if c.before != mapping.OnCreate {
				r.cycle(false) // the account, and then the attribute
			}
			r.set(1, mapping.Attribute{Name: "mail", Values: []string{"ours"}, Mode: c.before})
			if c.theirs != nil {
				r.edit(1, func(a *target.Account) {
					a.Attributes = map[string][]string{"title": {"Writer"}, "mail": c.theirs}
				})
			}
			r.cycle(true)
			r.set(1, mapping.Attribute{Name: "mail", Values: []string{"ours"}, Mode: c.after})
			in := r.input(false)
			in.Assumed = true
			if c.edit == "" {
				wantWords(t, subjectOf(t, Make(in), 1))
			} else {
				wantWords(t, subjectOf(t, Make(in), 1), c.edit)
			}
			r.cycle(false) // nobody needs a resync for it
			if c.after == mapping.Enforce {
				if got := r.seen(1).Attributes["mail"]; !slices.Equal(got, []string{"ours"}) {
					t.Errorf("after the edit it has %q", got)
				}
			}
			r.set(1, mapping.Attribute{Name: "mail", Mode: c.after})
			r.cycle(false)
			if got := r.seen(1).Attributes["mail"]; !slices.Equal(got, c.then) {
				t.Errorf("at the end it has %q, want %q", got, c.then)
			}
		})
	}
}

// What completes an account that this plan or an earlier one made counts as its making;
// what an edit of the policy writes there counts as ever.
func TestWhatAnAccountWaitsFor(t *testing.T) {
	p := &Planned{Change: target.Change{Verb: target.Update, Set: []target.Value{{Name: "manager"}}}, awaited: true}
	if rule, _ := limitOf(p, false); rule != "" {
		t.Errorf("it counts as %s", rule)
	}
	if rule, roles := limitOf(p, true); rule != RuleUpdate || !slices.Equal(roles, []string{"manager"}) {
		t.Errorf("of an edit it counts as %q of %v", rule, roles)
	}
}
