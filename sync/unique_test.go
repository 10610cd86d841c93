package sync_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// unique gives the wiki names that nobody else has: the surname, then with a
// number.
func unique(t *testing.T, mode string) *world {
	w := newWorld(t)
	w.config.Targets["wiki"].Attributes["name"] = mapping.AttributeRule{From: "${person.sn}", Otherwise: "${person.sn}${number}", Mode: mode, Reserve: "10d"}
	w.config.Targets["wiki"].Attributes["number"] = mapping.AttributeRule{From: "${person.employeeNumber}"}
	wiki := w.config.Targets["wiki"]
	wiki.Account.Match = []string{"number"}
	w.config.Targets["wiki"] = wiki
	w.engine.Policy = w.compile()
	w.engine.Targets[0].Rules.Leaver.Delete = map[string]string{"out-of-scope": "1d"}
	return w
}

// named joins somebody with a surname.
func (w *world) named(login, surname string) identity.ID {
	id := w.join(login)
	w.set(id, "sn", surname)
	return id
}

// names are the names of accounts by employee number; what is not ours has none.
func (w *world) names() string {
	var out []string
	for _, a := range w.wiki.Accounts() {
		out = append(out, strings.TrimPrefix(strings.Join(a.Attributes["number"], ""), "n-")+"="+a.Name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (w *world) wantNames(want string) {
	w.t.Helper()
	if got := w.names(); got != want {
		w.t.Errorf("the names are %q, want %q", got, want)
	}
}

func TestNamesAreUniqueAndStay(t *testing.T) {
	w := unique(t, "")
	w.wiki.Put(target.Account{Name: "adams", Enabled: true}) // of nobody
	w.named("a1", "adams")
	b := w.named("b1", "baker")
	w.named("b2", "Baker") // the same but for case
	dry := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
	again := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
	for i, s := range dry.Plan.Subjects {
		if s.Account != again.Plan.Subjects[i].Account {
			t.Errorf("%s is called %s, and then %s", s.Login, s.Account, again.Plan.Subjects[i].Account)
		}
	}
	w.synced()
	w.wantNames("=adams a1=adams2 b1=baker b2=Baker2")
	// Another surname changes nothing, and somebody who comes later gets what is free.
	w.set(b, "sn", "cooper")
	w.synced()
	w.named("b3", "baker")
	w.named("c1", "cooper")
	w.synced()
	w.wantNames("=adams a1=adams2 b1=baker b2=Baker2 b3=baker3 c1=cooper")
	// Another name in the target is drift.
	a := *w.account("baker")
	a.Name = "boss"
	w.wiki.Put(a)
	w.named("b4", "boss")
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	w.synced()
	w.wantNames("=adams a1=adams2 b1=baker b2=Baker2 b3=baker3 b4=boss2 c1=cooper")
}

// Where the rule says enforce, a name that the person would not get any more
// changes, and one that they would is kept.
func TestNamesFollowWhereTheRuleSaysSo(t *testing.T) {
	w := unique(t, "enforce")
	first, second := w.named("a1", "adams"), w.named("a2", "adams")
	w.synced()
	w.wantNames("a1=adams a2=adams2")
	w.set(first, "sn", "baker")
	w.synced()
	w.wantNames("a1=baker a2=adams2") // adams2 is still a name of theirs
	w.named("a3", "adams")            // and adams was another's a moment ago
	w.synced()
	w.wantNames("a1=baker a2=adams2 a3=adams3")
	w.set(second, "sn", "baker")
	w.set(first, "sn", "adams")
	w.synced()
	w.wantNames("a1=adams a2=baker2 a3=adams3")
}

// A name is given to nobody else for a while after its account was deleted, also
// when its person is forgotten.
func TestNamesAreReservedBeyondTheAccount(t *testing.T) {
	for _, forgotten := range []bool{false, true} {
		t.Run(fmt.Sprint("forgotten ", forgotten), func(t *testing.T) {
			w := unique(t, "")
			id := w.named("a1", "adams")
			w.named("b1", "baker")
			w.synced()
			var who []identity.Ordinal
			if err := w.engine.Store.EachPerson("corp", func(p identity.Person) error {
				if p.Login == "a1" {
					who = append(who, p.Ordinal)
				}
				return nil
			}); err != nil || len(who) != 1 {
				t.Fatal(who, err)
			}
			if !forgotten {
				w.move(id, "uid=a1,ou=left,dc=corp,dc=example")
			} else {
				w.source.Remove(id) // and somebody deletes what is closed
			}
			for range 4 {
				w.cycle(rostersync.Request{Verb: "sync", Full: true})
				w.now = w.now.Add(13 * time.Hour)
			}
			if forgotten {
				w.wiki.Drop(w.account("adams").ID)
			}
			w.wantNames("b1=baker")
			if forgotten {
				if _, err := w.engine.Store.Forget(context.Background(), who, "admin", "asked"); err != nil {
					t.Fatal(err)
				}
			}
			w.engine.Store.Close()
			policy := w.engine.Policy
			w.open()
			w.engine.Policy = policy
			w.named("a2", "ADAMS")
			w.synced()
			w.wantNames("a2=ADAMS2 b1=baker")
			w.now = w.now.Add(8 * 24 * time.Hour)
			w.named("a3", "adams")
			w.synced()
			w.wantNames("a2=ADAMS2 a3=adams3 b1=baker")
			w.now = w.now.Add(3 * 24 * time.Hour)
			w.named("a4", "adams")
			w.synced()
			w.wantNames("a2=ADAMS2 a3=adams3 a4=adams b1=baker")
		})
	}
}

// A create of which nobody knows whether it was made keeps its name, though another
// comes with the same; after a kill too.
func TestNameOfACreateInDoubtIsKept(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprint("applied ", applied), func(t *testing.T) {
			w := unique(t, "")
			w.named("a1", "adams")
			w.wiki.SetFaults(memory.Faults{Write: func(n int, x memory.Write) memory.Fault {
				if x.Verb != target.Create {
					return memory.Fault{}
				}
				return memory.Fault{Applied: applied, Err: &target.Error{Class: target.InDoubt, Err: errors.New("no answer")}}
			}})
			w.sync()
			w.engine.Store.Close() // and killed
			policy, rules := w.engine.Policy, w.engine.Targets[0].Rules
			w.open()
			w.engine.Policy, w.engine.Targets[0].Rules = policy, rules
			// The target cannot say what became of it, and then it can.
			w.named("a2", "adams")
			looks := 0
			w.wiki.SetFaults(memory.Faults{Look: func([]target.Query) error {
				if looks++; looks == 1 {
					return &target.Error{Class: target.Transient, Err: errors.New("busy")}
				}
				return nil
			}})
			w.sync()
			w.wiki.SetFaults(memory.Faults{})
			w.now = w.now.Add(time.Hour)
			w.sync()
			w.now = w.now.Add(time.Hour)
			w.synced()
			w.wantNames("a1=adams a2=adams2")
		})
	}
}

// An account that the target knows and does not show has its name; and where there
// are no more names, a person decides.
func TestNamesThatAreNotToBeHad(t *testing.T) {
	w := unique(t, "")
	w.named("a1", "adams")
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, x memory.Write) memory.Fault {
		if x.Verb == target.Create && x.Name == "adams" {
			return memory.Fault{Err: &target.Error{Class: target.Exists, Err: errors.New("it exists")}}
		}
		return memory.Fault{}
	}})
	w.sync()
	w.now = w.now.Add(time.Hour)
	w.synced()
	w.wantNames("a1=adams2")
	for n := 1; n <= mapping.Names; n++ {
		name := fmt.Sprint("baker", n)
		if n == 1 {
			name = "baker"
		}
		if n != 70 {
			w.wiki.Put(target.Account{Name: name})
		}
	}
	w.named("b1", "baker")
	w.synced()
	if w.account("baker70") == nil {
		t.Errorf("the names are %s", w.names())
	}
	w.named("b2", "baker")
	r := w.sync()
	if r.Exit() != 5 || !strings.Contains(text(r), "99 names are taken, baker to baker99") {
		t.Errorf("exit %d\n%s", r.Exit(), text(r))
	}
}

// Of random joins, leaves, renames and lost answers: no two live accounts share a
// name, none changes, and none is given to another within its time.
func TestNamesModel(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == f.DefValue {
		if err := f.Value.Set("12"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }()
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := unique(t, "")
		defer w.engine.Store.Close()
		had := map[string]string{}      // name → number
		until := map[string]time.Time{} // name → when it was last seen
		called := map[string]string{}   // number → name
		var ids []identity.ID
		for step := range rapid.IntRange(3, 8).Draw(rt, "steps") {
			for range rapid.IntRange(0, 3).Draw(rt, "joins") {
				ids = append(ids, w.named(fmt.Sprintf("p%d", len(ids)), rapid.SampledFrom([]string{"a", "A", "a2", "b"}).Draw(rt, "name")))
			}
			if len(ids) > 0 {
				id := rapid.SampledFrom(ids).Draw(rt, "who")
				switch rapid.IntRange(0, 4).Draw(rt, "what") {
				case 0:
					w.source.Change(id, func(r *source.Record) { r.DN = strings.Replace(r.DN, people, "ou=left,dc=corp,dc=example", 1) })
				case 1:
					w.source.Change(id, func(r *source.Record) { r.Attributes["sn"] = []string{"b"} })
				case 2:
					w.wiki.SetFaults(memory.LoseAnswer(len(w.wiki.Writes()) + 1))
				case 3:
					w.wiki.SetFaults(memory.FailWrite(len(w.wiki.Writes())+1, target.Transient))
				}
			}
			w.cycle(rostersync.Request{Verb: "sync", Full: step%2 == 0})
			w.wiki.SetFaults(memory.Faults{})
			live := map[string]string{}
			for _, a := range w.wiki.Accounts() {
				number, folded := strings.Join(a.Attributes["number"], ""), strings.ToLower(a.Name)
				if other := live[folded]; other != "" {
					rt.Fatalf("%s and %s are both called %s", other, number, a.Name)
				}
				live[folded] = number
				if had[folded] != "" && had[folded] != number && w.now.Before(until[folded].Add(10*24*time.Hour)) {
					rt.Fatalf("%s was %s until %s, and is %s at %s", a.Name, had[folded], until[folded], number, w.now)
				}
				if was := called[number]; was != "" && was != a.Name {
					rt.Fatalf("%s was called %s, and is called %s", number, was, a.Name)
				}
				had[folded], until[folded], called[number] = number, w.now, a.Name
			}
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 100).Draw(rt, "hours")) * time.Hour)
		}
	})
}

// One name that the target refuses to look for keeps nobody else from what they
// should have.
func TestLaw10ANameThatCannotBeAskedForHoldsUpNobodyElse(t *testing.T) {
	w := unique(t, "")
	leaver := w.named("l1", "lewis")
	w.named("o1", "olsen")
	w.synced()
	w.wiki.SetFaults(memory.Faults{Look: func(list []target.Query) error {
		for _, q := range list {
			for _, m := range q.Match {
				if strings.HasPrefix(m.Value, "adams") {
					return &target.Error{Class: target.Refused, Err: errors.New("no such name can be asked for")}
				}
			}
		}
		return nil
	}})
	w.move(leaver, "uid=l1,ou=left,dc=corp,dc=example")
	w.named("a1", "adams")
	w.named("b1", "baker")
	w.named("b2", "baker")
	r := w.sync()
	if a := w.account("lewis"); a.Enabled {
		t.Errorf("the leaver is open: %+v", a)
	}
	w.wantNames("b1=baker b2=baker2 l1=lewis o1=olsen")
	if len(r.Down) > 0 || r.Exit() != 5 || !strings.Contains(text(r), "99 names are taken, adams to adams99") {
		t.Errorf("exit %d, down %v\n%s", r.Exit(), r.Down, text(r))
	}
	w.wiki.SetFaults(memory.Faults{})
	w.now = w.now.Add(time.Hour)
	w.synced()
	w.wantNames("a1=adams b1=baker b2=baker2 l1=lewis o1=olsen")
}
