package sync_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// apartTargets are two targets, of which the conflict pay parts a right each: Authors in
// the wiki, and Approvers in the bank.
func apartTargets(t *testing.T, only bool) (*world, *memory.Target) {
	w := newWorld(t)
	bank, err := memory.New(memory.Config{}, "bank")
	if err != nil {
		t.Fatal(err)
	}
	w.config.Roles = map[string]mapping.Role{
		"employee": {When: `person.employeeType == "staff"`},
		"author":   {Groups: []string{"cn=writers," + groups}},
		"approver": {Groups: []string{"cn=managers," + groups}},
	}
	w.config.Conflicts = map[string]mapping.Conflict{"pay": {Roles: []string{"author", "approver"}, Action: "report"}}
	wiki := w.config.Targets["wiki"]
	wiki.Entitlements = map[string][]string{"author": {"Authors"}}
	if only { // nobody else has an account there
		wiki.Account.For = []string{"author"}
	}
	w.config.Targets["wiki"] = wiki
	wiki.Entitlements = map[string][]string{"approver": {"Approvers"}}
	if only {
		wiki.Account.For = []string{"approver"}
	}
	w.config.Targets["bank"] = wiki
	rules := plan.DefaultRules()
	rules.Guard.First = "apply"
	w.engine.Targets = append(w.engine.Targets, rostersync.Target{Name: "bank", Target: bank, Rules: rules, Concurrency: 4})
	w.engine.Policy = w.compile()
	w.joinMany("p", 20)
	w.members("writers", "p0001", "p0002")
	w.synced()
	return w, bank
}

func holds(m *memory.Target, name, right string) bool {
	return slices.ContainsFunc(m.Accounts(), func(a target.Account) bool {
		return a.Name == name && a.Enabled && slices.Contains(a.Entitlements, right)
	})
}

// neverBoth fails the test where the bank is told to give something while the right in
// the wiki is still there.
func neverBoth(t *testing.T, w *world, bank *memory.Target, who string) {
	bank.SetFaults(memory.Faults{Write: func(_ int, x memory.Write) memory.Fault {
		if holds(w.wiki, who, "Authors") {
			t.Errorf("%s in the bank while the right in the wiki is still there", x.Verb)
		}
		return memory.Fault{}
	}})
}

// TestApartAcrossTargets: who moves from a role of a conflict to another never holds both
// rights, though they are of two targets that are written to side by side: the second
// comes in the same cycle, when the first was seen to be gone.
func TestApartAcrossTargets(t *testing.T) {
	for name, only := range map[string]bool{"a right": false, "the whole account": true} {
		t.Run(name, func(t *testing.T) {
			w, bank := apartTargets(t, only)
			neverBoth(t, w, bank, "p0001")
			w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
				time.Sleep(20 * time.Millisecond) // the bank is much faster
				return memory.Fault{}
			}})
			w.members("writers", "p0002")
			w.members("managers", "p0001")
			r := w.sync()
			if r.Exit() != 0 || r.Then == nil {
				t.Fatalf("exit %d, then %v\n%s", r.Exit(), r.Then, text(r))
			}
			if holds(w.wiki, "p0001", "Authors") || !holds(bank, "p0001", "Approvers") {
				t.Errorf("the new right did not come for the old one in this cycle\n%s", text(r))
			}
			w.quiet()
		})
	}
}

// Where the old right cannot be taken, the new one is not given, cycle after cycle; when
// it is taken at last, the new one comes.
func TestApartAcrossTargetsFailing(t *testing.T) {
	broken := &target.Error{Class: target.Transient, Err: errors.New("no, as asked")}
	for name, f := range map[string]memory.Faults{
		"it is not written": {Write: func(int, memory.Write) memory.Fault { return memory.Fault{Err: broken} }},
		"it is in doubt": {Write: func(int, memory.Write) memory.Fault {
			return memory.Fault{Err: &target.Error{Class: target.InDoubt, Err: broken}}
		}},
		"the wiki is down": {Look: func([]target.Query) error { return broken }, List: func(int) error { return broken }},
	} {
		t.Run(name, func(t *testing.T) {
			w, bank := apartTargets(t, false)
			neverBoth(t, w, bank, "p0001")
			w.wiki.SetFaults(f)
			w.members("writers", "p0002")
			w.members("managers", "p0001")
			for i := range 4 {
				r := w.cycle(rostersync.Request{Verb: "sync", Full: i == 2})
				if r.Exit() != rostersync.ExitParked {
					t.Errorf("exit %d\n%s", r.Exit(), text(r))
				}
				w.now = w.now.Add(2 * time.Hour)
			}
			w.wiki.SetFaults(memory.Faults{})
			for range 3 {
				w.now = w.now.Add(24 * time.Hour)
				w.sync()
			}
			if holds(w.wiki, "p0001", "Authors") || !holds(bank, "p0001", "Approvers") {
				t.Error("the new right did not come when the old one was gone")
			}
			w.quiet()
		})
	}
}

// A cycle for one target, or for one person, gives nothing before its time either.
func TestApartAcrossTargetsInPart(t *testing.T) {
	w, bank := apartTargets(t, false)
	neverBoth(t, w, bank, "p0001")
	w.members("writers", "p0002")
	w.members("managers", "p0001")
	w.cycle(rostersync.Request{Verb: "sync", OnlyTarget: "bank"})
	if holds(bank, "p0001", "Approvers") {
		t.Fatal("given by a cycle of the bank alone")
	}
	w.sync()
	if holds(w.wiki, "p0001", "Authors") || !holds(bank, "p0001", "Approvers") {
		t.Error("the new right did not come")
	}
	w.quiet()
}

// TestApartAcrossTargetsByName: a cycle for one person has its second pass too, and does
// nothing in it for anybody else.
func TestApartAcrossTargetsByName(t *testing.T) {
	w, bank := apartTargets(t, false)
	neverBoth(t, w, bank, "p0001")
	w.members("writers", "p0003")
	w.members("managers", "p0001", "p0002")
	who := w.person("p0001")
	others := func() (out []string) {
		for _, m := range []*memory.Target{w.wiki, bank} {
			for _, x := range m.Writes() {
				if x.Account.Name != "p0001" {
					out = append(out, x.Verb.String()+" "+x.Account.Name)
				}
			}
		}
		return out
	}
	before := len(others())
	r := w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{who}, Named: true})
	if r.Exit() != 0 || holds(w.wiki, "p0001", "Authors") || !holds(bank, "p0001", "Approvers") {
		t.Errorf("the new right did not come for the old one, exit %d\n%s", r.Exit(), text(r))
	}
	if o := others(); len(o) != before {
		t.Errorf("written for others: %v", o[before:])
	}
	if !holds(w.wiki, "p0002", "Authors") || holds(bank, "p0002", "Approvers") {
		t.Error("p0002 was moved by a cycle for p0001")
	}
	w.sync()
	w.quiet()
}

// TestApartAcrossTargetsApproved: an approval of what frees the way gives nothing that it
// did not show, and says what the next cycle gives.
func TestApartAcrossTargetsApproved(t *testing.T) {
	w, bank := apartTargets(t, false)
	w.engine.Targets[0].Rules.Guard.MaxRevoke = &plan.Limit{Count: 1}
	neverBoth(t, w, bank, "p0001")
	w.members("writers", "p0003")
	w.members("managers", "p0001", "p0002")
	r := w.sync()
	if len(r.Holds) != 1 || len(r.Holds[0].Keys) != 2 {
		t.Fatalf("%+v", r.Holds)
	}
	h := r.Holds[0]
	r, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: h.ID, Version: h.Version(), By: "somebody"}, rostersync.Request{Verb: "approve"})
	if err != nil || r.Then != nil || len(r.Left) != 2 || r.Left[0].Change.Entitlement != "Approvers" {
		t.Fatalf("then %v, left %+v, %v", r.Then, r.Left, err)
	}
	if holds(w.wiki, "p0001", "Authors") || holds(bank, "p0001", "Approvers") {
		t.Error("the approval did not do what it showed, or more")
	}
	w.sync()
	if !holds(bank, "p0001", "Approvers") || !holds(bank, "p0002", "Approvers") {
		t.Error("the next cycle did not give it")
	}
	w.quiet()
}
