package sync_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// crowd is a world of many people in one group, who all have their account and are
// settled, with a source that is followed. Accounts and links are put as a cycle
// would have left them: it would take minutes.
func crowd(t *testing.T, n int) *world {
	t.Helper()
	w := follows(t, false)
	logins := make([]string, n)
	for i := range logins {
		logins[i] = fmt.Sprintf("w%06d", i)
		w.join(logins[i])
	}
	w.join("late") // in no group
	w.members("writers", logins...)
	// Four levels below it, three of them are in another group.
	above := w.source.At("cn=writers," + groups)
	for level := 1; level <= 4; level++ {
		dn := fmt.Sprintf("cn=level%d,%s", level, groups)
		at := w.source.Put(source.Record{Kind: directory.Group, DN: dn})
		w.source.Edit(above, []string{dn}, nil)
		above = at
	}
	for i := range 3 {
		deep := fmt.Sprintf("deep%d", i)
		w.join(deep)
		w.source.Edit(above, []string{"uid=" + deep + "," + people}, nil)
	}
	targets := w.engine.Targets
	w.engine.Targets = nil
	w.sync()
	w.engine.Targets = targets
	var links []ledger.Link
	for _, o := range must(w.engine.Store.Ordinals("corp")) {
		p := must(w.engine.Store.People(o))[0]
		l := ledger.Link{Person: o, Target: "wiki", Name: p.Login, Owner: ledger.Created, Phase: ledger.Open}
		a := target.Account{Name: p.Login, Enabled: true, Mark: fmt.Sprintf("rosterd:%s:%d", w.engine.Store.Serial(), o)}
		if p.Login != "late" {
			l.Granted, a.Entitlements = []ledger.Granted{{Entitlement: "Writers", Roles: []string{"writer"}}}, []string{"Writers"}
		}
		a.Attributes = map[string][]string{"name": {a.Name}}
		l.Account = w.wiki.Put(a)
		links = append(links, l)
	}
	if err := w.engine.Store.PutLinks(links); err != nil {
		t.Fatal(err)
	}
	if err := w.engine.Store.SaveTarget(state.TargetState{Name: "wiki", Listed: true}); err != nil {
		t.Fatal(err)
	}
	return w
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// scheduled is a cycle as the service runs it, and what it cost.
func (w *world) scheduled() (*rostersync.Report, state.Work) {
	w.t.Helper()
	before := w.engine.Store.Work()
	r := w.cycle(rostersync.Request{Verb: "changes", Scheduled: true})
	if err := w.engine.Store.NoteLastRun(w.now, "changes"); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.engine.Status(10); err != nil {
		w.t.Fatal(err)
	}
	if r.Exit() != 0 || ways(r) != "changes" {
		w.t.Fatalf("exit %d, by %s\n%s", r.Exit(), ways(r), text(r))
	}
	return r, w.engine.Store.Work().Less(before)
}

// few and many are two sizes of a crowd: what is counted must not tell them apart.
const few = 700

var many = flag.Int("many", 7000, "how many people the larger crowd has")

// alike says whether the work is the same, but for keys of another length and pages
// that are fuller.
func alike(a, b state.Work) bool {
	near := func(a, b int) bool { return 10*a <= 11*b+100 && 10*b <= 11*a+100 }
	return a.Commits == b.Commits && near(a.Read, b.Read) && near(a.Written, b.Written) && near(a.ReadBytes, b.ReadBytes) && near(a.WrittenBytes, b.WrittenBytes)
}

// TestWorkDoesNotGrowWithThePeople counts what a cycle costs in which nothing
// changed, and one in which one thing did.
func TestWorkDoesNotGrowWithThePeople(t *testing.T) {
	type cost struct {
		people int
		work   state.Work
	}
	const whole = "a group told whole"
	costs := map[string][]cost{}
	for _, n := range []int{few, *many} {
		w := crowd(t, n)
		note := func(what string, subjects int) {
			t.Helper()
			r, work := w.scheduled()
			if len(r.Plan.Subjects) != subjects {
				t.Errorf("%s: %d of %d people were looked at", what, len(r.Plan.Subjects), n)
			}
			costs[what] = append(costs[what], cost{n, work})
		}
		if before := w.source.Reads(); before != 1 {
			t.Fatal(before, "listings")
		}
		note("nothing", 0)
		late := w.source.At("uid=late," + people)
		for _, title := range []string{"Editor", "Head of content"} {
			w.set(late, "sn", title)
			note("person "+title, 1)
		}
		writers, level3 := w.source.At("cn=writers,"+groups), w.source.At("cn=level3,"+groups)
		dn := "uid=late," + people
		w.source.Edit(writers, []string{dn}, nil)
		note("member more", 1)
		w.has("late", true, "Writers")
		w.source.Edit(writers, nil, []string{dn})
		note("member less", 1)
		w.has("late", true)
		w.source.Edit(level3, nil, []string{"cn=level4," + groups})
		note("nested less", 3)
		w.has("deep1", true)
		w.source.Edit(level3, []string{"cn=level4," + groups}, nil)
		note("nested more", 3)
		w.has("deep1", true, "Writers")
		// Who is told of the group whole reads all of it, and writes what changed.
		w.source.Change(writers, func(r *source.Record) { r.Members = append(r.Members, dn) })
		note(whole, 1)
		w.has("late", true, "Writers")
		w.join("newcomer")
		note("joiner", 1)
		w.leave(late)
		note("leaver", 1)
		note("nothing again", 0)
		if w.source.Reads() != 1 {
			t.Fatal(w.source.Reads(), "listings")
		}
	}
	for i := range costs[whole] {
		costs[whole][i].work.Read, costs[whole][i].work.ReadBytes = 0, 0
	}
	for what, c := range costs {
		t.Logf("%-24s %+v", what, c[1].work)
		if !alike(c[0].work, c[1].work) {
			t.Errorf("%s: it costs %+v among %d people, and %+v among %d", what, c[0].work, c[0].people, c[1].work, c[1].people)
		}
	}
	for _, what := range []string{"nothing", "nothing again"} {
		if work := costs[what][1].work; work.Commits != 0 || work.Written != 0 {
			t.Errorf("%s changed, and it costs %+v", what, work)
		}
	}
}
