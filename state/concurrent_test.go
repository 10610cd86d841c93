package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

func TestSeveralGoroutinesAtOnce(t *testing.T) {
	k := newKit(t)
	k.loose = true
	k.persons(20)
	k.group("team", dn("writer1"), dn("writer2"))
	k.read()
	k.s.db.NoSync = true
	group := k.pins(ledger.PinOK, "team")[0].Group
	var all sync.WaitGroup
	failed := make(chan error, 100)
	do := func(what string, f func(i int) error) {
		all.Go(func() {
			for i := range 15 {
				if err := f(i); err != nil {
					failed <- fmt.Errorf("%s: %w", what, err)
					return
				}
			}
		})
	}
	for w := range 3 {
		do("write", func(i int) error {
			p := identity.Ordinal(1 + w*5 + i%5)
			intents, err := k.s.Intend("c", []ledger.Order{order(p, target.Create, "")})
			if err != nil {
				return err
			}
			l := ledger.Link{Person: p, Target: "wiki", Account: target.NativeID(p.String()), Phase: ledger.Open}
			return k.s.Record([]Result{{Intent: intents[0], Outcome: ledger.Outcome{Done: true}, Link: &l}})
		})
	}
	do("mark", func(i int) error { return k.s.Mark("x", identity.Ordinal(1+i)) })
	do("take", func(int) error {
		marks, err := k.s.Take(k.clock.at)
		if err == nil {
			_, err = k.s.Settle(marks)
		}
		return err
	})
	do("look", func(int) error {
		if _, err := k.s.Memberships(nil, []identity.Ordinal{group}); err != nil {
			return err
		}
		if _, err := k.s.Waiting(k.clock.at); err != nil {
			return err
		}
		return k.s.EachPerson("corp", func(p identity.Person) error {
			_, err := k.s.Sequence(p.Ordinal) // no transaction is open here
			return err
		})
	})
	all.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if d := must2(k.s.InDoubt()); len(d) != 0 {
		t.Errorf("%d intents are left", len(d))
	}
	if n := len(records(t, k.s, JournalFilter{Kind: "outcome"})); n != 45 {
		t.Errorf("the journal has %d outcomes of 45", n)
	}
}

func TestDrainThatIsCancelledIsTakenUpAgain(t *testing.T) {
	k := newKit(t)
	k.persons(4)
	k.clock.forward(1)
	must2(k.tryRead())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.s.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	k.reopen()
	if d := must2(k.s.Drain(t.Context())); d.New != 4 || d.Source != "corp" {
		t.Fatalf("%+v", d)
	}
	if d := must2(k.s.Drain(t.Context())); d.Source != "" {
		t.Fatalf("%+v", d)
	}
}

func TestWaitingSaysWhatTakeWouldMark(t *testing.T) {
	k := newKit(t)
	k.persons(6)
	k.read()
	k.clean()
	now := k.clock.at
	ok(t, k.s.Mark("x", 1))
	ok(t, k.s.AddDue([]ledger.Due{{Person: 2, At: now}, {Person: 3, At: now.Add(1)}}))
	ok(t, k.s.SaveParked(ledger.Parked{Person: 4, Next: now}, ledger.Parked{Person: 1, Next: now}, ledger.Parked{Subject: "nobody", Next: now}))
	ok(t, k.s.SaveHolds([]ledger.Hold{{ID: "h1", Status: ledger.Waiting, Keys: []ledger.Held{{Person: 5}}},
		{ID: "h2", Status: ledger.Rejected, Keys: []ledger.Held{{Person: 6}}}}))
	n := must2(k.s.Waiting(now))
	if s := must2(k.s.Sequence(2)); s != 0 {
		t.Fatal("asking has marked somebody")
	}
	if marks := must2(k.s.Take(now)); n != 4 || len(marks) != n {
		t.Fatalf("%d wait, and %d were taken", n, len(marks))
	}
}
