package plan

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// licence makes Admins, Publishers and Writers a list of which an account holds one.
func (r *rig) licence(n int) {
	r.account(n).Exclusive = []mapping.Exclusive{{Name: "licence", Members: []string{"Admins", "Publishers", "Writers"}, Where: "rosterd.toml:40"}}
}

// hands gives an account entitlements behind our back.
func (r *rig) hands(n int, ents ...string) {
	r.t.Helper()
	for _, a := range r.mem.Accounts() {
		if a.Name == r.account(n).Name {
			a.Entitlements = ents
			r.mem.Put(a)
			return
		}
	}
	r.t.Fatalf("no account of %d", n)
}

func verbs(s Subject) string {
	var out []string
	for _, c := range s.Changes {
		out = append(out, c.Change.Verb.String()+" "+c.Change.Entitlement)
	}
	return strings.Join(out, ", ")
}

// Of an exclusive list the old one goes before the new one comes, in waves of their
// own, and there is never a moment with both.
func TestExclusiveRevokesFirst(t *testing.T) {
	r := newRig(t)
	for i := 1; i <= 12; i++ {
		r.hire(i, "Writers", "Readers")
		r.licence(i)
	}
	r.cycle(true)
	r.roles(3, "Publishers", "Readers")
	p, v := r.plan(false, 3)
	if got := verbs(p.Subjects[0]); got != "revoke Writers, grant Publishers" {
		t.Fatal(got)
	}
	waves := v.Cleared.Waves("wiki")
	if len(waves) != 2 || waves[0][0].Change.Verb != target.Revoke || waves[1][0].Change.Verb != target.Grant {
		t.Fatalf("%+v", waves)
	}
	r.cycle(false, 3)
	if p, _ := r.plan(true); len(p.Subjects[2].Changes) != 0 {
		t.Error(verbs(p.Subjects[2]))
	}
	// With a new right beside it, which waits for nothing.
	r.ents = append(r.ents, "Zeta")
	r.roles(4, "Publishers", "Readers", "Zeta")
	p, _ = r.plan(false, 4)
	if got := verbs(p.Subjects[0]); got != "grant Zeta, revoke Writers, grant Publishers" {
		t.Error(got)
	}
}

// What is held of the old one holds the new one.
func TestExclusiveIsHeldWithTheOther(t *testing.T) {
	r := newRig(t)
	for i := 1; i <= 12; i++ {
		r.hire(i, "Writers")
		r.licence(i)
	}
	r.cycle(true)
	for i := 1; i <= 10; i++ {
		r.roles(i, "Publishers")
	}
	p, v := r.plan(false)
	for i, s := range p.Subjects {
		if len(s.Changes) > 0 && (len(v.Subjects[i].Holds) == 0 || v.Subjects[i].Changes[1] == "") {
			t.Errorf("%s: %+v", verbs(s), v.Subjects[i])
		}
	}
	if !v.Cleared.Empty() {
		t.Error("something goes")
	}
}

// One that we did not give and may not take keeps the new one from coming.
func TestExclusiveBesideWhatIsNotOurs(t *testing.T) {
	r := newRig(t)
	r.hire(1, "Readers")
	r.licence(1)
	r.cycle(true)
	r.hands(1, "Readers", "Writers")
	r.roles(1, "Readers", "Publishers")
	p, v := r.plan(false)
	if s := p.Subjects[0]; verbs(s) != "" || s.Held != "exclusive" || !strings.Contains(strings.Join(s.Notes, "; "), "the account holds Writers, which stays") || !v.Held() {
		t.Fatalf("%s %q %v", verbs(s), s.Held, s.Notes)
	}
	r.rules.Drift.Extra = revoke
	if p, _ = r.plan(false); verbs(p.Subjects[0]) != "revoke Writers, grant Publishers" {
		t.Error(verbs(p.Subjects[0]))
	}
	r.cycle(false)
	if a := r.mem.Accounts()[0]; strings.Join(a.Entitlements, " ") != "Publishers Readers" {
		t.Error(a.Entitlements)
	}
}

// In doubt nothing is given, and what is held stays.
func TestExclusiveInDoubt(t *testing.T) {
	r := newRig(t)
	r.hire(1, "Writers")
	r.licence(1)
	r.cycle(true)
	acc := r.account(1)
	acc.Entitlements = []mapping.Entitlement{{Name: "Publishers", Doubt: mapping.Doubt{Rule: "coverage", Text: "not read"}},
		{Name: "Writers", Doubt: mapping.Doubt{Rule: "exclusive", Text: "Publishers is in doubt"}}}
	p, _ := r.plan(true)
	if s := p.Subjects[0]; verbs(s) != "" || !strings.Contains(strings.Join(s.Notes, "; "), "Writers is kept: Publishers is in doubt") {
		t.Errorf("%s %v", verbs(s), s.Notes)
	}
	// Nor is it given to somebody who has none.
	r.hands(1)
	if p, _ := r.plan(true); verbs(p.Subjects[0]) != "" {
		t.Error(verbs(p.Subjects[0]))
	}
}
