package sync_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// application is a world whose wiki is found by number, mail and name; the number is
// enough to take an account over.
func application(t *testing.T) *world {
	w := newWorld(t)
	c := w.config.Targets["wiki"]
	c.Account.Match = []string{"number", "mail", "name"}
	c.Account.Adopt = map[string]string{"number": "link"}
	c.Attributes["number"] = mapping.AttributeRule{From: "${person.employeeNumber}"}
	c.Attributes["mail"] = mapping.AttributeRule{From: "${person.mail}"}
	w.config.Targets["wiki"] = c
	w.engine.Store.Close()
	w.open()
	return w
}

// exists puts an account there that rosterd did not make.
func (w *world) exists(name, number, mail string) target.NativeID {
	a := target.Account{Name: name, Enabled: true, Attributes: map[string][]string{"name": {name}}}
	if number != "" {
		a.Attributes["number"] = []string{number}
	}
	if mail != "" {
		a.Attributes["mail"] = []string{mail}
	}
	return w.wiki.Put(a)
}

var asked = rostersync.Request{Verb: "adopt", By: "admin"}

func (w *world) correlate(a rostersync.Adopting) *rostersync.Adoption {
	w.t.Helper()
	a.Target = "wiki"
	writes := len(w.wiki.Writes())
	found, r, err := w.engine.Correlate(w.t.Context(), a, asked)
	if err != nil {
		w.t.Fatalf("correlate: %v\n%+v", err, r)
	}
	if n := len(w.wiki.Writes()) - writes; n != 0 {
		w.t.Fatalf("looking wrote %d times", n)
	}
	return found
}

// adopts looks and links what was shown, and says how many that were.
func (w *world) adopts(a rostersync.Adopting) (*rostersync.Adoption, *rostersync.Report) {
	w.t.Helper()
	found := w.correlate(a)
	a.Target = "wiki"
	before := len(w.wiki.Writes())
	_, r, err := w.engine.Adopt(w.t.Context(), a, found.Version, nil, asked)
	if err != nil || len(r.Failed)+len(r.Skipped)+len(r.Unverified) > 0 {
		w.t.Fatalf("adopt: %v\n%s", err, text(r))
	}
	for _, write := range w.wiki.Writes()[before:] {
		if write.Verb != target.Link {
			w.t.Fatalf("adopting does more than link: %+v", write)
		}
	}
	if n := len(w.wiki.Writes()) - before; n != len(found.Chosen) || len(r.Carried) != n || r.Verified != n {
		w.t.Fatalf("%d writes, %d carried and %d verified where %d were shown", n, len(r.Carried), r.Verified, len(found.Chosen))
	}
	return found, r
}

// classes counts the findings, and checks that each account and each person is in one.
func (w *world) classes(found *rostersync.Adoption) map[string]int {
	w.t.Helper()
	out := map[string]int{}
	accounts, people := map[target.NativeID]string{}, map[identity.Ordinal]string{}
	for _, f := range found.Findings {
		class := f.Class.String()
		out[class]++
		if f.Person.Valid() {
			if people[f.Person] != "" {
				w.t.Errorf("%s is %s and %s", f.Login, people[f.Person], class)
			}
			people[f.Person] = class
		}
		if f.Link == nil && f.Why == "" {
			w.t.Errorf("%s %s is %s without a reason", f.Login, f.Account.Name, class)
		}
		if f.Link != nil && accounts[f.Account.ID] != "" {
			w.t.Errorf("%s is %s and %s", f.Account.Name, accounts[f.Account.ID], class)
		}
		accounts[f.Account.ID] = class
		for _, a := range f.Accounts {
			accounts[a.ID] = class
		}
	}
	told := 0
	for _, a := range w.wiki.Accounts() {
		if accounts[a.ID] != "" {
			told++
		}
	}
	if told < found.Listed-found.Ours {
		w.t.Errorf("of %d accounts, %d ours, only %d are told of", found.Listed, found.Ours, told)
	}
	return out
}

func (w *world) finding(found *rostersync.Adoption, account string) plan.Finding {
	w.t.Helper()
	for _, f := range found.Findings {
		if f.Account.Name == account {
			return f
		}
		for _, a := range f.Accounts {
			if a.Name == account {
				return f
			}
		}
	}
	w.t.Fatalf("nothing is told of account %s", account)
	return plan.Finding{}
}

// An application that was there before: what is beyond doubt is linked after an
// approval, everything else is named, and nobody gets a second account.
func TestAdoptAnApplication(t *testing.T) {
	w := application(t)
	const exact = 280
	ids := w.joinMany("p", 300)
	w.members("writers", "p0001")
	for i := range exact {
		w.exists(fmt.Sprintf("old.%d", i), fmt.Sprintf("n-p%04d", i), "")
	}
	for i := exact; i < exact+5; i++ {
		w.exists(fmt.Sprintf("old.%d", i), "", fmt.Sprintf("p%04d@corp.example", i))
	}
	w.exists("twin.1", "n-p0290", "")
	w.exists("twin.2", "n-p0290", "")
	w.exists("admin", "n-p0291", "")
	w.exists("emergency-1", "n-p0292", "")
	w.exists("robot", "", "")
	w.set(ids[293], "employeeType", "former")
	w.exists("p0293", "n-p0293", "")
	w.engine.Targets[0].Rules.Protect = []string{"account:admin"}
	w.engine.Targets[0].Rules.BreakGlass = []string{"account:emergency-*"}

	found, _ := w.adopts(rostersync.Adopting{})
	want := map[string]int{"exact": exact, "candidate": 5, "ambiguous": 1, "protected": 2, "orphaned": 1, "left": 1, "without": 11}
	if got := w.classes(found); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("found %v, want %v", got, want)
	}
	st, err := w.engine.Store.Target("wiki")
	if err != nil || st.Loose.Left != 1 {
		t.Fatalf("the leaver's account is not remembered: %+v %v", st.Loose, err)
	}
	if again := w.correlate(rostersync.Adopting{}); again.Ours != exact || len(again.Chosen) != 0 {
		t.Fatalf("once more: %d ours, %d to link", again.Ours, len(again.Chosen))
	}
	// By mail only if somebody says so.
	if _, r := w.adopts(rostersync.Adopting{Match: []string{"mail"}}); len(r.Carried) != 5 {
		t.Fatalf("%d were linked by mail, want 5", len(r.Carried))
	}
	// The next cycle creates for whom there is none, and nobody else.
	w.sync()
	if n := len(w.wiki.Accounts()); n != exact+5+6+11 {
		t.Fatalf("%d accounts", n)
	}
	w.has("old.1", true, "Writers") // 285 renames are held, and nothing else of them
	if a := w.account("p0293"); !a.Enabled {
		t.Error("an account that was not linked was closed")
	}
	if r, err := w.engine.Store.CheckJournal(); err != nil {
		t.Fatalf("the journal: %+v %v", r, err)
	}
}

// What was shown is what is done: a version that is old links nothing, and what came
// after the look is not linked with the rest.
func TestAdoptLinksWhatWasShown(t *testing.T) {
	w := application(t)
	w.joinMany("p", 3)
	for i := range 2 {
		w.exists(fmt.Sprintf("old.%d", i), fmt.Sprintf("n-p%04d", i), "")
	}
	first := w.correlate(rostersync.Adopting{})
	third := w.exists("old.2", "n-p0002", "")
	var moved *rostersync.MovedError
	if _, _, err := w.engine.Adopt(t.Context(), rostersync.Adopting{Target: "wiki"}, first.Version, nil, asked); !errors.As(err, &moved) || len(w.wiki.Writes()) != 0 {
		t.Fatalf("law 4: %v, %d writes", err, len(w.wiki.Writes()))
	}
	// On a terminal: the accounts that were shown, as far as they are found so still.
	w.wiki.Put(target.Account{ID: first.Chosen[0].Account.ID, Name: "old.0", Enabled: true, Attributes: map[string][]string{"number": {"n-p0009"}}})
	_, r, err := w.engine.Adopt(t.Context(), rostersync.Adopting{Target: "wiki"}, first.Version, first, asked)
	if err != nil || len(r.Carried) != 1 || r.Carried[0].Change.Name != "old.1" {
		t.Fatalf("law 4: %v\n%s", err, text(r))
	}
	if _, owned, _ := w.engine.Store.LinkOwner("wiki", third); owned {
		t.Fatal("law 4: what came after the look was linked")
	}
	// A pilot.
	if found := w.correlate(rostersync.Adopting{Limit: 1}); len(found.Chosen) != 1 {
		t.Fatalf("a pilot of one has %d", len(found.Chosen))
	}
	p := must(w.engine.Store.FindPerson("p0002"))[0]
	if found, _ := w.adopts(rostersync.Adopting{People: []identity.Ordinal{p.Ordinal}}); len(found.Chosen) != 1 {
		t.Fatalf("a pilot of one person has %d", len(found.Chosen))
	}
	// It is in the journal as a hold that was approved.
	if holds := w.openHolds(); len(holds) != 0 {
		t.Errorf("holds are open: %+v", holds)
	}
	all := must(w.engine.Store.Links(p.Ordinal))
	if l := all[p.Ordinal]["wiki"]; !strings.HasPrefix(l.By, "h") {
		t.Errorf("the link says it is by %q", l.By)
	}
}

// A paused target, one that cannot be listed whole, a directory that cannot be read:
// nothing is linked, and nothing is shown that was not read.
func TestAdoptNeedsWholeReads(t *testing.T) {
	w := application(t)
	w.joinMany("p", 3)
	for i := range 3 {
		w.exists(fmt.Sprintf("old.%d", i), fmt.Sprintf("n-p%04d", i), "")
	}
	w.wiki.SetFaults(memory.Faults{List: func(n int) error {
		if n == 2 {
			return errors.New("cut off")
		}
		return nil
	}})
	if found, _, err := w.engine.Correlate(t.Context(), rostersync.Adopting{Target: "wiki"}, asked); err == nil || found != nil {
		t.Fatalf("law 1: half a listing found %+v", found)
	}
	w.wiki.SetFaults(memory.Faults{})
	w.source.SetFaults(source.Faults{Read: func(context.Context, int) error { return errors.New("down") }})
	if found, _, err := w.engine.Correlate(t.Context(), rostersync.Adopting{Target: "wiki"}, asked); err == nil || found != nil {
		t.Fatalf("law 1: an unread directory found %+v", found)
	}
}

// lose takes the state away, as a disk does.
func (w *world) lose() {
	w.t.Helper()
	if err := w.engine.Store.Close(); err != nil {
		w.t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(filepath.Dir(w.path), "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range list {
		if err := os.RemoveAll(f); err != nil {
			w.t.Fatal(err)
		}
	}
	rules := w.engine.Targets[0].Rules
	w.open()
	w.engine.Targets[0].Rules = rules
}

// The state is lost. A first cycle creates nobody a second account and disables nobody,
// though no attribute finds the accounts any more; recover links all by their marks.
func TestAdoptRecoversALostState(t *testing.T) {
	w := application(t)
	ids := w.joinMany("p", 40)
	w.members("writers", "p0001", "p0002")
	w.synced()
	for _, a := range w.wiki.Accounts() { // nothing but the mark says whose they are
		a.Name, a.Attributes = "renamed."+a.Name, map[string][]string{}
		w.wiki.Put(a)
	}
	w.engine.Targets[0].Rules.Guard.MaxRename = &plan.Limit{Count: 100}
	w.leave(ids[7])         // while there is no state
	w.source.Remove(ids[8]) // and one of whom nothing is known any more
	w.lose()
	all := w.wiki.Accounts()

	for range 2 {
		r := w.sync()
		if n := len(w.wiki.Accounts()); n != 40 || w.enabled() != 40 || r.Exit() != 4 {
			t.Fatalf("a first cycle on an empty state left %d accounts, %d enabled, exit %d\n%s", n, w.enabled(), r.Exit(), text(r))
		}
	}
	// Without --recover such an account is not taken over.
	if found := w.correlate(rostersync.Adopting{}); len(found.Chosen) != 0 || w.classes(found)["marked"] != 39 {
		t.Fatalf("%d to link without --recover: %v", len(found.Chosen), w.classes(found))
	}
	found, _ := w.adopts(rostersync.Adopting{Recover: true})
	if got := w.classes(found); got["exact"] != 39 || got["lost"] != 1 || len(got) != 2 {
		t.Fatalf("found %v", got)
	}
	for i, a := range w.wiki.Accounts() {
		if b := all[i]; a.Name != b.Name || a.Enabled != b.Enabled || len(a.Attributes) != len(b.Attributes) {
			t.Fatalf("recover changed %+v to %+v", b, a)
		}
	}
	st, err := w.engine.Status(1)
	if err != nil || st.Targets[0].Loose.Lost != 1 {
		t.Fatalf("the account of nobody is not in the status: %+v %v", st.Targets, err)
	}
	// The next cycle enforces: the leaver is closed, all are called as they should be,
	// and nobody is created.
	if r := w.sync(); r.Done[target.Create] != 0 || r.Done[target.Disable] != 1 {
		t.Fatalf("after recover:\n%s", text(r))
	}
	w.has("renamed.p0007", false)
	w.has("p0001", true, "Writers")
	w.has("renamed.p0008", true)
	if n := len(w.wiki.Accounts()); n != 40 {
		t.Fatalf("%d accounts", n)
	}
	w.quiet()
	// A resync counts anew who is to be decided about.
	loose := func() int { return must(w.engine.Store.Target("wiki")).Loose.Lost }
	if loose() != 1 {
		t.Fatalf("%d lost accounts after a resync", loose())
	}
	w.wiki.Drop(w.account("renamed.p0008").ID)
	if w.cycle(rostersync.Request{Verb: "sync", Full: true}); loose() != 0 {
		t.Fatalf("%d lost accounts once it is gone", loose())
	}
}

// Marks of older versions name a number of the state that is lost: by them alone
// nobody is found, and by a match only with --recover.
func TestAdoptRecoversByMatchWhatOldMarksDoNotName(t *testing.T) {
	w := application(t)
	w.joinMany("p", 10)
	w.synced()
	serial := w.engine.Store.Serial()
	for i, a := range w.wiki.Accounts() {
		a.Mark = fmt.Sprintf("rosterd:%s:%d", serial, i+1)
		w.wiki.Put(a)
	}
	// With the state, the marks are brought up to date.
	found := w.correlate(rostersync.Adopting{})
	if got := w.classes(found); got["renew"] != 10 || found.Ours != 10 {
		t.Fatalf("found %v", got)
	}
	old := w.wiki.Accounts()
	w.adopts(rostersync.Adopting{})
	w.quiet()
	for _, a := range w.wiki.Accounts() {
		if strings.Count(a.Mark, ":") != 3 {
			t.Fatalf("mark %q", a.Mark)
		}
	}
	// Without it, they are nobody's until somebody says that the state is lost.
	for _, a := range old {
		w.wiki.Put(a)
	}
	w.lose()
	if r := w.sync(); len(w.wiki.Accounts()) != 10 || r.Done[target.Link] != 0 || r.Exit() != 4 {
		t.Fatalf("accounts of another rosterd were taken:\n%s", text(r))
	}
	if found := w.correlate(rostersync.Adopting{}); len(found.Chosen) != 0 {
		t.Fatalf("accounts of another rosterd would be taken: %v", w.classes(found))
	}
	if _, r := w.adopts(rostersync.Adopting{Recover: true}); len(r.Carried) != 10 {
		t.Fatalf("%d were linked again", len(r.Carried))
	}
	w.sync()
	w.quiet()
}
