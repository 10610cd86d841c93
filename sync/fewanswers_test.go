package sync_test

import (
	"context"
	"testing"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// curt answers every query but the last, from the nth look on.
type curt struct {
	*memory.Target
	from int
}

func (c *curt) Look(ctx context.Context, s target.Scope, q []target.Query) ([]target.Observation, error) {
	out, err := c.Target.Look(ctx, s, q)
	if c.from--; c.from < 0 && len(out) > 0 {
		out = out[:len(out)-1]
	}
	return out, err
}

// Law 2: a query that a target does not answer says nothing about the account, whatever
// it was asked for: for the person, or for somebody else who may match the same account.
func TestLaw02TargetThatAnswersTooLittle(t *testing.T) {
	for from := range 2 {
		w := byMail(t)
		one := w.join("one")
		w.set(one, "mail", "both@corp.example")
		w.set(w.join("two"), "mail", "both@corp.example")
		id := w.exists("old", "", "both@corp.example")
		w.cycle(rostersync.Request{Verb: "sync", OnlyTarget: "none"}) // only read
		w.engine.Targets[0].Target = &curt{w.wiki, from}
		p := must(w.engine.Store.FindPerson("one"))[0]
		r := w.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{p.Ordinal}, Named: true})
		if _, owned, lerr := w.engine.Store.LinkOwner("wiki", id); lerr != nil || owned || len(w.wiki.Writes()) != 0 {
			t.Errorf("answers are short from look %d on: somebody was given the account (%v)", from, lerr)
		}
		if len(r.Down) != 1 || r.Exit() == rostersync.ExitDone {
			t.Errorf("answers are short from look %d on: exit %d\n%s", from, r.Exit(), text(r))
		}
	}
}
