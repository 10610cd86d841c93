package state

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// A legal hold whose text means more than one keeps what is known of all of them: who
// left and whoever has the login by now.
func TestRetainOfSeveralKeepsAllOfThem(t *testing.T) {
	p := newPast(t)
	ctx := context.Background()
	text := must2(p.s.People(p.them))[0].Login
	p.src.Put(memory.Record{Kind: directory.Person, DN: dn("another"), Attributes: map[string][]string{"uid": {text}, "cn": {"Another"}}})
	p.read()
	if called := must2(p.s.Meant([]string{text}))[0].People; len(called) != 2 || !slices.Contains(called, p.them) {
		t.Fatalf("%v", called)
	}
	holds := []ledger.Exception{
		{Kind: ledger.Grant, Name: "g", Written: text, Role: "editor"},
		{Kind: ledger.Retain, Name: "suit", Written: text, Reason: "a suit"},
	}
	ok(t, p.s.PinMeant(holds))
	ok(t, p.s.PinMeant(holds))
	if m := must2(p.s.Meant([]string{text}))[0]; len(m.People) != 2 {
		t.Errorf("it means somebody: %+v", m)
	}
	var r *RefusedError
	if _, err := p.s.Forget(ctx, []identity.Ordinal{p.them}, "admin", ""); !errors.As(err, &r) {
		t.Fatalf("forgotten under a legal hold: %v", err)
	}
	if who := must2(p.s.Leavers(p.clock.at.AddDate(9, 0, 0), 10)); len(who) != 0 {
		t.Errorf("%v", who)
	}
	// The hold is taken out: what else refuses them is said.
	ok(t, p.s.PinMeant(holds[:1]))
	if _, err := p.s.Forget(ctx, []identity.Ordinal{p.them}, "admin", ""); errors.As(err, &r) {
		t.Errorf("refused after it: %v", err)
	}
	// Who is left was not chosen: they get nothing by it.
	for range 2 {
		if m := must2(p.s.Meant([]string{text}))[0]; len(m.People) != 0 || !m.Forgotten || len(m.Others) != 1 {
			t.Errorf("the grant is the newcomer's by now: %+v", m)
		}
		ok(t, p.s.PinMeant(holds[:1]))
	}
}
