package sync_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
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
	down := errors.New("it is down")
	shop.SetFaults(memory.Faults{Look: func([]target.Query) error { return down }, List: func(int) error { return down }})
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

// Law 2: a name that stands where nobody is read means nobody who is known, and takes
// nothing away. It is told.
func TestLaw02AReferenceToWhereNobodyIsRead(t *testing.T) {
	w := referring(t, mapping.AttributeRule{From: boss.From, Empty: "park"})
	a := w.under("a", "top")
	w.under("top", "top")
	const chief = "uid=chief,ou=board,dc=corp,dc=example"
	w.set(w.join("new"), "manager", chief)
	w.settles()
	w.wantBoss("new", "")
	w.set(a, "manager", chief)
	w.settles()
	w.wantBoss("a", "top")
	x, err := w.engine.Explain(w.person("a"))
	if err != nil {
		t.Fatal(err)
	}
	want := []mapping.Remark{{Attribute: "boss", Text: chief + ": nobody is read there from corp, so it stays as it is"}}
	if got := x.Desired.Accounts[0].Remarks; !slices.Equal(got, want) {
		t.Errorf("explained: %v, want %v", got, want)
	}
	w.reports(w.join("lost"), "nobody")
	w.sync()
	c, err := w.engine.Census()
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]map[string]int{"nobody is read there from corp": {chief: 2}, "nobody is called so": {"UID=NOBODY, " + people: 1}}; !reflect.DeepEqual(c.Lost, want) {
		t.Errorf("counted: %v, want %v", c.Lost, want)
	}
}

// Law 2: in a blackout nobody is known to be there, and whoever is referred to is who
// they were.
func TestLaw02AReferenceInABlackout(t *testing.T) {
	w := referring(t, boss)
	var ids []identity.ID
	for i := range 6 {
		login := fmt.Sprintf("c%d", i)
		id := w.join(login)
		w.move(id, "uid="+login+",ou=board,"+people)
		ids = append(ids, id)
	}
	w.set(w.join("a"), "manager", "uid=c0,ou=board,"+people)
	w.settles()
	w.wantBoss("a", "c0")
	w.source.Remove(ids...)
	for range 3 {
		w.now = w.now.AddDate(0, 0, 1)
		w.cycle(rostersync.Request{Verb: "sync", Full: true})
		w.wantBoss("a", "c0")
	}
}
