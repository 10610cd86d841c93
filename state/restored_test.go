package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// copied copies the files of a state into another folder, and returns the path there.
func copied(t *testing.T, path string) string {
	t.Helper()
	to := t.TempDir()
	ok(t, os.CopyFS(to, os.DirFS(filepath.Dir(path))))
	return filepath.Join(to, filepath.Base(path))
}

// used is a state in use, and a copy of it from before its last uses, taken when
// it was closed.
func used(t *testing.T) (k *kit, old string) {
	t.Helper()
	k = newKit(t)
	k.persons(3)
	k.read()
	ok(t, k.s.SaveTarget(TargetState{Name: "wiki", First: true}))
	ok(t, k.s.SaveHolds([]ledger.Hold{{ID: "h1", Target: "wiki", Rule: "max_remove", Status: ledger.Approved, ApprovedBy: "me",
		Expires: at().AddDate(1, 0, 0), Keys: []ledger.Held{{Key: target.Key{1}, Person: 1}}, Approved: []target.Key{{1}}},
		{ID: "h2", Target: "wiki", Rule: "max_create", Status: ledger.Rejected, ApprovedBy: "me",
			Keys: []ledger.Held{{Key: target.Key{2}, Person: 2}}, Refused: []target.Key{{2}}}}))
	o := order(1, target.Disable, "")
	o.Approval = "h1"
	must2(k.s.Intend("c1", []ledger.Order{o}))
	ok(t, k.s.Close())
	old = copied(t, k.path)
	k.open()
	for i := range 6 {
		k.person(fmt.Sprint("later", i))
	}
	k.read()
	ok(t, k.s.Note("later", 1, nil))
	return k, old
}

// restored opens the state and wants it to be known as one that may be old.
func wantRestored(t *testing.T, path, why string) *Store {
	t.Helper()
	s, err := Open(path, Options{Now: at})
	ok(t, err)
	r, is, err := s.Restored()
	ok(t, err)
	if !is || r.Resynced || s.Opening().Restored == nil || !strings.Contains(r.Why, why) {
		s.Close()
		t.Fatalf("%v %+v, want %q", is, r, why)
	}
	return s
}

func TestARestoredStateIsKnownAsOne(t *testing.T) {
	k, old := used(t)
	was := k.s.Serial()
	last := must2(k.s.NextHoldID())
	records, head, err := k.s.JournalHead()
	ok(t, err)
	ok(t, k.s.Close())
	whole, err := os.ReadFile(old)
	ok(t, err)
	ok(t, os.WriteFile(k.path, whole, 0o600))

	s := wantRestored(t, k.path, "older")
	k.s = s
	r, _, _ := s.Restored()
	if r.Commits == 0 || r.Records == 0 || r.Head != head {
		t.Fatalf("%+v, the journal had %d records", r, records)
	}
	if s.Serial() == was {
		t.Error("marks would be taken for its own that it did not give")
	}
	// Neither a person nor a hold gets a number that somebody may have.
	k.person("newcomer")
	k.read()
	if p := k.one("newcomer"); p.Ordinal <= 9 {
		t.Errorf("the newcomer is %s", p.Ordinal)
	}
	if n := must2(k.s.NextHoldID()); n == last || n == "h3" {
		t.Errorf("the hold is %s, after %s", n, last)
	}
	// What was approved may have been done: it is asked again.
	if h := must2(s.Holds()); len(h) != 1 || h[0].ID != "h2" || h[0].Status != ledger.Rejected {
		t.Errorf("%+v", h)
	}
	doubts := must2(s.InDoubt())
	if len(doubts) != 1 || doubts[0].Order().Approval != "" {
		t.Errorf("%+v", doubts)
	}
	ok(t, s.Record([]Result{{Intent: doubts[0], Outcome: ledger.Outcome{Err: "not done", Class: target.Transient}}}))
	if n := len(records2(t, s, "restored")); n != 1 {
		t.Errorf("the journal has %d records of it", n)
	}
	// It stays so until it was agreed to, and is then as any other.
	k.reopen()
	if _, is, _ := k.s.Restored(); !is || k.s.Opening().Restored != nil {
		t.Fatal("it was forgotten, or noted twice")
	}
	ok(t, k.s.Resynced())
	all := []string{"wiki", "board"}
	ok(t, k.s.Agree("wiki", "me", all))
	if r, is, _ := k.s.Restored(); !is || !r.Resynced {
		t.Fatal("one target was enough")
	}
	ok(t, k.s.Agree("board", "me", all))
	if _, is, _ := k.s.Restored(); is {
		t.Fatal("it is restored for ever")
	}
	ok(t, k.s.Agree("board", "me", all)) // no more to agree to
	if n := len(records2(t, k.s, "agreed")); n != 2 {
		t.Errorf("the journal has %d records of it", n)
	}
	if w := must2(k.s.Target("wiki")); !w.First {
		t.Errorf("%+v", w)
	}
}

func records2(t *testing.T, s *Store, kind string) (out []uint64) {
	t.Helper()
	for _, r := range records(t, s, JournalFilter{Kind: kind}) {
		out = append(out, r.Seq)
	}
	return out
}

func TestACopyOfTheFolderJustWorks(t *testing.T) {
	k, old := used(t)
	for _, path := range []string{old, copied(t, k.path)} {
		s, err := Open(path, Options{Now: k.clock.now})
		ok(t, err)
		if _, is, _ := s.Restored(); is || s.Opening().Restored != nil {
			t.Error("it is taken for a restored one")
		}
		ok(t, s.Note("x", 1, nil))
		ok(t, s.Close())
	}
}

func TestTheFileAloneIsTakenForARestoredOne(t *testing.T) {
	k, old := used(t)
	ok(t, os.Remove(witnessPath(old)))
	s := wantRestored(t, old, "not beside it")
	ok(t, s.Close())
	s, err := Open(old, Options{Now: at})
	ok(t, err)
	if s.Opening().Restored != nil {
		t.Error("it was noted twice")
	}
	ok(t, s.Close())
	ok(t, os.WriteFile(witnessPath(old), []byte("not what it should be"), 0o600))
	ok(t, wantRestored(t, old, "not beside it").Close())

	// Another state, with the witness of this one.
	other := filepath.Join(t.TempDir(), "s.db")
	s, err = Open(other, Options{Now: at})
	ok(t, err)
	ok(t, s.Close())
	ok(t, k.s.Close())
	k.s = nil
	ok(t, os.Rename(other, k.path))
	ok(t, wantRestored(t, k.path, "another state").Close())
}

func TestTwoThatWentTwoWaysAreToldApart(t *testing.T) {
	k, old := used(t)
	ok(t, k.s.Close())
	k.open() // as many commits on both
	a, b := copied(t, old), copied(t, old)
	for i, path := range []string{a, b} {
		s, err := Open(path, Options{Now: at})
		ok(t, err)
		ok(t, s.Note("x", i, nil))
		ok(t, s.Close())
	}
	whole, err := os.ReadFile(b)
	ok(t, err)
	ok(t, os.WriteFile(a, whole, 0o600))
	ok(t, wantRestored(t, a, "another way").Close())
}

// bbolt takes the older of the two pages when the newer one is damaged: the last
// commit is gone, and it says nothing.
func TestATornMetaPageIsFoundAtOpen(t *testing.T) {
	for _, c := range []struct {
		newest, clean bool
		want          string
	}{
		{newest: true, clean: true, want: "older"},
		{newest: true, want: "older"},
		{clean: true},
		{},
	} {
		k, _ := used(t)
		ok(t, k.s.Note("last", 1, nil))
		if !c.clean {
			// As after a kill.
			path := copied(t, k.path)
			ok(t, k.s.Close())
			k.path = path
		} else {
			ok(t, k.s.Close())
		}
		k.s = nil
		whole, err := os.ReadFile(k.path)
		ok(t, err)
		m, err := readMetas(bytes.NewReader(whole), int64(len(whole)))
		ok(t, err)
		torn := int(m.newest.tx % 2)
		if !c.newest {
			torn = 1 - torn
		}
		whole[torn*m.newest.pageSize+pageHead+50] ^= 1
		ok(t, os.WriteFile(k.path, whole, 0o600))
		s, err := Open(k.path, Options{Now: k.clock.now})
		ok(t, err)
		k.s = s
		r := s.Opening().Restored
		if !s.Opening().Torn || !s.Opening().Unclean || s.Opening().Values == 0 || (r != nil) != (c.want != "") || r != nil && (r.Commits != 1 || !strings.Contains(r.Why, c.want)) {
			t.Errorf("%+v: %+v %+v", c, s.Opening(), r)
		}
		if n := len(records2(t, s, "last")); n != 1 && !c.newest || n != 0 && c.newest {
			t.Errorf("%+v: the last commit is there %d times", c, n)
		}
		// The next commit heals it, and it is said once.
		k.reopen()
		if k.s.Opening().Torn || k.s.Opening().Restored != nil {
			t.Errorf("%+v: %+v", c, k.s.Opening())
		}
		k.close()
	}
}

// A page that breaks is found before anything is read, when the state was not
// closed; when it was, state check finds it.
func TestABrokenPageIsFoundAfterAnUncleanStop(t *testing.T) {
	k, _ := used(t)
	unclean := copied(t, k.path)
	ok(t, k.s.Close())
	k.s = nil
	for _, path := range []string{unclean, k.path} {
		whole, err := os.ReadFile(path)
		ok(t, err)
		at2 := bytes.LastIndex(whole, []byte("writer2"))
		whole[at2] ^= 1
		ok(t, os.WriteFile(path, whole, 0o600))
	}
	if _, err := Open(unclean, Options{Now: at}); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	s, err := Open(k.path, Options{Now: at})
	ok(t, err)
	defer s.Close()
	if s.Opening().Unclean {
		t.Error("it was closed")
	}
	if _, err := s.Check(t.Context()); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
}

func TestAnUncleanStopIsNoRestore(t *testing.T) {
	k, _ := used(t)
	for range 3 {
		path := copied(t, k.path)
		s, err := Open(path, Options{Now: k.clock.now})
		ok(t, err)
		if o := s.Opening(); !o.Unclean || o.Values == 0 || o.Restored != nil || o.Torn {
			t.Fatalf("%+v", o)
		}
		ok(t, s.Close())
		// The witness was not on disk: the state has come further than it says.
		b, err := os.ReadFile(witnessPath(k.path))
		ok(t, err)
		ok(t, k.s.Note("x", 1, nil))
		ok(t, k.s.Close())
		ok(t, os.WriteFile(witnessPath(k.path), b, 0o600))
		k.open()
		if o := k.s.Opening(); !o.Unclean || o.Restored != nil {
			t.Fatalf("%+v", o)
		}
	}
}

func TestAWitnessThatIsNoFileIsNotFollowed(t *testing.T) {
	k, old := used(t)
	victim := filepath.Join(t.TempDir(), "victim")
	ok(t, os.WriteFile(victim, []byte("precious"), 0o600))
	ok(t, os.Remove(witnessPath(old)))
	ok(t, os.Symlink(victim, witnessPath(old)))
	if _, err := Open(old, Options{Now: k.clock.now}); err == nil {
		t.Fatal("opened")
	}
	if b, err := os.ReadFile(victim); err != nil || string(b) != "precious" {
		t.Fatalf("%q %v", b, err)
	}
}

func TestMarksThatItDidNotGive(t *testing.T) {
	k, _ := used(t)
	serial := k.s.Serial()
	ours, given, _, err := k.s.Gave(serial, 9)
	if !ours || !given || err != nil {
		t.Fatal(ours, given, err)
	}
	ours, given, forgotten, _ := k.s.Gave(serial, 4711)
	if !ours || given || forgotten {
		t.Fatal(ours, given, forgotten)
	}
	// A state that was set back may give a number to a group that somebody had.
	k.group("team")
	k.read()
	groups := 0
	ok(t, k.s.view(func(tx *txn) error {
		return tx.Bucket(bGroups).ForEach(func(key, _ []byte) error {
			groups++
			if _, given, forgotten, err := k.s.Gave(serial, fromU64(key)); !given || forgotten || err != nil {
				t.Errorf("the number of a group: given %v, forgotten %v, %v", given, forgotten, err)
			}
			return nil
		})
	}))
	if groups == 0 {
		t.Fatal("there is no group to try it with")
	}
	ok(t, k.s.Suspect("the wiki has an account of #4711"))
	if r, is, _ := k.s.Restored(); !is || !strings.Contains(r.Why, "4711") {
		t.Fatalf("%+v", r)
	}
	if ours, _, _, _ = k.s.Gave(serial, 4711); ours {
		t.Fatal("the mark would be found again for ever")
	}
	ok(t, k.s.Suspect("again"))
	if n := records2(t, k.s, "restored"); len(n) != 1 {
		t.Fatal(n)
	}
}

func FuzzWitness(f *testing.F) {
	p := position{serial: [8]byte{1, 2, 3}, generation: 1, commit: 4, records: 5, ordinal: 6, hold: 7, closed: true}
	whole := slices.Concat(encodeSlot(1, p), make([]byte, slotSize-len(encodeSlot(1, p))), encodeSlot(2, p))
	f.Add(whole)
	f.Add(whole[:slotSize+50])
	f.Fuzz(func(t *testing.T, b []byte) {
		n, p, known := decodeWitness(b)
		if !known {
			return
		}
		if n2, p2, known := decodeWitness(encodeSlot(n, p)); !known || n2 != n || p2 != p {
			t.Fatalf("%d %+v became %d %+v", n, p, n2, p2)
		}
	})
}

func TestOneSlotOfTheWitnessIsEnough(t *testing.T) {
	k, _ := used(t)
	ok(t, k.s.Close())
	k.s = nil
	b, err := os.ReadFile(witnessPath(k.path))
	ok(t, err)
	n, last, known := decodeWitness(b)
	if !known || !last.closed {
		t.Fatalf("%+v", last)
	}
	for slot := range 2 {
		c := bytes.Clone(b)
		c[slot*slotSize+20] ^= 1
		m, p, known := decodeWitness(c)
		if !known || m < n-1 || m == n && p != last {
			t.Errorf("slot %d: %d of %d, %+v", slot, m, n, p)
		}
	}
}
