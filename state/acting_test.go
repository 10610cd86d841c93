package state

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state/journal"
	"github.com/rosterd/rosterd/target"
)

func order(person identity.Ordinal, verb target.Verb, account target.NativeID) ledger.Order {
	return ledger.Order{Change: target.Change{Target: "wiki", Person: person, Verb: verb, Account: account, Name: "writer"},
		Situation: "new", Because: []string{"role.writer"}, Roles: []string{"writer"},
		Spends: []ledger.Spend{{Target: "wiki", Rule: "max_create", Person: person, At: at()}}}
}

// personal is all that the personal parts of a record say.
func personal(r journal.Sealed) string {
	var b strings.Builder
	for _, p := range r.Parts {
		b.Write(p.Data)
	}
	return b.String()
}

func records(t tester, s *Store, f JournalFilter) []journal.Sealed {
	t.Helper()
	var out []journal.Sealed
	ok(t, s.Journal(f, func(r journal.Sealed) error { out = append(out, r); return nil }))
	return out
}

func TestLaw07AnIntentHasOneOutcome(t *testing.T) {
	k := newKit(t)
	k.persons(3)
	k.read()
	p := k.one("writer1").Ordinal
	create := order(p, target.Create, "")
	create.Change.Set = []target.Value{{Name: "photo", Values: []string{"\xff\x00\xfe"}}, {Name: "userPassword", Values: []string{"hunter2"}}}
	create.Nothing, create.Mark = true, "mark"
	intents := must2(k.s.Intend("c1", []ledger.Order{create, order(p, target.Grant, "a1")}))
	k.reopen() // killed after the intents
	doubt := must2(k.s.InDoubt())
	if len(doubt) != 2 || !reflect.DeepEqual(doubt, intents) {
		t.Fatalf("%+v\nwant %+v", doubt, intents)
	}
	if doubt[0].Order().Change.Key() != create.Change.Key() || doubt[0].Cycle() != "c1" || !doubt[0].At().Equal(k.clock.at) {
		t.Fatalf("%+v", doubt[0])
	}
	unknown := Result{Intent: doubt[0], Outcome: ledger.Outcome{Class: target.InDoubt, Err: "connection reset"}}
	ok(t, k.s.Record([]Result{unknown}))
	if len(must2(k.s.InDoubt())) != 2 || len(must2(k.s.Spends(time.Time{}))) != 0 {
		t.Fatal("an outcome in doubt ended the intent, or was spent")
	}
	link := ledger.Link{Person: p, Target: "wiki", Account: "a1", Name: "writer", Owner: ledger.Created, Phase: ledger.Open}
	done := Result{Intent: doubt[0], Outcome: ledger.Outcome{Done: true, Account: target.Ref{ID: "a1", Name: "writer"}}, Link: &link}
	failed := Result{Intent: doubt[1], Outcome: ledger.Outcome{Class: target.Transient, Err: "busy"},
		Parked: &ledger.Parked{Target: "wiki", Person: p, Subject: "grant", Attempts: 1, Next: k.clock.at.Add(time.Minute)}}
	// A kill before the commit leaves both in doubt.
	k.s.before = func() error { return errKilled }
	if err := k.s.Record([]Result{done, failed}); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	k.s.before = nil
	if len(must2(k.s.InDoubt())) != 2 || len(must2(k.s.Links())) != 0 {
		t.Fatal("half of an outcome was kept")
	}
	ok(t, k.s.Record([]Result{done, failed}))
	if len(must2(k.s.InDoubt())) != 0 || len(must2(k.s.Spends(time.Time{}))) != 1 || len(must2(k.s.Parked())) != 1 {
		t.Fatal("the outcomes were not kept")
	}
	if got := must2(k.s.Links(p)); !reflect.DeepEqual(got[p]["wiki"], link) {
		t.Fatalf("%+v", got)
	}
	for _, r := range []Result{done, failed, {}} {
		if err := k.s.Record([]Result{r}); err == nil {
			t.Fatal("an outcome was recorded twice, or for no intent")
		}
	}
	// A result that cannot be kept keeps none of its batch.
	again := must2(k.s.Intend("c2", []ledger.Order{order(p, target.Grant, "a1")}))
	taken := ledger.Link{Person: p + 1, Target: "wiki", Account: "a1", Phase: ledger.Open}
	if err := k.s.Record([]Result{{Intent: again[0], Outcome: ledger.Outcome{Done: true}, Link: &taken}}); !errors.Is(err, ErrTaken) {
		t.Fatal(err)
	}
	if len(must2(k.s.InDoubt())) != 1 {
		t.Fatal("the intent is gone without an outcome")
	}
	// The journal tells every write, and no secret.
	all := records(t, k.s, JournalFilter{Kind: "intent"})
	outcomes := records(t, k.s, JournalFilter{Kind: "outcome", Cycle: "c1", Person: p, Target: "wiki"})
	if len(all) != 3 || len(outcomes) != 3 || all[0].Action != "create" || all[0].Situation != "new" {
		t.Fatalf("%+v\n%+v", all, outcomes)
	}
	text := string(all[0].Parts[0].Data)
	if strings.Contains(text, "hunter2") || !strings.Contains(text, secret.Redacted) {
		t.Fatalf("%s", text)
	}
	for _, want := range []string{`"login":"writer1"`, `"dn":"` + dn("writer1"), `"id":"0000`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if public := string(all[0].Public); strings.Contains(public, "writer1") || !strings.Contains(public, `"intent":1`) {
		t.Fatalf("%s", public)
	}
	if last := records(t, k.s, JournalFilter{Last: 1}); len(last) != 1 || last[0].Kind != "intent" || last[0].Cycle != "c2" {
		t.Fatalf("%+v", last)
	}
}

func TestLaw04AnApprovalIsUsedOnce(t *testing.T) {
	k := newKit(t)
	k.persons(2)
	k.read()
	o := order(1, target.Disable, "a1")
	id := must2(k.s.NextHoldID())
	o.Approval = id
	other := target.Key{9}
	hold := ledger.Hold{ID: id, Target: "wiki", Rule: "max_remove", Status: ledger.Waiting, Keys: []ledger.Held{{Key: o.Change.Key(), Person: 1}, {Key: other, Person: 2}}}
	ok(t, k.s.SaveHolds([]ledger.Hold{hold}))
	k.clean()
	k.wantDirty("writer1", "writer2") // whoever is in an open hold, always
	ok(t, k.s.Decide(id, func(h ledger.Hold) (ledger.Hold, error) {
		h.Status, h.ApprovedBy, h.Approved = ledger.Approved, "admin", []target.Key{o.Change.Key(), other}
		return h, nil
	}))
	left := func() []target.Key { return must2(k.s.Holds())[0].Approved }
	in := must2(k.s.Intend("c1", []ledger.Order{o}))
	if !slices.Equal(left(), []target.Key{other}) {
		t.Fatalf("%v", left())
	}
	ok(t, k.s.Record([]Result{{Intent: in[0], Outcome: ledger.Outcome{Class: target.Transient}}}))
	if len(left()) != 2 {
		t.Fatal("what was not done used up its approval")
	}
	in = must2(k.s.Intend("c1", []ledger.Order{o}))
	ok(t, k.s.Record([]Result{{Intent: in[0], Outcome: ledger.Outcome{Class: target.InDoubt}}}))
	if len(left()) != 1 {
		t.Fatal("what may have been done can be done again")
	}
	ok(t, k.s.Record([]Result{{Intent: in[0], Outcome: ledger.Outcome{Done: true}}}))
	if !slices.Equal(left(), []target.Key{other}) {
		t.Fatalf("%v", left())
	}
	if err := k.s.Decide(id, func(h ledger.Hold) (ledger.Hold, error) { return h, errKilled }); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	for _, id := range []string{"h99", "x", "h0", ""} {
		if err := k.s.Decide(id, func(h ledger.Hold) (ledger.Hold, error) { return h, nil }); !errors.Is(err, ErrNoHold) {
			t.Fatalf("%q: %v", id, err)
		}
	}
	r := records(t, k.s, JournalFilter{Kind: "approve"})
	if len(r) != 1 || !strings.Contains(personal(r[0]), `{"by":"admin"}`) || strings.Contains(string(r[0].Public), "admin") {
		t.Fatalf("%+v", r)
	}
	ok(t, k.s.SaveHolds(nil))
	if len(must2(k.s.Holds())) != 0 || len(records(t, k.s, JournalFilter{Kind: "hold-closed"})) != 1 {
		t.Fatal("a closed hold stays")
	}
	k.clean()
	k.wantDirty()
	if next := must2(k.s.NextHoldID()); next != "h2" {
		t.Fatal(next)
	}
}

func TestLaw04ADecisionOutlivesThePlanThatDidNotSeeIt(t *testing.T) {
	k := newKit(t)
	k.loose = true
	keys := []target.Key{{1}, {2}, {3}}
	hold := ledger.Hold{ID: "h1", Target: "wiki", Rule: "max_remove", Status: ledger.Waiting}
	for i, key := range keys[:2] {
		hold.Keys = append(hold.Keys, ledger.Held{Key: key, Person: identity.Ordinal(i + 1)})
	}
	ok(t, k.s.SaveHolds([]ledger.Hold{hold}))
	read := must2(k.s.Holds()) // what a plan saw
	approve := func(h ledger.Hold) (ledger.Hold, error) {
		h.Status, h.ApprovedBy, h.Approved, h.Expires = ledger.Approved, "admin", slices.Clone(keys[:2]), k.clock.at.Add(time.Hour)
		return h, nil
	}
	ok(t, k.s.Decide("h1", approve))
	ok(t, k.s.SaveHolds(read))
	if h := must2(k.s.Holds())[0]; h.Status != ledger.Approved || h.ApprovedBy != "admin" || len(h.Approved) != 2 {
		t.Fatalf("a plan took the approval back: %+v", h)
	}
	// A use is not undone by a plan that did not see it.
	read = must2(k.s.Holds())
	ok(t, k.s.update(func(tx *txn) error { return useApproval(tx, "h1", keys[0]) }))
	ok(t, k.s.SaveHolds(read))
	if h := must2(k.s.Holds())[0]; !slices.Equal(h.Approved, keys[1:2]) {
		t.Fatalf("an approval can be used twice: %+v", h)
	}
	// What was not shown is not covered, and who came back drops out.
	read = must2(k.s.Holds())
	read[0].Keys = []ledger.Held{{Key: keys[0], Person: 1}, {Key: keys[2], Person: 3}}
	read[0].Status = ledger.Waiting
	ok(t, k.s.SaveHolds(read))
	if h := must2(k.s.Holds())[0]; h.Status != ledger.Waiting || len(h.Approved) != 0 {
		t.Fatalf("%+v", h)
	}
	// A rejection that came in between stands; new changes reopen it.
	read = must2(k.s.Holds())
	ok(t, k.s.Decide("h1", func(h ledger.Hold) (ledger.Hold, error) {
		h.Status, h.ApprovedBy, h.Refused, h.Approved = ledger.Rejected, "admin", []target.Key{keys[0], keys[2]}, nil
		return h, nil
	}))
	ok(t, k.s.SaveHolds(read))
	if h := must2(k.s.Holds())[0]; h.Status != ledger.Rejected || len(h.Refused) != 2 {
		t.Fatalf("%+v", h)
	}
	read[0].Keys = append(read[0].Keys, ledger.Held{Key: target.Key{4}, Person: 4})
	ok(t, k.s.SaveHolds(read))
	if h := must2(k.s.Holds())[0]; h.Status != ledger.Waiting || len(h.Refused) != 2 {
		t.Fatalf("%+v", h)
	}
	// An approval that ran out is the plan's to end.
	ok(t, k.s.Decide("h1", approve))
	k.clock.forward(2 * time.Hour)
	read[0].ApprovedBy, read[0].Expires = "", time.Time{}
	ok(t, k.s.SaveHolds(read))
	if h := must2(k.s.Holds())[0]; h.Status != ledger.Waiting || h.ApprovedBy != "" {
		t.Fatalf("%+v", h)
	}
}

func TestMarksSurviveWhatComesInBetween(t *testing.T) {
	k := newKit(t)
	k.persons(3)
	k.read()
	k.clean()
	one, two := k.one("writer1").Ordinal, k.one("writer2").Ordinal
	ok(t, k.s.Mark("asked for", one, two))
	marks := must2(k.s.Take(k.clock.at))
	if n := must2(k.s.Sequence(one)); n != marks[0].Sequence {
		t.Fatal(n, marks)
	}
	ok(t, k.s.Mark("again", one)) // arrives while the cycle runs
	if n := must2(k.s.Settle(marks)); n != 1 {
		t.Fatalf("settled %d", n)
	}
	left := must2(k.s.Take(k.clock.at))
	if len(left) != 1 || left[0].Person != one || !slices.Equal(left[0].Reasons, []string{"asked for", "again"}) {
		t.Fatalf("%+v", left)
	}
	k.clean()
	if n := must2(k.s.Sequence(one)); n != 0 {
		t.Fatal(n)
	}
	due := k.clock.at.Add(time.Hour)
	ok(t, k.s.AddDue([]ledger.Due{{Person: one, At: due, Reason: "grace ends"}, {Person: one, At: due, Reason: "grace ends"}, {Person: two, At: due.Add(1), Reason: "x"}}))
	if m := must2(k.s.Take(due.Add(-1))); len(m) != 0 {
		t.Fatalf("%+v", m)
	}
	if m := must2(k.s.Take(due)); len(m) != 1 || !slices.Equal(m[0].Reasons, []string{"grace ends"}) {
		t.Fatalf("%+v", m)
	}
	k.clean()
	ok(t, k.s.SaveParked(ledger.Parked{Target: "wiki", Person: two, Subject: "map", Next: due}, ledger.Parked{Target: "wiki", Person: two, Subject: "map2", Next: due}))
	if m := must2(k.s.Take(k.clock.at)); len(m) != 0 {
		t.Fatalf("%+v", m)
	}
	if m := must2(k.s.Take(due)); len(m) != 1 || m[0].Reasons[0] != "parked: map" {
		t.Fatalf("%+v", m)
	}
	n := must2(k.s.Sequence(two))
	must2(k.s.Take(due))
	if must2(k.s.Sequence(two)) != n {
		t.Fatal("taking twice marked twice")
	}
	ok(t, k.s.Unpark("wiki", two, "map2"))
	ok(t, k.s.Unpark("wiki", two, ""))
	if len(must2(k.s.Parked())) != 0 {
		t.Fatal("still parked")
	}
}

func TestLinksAndTheirOwners(t *testing.T) {
	k := newKit(t)
	k.loose = true
	full := ledger.Link{Person: 1, Target: "wiki", Account: "a\x00\xff", Name: "writer1", Owner: ledger.Adopted, By: "admin", Phase: ledger.Closed,
		Cause: "gone", PhaseSince: at(), Written: map[string]ledger.Digest{"mail": {1}, "cn": {2}},
		Granted: []ledger.Granted{{Entitlement: "Writers", Roles: []string{"writer", "lead"}, Since: at()}}, Verified: at(),
		Added: map[string][]string{"mail": {"w1@corp.example", "\xff"}, "room": {""}}, Taken: []string{"Drafts", "Editors"}}
	ok(t, k.s.PutLinks([]ledger.Link{full, {Person: 2, Target: "wiki", Account: "b", Phase: ledger.Open}, {Person: 1, Target: "dir", Account: "b", Phase: ledger.Open}}))
	k.reopen()
	if got := must2(k.s.Links()); !reflect.DeepEqual(got[1]["wiki"], full) || len(got) != 2 || len(got[1]) != 2 {
		t.Fatalf("%+v", got)
	}
	if o, found, err := k.s.LinkOwner("wiki", "b"); o != 2 || !found || err != nil {
		t.Fatal(o, found, err)
	}
	if open, all, err := k.s.LinkCount("wiki"); open != 1 || all != 2 || err != nil {
		t.Fatal(open, all, err)
	}
	err := k.s.PutLinks([]ledger.Link{{Person: 3, Target: "wiki", Account: "c", Phase: ledger.Open}, {Person: 3, Target: "wiki", Account: "b", Phase: ledger.Open}})
	if !errors.Is(err, ErrTaken) || len(must2(k.s.Links(3))) != 0 {
		t.Fatal(err)
	}
	// The account goes, and its ID is given to somebody else.
	ok(t, k.s.PutLinks([]ledger.Link{{Person: 2, Target: "wiki", Account: "b", Phase: ledger.Deleted}}))
	if _, found, _ := k.s.LinkOwner("wiki", "b"); found {
		t.Fatal("a deleted account has an owner")
	}
	ok(t, k.s.PutLinks([]ledger.Link{{Person: 3, Target: "wiki", Account: "b", Phase: ledger.Open}}))
	ok(t, k.s.PutLinks([]ledger.Link{{Person: 2, Target: "wiki", Account: "b", Phase: ledger.Deleted}}))
	if o, _, _ := k.s.LinkOwner("wiki", "b"); o != 3 {
		t.Fatal("the deleted link took the account from its new owner")
	}
	ok(t, k.s.VerifyLinks("c1", "wiki", []identity.Ordinal{3, 9}, at().Add(time.Hour)))
	if l := must2(k.s.Links(3))[3]["wiki"]; !l.Verified.Equal(at().Add(time.Hour)) {
		t.Fatalf("%+v", l)
	}
	ok(t, k.s.SaveTarget(TargetState{Name: "wiki", Identity: "x", First: true}))
	ok(t, k.s.ForgetTarget("wiki", "admin"))
	if got := must2(k.s.Links()); len(got) != 1 || len(got[1]) != 1 || must2(k.s.Target("wiki")).First {
		t.Fatalf("%+v", got)
	}
	if _, found, _ := k.s.LinkOwner("dir", "b"); !found {
		t.Fatal("another target's links went too")
	}
}

func TestDenialsPolicyCyclesAndSpends(t *testing.T) {
	k := newKit(t)
	k.persons(2)
	k.read()
	k.clean()
	d := ledger.Denial{Person: 1, Reason: "asked", By: "admin", At: at()}
	ok(t, k.s.Deny(d))
	k.wantDirty("writer1")
	if got := must2(k.s.Denials()); got[1] != d {
		t.Fatalf("%+v", got)
	}
	k.clean()
	ok(t, k.s.Allow(1, "admin", "was a mistake"))
	ok(t, k.s.Allow(2, "admin", "nothing to lift"))
	k.wantDirty("writer1")
	if len(must2(k.s.Denials())) != 0 || len(records(t, k.s, JournalFilter{Kind: "allow"})) != 1 {
		t.Fatal("not lifted, or lifted twice")
	}
	if _, there, err := k.s.Policy(); there || err != nil {
		t.Fatal(there, err)
	}
	for _, c := range []struct {
		hash  string
		epoch uint64
	}{{"a", 1}, {"a", 1}, {"b", 2}} {
		ok(t, k.s.SavePolicy(PolicyRecord{Hash: c.hash, Text: "x", At: at()}))
		if p, _, _ := k.s.Policy(); p.Epoch != c.epoch || p.Hash != c.hash {
			t.Fatalf("%+v", p)
		}
	}
	for i := range 3 {
		c := CycleRecord{ID: string(rune('a' + i)), Verb: "sync", Began: at().Add(time.Duration(i) * time.Second)}
		ok(t, k.s.SaveCycle(c))
		c.Exit = 4
		ok(t, k.s.SaveCycle(c))
	}
	if c := must2(k.s.Cycles(2)); len(c) != 2 || c[0].ID != "c" || c[1].ID != "b" || c[0].Exit != 4 {
		t.Fatalf("%+v", c)
	}
	ok(t, k.s.update(func(tx *txn) error {
		for i := range 3 {
			if err := putSpend(tx, ledger.Spend{Target: "wiki", At: at().Add(time.Duration(i) * time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	}))
	if n := len(must2(k.s.Spends(at().Add(time.Hour)))); n != 2 {
		t.Fatal(n)
	}
	if n := len(must2(k.s.Spends(time.Time{}))); n != 3 {
		t.Fatal("what was not asked for is forgotten:", n)
	}
	ok(t, k.s.DropSpends(at().Add(time.Hour)))
	if n := len(must2(k.s.Spends(time.Time{}))); n != 2 {
		t.Fatal("older spends are not forgotten:", n)
	}
}

func TestJournalVerifies(t *testing.T) {
	k := newKit(t)
	for i := range 30 {
		ok(t, k.s.Note("test", map[string]int{"n": i}, map[string]string{"login": "writer1"}))
	}
	n, head, err := k.s.VerifyJournal()
	if n != 30 || len(head) != 64 || err != nil {
		t.Fatal(n, head, err)
	}
	put := func(key, v []byte) func(*txn) error {
		return func(tx *txn) error { return tx.Bucket(bJournal).Put(key, v) }
	}
	var fifth, sixth, last []byte
	ok(t, k.s.view(func(tx *txn) error {
		b := tx.Bucket(bJournal)
		fifth, sixth, last = slices.Clone(b.Get(u64(5))), slices.Clone(b.Get(u64(6))), slices.Clone(b.Get(u64(30)))
		return nil
	}))
	undo := func(tx *txn) error {
		for n, v := range map[uint64][]byte{5: fifth, 6: sixth, 30: last} {
			if err := tx.Bucket(bJournal).Put(u64(n), v); err != nil {
				return err
			}
		}
		return nil
	}
	flipped := slices.Clone(fifth)
	flipped[len(flipped)-3] ^= 1
	public := slices.Clone(fifth)
	public[70] ^= 1
	for name, edit := range map[string]func(*txn) error{
		"personal part": put(u64(5), flipped), "public part": put(u64(5), public), "copied": put(u64(6), fifth),
		"taken out":      func(tx *txn) error { return tx.Bucket(bJournal).Delete(u64(6)) },
		"cut at the end": func(tx *txn) error { return tx.Bucket(bJournal).Delete(u64(30)) },
		"cut with its count": func(tx *txn) error {
			if err := tx.Bucket(bJournal).Delete(u64(30)); err != nil {
				return err
			}
			return tx.Bucket(bJournal).SetSequence(29)
		},
	} {
		ok(t, k.s.update(edit))
		if _, _, err := k.s.VerifyJournal(); !errors.Is(err, journal.ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
		ok(t, k.s.update(func(tx *txn) error {
			if err := tx.Bucket(bJournal).SetSequence(30); err != nil {
				return err
			}
			return undo(tx)
		}))
	}
	forgotten, _, err := journal.Forget(fifth, func(uint64, []byte) bool { return true })
	ok(t, err)
	ok(t, k.s.update(put(u64(5), forgotten)))
	if _, _, err := k.s.VerifyJournal(); !errors.Is(err, journal.ErrChain) || !strings.Contains(err.Error(), "record 5: a personal part was taken away") {
		t.Fatal("a personal part was taken away:", err)
	}
	ok(t, k.s.update(func(tx *txn) error {
		return k.s.note(tx, recordOf("forgot"), map[string]any{"also": [][2]uint64{{5, 0}}})
	}))
	if n, _, err := k.s.VerifyJournal(); n != 31 || err != nil {
		t.Fatal("a forgotten personal part broke the chain:", err)
	}
	if r := records(t, k.s, JournalFilter{}); r[4].Parts[0].Data != nil || len(r) != 31 || !json.Valid(r[5].Parts[0].Data) {
		t.Fatalf("%+v", r[4])
	}
}
