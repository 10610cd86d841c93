package plan

import (
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
