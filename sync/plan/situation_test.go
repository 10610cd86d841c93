package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

const day = 24 * time.Hour

// Each row moves writer1, who has an account with Writers, and says what a full
// plan then makes of it.
func TestSituations(t *testing.T) {
	seen := map[Situation]bool{}
	for _, c := range []struct {
		name    string
		before  func(*rig) // before the account is made
		arrange func(*rig)
		want    Situation
		stage   Stage
		changes []string
	}{
		{"in sync", nil, func(*rig) {}, InSync, Done, nil},
		{"in doubt", nil, func(r *rig) { r.doubt = 1; r.standing(1, identity.Gone) }, InDoubt, Parked, nil},
		{"unknown", nil, func(r *rig) { r.standing(1, identity.Unknown) }, Unknown, Done, nil},
		{"shared key", nil, func(r *rig) { r.standing(1, identity.Unknown); r.people[1].Doubt = identity.SharedKey }, Unknown, Held, nil},
		{"rekeyed", nil, func(r *rig) { r.standing(1, identity.Unknown); r.people[1].Doubt = identity.Rekeyed }, Rekeyed, Held, nil},
		{"nothing worked out", nil, func(r *rig) { r.people[1].Desired = mapping.Desired{} }, Unknown, Done, nil},
		{"no word of the target", nil, func(r *rig) { r.people[1].Desired.Accounts = nil }, Unknown, Done, nil},
		{"break-glass leaver", nil, func(r *rig) { r.rules.BreakGlass = []string{"account:WRITER*"}; r.standing(1, identity.Gone) }, Ignored, Done, nil},
		{"break-glass by right", nil, func(r *rig) { r.rules.BreakGlass = []string{"entitlement:Writers"}; r.roles(1) }, Ignored, Done, nil},
		{"protected leaver", nil, func(r *rig) { r.rules.Protect = []string{"account:writer1"}; r.standing(1, identity.Gone) }, ProtectedLeaver, Held, nil},
		{"protected by right", nil, func(r *rig) { r.rules.Protect = []string{"entitlement:Writ*"}; r.standing(1, identity.Gone) }, ProtectedLeaver, Held, nil},
		{"protected, offboarded by name", nil, func(r *rig) {
			r.rules.Protect = []string{"account:writer1"}
			r.people[1].Denial, r.people[1].Named = &ledger.Denial{Person: 1}, true
		}, ProtectedLeaver, Held, nil},
		{"protected, with --protected", nil, func(r *rig) {
			r.rules.Protect, r.protect = []string{"account:writer1"}, true
			r.standing(1, identity.Gone)
		}, Gone, Due, []string{"disable writer1", "revoke Writers of writer1"}},
		{"protected mover", nil, func(r *rig) { r.rules.Protect = []string{"account:writer1"}; r.roles(1, "Readers") }, Changed, Held, nil},
		{"offboarded", nil, func(r *rig) { r.people[1].Denial = &ledger.Denial{Person: 1, By: "admin", Reason: "contract ended"} }, Offboarded, Due,
			[]string{"disable writer1", "revoke Writers of writer1"}},
		{"offboarded while unknown", nil, func(r *rig) {
			r.standing(1, identity.Unknown)
			r.people[1].Denial = &ledger.Denial{Person: 1}
		}, Offboarded, Due, []string{"disable writer1", "revoke Writers of writer1"}},
		{"gone", nil, func(r *rig) { r.standing(1, identity.Gone) }, Gone, Due, []string{"disable writer1", "revoke Writers of writer1"}},
		{"presumed gone", nil, func(r *rig) { r.standing(1, identity.PresumedGone) }, PresumedGone, Due, []string{"disable writer1", "revoke Writers of writer1"}},
		{"disabled", nil, func(r *rig) { r.standing(1, identity.Disabled) }, Disabled, Due, []string{"disable writer1", "revoke Writers of writer1"}},
		{"disabled by the policy", nil, func(r *rig) { r.people[1].Desired.Standing = identity.Disabled }, Disabled, Due,
			[]string{"disable writer1", "revoke Writers of writer1"}},
		{"not yet, and has an account", nil, func(r *rig) { r.people[1].Desired.Standing = identity.NotYet }, Disabled, Due,
			[]string{"disable writer1", "revoke Writers of writer1"}},
		{"not yet, and was here before", nil, func(r *rig) {
			r.standing(1, identity.Gone)
			r.cycle(false)
			r.people[1].Desired.Standing = identity.NotYet
		}, Disabled, Done, nil},
		{"not yet", nil, func(r *rig) {
			delete(r.links, 1)
			r.mem.Drop(r.mem.Accounts()[0].ID)
			r.people[1].Desired.Standing = identity.NotYet
		}, None, Done, nil},
		{"not yet, and somebody made an account", nil, func(r *rig) {
			delete(r.links, 1)
			r.match(1, "name", "writer1", "link")
			r.people[1].Desired.Standing = identity.NotYet
		}, None, Done, nil},
		{"out of scope", nil, func(r *rig) { r.standing(1, identity.OutOfScope) }, OutOfScope, Due, []string{"disable writer1", "revoke Writers of writer1"}},
		{"leaver with more than we gave", nil, func(r *rig) {
			r.edit(1, func(a *target.Account) { a.Entitlements = []string{"Admins", "Foreign", "Writers"} })
			r.standing(1, identity.Gone)
		}, Gone, Due, []string{"disable writer1", "revoke Admins of writer1", "revoke Writers of writer1"}},
		{"leaver whom somebody disabled", nil, func(r *rig) {
			r.edit(1, func(a *target.Account) { a.Enabled = false })
			r.standing(1, identity.Gone)
		}, Gone, Due, []string{"revoke Writers of writer1"}},
		{"leaver without an account", nil, func(r *rig) { r.mem.Drop(r.links[1].Account); r.standing(1, identity.Gone) }, Gone, Done, nil},
		{"invalid", nil, func(r *rig) { r.people[1].Desired.Invalid = []string{"employeeType is blank"} }, Invalid, Parked, nil},
		{"invalid account", nil, func(r *rig) { r.account(1).Invalid = "mail is blank"; r.roles(1) }, Invalid, Parked, nil},
		{"unentitled", nil, func(r *rig) { r.entitled(1, false) }, Unentitled, Due, []string{"disable writer1", "revoke Writers of writer1"}},
		{"missing", nil, func(r *rig) { r.mem.Drop(r.links[1].Account) }, Missing, Held, []string{"create writer1", "grant Writers of writer1"}},
		{"missing, recreate", nil, func(r *rig) { r.rules.Drift.Missing = recreate; r.mem.Drop(r.links[1].Account) }, Missing, Due,
			[]string{"create writer1", "grant Writers of writer1"}},
		{"returned", nil, func(r *rig) {
			r.standing(1, identity.Gone)
			r.cycle(false)
			r.standing(1, identity.Active)
			r.attribute(1, "title", "Author")
		}, Returned, Due, []string{"enable writer1", "update title of writer1", "grant Writers of writer1"}},
		{"new", nil, func(r *rig) { delete(r.links, 1); r.mem.Drop(r.mem.Accounts()[0].ID) }, New, Due, []string{"create writer1", "grant Writers of writer1"}},
		{"adoptable, report", nil, func(r *rig) { delete(r.links, 1) }, Adoptable, Held, []string{"link writer1", "grant Writers of writer1"}},
		{"adoptable, link", nil, func(r *rig) { delete(r.links, 1); r.match(1, "name", "writer1", "link") }, Adoptable, Due,
			[]string{"link writer1", "grant Writers of writer1"}},
		{"adoptable break-glass", nil, func(r *rig) {
			delete(r.links, 1)
			r.match(1, "title", "Writer", "link")
			r.edit(1, func(a *target.Account) { a.Name = "emergency-1" })
			r.rules.BreakGlass = []string{"account:emergency-*"}
		}, Ignored, Done, nil},
		{"adoptable protected", nil, func(r *rig) {
			delete(r.links, 1)
			r.match(1, "name", "writer1", "link")
			r.edit(1, func(a *target.Account) { a.Protected = true })
		}, Adoptable, Held, nil},
		{"taken", nil, func(r *rig) {
			r.links[7] = r.links[1]
			delete(r.links, 1)
		}, Taken, Held, nil},
		{"ambiguous", nil, func(r *rig) {
			delete(r.links, 1)
			r.match(1, "title", "Writer", "link")
			r.mem.Put(target.Account{Name: "other", Attributes: map[string][]string{"title": {"Writer"}}})
		}, Ambiguous, Held, nil},
		{"renamed", nil, func(r *rig) { r.name(1, "author1"); r.attribute(1, "title", "Author") }, Renamed, Due,
			[]string{"rename writer1 to author1", "update title of writer1"}},
		{"changed", nil, func(r *rig) { r.roles(1, "Readers"); r.attribute(1, "mail", "w1@example.org") }, Changed, Due,
			[]string{"update mail of writer1", "grant Readers of writer1", "revoke Writers of writer1"}},
		{"on create only", func(r *rig) {
			r.set(1, mapping.Attribute{Name: "room", Values: []string{"12"}, Mode: mapping.OnCreate})
		},
			func(r *rig) {
				r.set(1, mapping.Attribute{Name: "room", Values: []string{"14"}, Mode: mapping.OnCreate})
			}, InSync, Done, nil},
		{"cleared", nil, func(r *rig) { r.attribute(1, "title") }, Changed, Due, []string{"update title of writer1"}},
		{"drift of an attribute", nil, func(r *rig) {
			r.edit(1, func(a *target.Account) { a.Attributes = map[string][]string{"title": {"Boss"}} })
		},
			Drifted, Due, []string{"update title of writer1"}},
		{"drift of an attribute, report", nil, func(r *rig) {
			r.rules.Drift.Attributes = report
			r.edit(1, func(a *target.Account) { a.Attributes = map[string][]string{"title": {"Boss"}} })
		}, Drifted, Done, nil},
		{"new value over drift, report", nil, func(r *rig) {
			r.rules.Drift.Attributes = report
			r.edit(1, func(a *target.Account) { a.Attributes = map[string][]string{"title": {"Boss"}} })
			r.attribute(1, "title", "Author")
		}, Changed, Due, []string{"update title of writer1"}},
		{"drift of the name", nil, func(r *rig) { r.edit(1, func(a *target.Account) { a.Name = "boss" }) }, Drifted, Due, []string{"rename boss to writer1"}},
		{"drift of the name, report", nil, func(r *rig) {
			r.rules.Drift.Attributes = report
			r.edit(1, func(a *target.Account) { a.Name = "boss" })
		}, Drifted, Done, nil},
		{"lost", nil, func(r *rig) { r.edit(1, func(a *target.Account) { a.Entitlements = nil }) }, Drifted, Due, []string{"grant Writers of writer1"}},
		{"lost, report", nil, func(r *rig) {
			r.rules.Drift.Lost = report
			r.edit(1, func(a *target.Account) { a.Entitlements = nil })
		}, Drifted, Done, nil},
		{"extra", nil, func(r *rig) {
			r.edit(1, func(a *target.Account) { a.Entitlements = []string{"Admins", "Foreign", "Writers"} })
		}, Drifted, Done, nil},
		{"extra, revoke", nil, func(r *rig) {
			r.rules.Drift.Extra = revoke
			r.edit(1, func(a *target.Account) { a.Entitlements = []string{"Admins", "Foreign", "Writers"} })
		}, Drifted, Due, []string{"revoke Admins of writer1"}},
		{"extra, break-glass", nil, func(r *rig) {
			r.rules.Drift.Extra, r.rules.BreakGlass = revoke, []string{"entitlement:Admins"}
			r.edit(1, func(a *target.Account) { a.Entitlements = []string{"Admins", "Writers"} })
		}, Ignored, Done, nil},
		{"disabled there", nil, func(r *rig) { r.edit(1, func(a *target.Account) { a.Enabled = false }) }, Drifted, Done, nil},
		{"released", nil, func(r *rig) { r.edit(1, func(a *target.Account) { a.Enabled = false }); r.release = 1 }, Drifted, Due, []string{"enable writer1"}},
		{"none", nil, func(r *rig) { delete(r.links, 1); r.mem.Drop(r.mem.Accounts()[0].ID); r.entitled(1, false) }, None, Done, nil},
		{"a leaver who had nothing", nil, func(r *rig) { delete(r.links, 1); r.mem.Drop(r.mem.Accounts()[0].ID); r.standing(1, identity.Gone) }, None, Done, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.rules.Guard.First = apply
			r.hire(1, "Writers")
			if c.before != nil {
				c.before(r)
			}
			if r.cycle(false); r.seen(1) == nil {
				t.Fatal("no account")
			}
			r.rules.Guard = DefaultRules().Guard
			c.arrange(r)
			p, v := r.plan(true)
			s := subjectOf(t, p, 1)
			if s.Situation != c.want {
				t.Errorf("situation %s, want %s (%s; %v)", s.Situation, c.want, s.Why, s.Notes)
			}
			if got := stageOf(t, p, v, 1).Stage; got != c.stage {
				t.Errorf("stage %s, want %s", got, c.stage)
			}
			wantWords(t, s, c.changes...)
			seen[s.Situation] = true
			for _, ch := range s.Changes {
				if len(ch.Because) == 0 {
					t.Errorf("%s: no reason", Words(ch.Change))
				}
				if ch.Key != ch.Change.Key() {
					t.Errorf("%s: another key", Words(ch.Change))
				}
			}
		})
	}
	for s := InDoubt; s <= None; s++ {
		if !seen[s] {
			t.Errorf("no row is %s", s)
		}
	}
}

// edit changes the account of a person behind rosterd's back.
func (r *rig) edit(n int, f func(*target.Account)) {
	a := *r.seenOrFirst(n)
	f(&a)
	r.mem.Put(a)
}

func (r *rig) seenOrFirst(n int) *target.Account {
	if a := r.seen(n); a != nil {
		return a
	}
	return &r.mem.Accounts()[0]
}

func TestSituationWords(t *testing.T) {
	for s := InDoubt; s <= None; s++ {
		got, err := ParseSituation(s.String())
		if err != nil || got != s {
			t.Errorf("%d is %q, which reads as %v, %v", s, s, got, err)
		}
	}
	if _, err := ParseSituation("?"); err == nil {
		t.Error("? is no situation")
	}
}

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

func TestDown(t *testing.T) {
	r := newRig(t)
	r.staff(3)
	r.leave(1, 1)
	r.down = "connection refused"
	p := Make(r.input(false))
	if s := subjectOf(t, p, 1); s.Park == nil || s.Park.Error != "connection refused" || s.Look != nil || s.Situation != Gone {
		t.Errorf("%+v", s)
	}
	if s := subjectOf(t, p, 2); s.Park != nil || s.Situation != InSync {
		t.Errorf("%+v", s)
	}
}

// What failed waits for its time; other changes of the account do not, and a
// resync waits for nothing.
func TestBackOff(t *testing.T) {
	r := newRig(t)
	r.staff(3)
	r.fail = func(c target.Change) bool { return c.Verb == target.Update }
	r.attribute(1, "title", "Author")
	r.cycle(false)
	r.fail = nil
	r.roles(1, "Readers")
	p, v := r.cycle(false)
	if st := stageOf(t, p, v, 1); st.Stage != Parked || st.Changes[0] != "waits for its next attempt" || st.Changes[1] != "" {
		t.Errorf("standing %+v", st)
	}
	if a := r.seen(1); a.Attributes["title"][0] != "Writer" || !slices.Equal(a.Entitlements, []string{"Readers"}) {
		t.Errorf("account %+v", a)
	}
	if _, v := r.plan(true); !v.Pending() {
		t.Error("a resync waits for a back-off")
	}
	r.now = r.now.Add(time.Hour)
	if r.cycle(false); r.seen(1).Attributes["title"][0] != "Author" {
		t.Error("the next attempt was not made")
	}
	// What depends on the failed change waits with it.
	r.hire(9, "Writers")
	r.fail = func(c target.Change) bool { return c.Verb == target.Create }
	_, v = r.plan(false)
	r.do(v.Cleared.Waves("wiki")[0][0])
	if _, v = r.plan(false); v.Pending() || !v.Parked() {
		t.Error("a grant goes before its account")
	}
}

func TestOrphans(t *testing.T) {
	r := newRig(t)
	r.staff(2)
	r.mem.Put(target.Account{Name: "zoe", Enabled: true})
	r.mem.Put(target.Account{Name: "anna"})
	r.mem.Put(target.Account{Name: "emergency-1"})
	r.mem.Put(target.Account{Name: "writer3"})
	r.rules.BreakGlass = []string{"account:emergency-*"}
	r.hire(3)
	r.match(3, "name", "writer3", "link")
	p, _ := r.plan(true)
	var names []string
	for _, o := range p.Orphans {
		names = append(names, o.Name)
	}
	if !slices.Equal(names, []string{"anna", "zoe"}) {
		t.Errorf("orphans %v", names)
	}
	if p, _ = r.plan(false); len(p.Orphans) > 0 {
		t.Errorf("orphans without a listing: %v", p.Orphans)
	}
}

// A change of the roles behind a right is recorded without a write.
func TestRolesOfARight(t *testing.T) {
	r := newRig(t)
	r.staff(1)
	r.account(1).Entitlements[0].Roles = []string{"manager", "author"}
	for _, full := range []bool{false, true} {
		r.cycle(full)
		if g := r.links[1].Granted; len(g) != 1 || !slices.Equal(g[0].Roles, []string{"author", "manager"}) {
			t.Errorf("full %v: granted %+v", full, g)
		}
		r.account(1).Entitlements[0].Roles = []string{"manager", "author"}
	}
}

// What an account holds already and the policy wants counts as given from then
// on; so does what an adopted account held.
func TestWantedAndThere(t *testing.T) {
	r := newRig(t)
	r.staff(1)
	r.edit(1, func(a *target.Account) { a.Entitlements = []string{"Readers", "Writers"} })
	r.roles(1, "Readers", "Writers")
	if _, v := r.cycle(true); v.Pending() || len(r.links[1].Granted) != 2 {
		t.Errorf("granted %+v", r.links[1].Granted)
	}
	r.hire(2, "Writers")
	r.match(2, "name", "writer2", "link")
	r.mem.Put(target.Account{Name: "writer2", Enabled: true, Entitlements: []string{"Admins", "Writers"}})
	r.cycle(false)
	if l := r.links[2]; l.Owner != ledger.Adopted || l.By != "policy" || len(l.Granted) != 1 || l.Granted[0].Entitlement != "Writers" {
		t.Errorf("link %+v", l)
	}
	r.roles(2)
	r.cycle(false)
	if a := r.seen(2); !slices.Equal(a.Entitlements, []string{"Admins"}) {
		t.Errorf("a mover lost or kept the wrong rights: %v", a.Entitlements)
	}
	// A leaver loses all that the policy can name.
	r.leave(2, 2)
	r.cycle(false)
	if a := r.seen(2); a.Enabled || len(a.Entitlements) > 0 {
		t.Errorf("a leaver: %+v", a)
	}
}

// A right that we gave and that the policy cannot name any more was not read:
// it is taken all the same.
func TestRightOutsideThePolicy(t *testing.T) {
	r := newRig(t)
	r.staff(2)
	r.ents = []string{"Readers"}
	r.roles(1)
	p, _ := r.cycle(false)
	wantWords(t, subjectOf(t, p, 1), "revoke Writers of writer1")
	r.leave(2, 2)
	p, _ = r.cycle(false)
	wantWords(t, subjectOf(t, p, 2), "disable writer2", "revoke Writers of writer2")
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
