package state

import (
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
)

func must0(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settled looks at everybody who is marked at a moment and settles them with a
// date.
func (k *kit) settled(now time.Time, next map[identity.Ordinal]time.Time) []identity.Ordinal {
	k.Helper()
	marks := must2(k.s.Take(now))
	var who []identity.Ordinal
	for i := range marks {
		who = append(who, marks[i].Person)
		marks[i].Next = next[marks[i].Person]
	}
	if n := must2(k.s.Settle(marks)); n != len(marks) {
		k.Fatalf("%d of %d settled", n, len(marks))
	}
	return who
}

// There is one date for each person, it wakes them once, and moved it wakes them
// at the new moment alone.
func TestFlips(t *testing.T) {
	k := newKit(t)
	k.persons(6)
	k.read()
	begin := k.clock.at
	day := func(n int) time.Time { return begin.Add(time.Duration(n) * 24 * time.Hour) }
	who := k.one("writer1").Ordinal
	next := func(n int) map[identity.Ordinal]time.Time { return map[identity.Ordinal]time.Time{who: day(n)} }
	k.settled(begin, next(10))
	for _, c := range []struct {
		at, to int // days; to 0: no date any more
		again  bool
	}{
		{1, 0, false}, {9, 0, false}, // nobody is due before
		{10, 20, true}, {10, 0, false}, {19, 0, false},
		{20, 30, true},
		{21, 40, false},
		{30, 50, true},
	} {
		got := k.settled(day(c.at), map[identity.Ordinal]time.Time{who: day(c.to)})
		if c.again != slices.Equal(got, []identity.Ordinal{who}) || !c.again && len(got) != 0 {
			t.Fatalf("day %d: %v is due", c.at, got)
		}
	}
	// Put off, put forward, taken away.
	move := func(to time.Time) {
		t.Helper()
		if err := k.s.Mark("changed", who); err != nil {
			t.Fatal(err)
		}
		k.settled(day(31), map[identity.Ordinal]time.Time{who: to})
	}
	move(day(60))
	if got := k.settled(day(50), nil); len(got) != 0 {
		t.Fatalf("%v is due on the day that was put off", got)
	}
	move(day(45))
	if got := k.settled(day(45), next(46)); len(got) != 1 {
		t.Fatal("nobody is due on the day that was put forward")
	}
	move(time.Time{})
	if got := k.settled(day(99), nil); len(got) != 0 {
		t.Fatalf("%v is due on a day that was taken away", got)
	}
	// A clock that was set back finds the day still to come.
	move(day(70))
	if got := k.settled(day(70), nil); len(got) != 1 {
		t.Fatal("not due")
	}
	move(day(70))
	if got := k.settled(day(70), next(70)); len(got) != 1 {
		t.Fatal("the day that came once does not come again")
	}
	if got := k.settled(day(70).Add(-time.Second), nil); len(got) != 0 {
		t.Fatalf("%v is due before", got)
	}
	if got := k.settled(day(70), nil); len(got) != 1 {
		t.Fatal("a day that came while somebody looked, by a clock that was set back then, does not come again")
	}
	// One so far away that no count of nanoseconds reaches it is not due now.
	move(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	if got := k.settled(day(1000), nil); len(got) != 0 {
		t.Fatalf("%v is due thousands of years too early", got)
	}
}

// Whoever is relinked has the dates of who they are now, and nothing is due for
// the one that is no more.
func TestFlipsOfTheRelinked(t *testing.T) {
	k := newKit(t)
	k.rules.MaxRekey = 1
	ids := k.persons(6)
	k.read()
	k.src.Remove(ids[0])
	k.person("writer9")
	k.read()
	k.clock.forward(time.Hour)
	k.read()
	old, now := must2(k.s.FindPerson(string(ids[0])))[0].Ordinal, k.one("writer9").Ordinal
	k.settled(k.clock.at, map[identity.Ordinal]time.Time{now: k.clock.at.Add(time.Hour)})
	must0(t, k.s.Relink(old, now, "admin"))
	for _, m := range must2(k.s.Take(k.clock.at.Add(2 * time.Hour))) {
		if m.Person == now {
			t.Errorf("%s, who is no more, is due: %q", now, m.Reasons)
		}
	}
}

// A date is kept with the mark that it was found by: who was marked again in the
// meantime stays dirty, and their date is as it was.
func TestFlipsOfWhoWasMarkedAgain(t *testing.T) {
	k := newKit(t)
	k.persons(6)
	k.read()
	begin := k.clock.at
	who := k.one("writer1").Ordinal
	k.settled(begin, map[identity.Ordinal]time.Time{who: begin.Add(time.Hour)})
	must0(t, k.s.Mark("changed", who))
	marks := must2(k.s.Take(begin))
	must0(t, k.s.Mark("changed again", who))
	marks[0].Next = begin.Add(48 * time.Hour)
	if n := must2(k.s.Settle(marks)); n != 0 {
		t.Fatalf("%d settled", n)
	}
	var due int
	must0(t, k.s.view(func(tx *txn) error {
		due = int(fromU64(tx.Bucket(bFlips).Get(ordKey(who))))
		return nil
	}))
	if due != int(nanos(begin.Add(time.Hour))) {
		t.Errorf("the date is %d", due)
	}
}

// Nothing is kept of when somebody who was forgotten, or became another, is due.
func TestFlipsOfTheForgotten(t *testing.T) {
	k := newKit(t)
	ids := k.persons(6)
	k.read()
	who := k.one("writer1").Ordinal
	k.src.Remove(ids[0])
	k.read()
	k.clock.at = k.clock.at.Add(time.Hour)
	k.read()
	k.wantStanding("writer1", identity.PresumedGone, identity.NoDoubt)
	k.settled(k.clock.at, map[identity.Ordinal]time.Time{who: k.clock.at.Add(1000 * time.Hour)})
	if _, err := k.s.Forget(t.Context(), []identity.Ordinal{who}, "admin", ""); err != nil {
		t.Fatal(err)
	}
	err := k.s.view(func(tx *txn) error {
		if v := tx.Bucket(bFlips).Get(ordKey(who)); v != nil {
			t.Errorf("a date is kept: %x", v)
		}
		return tx.Bucket(bDue).ForEach(func(key, _ []byte) error {
			if identity.Ordinal(fromU64(key[8:])) == who {
				t.Errorf("due at %d", fromU64(key))
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
