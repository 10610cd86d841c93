package sync_test

import (
	"context"
	"testing"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// narrow does not list an account that is there: it was moved to where nobody lists.
type narrow struct {
	*memory.Target
	hidden string
}

func (n *narrow) List(ctx context.Context, s target.Scope, yield func(target.Account) error) (target.Complete, error) {
	shown, err := memory.New(memory.Config{}, "wiki")
	if err != nil {
		return target.Complete{}, err
	}
	for _, a := range n.Accounts() {
		if a.Name != n.hidden {
			shown.Put(a)
		}
	}
	return shown.List(ctx, s, yield)
}

// Law 2: an account of ours that a resync does not list is asked for by its ID: a
// leaver's is closed where it is, and nobody's is called missing or deleted.
func TestLaw02AccountThatIsNotListed(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.members("writers", "p0003")
	w.synced()
	n := &narrow{Target: w.wiki, hidden: "p0003"}
	w.engine.Targets[0].Target = n
	full := rostersync.Request{Verb: "sync", Full: true}
	if r := w.cycle(full); r.Exit() != 0 {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	w.has("p0003", true, "Writers")
	w.set(ids[3], "employeeType", "former")
	w.cycle(full)
	if a := w.account("p0003"); a == nil || a.Enabled || len(a.Entitlements) > 0 {
		t.Fatalf("the account of a leaver: %+v", a)
	}
}
