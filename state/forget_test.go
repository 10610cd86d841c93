package state

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
	"github.com/rosterd/rosterd/target"
)

// past is a state in which somebody left traces wherever they can, over months.
type past struct {
	*kit
	id   identity.ID
	them identity.Ordinal
	// traces must be nowhere once they are forgotten, in any case.
	traces [][]byte
	others int // personal parts that are not about them and do not name them
}

func newPast(t *testing.T) *past {
	p := &past{kit: newKit(t, "title", "manager")}
	p.clock.at = time.Date(2026, 8, 3, 8, 0, 0, 0, time.UTC)
	p.persons(12)
	p.id = p.person("zelda", "employeeNumber", "E-471100", "title", "Archivist", "cn", "Zelda Fitzgerald-Kuhn")
	p.group("staff", dn("zelda"), dn("writer1"), dn("writer2"))
	p.read()
	p.clean()
	p.them = p.one("zelda").Ordinal
	one := p.one("writer1").Ordinal
	p.write(p.them, "zelda", "zk-account-1")
	p.write(one, "writer1", "w1-account-1")
	p.trace("zelda@example.com", dn("zelda"), "Zelda Fitzgerald-Kuhn", "E-471100", string(p.id), "zk-account-1")

	// Others refer to them, by the account too.
	p.settle(map[identity.Ordinal][]string{one: {dn("zelda"), dn("writer2")}})
	const reference = "uid=zk-reference,ou=accounts,dc=example,dc=com"
	p.trace(reference)
	o := order(one, target.Update, "w1-account-1")
	o.Change.Set = []target.Value{{Name: "manager", Values: []string{reference}}}
	in := must2(p.s.Intend("c1", []ledger.Order{o}))
	ok(t, p.s.Record([]Result{{Intent: in[0], Outcome: ledger.Outcome{Done: true}}}))

	// They get another login and DN.
	p.clock.forward(40 * 24 * time.Hour)
	p.src.Remove(p.id)
	p.src.Put(memory.Record{ID: p.id, Kind: 1, DN: dn("zelda.kuhn"), Attributes: map[string][]string{"uid": {"zelda.kuhn"}, "mail": {"Zelda.Kuhn@example.com"},
		"cn": {"Zelda Kuhn"}, "employeeNumber": {"E-471100"}, "title": {"Archivist"}}})
	p.read()
	p.trace("zelda.kuhn", "Zelda Kuhn", dn("zelda.kuhn"))
	p.write(p.them, "zelda.kuhn", "zk-account-1")
	disable := order(p.them, target.Disable, "zk-account-1")
	held := ledger.Hold{ID: "h1", Target: "wiki", Rule: "max_remove", Text: "2 accounts would be disabled", Opened: p.clock.at, Status: ledger.Waiting, Keys: []ledger.Held{
		{Key: disable.Change.Key(), Person: p.them, Text: "disable zelda.kuhn"}, {Key: target.Key{5}, Person: one, Text: "disable writer1"}}}
	held.History = []ledger.Version{{Version: held.Version(), At: p.clock.at}}
	ok(t, p.s.SaveHolds([]ledger.Hold{held}))
	p.trace(held.Version(), disable.Change.Key().String())
	ok(t, p.s.Decide("h1", func(h ledger.Hold) (ledger.Hold, error) {
		h.Status, h.ApprovedBy, h.Expires = ledger.Approved, "zelda.kuhn", p.clock.at.Add(time.Hour)
		for _, k := range h.Keys {
			h.Approved = append(h.Approved, k.Key)
		}
		return h, nil
	}))
	// They decide about others, and others speak of them.
	ok(t, p.s.Deny(ledger.Denial{Person: one, Reason: "asked by Zelda Kuhn", By: "zelda.kuhn", At: p.clock.at}))
	ok(t, p.s.Deny(ledger.Denial{Person: p.them, Reason: "left for good", By: "writer2", At: p.clock.at}))
	ok(t, p.s.Pause(ledger.Pause{Target: "wiki", Reason: "until zelda is back", By: "ZELDA.KUHN", At: p.clock.at, Until: p.clock.at.AddDate(9, 0, 0)}))
	ok(t, p.s.SaveOutage(ledger.Outage{Target: "wiki", Since: p.clock.at, Failures: 1, Error: "update uid=zelda.kuhn," + people + ": busy", Next: p.clock.at.AddDate(9, 0, 0)}))
	ok(t, p.s.SaveParked(ledger.Parked{Target: "wiki", Person: one, Subject: "take over from zelda.kuhn", Error: "name of uid=zelda.kuhn," + people + " is taken", Next: p.clock.at.AddDate(9, 0, 0)},
		ledger.Parked{Target: "wiki", Person: p.them, Subject: "update mail of zelda.kuhn", Next: p.clock.at.AddDate(9, 0, 0)}))
	ok(t, p.s.SaveCycle(CycleRecord{ID: "c9", Verb: "sync", Began: p.clock.at, Ended: p.clock.at, Error: "cannot read UID=Zelda.Kuhn," + people, Journal: true, By: "zelda.kuhn"}))
	ok(t, p.s.SavePolicy(PolicyRecord{Hash: "a", Text: "x", At: p.clock.at, By: "zelda.kuhn"}))
	ok(t, p.s.Mark("parked: create zelda.kuhn", p.them))
	ok(t, p.s.AddDue([]ledger.Due{{Person: p.them, At: p.clock.at.AddDate(3, 0, 0), Reason: "grace of zelda.kuhn"}}))
	ok(t, p.s.Unverified("c9", "wiki", nil, []ledger.Parked{{Target: "wiki", Person: one, Subject: "verify writer1", Error: "it shows zelda.kuhn"}}))

	p.clock.forward(40 * 24 * time.Hour)
	p.src.Remove(p.id)
	p.clock.forward(time.Hour)
	p.read()
	p.clock.forward(time.Hour)
	p.read()
	p.wantStanding("zelda.kuhn", identity.PresumedGone, identity.NoDoubt)
	p.write(p.them, "zelda.kuhn", "zk-account-1") // in the open month
	// What lay below their entry, and a sweep did not take away.
	ok(t, p.s.update(func(tx *txn) error {
		return tx.Bucket(bContainers).Put(containerKey(1, p.id+" below"), []byte("ou=addresses,"+dn("zelda")))
	}))
	closed := must2(p.s.Links(p.them))[p.them]["wiki"]
	closed.Phase, closed.Reference = ledger.Closed, reference
	ok(t, p.s.PutLinks([]ledger.Link{closed}))
	return p
}

// write makes the records of a write, and a link.
func (p *past) write(who identity.Ordinal, name, account string) {
	o := order(who, target.Create, "")
	o.Change.Name, o.Change.Set, o.By = name, []target.Value{{Name: "mail", Values: []string{name + "@example.com"}}}, "writer2"
	o.Because = []string{"member of staff"}
	in := must2(p.s.Intend("c1", []ledger.Order{o}))
	out := ledger.Outcome{Done: true, Account: target.Ref{ID: target.NativeID(account), Name: name}}
	l := ledger.Link{Person: who, Target: "wiki"}.After(o, out, p.clock.at)
	ok(p, p.s.Record([]Result{{Intent: in[0], Outcome: out, Link: &l}}))
	if who != p.them {
		return
	}
	d := l.Written["mail"]
	p.traces = append(p.traces, d[:])
	p.trace(o.Change.Key().String(), name)
}

// trace notes what must be nowhere afterwards, and its unsalted digests.
func (p *past) trace(list ...string) {
	for _, s := range list {
		p.traces = append(p.traces, []byte(s))
		if raw, err := hex.DecodeString(s); err == nil && len(raw) >= 6 {
			p.traces = append(p.traces, raw)
			continue
		}
		for _, h := range []digest{nameHash(byLogin, 1, foldLogin(s)), nameHash(byMail, 1, foldLogin(s)), rehireHash(s), digestOf(s)} {
			p.traces = append(p.traces, bytes.Clone(h[:]))
		}
		if d, err := identity.ParseDN(s); err == nil && !d.IsZero() {
			h := nameHash(byDN, 1, d.Key())
			p.traces = append(p.traces, []byte(d.Key()), bytes.Clone(h[:]))
		}
	}
}

// find returns which traces are in which files of a folder.
func (p *past) find(folder string) []string {
	p.Helper()
	var out []string
	ok(p, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		lower := bytes.ToLower(b)
		for _, t := range p.traces {
			if bytes.Contains(b, t) || bytes.Contains(lower, bytes.ToLower(t)) {
				out = append(out, fmt.Sprintf("%s: %q", filepath.Base(path), t))
			}
		}
		return err
	}))
	return out
}

// otherParts are the personal parts about others, as texts.
func otherParts(t tester, s *Store, them identity.Ordinal) (parts []string) {
	t.Helper()
	for _, r := range records(t, s, JournalFilter{}) {
		for _, p := range r.Parts {
			text := strings.ToLower(string(p.Data))
			if p.Person != uint64(them) && p.Data != nil && !strings.Contains(text, "zelda") && !strings.Contains(text, "zk-") {
				parts = append(parts, fmt.Sprint(r.Seq, p.Person, string(p.Data)))
			}
		}
	}
	return parts
}

func TestForgetLeavesNothing(t *testing.T) {
	p := newPast(t)
	if found := p.find(filepath.Dir(p.path)); len(found) < 20 {
		t.Fatalf("the test finds only %q", found)
	}
	before := otherParts(t, p.s, p.them)
	beforePeople := must2(p.s.People(p.one("writer1").Ordinal))
	f, err := p.s.Forget(context.Background(), []identity.Ordinal{p.them}, "writer2", "asked for it: zelda")
	ok(t, err)
	if len(f.Left) != 0 || f.Parts < 10 || !slices.Equal(f.People, []identity.Ordinal{p.them}) {
		t.Errorf("%+v", f)
	}
	if found := p.find(filepath.Dir(p.path)); len(found) > 0 {
		t.Fatalf("left: %q", found)
	}
	r, err := p.s.CheckJournal()
	if err != nil || r.Forgotten != f.Parts+1 && r.Forgotten != f.Parts {
		t.Fatalf("%+v, %d parts: %v", r, f.Parts, err)
	}
	months := must2(p.s.Months())
	if len(months) < 2 {
		t.Fatalf("only %d months: nothing of it is tested", len(months))
	}
	// Others are as they were, but for the version of the hold and the texts that
	// named them.
	after := map[string]bool{}
	for _, o := range otherParts(t, p.s, p.them) {
		after[o] = true
	}
	for _, o := range before {
		if !after[o] && !strings.Contains(o, `"version"`) {
			t.Errorf("gone with them: %s", o)
		}
	}
	if again := must2(p.s.People(p.one("writer1").Ordinal)); fmt.Sprint(again) != fmt.Sprint(beforePeople) {
		t.Errorf("%v became %v", beforePeople, again)
	}
	holds := must2(p.s.Holds())
	if len(holds) != 1 || len(holds[0].Keys) != 1 || len(holds[0].Approved) != 1 || holds[0].Keys[0].Text != "disable writer1" {
		t.Errorf("%+v", holds)
	}
	if d := must2(p.s.Denials()); len(d) != 1 || d[p.one("writer1").Ordinal].Reason != "asked by (forgotten)" {
		t.Errorf("%+v", d)
	}
	if parked := must2(p.s.Parked()); len(parked) != 2 || parked[0].Subject != "take over from (forgotten)" {
		t.Errorf("%+v", parked)
	}
	if pol, _, err := p.s.Policy(); err != nil || pol.Text != "x" || pol.By != "(forgotten)" || pol.Epoch != 1 {
		t.Errorf("%+v %v", pol, err)
	}
	// What the directory says does not bring them back: a group names them still.
	p.read()
	p.reopen()
	if found := p.find(filepath.Dir(p.path)); len(found) > 0 {
		t.Fatalf("after a read: %q", found)
	}
	if found, err := p.s.FindPerson(fmt.Sprint(p.them)); err != nil || len(found) != 0 {
		t.Fatal(found, err)
	}
	// A rehire under the same ID is somebody new.
	p.src.Put(memory.Record{ID: p.id, Kind: 1, DN: dn("zelda"), Attributes: map[string][]string{"uid": {"zelda"}, "employeeNumber": {"E-471100"}}})
	p.read()
	if again := p.one("zelda"); again.Ordinal == p.them || again.Standing != identity.Active {
		t.Fatalf("%+v", again)
	}
	if l := must2(p.s.Links(p.one("zelda").Ordinal)); len(l) != 0 {
		t.Fatalf("%+v", l)
	}
}

// Law 7: killed at any step, the forgetting is ended by whoever comes next, and
// the journal verifies in between.
func TestLaw07KilledWhileForgetting(t *testing.T) {
	p := newPast(t)
	kills := map[string]int{}
	look := func(what string) {
		kills[what]++
		dead := &kit{tester: t, path: filepath.Join(t.TempDir(), "s", filepath.Base(p.path)), clock: p.clock}
		copyFolder(t, filepath.Dir(p.path), filepath.Dir(dead.path))
		dead.open()
		defer dead.close()
		if _, err := dead.s.CheckJournal(); err != nil {
			t.Fatalf("%s %d: %v", what, kills[what], err)
		}
		_, err := dead.s.FinishForget(context.Background())
		ok(t, err)
		if found, err := dead.s.FindPerson(fmt.Sprint(p.them)); err == nil && len(found) > 0 {
			_, err = dead.s.Forget(context.Background(), []identity.Ordinal{p.them}, "writer2", "")
			ok(t, err)
		}
		if found := p.find(filepath.Dir(dead.path)); len(found) > 0 {
			t.Fatalf("%s %d: left: %q", what, kills[what], found)
		}
		if under, err := dead.s.Forgetting(); under || err != nil {
			t.Fatalf("%s %d: not ended: %v", what, kills[what], err)
		}
	}
	p.s.before = func() error { look("commit"); return nil }
	p.s.step = look
	_, err := p.s.Forget(context.Background(), []identity.Ordinal{p.them}, "writer2", "")
	ok(t, err)
	p.s.before, p.s.step = nil, func(string) {}
	for _, step := range []string{"commit", "forgetting begun", "records forgotten", "month forgotten", "month replaced", "journal forgotten", "written", "placed", "written anew"} {
		if kills[step] == 0 {
			t.Errorf("never killed at %q: %v", step, kills)
		}
	}
}

// Whoever is there, may be there, or has access left, is not forgotten.
func TestForgetRefuses(t *testing.T) {
	p := newPast(t)
	ctx := context.Background()
	refused := func(what string, who ...identity.Ordinal) {
		t.Helper()
		var r *RefusedError
		if _, err := p.s.Forget(ctx, who, "admin", ""); !errors.As(err, &r) || r.Hint() == "" {
			t.Errorf("%s: %v", what, err)
		}
		if under, _ := p.s.Forgetting(); under || len(must2(p.s.People(p.them))) != 1 {
			t.Fatalf("%s: it was begun", what)
		}
	}
	refused("in the source", p.one("writer1").Ordinal)
	refused("one of two in the source", p.them, p.one("writer1").Ordinal)
	if _, err := p.s.Forget(ctx, []identity.Ordinal{999}, "admin", ""); !errors.Is(err, ErrNoPerson) {
		t.Error(err)
	}
	l := must2(p.s.Links(p.them))[p.them]["wiki"]
	for _, phase := range []ledger.Phase{ledger.Open, ledger.ClosedElsewhere} {
		l.Phase = phase
		ok(t, p.s.PutLinks([]ledger.Link{l}))
		refused(phase.String(), p.them)
		if who := must2(p.s.Leavers(p.clock.at.AddDate(9, 0, 0), 10)); len(who) != 0 {
			t.Errorf("%s: %v", phase, who)
		}
	}
	l.Phase = ledger.Closed
	ok(t, p.s.PutLinks([]ledger.Link{l}))
	in := must2(p.s.Intend("c", []ledger.Order{order(p.them, target.Disable, "zk-account-1")}))
	refused("in doubt", p.them)
	ok(t, p.s.Record([]Result{{Intent: in[0], Outcome: ledger.Outcome{Done: true}}}))
	// Gone for long enough, and nothing is due: the resync may forget them.
	since := must2(p.s.People(p.them))[0].Since
	if who := must2(p.s.Leavers(since, 10)); len(who) != 0 {
		t.Errorf("%v", who)
	}
	if who := must2(p.s.Leavers(since.Add(1), 10)); len(who) != 0 {
		t.Errorf("a grace runs, and %v", who)
	}
	must2(p.s.Take(p.clock.at.AddDate(3, 0, 1)))
	for what, end := range map[string]func(){
		"parked": func() { ok(t, p.s.Unpark("wiki", p.them, "")) }, "held": func() { ok(t, p.s.SaveHolds(nil)) }, "marked": p.clean,
	} {
		if who := must2(p.s.Leavers(since.Add(1), 10)); len(who) != 0 {
			t.Errorf("before what is %s is settled: %v", what, who)
		}
		end()
	}
	if who := must2(p.s.Leavers(since.Add(1), 10)); !slices.Equal(who, []identity.Ordinal{p.them}) {
		t.Errorf("%v", who)
	}
	if who := must2(p.s.Leavers(since.Add(1), 0)); len(who) != 0 {
		t.Errorf("%v", who)
	}
}

// Where their names are left that are not rosterd's to change, it is said; and
// what is by now somebody else's name stays with them.
func TestForgetSaysWhatIsLeft(t *testing.T) {
	p := newPast(t)
	p.person("boss", "manager", dn("zelda.kuhn"))
	p.person("zelda") // the login and DN of before are given again
	p.read()
	ok(t, p.s.Deny(ledger.Denial{Person: p.one("zelda").Ordinal, Reason: "not yet", By: "admin", At: p.clock.at}))
	backup := filepath.Join(filepath.Dir(p.path), "rosterd.db.old")
	ok(t, os.WriteFile(backup, append(bytes.Repeat([]byte{7}, 1<<20-7), "zelda.kuhn@example.com"...), 0o600))
	f, err := p.s.Forget(context.Background(), []identity.Ordinal{p.them}, "admin", "")
	ok(t, err)
	if len(f.Left) != 2 || !strings.Contains(f.Left[0], "1 other people") || f.Left[1] != backup {
		t.Errorf("%q", f.Left)
	}
	if r := records(t, p.s, JournalFilter{Kind: "deny", Person: p.one("zelda").Ordinal}); len(r) != 1 || r[0].Parts[0].Data == nil {
		t.Errorf("the record of who has the login now was forgotten: %+v", r)
	}
	if r := records(t, p.s, JournalFilter{Kind: "forget"}); len(r) != 1 || !strings.Contains(personal(r[0]), "admin") {
		t.Errorf("%+v", r)
	}
	var broken error
	ok(t, p.s.Journal(JournalFilter{}, func(r journal.Sealed) error {
		for _, part := range r.Parts {
			if part.Person == uint64(p.them) && part.Data != nil {
				broken = fmt.Errorf("record %d: %s", r.Seq, part.Data)
			}
		}
		return nil
	}))
	ok(t, broken)
}

// A listing that knew them is not believed: it would bring them back.
func TestForgetWhileAListingIsRead(t *testing.T) {
	p := newPast(t)
	g := must2(p.s.Stage("corp", p.src.Coverage()))
	proof := must2(p.src.Read(context.Background(), g))
	_, err := p.s.Forget(context.Background(), []identity.Ordinal{p.them}, "admin", "")
	ok(t, err)
	missing := must2(g.Missing())
	ok(t, g.Found(must2(p.src.Find(context.Background(), missing))))
	p.rules.Now = p.clock.at
	if _, err := g.Seal(proof, p.rules); err == nil || !strings.Contains(err.Error(), "read again") {
		t.Fatal(err)
	}
	p.read()
}

// A role that is called as somebody was is not their name.
func TestForgetDoesNotTakeARoleForAName(t *testing.T) {
	p := newPast(t)
	ok(t, p.s.Note("test", map[string]any{"roles": []string{"zelda.kuhn"}}, nil))
	p.clock.forward(31 * 24 * time.Hour)
	f, err := p.s.Forget(context.Background(), []identity.Ordinal{p.them}, "admin", "")
	ok(t, err)
	if len(f.Left) != 0 {
		t.Errorf("%q", f.Left)
	}
	if r := records(t, p.s, JournalFilter{Kind: "test"}); len(r) != 1 || !strings.Contains(string(r[0].Public), "zelda.kuhn") {
		t.Errorf("%+v", r)
	}
	_, err = p.s.CheckJournal()
	ok(t, err)
}
