package sync_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// byMail is an application in which a mail address is enough.
func byMail(t *testing.T) *world {
	w := application(t)
	c := w.config.Targets["wiki"]
	c.Account.Adopt = map[string]string{"number": "link", "mail": "link"}
	w.config.Targets["wiki"] = c
	w.engine.Store.Close()
	w.open()
	return w
}

// Two people with one mail address: the account is nobody's, in a cycle of everybody,
// of one of them by name, of the other after the first was settled, and for adopt.
func TestTwoPeopleWithOneMail(t *testing.T) {
	w := byMail(t)
	one, two := w.join("one"), w.join("two")
	w.set(one, "mail", "both@corp.example")
	w.set(two, "mail", "both@corp.example")
	id := w.exists("old", "", "both@corp.example")
	nobody := func(when string) {
		t.Helper()
		if _, owned, err := w.engine.Store.LinkOwner("wiki", id); err != nil || owned || len(w.wiki.Writes()) != 0 {
			t.Fatalf("%s it was given to one of them (%v)", when, err)
		}
	}
	w.cycle(rostersync.Request{Verb: "sync", OnlyTarget: "none"}) // only read
	for _, login := range []string{"one", "two"} {
		p := must(w.engine.Store.FindPerson(login))[0]
		w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{p.Ordinal}, Named: true})
		nobody("by name")
	}
	w.sync()
	nobody("by everybody's cycle")
	w.set(one, "sn", "another")
	w.sync()
	nobody("when one of them changed")
	found := w.correlate(rostersync.Adopting{Match: []string{"mail"}})
	if got := w.classes(found); len(found.Chosen) != 0 || got["ambiguous"] != 2 {
		t.Fatalf("found %v", got)
	}
	// A pilot of one of them changes nothing about that.
	p := must(w.engine.Store.FindPerson("one"))[0]
	if found := w.correlate(rostersync.Adopting{Match: []string{"mail"}, People: []identity.Ordinal{p.Ordinal}}); len(found.Chosen) != 0 {
		t.Fatal("a pilot takes what two people match")
	}
}

// The mail address of somebody who left was given to the next one: whose the account is
// is not sure, unless something better says it.
func TestTheMailOfALeaverWasGivenAgain(t *testing.T) {
	w := byMail(t)
	old, new := w.join("anna"), w.join("annette")
	w.set(old, "mail", "anna@corp.example")
	w.set(new, "mail", "anna@corp.example")
	w.leave(old)
	w.exists("anna.old", "", "anna@corp.example")
	found := w.correlate(rostersync.Adopting{Match: []string{"mail"}})
	if f := w.finding(found, "anna.old"); f.Link != nil || len(found.Chosen) != 0 {
		t.Fatalf("the account of a leaver would go to %s by %s", f.Login, f.By)
	}
	// By number it is hers, whatever the mail says.
	w.wiki.Put(target.Account{ID: w.account("anna.old").ID, Name: "anna.old", Enabled: true,
		Attributes: map[string][]string{"mail": {"anna@corp.example"}, "number": {"n-annette"}}})
	found = w.correlate(rostersync.Adopting{Match: []string{"mail"}})
	if f := w.finding(found, "anna.old"); f.Link == nil || f.Login != "annette" || f.By != "number" {
		t.Fatalf("by number: %+v", f)
	}
}

// While accounts are linked somebody renames one, and gives its old name to another.
func TestAnAccountIsRenamedWhileItIsLinked(t *testing.T) {
	w := application(t)
	w.joinMany("p", 2)
	ids := []target.NativeID{w.exists("a", "n-p0000", ""), w.exists("b", "n-p0001", "")}
	w.wiki.SetFaults(memory.Faults{Write: func(_ int, about memory.Write) memory.Fault {
		if about.Account.ID == ids[0] {
			w.wiki.Put(target.Account{ID: ids[0], Name: "moved", Enabled: true, Attributes: map[string][]string{"number": {"n-p0000"}}})
			w.exists("a", "", "")
		}
		return memory.Fault{}
	}})
	w.adopts(rostersync.Adopting{})
	p := must(w.engine.Store.FindPerson("p0000"))[0]
	if l := must(w.engine.Store.Links(p.Ordinal))[p.Ordinal]["wiki"]; l.Account != ids[0] {
		t.Fatalf("p0000 has the account %s, want %s", l.Account, ids[0])
	}
	if a := w.account("a"); a.Mark != "" {
		t.Fatalf("the account that took the name was marked: %+v", a)
	}
}

// A mark that somebody copied onto another account, and one that was moved there.
func TestAMarkWasCopied(t *testing.T) {
	for _, moved := range []bool{false, true} {
		w := application(t)
		w.joinMany("p", 3)
		w.synced()
		mine := *w.account("p0001")
		w.wiki.Put(target.Account{Name: "robot", Enabled: true, Mark: mine.Mark})
		if moved {
			bare := mine
			bare.Mark = ""
			w.wiki.Put(bare)
		}
		// With the state it deceives nobody.
		r := w.cycle(rostersync.Request{Verb: "sync", Full: true})
		if w.isRestored() || r.Exit() != 0 {
			t.Fatalf("moved %v: exit %d\n%s", moved, r.Exit(), text(r))
		}
		found := w.correlate(rostersync.Adopting{Recover: true})
		if f := w.finding(found, "robot"); f.Link != nil || f.Class != plan.OtherMark {
			t.Fatalf("moved %v: %+v", moved, f)
		}
		w.lose()
		w.sync()
		found = w.correlate(rostersync.Adopting{Recover: true})
		if f := w.finding(found, "robot"); f.Link != nil || f.Class != plan.Several || len(found.Chosen) != 2 {
			t.Fatalf("moved %v: without the state: %+v", moved, f)
		}
	}
}

// A mark that was moved onto the account of somebody else, whose number finds it.
func TestAMarkWasMovedOntoSomebodyElsesAccount(t *testing.T) {
	w := application(t)
	w.joinMany("p", 3)
	w.synced()
	one, two := *w.account("p0001"), *w.account("p0002")
	two.Mark = one.Mark
	w.wiki.Put(two)
	w.wiki.Drop(one.ID)
	w.lose()
	w.sync()
	found := w.correlate(rostersync.Adopting{Recover: true})
	if f := w.finding(found, "p0002"); f.Link != nil || len(found.Chosen) != 1 {
		t.Fatalf("%s gets the account of p0002: %+v", f.Login, f)
	}
	if len(w.wiki.Accounts()) != 2 {
		t.Fatalf("%d accounts", len(w.wiki.Accounts()))
	}
}

// Another rosterd manages accounts here, for the same people: what it has marked is not
// taken, and which state is lost is asked.
func TestAnotherRosterdIsThere(t *testing.T) {
	w := application(t)
	w.joinMany("p", 4)
	w.synced()
	w.lose()
	w.sync()
	// A second one: of its two accounts one names nobody here.
	for i, a := range w.wiki.Accounts() {
		if i < 2 {
			a.Mark = fmt.Sprintf("rosterd:00000000000000aa:%d:00112233445566778899aabb", i+1)
			w.wiki.Put(a)
		}
	}
	for range 2 {
		if r := w.sync(); r.Done[target.Link]+r.Done[target.Create] != 0 || len(w.wiki.Accounts()) != 4 {
			t.Fatalf("it took or made accounts:\n%s", text(r))
		}
	}
	var states *rostersync.StatesError
	if _, _, err := w.engine.Correlate(t.Context(), rostersync.Adopting{Target: "wiki", Recover: true}, asked); !errors.As(err, &states) || len(states.States) != 2 {
		t.Fatalf("which state is lost was not asked: %v", err)
	}
	for s, n := range states.States {
		if s == "00000000000000aa" {
			continue
		}
		found, _ := w.adopts(rostersync.Adopting{Recover: true, States: []string{s}})
		if len(found.Chosen) != n {
			t.Fatalf("%d were linked by state %s, want %d", len(found.Chosen), s, n)
		}
	}
	if found := w.correlate(rostersync.Adopting{}); len(found.Chosen) != 0 || found.Ours != 2 {
		t.Fatalf("%d ours, %d to link", found.Ours, len(found.Chosen))
	}
	w.sync()
	w.sync()
	if n := len(w.wiki.Accounts()); n != 4 {
		t.Fatalf("%d accounts", n)
	}
}

// Two targets on one system: what is linked in one is not taken over in the other.
func TestTwoTargetsOnOneSystem(t *testing.T) {
	w := application(t)
	w.joinMany("p", 2)
	w.synced()
	pages := w.config.Targets["wiki"]
	pages.Account.Adopt = map[string]string{"number": "link"}
	w.config.Targets["pages"] = pages
	w.engine.Policy = w.compile()
	second := w.engine.Targets[0]
	second.Name = "pages"
	w.engine.Targets = []rostersync.Target{second, w.engine.Targets[0]}
	before := len(w.wiki.Writes())
	for _, full := range []bool{false, true} {
		r := w.cycle(rostersync.Request{Verb: "sync", Full: full})
		if n := len(w.wiki.Writes()) - before; n != 0 || w.isRestored() {
			t.Fatalf("%d writes, restored %v\n%s", n, w.isRestored(), text(r))
		}
	}
	for _, re := range []bool{false, true} {
		found, _, err := w.engine.Correlate(t.Context(), rostersync.Adopting{Target: "pages", Recover: re}, asked)
		if err != nil || len(found.Chosen) != 0 {
			t.Fatalf("recover %v: %d would be linked twice: %v", re, len(found.Chosen), err)
		}
		for _, f := range found.Findings {
			if !strings.Contains(f.Why, "managed as one of target wiki") {
				t.Errorf("recover %v: %+v", re, f)
			}
		}
	}
}

// Somebody came back under another ID and kept the account: its mark names the old one.
func TestRekeyedPeopleAreMarkedAnew(t *testing.T) {
	w := application(t)
	ids := w.joinMany("p", 40)
	w.synced()
	w.source.Remove(ids[:20]...)
	w.joinMany("p", 20)
	w.sync()
	if r, err := w.approve(w.onlyHold()); err != nil || r.Exit() != 0 {
		t.Fatalf("approve: %v", err)
	}
	found, _ := w.adopts(rostersync.Adopting{})
	if got := w.classes(found); got["renew"] != 20 || len(got) != 1 {
		t.Fatalf("found %v", got)
	}
	w.lose()
	w.sync()
	if found, _ := w.adopts(rostersync.Adopting{Recover: true}); len(found.Chosen) != 40 {
		t.Fatalf("%d are found by their marks", len(found.Chosen))
	}
}

// Killed between the decision and the writes: the next cycle links, and what else it
// would do of them waits to be seen.
func TestAdoptWasKilledBeforeItWrote(t *testing.T) {
	w := application(t)
	c := w.config.Targets["wiki"]
	c.Account.Adopt = nil
	w.config.Targets["wiki"] = c
	w.engine.Policy = w.compile()
	w.joinMany("p", 3)
	for i := range 3 {
		w.exists(fmt.Sprintf("old.%d", i), fmt.Sprintf("n-p%04d", i), "")
	}
	a := rostersync.Adopting{Match: []string{"number"}}
	found := w.correlate(a)
	a.Target = "wiki"
	ctx, kill := context.WithCancel(t.Context())
	w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
		kill()
		return memory.Fault{Err: context.Canceled}
	}})
	if _, _, err := w.engine.Adopt(ctx, a, found.Version, nil, asked); err == nil {
		t.Fatal("it was not killed")
	}
	w.wiki.SetFaults(memory.Faults{})
	w.engine.Store.Close()
	w.open()
	w.engine.Policy = w.compile()
	for range 4 {
		w.now = w.now.Add(time.Hour)
		w.sync()
	}
	linked := 0
	for _, write := range w.wiki.Writes() {
		if write.Verb == target.Create {
			t.Fatalf("somebody got a second account: %+v", write)
		}
	}
	for _, acc := range w.wiki.Accounts() {
		if _, owned, _ := w.engine.Store.LinkOwner("wiki", acc.ID); owned {
			linked++
		}
	}
	if linked != 3 || len(w.wiki.Accounts()) != 3 {
		t.Fatalf("%d of 3 are linked, of %d accounts", linked, len(w.wiki.Accounts()))
	}
	if doubts := must(w.engine.Store.InDoubt()); len(doubts) != 0 {
		t.Fatalf("in doubt: %+v", doubts)
	}
	for _, h := range w.openHolds() {
		if h.Status == ledger.Waiting && h.Rule == "adopt" {
			t.Errorf("%+v", h)
		}
	}
}
