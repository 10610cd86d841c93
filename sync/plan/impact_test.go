package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// assumed is the input of a rig without a look at the target. What the rig does
// later does not move it.
func (r *rig) assumed() Input {
	in := r.input(false)
	in.Assumed = true
	for i := range in.People {
		d := &in.People[i].Desired
		d.Accounts = slices.Clone(d.Accounts)
		for a := range d.Accounts {
			d.Accounts[a].Attributes = slices.Clone(d.Accounts[a].Attributes)
			d.Accounts[a].Entitlements = slices.Clone(d.Accounts[a].Entitlements)
		}
	}
	return in
}

func keysOf(p Plan) map[target.Key]string {
	out := map[target.Key]string{}
	for _, s := range p.Subjects {
		for _, c := range s.Changes {
			if c.Rule == "" {
				out[c.Key] = Words(c.Change)
			}
		}
	}
	return out
}

// edited moves what a policy decides: rights, titles, names, who has an account,
// and when a leaver's account is deleted.
func edited(t *rapid.T, r *rig) {
	for range rapid.IntRange(0, 5).Draw(t, "edits") {
		n := rapid.SampledFrom([]int{1, 2, 3, 4, 5}).Draw(t, "whom")
		switch rapid.IntRange(0, 4).Draw(t, "edit") {
		case 0:
			r.roles(n, rapid.SliceOfNDistinct(rapid.SampledFrom(r.ents), 0, 3, rapid.ID[string]).Draw(t, "rights")...)
		case 1:
			r.attribute(n, "title", rapid.SampledFrom([]string{"Writer", "Author"}).Draw(t, "title"))
		case 2:
			r.name(n, fmt.Sprintf("author%d", n))
		case 3:
			r.entitled(n, rapid.Bool().Draw(t, "entitled"))
		case 4:
			r.rules.Leaver.Delete = map[string]string{"gone": "30d", "unentitled": "30d"}
		}
	}
}

// TestImpactIsWhatIsDone: in a target that is as it was left, the impact has the
// very keys that the plan has once the accounts were looked at, so that an
// approval covers what is done.
func TestImpactIsWhatIsDone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		boundless(r)
		for n := range 5 {
			r.hire(n+1, "Writers")
		}
		r.cycle(true)
		r.standing(5, identity.Gone)
		r.cycle(true)
		r.cycle(true)
		r.now = r.now.AddDate(0, 2, 0)
		r.sources[0].LastComplete = r.now
		before := r.assumed()
		if left := keysOf(Make(before)); len(left) > 0 {
			t.Fatalf("nothing changed, and the plan has %v", left)
		}
		edited(t, r)
		impact := keysOf(Impact(before, r.assumed()))
		real, _ := r.plan(false)
		if want := keysOf(real); !maps.Equal(impact, want) {
			t.Fatalf("the impact is %v, and %v is done", impact, want)
		}
	})
}

// TestImpactIsPure: neither the order of people nor a second look changes it,
// and what both policies do is no part of it.
func TestImpactIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		shake(t, r)
		r.cycle(true)
		shake(t, r)
		before := r.assumed()
		if same := Impact(before, before); len(same.Subjects) > 0 {
			t.Fatalf("a policy differs from itself by %v", keysOf(same))
		}
		shake(t, r)
		after := r.assumed()
		was, err := json.Marshal([][]Person{before.People, after.People})
		if err != nil {
			t.Fatal(err)
		}
		first := Impact(before, after)
		mixed := after
		mixed.People = slices.Clone(after.People)
		rand.Shuffle(len(mixed.People), func(i, j int) { mixed.People[i], mixed.People[j] = mixed.People[j], mixed.People[i] })
		if second := Impact(before, mixed); !reflect.DeepEqual(first, second) {
			t.Fatalf("another order makes another impact: %v, %v", keysOf(first), keysOf(second))
		}
		if now, err := json.Marshal([][]Person{before.People, after.People}); err != nil || string(now) != string(was) {
			t.Fatal("the impact changed what it was made of")
		}
	})
}

// TestImpactIsJudged by the limits in force, and by what it gives.
func TestImpactIsJudged(t *testing.T) {
	edit := func(people int, do func(r *rig, n int)) (Plan, []string) {
		r := newRig(t)
		boundless(r)
		for n := range 20 {
			r.hire(n+1, "Writers")
		}
		r.cycle(true)
		r.rules = DefaultRules()
		r.rules.Protect = []string{"account:writer1"}
		r.rules.Guard.MaxUpdate = &Limit{Count: 5}
		before := r.assumed()
		r.rules.Protect, r.paused = nil, "maintenance"
		for n := range people {
			do(r, 20-n)
		}
		after := r.assumed()
		// Whatever limits the edit brings along.
		after.Targets[0].Rules.Guard.MaxRevoke = &Limit{Count: 1000}
		p := Impact(before, after)
		beyond, _ := JudgeImpact(p, Book{Now: r.now, Targets: before.Targets})
		return p, beyond
	}
	strip := func(r *rig, n int) { r.roles(n) }
	give := func(r *rig, n int) { r.roles(n, "Writers", "Admins") }
	close := func(r *rig, n int) { r.entitled(n, false) }
	// What a rule of its own holds at any count is no matter of this one.
	doubt := func(r *rig, n int) {
		close(r, n)
		r.account(n).Doubt = mapping.Doubt{Rule: "group", Text: "the group is missing"}
	}
	for _, c := range []struct {
		name   string
		people int
		do     func(*rig, int)
		want   string
	}{
		{"revokes within", 5, strip, ""},
		{"revokes beyond", 6, strip, "wiki: 6 people would lose what role-Writers gives; the limit is 5 of 20 in 1d"},
		{"grants within", 5, give, ""},
		{"grants beyond", 6, give, "wiki: 6 accounts would change entitlement Admins; the limit is 5 of 20 in 1d"},
		{"closes within", 5, close, ""},
		{"closes beyond", 6, close, "wiki: 6 accounts would be disabled or deleted; the limit is 5 of 20 in 1d"},
		{"in a doubtful group", 6, doubt, ""},
		{"nothing", 0, close, ""},
	} {
		if _, got := edit(c.people, c.do); strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	// What the policy in force protects, at any count.
	p, got := edit(1, func(r *rig, _ int) { r.roles(1) })
	if len(got) != 1 || !strings.Contains(got[0], "leaves alone") || p.Subjects[0].Changes[0].Rule != RulePolicy {
		t.Errorf("one protected account: %q", got)
	}
	// In lines, worst first, each person once.
	p, _ = edit(3, func(r *rig, n int) { strip(r, n); r.attribute(n, "title", "Author") })
	var lines []string
	for _, l := range Lines(p) {
		lines = append(lines, l.What+" "+strings.Join(l.Roles, ",")+" "+strings.Join(l.People, ","))
	}
	if want := "revoke Writers role-Writers writer18,writer19,writer20|update title  writer18,writer19,writer20"; strings.Join(lines, "|") != want {
		t.Errorf("lines %q, want %q", lines, want)
	}
}
