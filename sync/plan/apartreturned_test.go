package plan

import (
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// apartReturned are people whose accounts were closed with a right left that could not
// be taken, and who come back by a role that a conflict parts from that right's.
func apartReturned(t *testing.T, n, all int) *rig {
	r := newRig(t)
	for i := 1; i <= all; i++ {
		r.hire(i, "Writers")
	}
	r.cycle(true)
	for i := 1; i <= n; i++ {
		p := r.people[identity.Ordinal(i)]
		l := r.links[p.Ordinal]
		l.Phase = ledger.Closed
		r.links[p.Ordinal] = l
		r.edit(i, func(a *target.Account) { a.Enabled = false })
		r.roles(i, "Publishers")
		r.account(i).Roles = []string{"role-Publishers"}
		p.Desired.Roles = []mapping.Held{{Role: "role-Publishers"}}
		p.Desired.Apart = []mapping.Apart{{Conflict: "pay", Roles: []string{"role-Publishers", "role-Writers"}}}
	}
	return r
}

// The old right goes, then the account is enabled, then the new right comes; where
// enabling is held, nothing is given to the account meanwhile.
func TestApartReturned(t *testing.T) {
	r := apartReturned(t, 1, 12)
	p, v := r.plan(true)
	if got := verbs(p.Subjects[0]); got != "revoke Writers, enable , grant Publishers" {
		t.Error(got)
	}
	var got string
	for _, w := range v.Cleared.Waves("wiki") {
		for _, o := range w {
			got += o.Change.Verb.String() + " "
		}
		got += "| "
	}
	if got != "revoke | enable | grant | " {
		t.Error(got)
	}
	r = apartReturned(t, 7, 40)
	if _, v = r.plan(true); v.Cleared.Empty() || !v.Held() {
		t.Fatalf("%+v", v.Holds)
	}
	for _, w := range v.Cleared.Waves("wiki") {
		for _, o := range w {
			if o.Change.Verb != target.Revoke {
				t.Fatalf("%s though enabling is held", Words(o.Change))
			}
		}
	}
}

// So it is with a right that no conflict is about, and with attributes: what follows the
// enabling stays behind it, though it waits for nothing else.
func TestApartReturnedWithMore(t *testing.T) {
	r := apartReturned(t, 7, 40)
	for i := 1; i <= 7; i++ {
		r.roles(i, "Publishers", "Readers")
		r.attribute(i, "title", "Publisher")
	}
	p, v := r.plan(true)
	if got := verbs(p.Subjects[0]); got != "revoke Writers, enable , update , grant Publishers, grant Readers" {
		t.Error(got)
	}
	for _, w := range v.Cleared.Waves("wiki") {
		for _, o := range w {
			if o.Change.Verb != target.Revoke {
				t.Fatalf("%s though enabling is held", Words(o.Change))
			}
		}
	}
	// Where it is not held, it is done after it.
	r.rules.Guard.MaxEnable = &Limit{Count: 100}
	_, v = r.plan(true)
	enabled := map[identity.Ordinal]bool{}
	for _, w := range v.Cleared.Waves("wiki") {
		var now []identity.Ordinal
		for _, o := range w {
			switch who := o.Change.Person; {
			case o.Change.Verb == target.Enable:
				now = append(now, who)
			case o.Change.Verb != target.Revoke && !enabled[who]:
				t.Fatalf("%s before it is enabled", Words(o.Change))
			}
		}
		for _, who := range now {
			enabled[who] = true
		}
	}
	if len(enabled) != 7 {
		t.Errorf("%d were enabled", len(enabled))
	}
}
