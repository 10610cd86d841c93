package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// partsAbout are the personal parts about somebody, and how many of them are gone.
func partsAbout(t tester, s *Store, who identity.Ordinal) (there, gone int) {
	t.Helper()
	for _, r := range records(t, s, JournalFilter{}) {
		for _, p := range r.Parts {
			switch {
			case p.Person != uint64(who):
			case p.Data == nil:
				gone++
			default:
				there++
			}
		}
	}
	return there, gone
}

// Whoever has a login that is a word of the journal's own form takes nobody
// else's history with them.
func TestForgetOfALoginThatIsAWord(t *testing.T) {
	for _, word := range []string{"login", "event", "values", "set", "because", "salt", "name", "create"} {
		t.Run(word, func(t *testing.T) {
			k := newKit(t)
			k.persons(3)
			id := k.person(word)
			k.read()
			k.clean()
			p := &past{kit: k, them: k.one(word).Ordinal}
			one := k.one("writer1").Ordinal
			p.write(p.them, word, "acc-1")
			p.write(one, "writer1", "acc-2")
			before, _ := partsAbout(t, k.s, one)
			k.src.Remove(id)
			k.clock.forward(3600e9)
			k.read()
			k.clock.forward(3600e9)
			k.read()
			l := must2(k.s.Links(p.them))[p.them]["wiki"]
			l.Phase = ledger.Closed
			ok(t, k.s.PutLinks([]ledger.Link{l}))
			_, err := k.s.Forget(context.Background(), []identity.Ordinal{p.them}, "admin", "")
			ok(t, err)
			if after, gone := partsAbout(t, k.s, one); after != before || gone > 0 {
				t.Errorf("%d parts about somebody else became %d, %d are gone", before, after, gone)
			}
			if there, gone := partsAbout(t, k.s, p.them); there > 0 || gone == 0 {
				t.Errorf("of theirs %d are there", there)
			}
		})
	}
}

// Law 7: who comes back before a forgetting that was killed is ended is somebody
// new, whose history is theirs.
func TestLaw07BackBeforeTheForgettingIsEnded(t *testing.T) {
	p := newPast(t)
	killed := errors.New("killed")
	begun := false
	p.s.step = func(at string) { begun = begun || at == "forgetting begun" }
	p.s.before = func() error {
		if begun {
			return killed
		}
		return nil
	}
	if _, err := p.s.Forget(context.Background(), []identity.Ordinal{p.them}, "admin", "asked by zelda.kuhn"); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	p.s.before, p.s.step = nil, func(string) {}
	p.reopen()
	p.src.Put(memory.Record{ID: "zelda-again", Kind: 1, DN: dn("zelda.kuhn"), Attributes: map[string][]string{"uid": {"zelda.kuhn"},
		"mail": {"zelda.kuhn@example.com"}, "cn": {"Zelda Kuhn"}, "employeeNumber": {"E-471100"}}})
	p.read()
	back := p.one("zelda.kuhn").Ordinal
	p.write(back, "zelda.kuhn", "zk-account-2")
	before, _ := partsAbout(t, p.s, back)
	if back == p.them || before == 0 {
		t.Fatal(back, before)
	}
	if _, err := p.s.FinishForget(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after, gone := partsAbout(t, p.s, back); after != before || gone > 0 {
		t.Errorf("%d parts about who is back became %d, %d are gone", before, after, gone)
	}
	for _, r := range records(t, p.s, JournalFilter{Person: p.them}) {
		if text := fmt.Sprint(personal(r)); strings.Contains(strings.ToLower(text), "zelda") {
			t.Errorf("record %d says still: %s", r.Seq, text)
		}
	}
	_, err := p.s.CheckJournal()
	ok(t, err)
}

// Whoever verifies while somebody is forgotten sees parts that are gone, and not
// yet the record that accounts for them: that is no broken chain.
func TestVerifyWhileSomebodyIsForgotten(t *testing.T) {
	p := newPast(t)
	p.s.step = func(at string) {
		if at != "verifying" {
			return
		}
		p.s.step = func(string) {}
		_, err := p.s.Forget(context.Background(), []identity.Ordinal{p.them}, "admin", "")
		ok(t, err)
	}
	r, err := p.s.CheckJournal()
	if err != nil || r.Forgotten == 0 {
		t.Fatalf("%+v: %v", r, err)
	}
}

// What went wrong with a target, and why the state may be old, is said in words
// that may name people; so may what is under way for others.
func TestForgetInWhatIsSaidOfTheWhole(t *testing.T) {
	p := newPast(t)
	ok(t, p.s.SaveOutage(ledger.Outage{Target: "wiki", Since: p.clock.at, Failures: 3, Error: "uid=zelda.kuhn," + people + " is not writable", Next: p.clock.at}))
	ok(t, p.s.Suspect("wiki has 1 account of which it knows nothing, as zelda.kuhn"))
	for _, r := range records(t, p.s, JournalFilter{}) {
		if strings.Contains(strings.ToLower(string(r.Public)), "zelda") {
			t.Errorf("the public part of a record names somebody: %s %s", r.Kind, r.Public)
		}
	}
	o := order(p.one("writer1").Ordinal, target.Update, "w1-account-1")
	o.Change.Set = []target.Value{{Name: "manager", Values: []string{dn("zelda.kuhn")}}}
	must2(p.s.Intend("c7", []ledger.Order{o}))
	f, err := p.s.Forget(context.Background(), []identity.Ordinal{p.them}, "admin", "")
	ok(t, err)
	if len(f.Left) != 1 || !strings.Contains(f.Left[0], "under way") {
		t.Errorf("%q", f.Left)
	}
	if outages := must2(p.s.Outages()); len(outages) != 1 || outages[0].Error != "(forgotten) is not writable" {
		t.Errorf("%+v", outages)
	}
	if r, is, _ := p.s.Restored(); !is || !strings.HasSuffix(r.Why, "as (forgotten)") {
		t.Errorf("%+v", r)
	}
	_, err = p.s.CheckJournal()
	ok(t, err)
}

// A login that is the name of a target, the ID of a hold or a verb is cleared from
// what people wrote, and from nothing that the service works by: a pause goes on.
func TestForgetOfALoginThatIsUsedOtherwise(t *testing.T) {
	for _, word := range []string{"wiki", "h10", "sync", "max_remove", "transient", "00Z", "2026", "abc-system", "corp"} {
		t.Run(word, func(t *testing.T) {
			k := newKit(t)
			k.persons(3)
			id := k.person(word)
			k.read()
			k.clean()
			them, one := k.one(word).Ordinal, k.one("writer1").Ordinal
			p := &past{kit: k, them: them}
			ok(t, k.s.Deny(ledger.Denial{Person: one, Reason: "no wiki for people from corp", By: "admin", At: k.clock.at}))
			p.write(one, "writer1", "acc-2")
			before, _ := partsAbout(t, k.s, one)
			k.src.Remove(id)
			k.clock.forward(time.Hour)
			k.read()
			k.clock.forward(time.Hour)
			k.read()
			at := k.clock.at
			ok(t, k.s.SaveTarget(TargetState{Name: "wiki", Identity: "abc-system", First: true}))
			ok(t, k.s.Pause(ledger.Pause{Target: "wiki", Reason: "asked by " + word, By: word, At: at}))
			ok(t, k.s.SaveOutage(ledger.Outage{Target: "wiki", Since: at, Failures: 3, Class: "transient", Error: "no " + word, Next: at}))
			ok(t, k.s.SaveParked(ledger.Parked{Target: "wiki", Person: one, Subject: "rename to " + word, Class: "transient", Error: word + " is taken", Next: at}))
			ok(t, k.s.SaveCycle(CycleRecord{ID: "c9", Verb: "sync", Began: at, Ended: at, Error: "no " + word, By: word}))
			ok(t, k.s.SaveHolds([]ledger.Hold{{ID: "h10", Target: "wiki", Rule: "max_remove", Text: "of " + word, Opened: at, Status: ledger.Waiting,
				Keys: []ledger.Held{{Key: target.Key{5}, Person: one, Text: "disable writer1 for " + word}}}}))
			_, err := k.s.Forget(context.Background(), []identity.Ordinal{them}, "admin", "")
			ok(t, err)
			k.reopen()
			// What the hold says of somebody else names them.
			mentions := 1
			if word == "wiki" || word == "corp" {
				mentions = 0
			}
			if after, gone := partsAbout(t, k.s, one); after < before || gone != mentions {
				t.Errorf("%d parts about somebody else became %d, %d are gone", before, after, gone)
			}
			if l := must2(k.s.Pauses(at)); len(l) != 1 || l[0].Target != "wiki" || l[0].By == word || strings.Contains(l[0].Reason, word) {
				t.Errorf("%+v", l)
			}
			if l := must2(k.s.Outages()); len(l) != 1 || l[0].Target != "wiki" || l[0].Class != "transient" || strings.Contains(l[0].Error, word) {
				t.Errorf("%+v", l)
			}
			if x, err := k.s.Target("wiki"); err != nil || x.Name != "wiki" || x.Identity != "abc-system" {
				t.Errorf("%+v %v", x, err)
			}
			if l := must2(k.s.Parked()); len(l) != 1 || l[0].Target != "wiki" || l[0].Class != "transient" || strings.Contains(l[0].Subject+l[0].Error, word) && word != "wiki" && word != "corp" {
				t.Errorf("%+v", l)
			}
			if l := must2(k.s.Cycles(1)); len(l) != 1 || l[0].ID != "c9" || l[0].Verb != "sync" || l[0].By == word || strings.Contains(l[0].Error, word) {
				t.Errorf("%+v", l)
			}
			if l := must2(k.s.Holds()); len(l) != 1 || l[0].ID != "h10" || l[0].Target != "wiki" || l[0].Rule != "max_remove" || strings.Contains(l[0].Text+l[0].Keys[0].Text, word) {
				t.Errorf("%+v", l)
			}
		})
	}
}
