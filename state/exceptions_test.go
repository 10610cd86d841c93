package state

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

func byHand(kind ledger.ExceptionKind, who identity.Ordinal, role string, until time.Time) ledger.Exception {
	return ledger.Exception{Kind: kind, Person: who, Role: role, Reason: "asked", By: "admin", Until: identity.Bound{At: until}}
}

// An exception is kept with its mark and its record, or not at all; a later one of
// the same takes its place.
func TestExceptionsByHand(t *testing.T) {
	k := newKit(t)
	k.persons(2)
	k.read()
	k.clean()
	end := at().AddDate(0, 0, 3)
	k.s.before = func() error { return errors.New("killed") }
	if _, _, err := k.s.Except(byHand(ledger.Grant, 1, "editor", end)); err == nil {
		t.Fatal("kept without a commit")
	}
	k.s.before = nil
	if len(must2(k.s.Exceptions())) != 0 || len(k.dirty()) != 0 || len(records(t, k.s, JournalFilter{Kind: "except"})) != 0 {
		t.Fatal("half of it was kept")
	}
	if _, replaced, err := k.s.Except(byHand(ledger.Grant, 1, "editor", end)); replaced || err != nil {
		t.Fatal(replaced, err)
	}
	k.wantDirty("writer1")
	must3(k.s.Except(byHand(ledger.Retain, 1, "", end)))
	was, replaced, err := k.s.Except(byHand(ledger.Grant, 1, "editor", end.AddDate(0, 0, 1)))
	if !replaced || err != nil || !was.Until.At.Equal(end) {
		t.Fatal(was, replaced, err)
	}
	k.reopen()
	got := must2(k.s.Exceptions())[1]
	if len(got) != 2 || got[0].Kind != ledger.Grant || !got[0].Until.At.Equal(end.AddDate(0, 0, 1)) || got[1].Kind != ledger.Retain {
		t.Fatalf("%+v", got)
	}
	k.clean()
	if _, had, err := k.s.Unexcept(byHand(ledger.Grant, 1, "writer", end), "admin", "x"); had || err != nil {
		t.Fatal(had, err)
	}
	if _, had, err := k.s.Unexcept(byHand(ledger.Grant, 2, "editor", end), "admin", "x"); had || err != nil {
		t.Fatal(had, err)
	}
	if was, had, err := k.s.Unexcept(byHand(ledger.Grant, 1, "editor", time.Time{}), "admin", "x"); !had || err != nil || was.Reason != "asked" {
		t.Fatal(was, had, err)
	}
	k.wantDirty("writer1")
	if n := len(records(t, k.s, JournalFilter{Kind: "unexcept"})); n != 1 {
		t.Fatal(n)
	}
	// Only what is over for long is dropped.
	ok(t, k.s.DropExceptions(end))
	if len(must2(k.s.Exceptions())) != 1 {
		t.Fatal("dropped before it was over")
	}
	ok(t, k.s.DropExceptions(end.Add(1)))
	if len(must2(k.s.Exceptions())) != 0 {
		t.Fatal("not dropped")
	}
	if _, _, err := k.s.Except(byHand(ledger.Grant, 99, "editor", end)); !errors.Is(err, ErrNoPerson) {
		t.Fatal(err)
	}
}

func must3[T any](v T, _ bool, err error) T { return must2(v, err) }

// A text of the file means whom it meant first, by any of their names; a name that
// more than one has means nobody until it is tied.
func TestMeant(t *testing.T) {
	k := newKit(t)
	ids := k.persons(3)
	k.person("zelda", "employeeNumber", "E-1")
	k.read()
	meant := func(text string) Meaning { t.Helper(); return must2(k.s.Meant([]string{text}))[0] }
	zelda := k.one("zelda").Ordinal
	for _, text := range []string{"zelda", " ZELDA ", "zelda@example.com", dn("zelda"), "E-1", string(k.one("zelda").Key.ID), zelda.String()} {
		if m := meant(text); !slices.Equal(m.People, []identity.Ordinal{zelda}) || m.Others != nil && len(m.Others) > 0 {
			t.Errorf("%q: %+v", text, m)
		}
	}
	for _, text := range []string{"nobody", "", "e-1"} {
		if m := meant(text); len(m.People) != 0 {
			t.Errorf("%q: %+v", text, m)
		}
	}
	pin := func(list ...ledger.Exception) { t.Helper(); ok(t, k.s.PinMeant(list)) }
	grant := ledger.Exception{Kind: ledger.Grant, Name: "g", Written: "writer1"}
	pin(grant)
	first := k.one("writer1").Ordinal
	// The login passes to somebody else, and comes to a third.
	k.src.Remove(ids[0])
	k.clock.forward(time.Hour)
	k.read()
	k.clock.forward(time.Hour)
	k.read()
	k.person("writer1")
	k.read()
	if m := meant("Writer1"); !slices.Equal(m.People, []identity.Ordinal{first}) || len(m.Others) != 1 {
		t.Errorf("%+v", m)
	}
	pin(grant) // again: it stays
	k.reopen()
	if m := meant("writer1"); !slices.Equal(m.People, []identity.Ordinal{first}) {
		t.Errorf("%+v", m)
	}
	// Taken out of the file it is let go: two are called so.
	pin()
	if m := meant("writer1"); len(m.People) != 2 {
		t.Errorf("%+v", m)
	}
	pin(grant)
	if m := meant("writer1"); len(m.People) != 2 {
		t.Errorf("tied to one of two: %+v", m)
	}
}

// Whoever is retained is not forgotten, and what meant somebody who was forgotten
// means nobody else.
func TestForgetAndExceptions(t *testing.T) {
	p := newPast(t)
	ctx := context.Background()
	one := p.one("writer1").Ordinal
	refused := func(want string) {
		t.Helper()
		var r *RefusedError
		if _, err := p.s.Forget(ctx, []identity.Ordinal{p.them}, "admin", ""); !errors.As(err, &r) || !strings.Contains(err.Error(), want) {
			t.Fatalf("%v", err)
		}
	}
	grant := ledger.Exception{Kind: ledger.Grant, Name: "g", Written: "zelda.kuhn"}
	retain := ledger.Exception{Kind: ledger.Retain, Name: "r", Written: "zelda.kuhn", Until: identity.Bound{At: p.clock.at.Add(time.Hour)}}
	other := retain
	other.Name, other.Until = "s", identity.Bound{At: p.clock.at.Add(2 * time.Hour)}
	for _, list := range [][]ledger.Exception{{grant, retain, other}, {other, grant, retain}} {
		ok(t, p.s.PinMeant(list))
		refused("an exception keeps")
	}
	p.clock.forward(90 * time.Minute)
	refused("an exception keeps")
	p.clock.forward(time.Hour) // over
	must3(p.s.Except(ledger.Exception{Kind: ledger.Retain, Person: p.them, Reason: "a suit of Zelda Kuhn", By: "admin"}))
	refused("without an end")
	must3(p.s.Unexcept(ledger.Exception{Kind: ledger.Retain, Person: p.them}, "admin", "settled"))
	must3(p.s.Except(ledger.Exception{Kind: ledger.Grant, Person: p.them, Role: "editor", Reason: "left", By: "writer2", Until: identity.Bound{At: p.clock.at.Add(1)}}))
	must3(p.s.Except(ledger.Exception{Kind: ledger.Grant, Person: one, Role: "editor", Reason: "stands in for Zelda Kuhn", By: "zelda.kuhn", Until: identity.Bound{At: p.clock.at.Add(time.Hour)}}))
	if _, err := p.s.Forget(ctx, []identity.Ordinal{p.them}, "admin", ""); err != nil {
		t.Fatal(err)
	}
	if found := p.find(p.s.Path()); len(found) > 0 {
		t.Errorf("left: %q", found)
	}
	left := must2(p.s.Exceptions())
	if len(left) != 1 || len(left[one]) != 1 || strings.Contains(left[one][0].Reason, "Zelda") || left[one][0].By == "zelda.kuhn" {
		t.Errorf("%+v", left)
	}
	p.person("zelda.kuhn")
	p.read()
	if m := must2(p.s.Meant([]string{"zelda.kuhn"}))[0]; len(m.People) != 0 || !m.Forgotten || len(m.Others) != 1 {
		t.Errorf("%+v", m)
	}
	ok(t, p.s.PinMeant([]ledger.Exception{grant}))
	if m := must2(p.s.Meant([]string{"zelda.kuhn"}))[0]; len(m.People) != 0 {
		t.Errorf("it means somebody else by now: %+v", m)
	}
}

// Who comes back under a new ID has what was decided of them.
func TestRelinkKeepsExceptions(t *testing.T) {
	k := newKit(t)
	ids := k.persons(8)
	k.read()
	old := k.one("writer3").Ordinal
	end := at().AddDate(0, 0, 3)
	must3(k.s.Except(byHand(ledger.Grant, old, "editor", end)))
	k.src.Remove(ids[2])
	k.clock.forward(time.Hour)
	k.read()
	k.clock.forward(time.Hour)
	k.read()
	k.person("back")
	k.read()
	now := k.one("back").Ordinal
	must3(k.s.Except(byHand(ledger.Grant, now, "editor", end.AddDate(0, 0, 4))))
	must3(k.s.Except(byHand(ledger.Deny, now, "writer", end)))
	ok(t, k.s.PinMeant([]ledger.Exception{{Kind: ledger.Grant, Name: "g", Written: "back"}}))
	// What is kept from them, or for others, is for the longer of the two.
	must3(k.s.Except(byHand(ledger.Retain, old, "", time.Time{})))
	must3(k.s.Except(byHand(ledger.Retain, now, "", end)))
	ok(t, k.s.Deny(ledger.Denial{Person: old, Reason: "dismissed", By: "admin", At: at()}))
	ok(t, k.s.Deny(ledger.Denial{Person: now, Reason: "lost the badge", By: "admin", At: at(), Until: identity.Bound{At: end}}))
	ok(t, k.s.Relink(old, now, "admin"))
	got := must2(k.s.Exceptions())
	if d := must2(k.s.Denials()); len(d) != 1 || d[old].Reason != "dismissed" || got[old][2].Kind != ledger.Retain || got[old][2].Until.Set() {
		t.Errorf("%+v %+v", d, got)
	}
	if len(got) != 1 || len(got[old]) != 3 || !got[old][0].Until.At.Equal(end.AddDate(0, 0, 4)) || got[old][1].Person != old {
		t.Errorf("%+v", got)
	}
	if m := must2(k.s.Meant([]string{"back"}))[0]; !slices.Equal(m.People, []identity.Ordinal{old}) {
		t.Errorf("%+v", m)
	}
}
