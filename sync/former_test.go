package sync_test

import (
	"errors"
	"testing"
	"time"

	source "github.com/rosterd/rosterd/directory/memory"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// Law 8: whoever cannot be settled, since another target is down, refers to others too.
// Their manager moves in a directory that does not follow, and is theirs still.
func TestLaw08AFormerNameOfWhoIsNotSettled(t *testing.T) {
	w := referring(t, boss)
	shop, err := memory.New(memory.Config{}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	w.config.Targets["shop"] = w.config.Targets["wiki"]
	w.engine.Policy = w.compile()
	w.engine.Targets = append([]rostersync.Target{{Name: "shop", Target: shop, Rules: w.engine.Targets[0].Rules, Concurrency: 1}}, w.engine.Targets...)
	shop.SetFaults(memory.Faults{Look: func([]target.Query) error { return errors.New("it is down") }})
	w.under("a", "b")
	b := w.under("b")
	for range 2 {
		if r := w.sync(); len(r.Down) == 0 {
			t.Fatalf("the shop is not down\n%s", text(r))
		}
	}
	w.wantBoss("a", "b")
	w.move(b, "uid=bb,"+people)
	w.sync()
	w.wantBoss("a", "b")
	shop.SetFaults(memory.Faults{})
	w.now = w.now.Add(time.Hour)
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	w.settles()
	w.wantBoss("a", "b")
}

// Law 2: while the attribute is not read nobody knows whom it names, and the names that
// were known stay so.
func TestLaw02AFormerNameThatIsNotRead(t *testing.T) {
	w := referring(t, boss)
	w.under("a", "b")
	b := w.under("b")
	w.settles()
	less := source.New("corp", source.Config{Attributes: []string{"employeeType", "sn"}, Key: "employeeNumber", Bases: []string{people, groups}}, w.engine.Now)
	for _, r := range w.source.Records() {
		less.Put(r)
	}
	w.engine.Sources[0].Source = less
	w.sync()
	w.wantBoss("a", "b")
	w.move(b, "uid=bb,"+people)
	w.engine.Sources[0].Source = w.source
	w.settles()
	w.wantBoss("a", "b")
}
