package sync_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target/memory"
)

// follows makes a world whose source can be followed.
func follows(t *testing.T, mute bool) *world {
	t.Helper()
	w := newWorld(t)
	w.from(source.Config{Attributes: []string{"employeeType", "sn"}, Key: "employeeNumber", Bases: []string{people, groups}, Follow: true, Mute: mute})
	return w
}

// from reads by another configuration, from a source with the same groups.
func (w *world) from(cfg source.Config) {
	w.source = source.New("corp", cfg, func() time.Time { return w.now })
	for _, name := range []string{"writers", "managers"} {
		w.source.Put(source.Record{Kind: directory.Group, DN: "cn=" + name + "," + groups})
	}
	w.engine.Sources[0].Source = w.source
}

// followed runs a cycle of the service, and says which ways it took.
func (w *world) followed() (*rostersync.Report, string) {
	w.t.Helper()
	r := w.cycle(rostersync.Request{Verb: "changes", Scheduled: true})
	return r, ways(r)
}

func ways(r *rostersync.Report) string {
	out := ""
	for _, read := range r.Reads {
		if out != "" {
			out += " "
		}
		out += string(read.Way)
	}
	return out
}

func (w *world) facts() (f struct{ follow, deletions time.Time }) {
	w.t.Helper()
	facts, err := w.engine.Store.SourceFacts("corp")
	if err != nil {
		w.t.Fatal(err)
	}
	f.follow, f.deletions = facts.LastFollow, facts.Deletions()
	return f
}

// What changed is seen without a listing: joiners, movers, leavers, who is deleted.
func TestFollowed(t *testing.T) {
	w := follows(t, false)
	ids := w.joinMany("p", 20)
	w.members("writers", "p0001", "p0003")
	w.synced()
	reads := w.source.Reads()

	w.join("late")
	w.set(ids[1], "sn", "Changed")
	w.members("writers", "p0002", "p0003")
	w.source.Remove(ids[4])
	w.leave(ids[5])
	w.move(ids[6], "uid=p0006,ou=elsewhere,dc=corp,dc=example")
	r, how := w.followed()
	if how != "changes" || r.Exit() != 0 || w.source.Reads() != reads {
		t.Fatalf("it went by %s, exit %d, after %d reads\n%s", how, r.Exit(), w.source.Reads()-reads, text(r))
	}
	w.has("late", true)
	w.has("p0001", true)
	w.has("p0002", true, "Writers")
	w.has("p0003", true, "Writers")
	for i, want := range map[int]identity.Standing{4: identity.Gone, 6: identity.OutOfScope} {
		if is := w.standing(ids[i]); is != want {
			t.Errorf("%d is %s, want %s", i, is, want)
		}
	}
	for _, left := range []string{"p0004", "p0005", "p0006"} {
		w.has(left, false)
	}
	if a := w.account("p0001"); a.Attributes["title"][0] != "Changed" {
		t.Errorf("%v", a.Attributes)
	}
	if s := r.Reads[0].Sealed; s.New != 1 || s.Changed != 3 || s.Missing != 2 || s.People != -1 {
		t.Errorf("%+v", s)
	}

	w.now = w.now.Add(time.Hour)
	before := w.facts()
	if _, how := w.followed(); how != "changes" {
		t.Errorf("nothing changed: %s", how)
	}
	if f := w.facts(); !f.follow.After(before.follow) || !f.deletions.Equal(f.follow) {
		t.Errorf("known as of %v, before %v", f, before)
	}
	w.quiet() // and a listing finds nothing to do
	if facts, _ := w.engine.Store.SourceFacts("corp"); facts.People != 19 {
		t.Errorf("%d people", facts.People)
	}
}

// A cursor that does not hold leads to a compare, never to silence or a storm.
func TestALostCursorReadsEverything(t *testing.T) {
	for name, lose := range map[string]func(w *world){
		"trimmed":          func(w *world) { w.source.Trim(0) },
		"lost":             func(w *world) { w.source.SetFaults(source.Faults{Lost: "a restored server"}) },
		"another server":   func(w *world) { w.source.SetFaults(source.Faults{Server: "dc2"}) },
		"another identity": func(w *world) { w.source.SetFaults(source.Faults{Bind: "somebody"}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := follows(t, false)
			ids := w.joinMany("p", 20)
			w.synced()
			before := len(w.wiki.Writes())
			w.set(ids[1], "sn", "Changed")
			lose(w)
			r, how := w.followed()
			if how != "everything" || r.Reads[0].Why == "" || r.Exit() != 0 || len(w.wiki.Writes()) != before+1 {
				t.Fatalf("it went by %s (%q), exit %d, %d writes", how, r.Reads[0].Why, r.Exit(), len(w.wiki.Writes())-before)
			}
			if facts, _ := w.engine.Store.SourceFacts("corp"); facts.Why != r.Reads[0].Why {
				t.Errorf("kept: %q", facts.Why)
			}
			if name != "lost" {
				if _, how := w.followed(); how != "changes" {
					t.Errorf("the cursor of the new listing: %s", how)
				}
			}
		})
	}
}

// Why everything was read is kept, and so it names nobody; what it was in full is in the
// report of the cycle. A word of the state counts for more than that it stopped the
// source.
func TestTheCauseOfALostCursorIsTold(t *testing.T) {
	w := follows(t, false)
	ids := w.joinMany("p", 20)
	w.synced()
	for _, c := range []struct {
		err *directory.LostError
		why string
	}{
		{&directory.LostError{Why: "what changed could not be read", Err: errors.New(`"uid=p0001,ou=people" was refused`)}, "what changed could not be read"},
		{&directory.LostError{Why: "what changed could not be read", Err: fmt.Errorf("stage: %w", &state.UndecidedError{Source: "corp", Why: "two entries have one name"})}, "two entries have one name"},
	} {
		w.set(ids[1], "sn", c.why)
		w.source.SetFaults(source.Faults{Follow: func(context.Context, int) error { return c.err }})
		r, how := w.followed()
		if how != "everything" || r.Exit() != 0 || r.Reads[0].Why != c.why {
			t.Fatalf("it went by %s (%q), exit %d", how, r.Reads[0].Why, r.Exit())
		}
		if facts, _ := w.engine.Store.SourceFacts("corp"); facts.Why != c.why {
			t.Errorf("kept: %q", facts.Why)
		}
		if cause := r.Reads[0].Cause; c.why == c.err.Why && cause != c.err.Err { //nolint:errorlint // the very same
			t.Errorf("the cause is %v", cause)
		}
	}
}

// An error of a follow is an error of the read, as ever: nothing counts.
func TestLaw01AFollowThatIsNotComplete(t *testing.T) {
	w := follows(t, false)
	ids := w.joinMany("p", 20)
	w.synced()
	broken := errors.New("connection lost")
	for n := range 4 {
		w.source.Remove(ids[n])
		w.source.SetFaults(source.Faults{Follow: func(_ context.Context, told int) error {
			if told < n {
				return nil
			}
			return broken
		}})
		r, how := w.followed()
		if how != "changes" || r.Exit() != rostersync.ExitFailed || !errors.Is(r.Reads[0].Err, broken) {
			t.Fatalf("cut off after %d: %s, exit %d, %v", n, how, r.Exit(), r.Reads[0].Err)
		}
		if w.enabled() != 20 {
			t.Fatalf("cut off after %d: somebody lost access", n)
		}
	}
	w.source.SetFaults(source.Faults{Knowledge: directory.Knowledge{"here": "1"}})
	w.followed()
	w.source.SetFaults(source.Faults{})
	var behind *directory.BehindError
	if r, how := w.followed(); how != "changes" || r.Exit() != rostersync.ExitFailed || !errors.As(r.Reads[0].Err, &behind) {
		t.Errorf("law 13: %s, exit %d, %v", how, r.Exit(), r.Reads[0].Err)
	}
}

// Where the server does not tell who was deleted, a listing of IDs does: by schedule,
// by hand, and when a second look is due.
func TestDeletionsThatAreNotTold(t *testing.T) {
	w := follows(t, true)
	ids := w.joinMany("p", 20)
	w.synced()
	w.source.Remove(ids[3])
	w.now = w.now.Add(time.Hour)
	before := w.facts()
	if _, how := w.followed(); how != "changes" || w.standing(ids[3]) != identity.Active {
		t.Fatalf("it went by %s, they are %s", how, w.standing(ids[3]))
	}
	if f := w.facts(); !f.deletions.Equal(before.deletions) || !f.follow.After(before.follow) {
		t.Errorf("deletions are known as of %v, followed at %v", f.deletions, f.follow)
	}
	r := w.cycle(rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true})
	if ways(r) != "changes ids" || w.standing(ids[3]) != identity.Unknown {
		t.Fatalf("it went by %s, they are %s", ways(r), w.standing(ids[3]))
	}
	w.has("p0003", true)
	if f := w.facts(); !f.deletions.After(before.deletions) {
		t.Errorf("deletions are known as of %v", f.deletions)
	}
	w.now = w.now.Add(30 * time.Second)
	if _, how := w.followed(); how != "changes" {
		t.Errorf("before the second look is due: %s", how)
	}
	w.now = w.now.Add(time.Minute)
	if _, how := w.followed(); how != "changes ids" || w.standing(ids[3]) != identity.PresumedGone {
		t.Errorf("it went by %s, they are %s", how, w.standing(ids[3]))
	}
	w.has("p0003", false)
	if _, how := w.followed(); how != "changes" {
		t.Errorf("once that was decided: %s", how)
	}
	if r := w.sync(); ways(r) != "changes ids" {
		t.Errorf("by hand: %s", ways(r))
	}
	w.quiet()
}

// Somebody who is not there, and of whom nothing proves that they were deleted, is
// looked for at once, and loses nothing before the second look.
func TestAFollowThatCannotTellWhoIsGone(t *testing.T) {
	for name, faults := range map[string]source.Faults{
		"deleted":          {Unproved: true},
		"hidden":           {Hide: func(e directory.Entry) bool { return e.Login == "p0003" }},
		"all of one place": source.HideBelow("ou=north," + people),
	} {
		t.Run(name, func(t *testing.T) {
			w := follows(t, false)
			ids := w.joinMany("p", 20)
			for _, id := range w.joinMany("q", 6) {
				r, _ := w.source.Get(id)
				w.move(id, "uid="+r.Attributes["uid"][0]+",ou=north,"+people)
			}
			w.synced()
			switch name {
			case "deleted":
				w.source.Remove(ids[3])
			case "hidden":
				w.set(ids[3], "sn", "Changed")
			default:
				w.set(w.source.At("uid=q0003,ou=north,"+people), "sn", "Changed")
			}
			before := len(w.wiki.Writes())
			w.source.SetFaults(faults)
			r, how := w.followed()
			if how != "changes ids" || r.Reads[1].Why == "" || len(w.wiki.Writes()) != before {
				t.Fatalf("it went by %s, and wrote %d times", how, len(w.wiki.Writes())-before)
			}
			w.now = w.now.Add(2 * time.Minute)
			w.followed()
			if gone := len(w.wiki.Writes()) > before; gone != (name != "all of one place") {
				t.Errorf("after the second look: %d writes", len(w.wiki.Writes())-before)
			}
			if name != "deleted" {
				w.source.SetFaults(source.Faults{})
				w.now = w.now.Add(2 * time.Minute)
				w.cycle(rostersync.Request{Verb: "sync", Full: true})
				w.has("p0003", true)
				w.has("q0003", true)
			}
		})
	}
}

// What only a listing decides is listed at once, and what was proved stays proved.
func TestAFollowThatIsNotEnough(t *testing.T) {
	w := follows(t, false)
	ids := w.joinMany("p", 20)
	w.members("writers", "p0004")
	w.synced()
	account := w.account("p0004").ID
	reads := w.source.Reads()
	w.source.Remove(ids[3], ids[4])
	w.join("p0004") // with the same rehire key: they are back under a new ID
	r, how := w.followed()
	if how != "everything" || r.Reads[0].Why == "" || w.source.Reads() != reads+1 || r.Exit() != 0 {
		t.Fatalf("it went by %s, exit %d\n%s", how, r.Exit(), text(r))
	}
	if is := w.standing(ids[3]); is != identity.Gone {
		t.Errorf("proved, and then only unseen: %s", is)
	}
	w.has("p0003", false)
	w.has("p0004", true, "Writers")
	if w.account("p0004").ID != account {
		t.Error("who came back got another account")
	}
	if _, how := w.followed(); how != "changes" {
		t.Errorf("after that: %s", how)
	}
	w.quiet()
}

// An attribute that nobody may read any more is taken from nobody, though only one of
// them changed.
func TestLaw02AFollowWithoutARight(t *testing.T) {
	w := follows(t, false)
	ids := w.joinMany("p", 20)
	w.members("writers", "p0001")
	for i := range 8 {
		w.source.Put(source.Record{Kind: directory.Group, DN: "cn=other" + string(rune('a'+i)) + "," + groups, Members: []string{"uid=p0001," + people}})
	}
	w.synced()
	before := len(w.wiki.Writes())
	for _, lost := range []string{"employeeType", "member"} {
		w.source.SetFaults(source.Lose(lost))
		w.set(ids[3], "sn", lost)
		w.source.Change(w.source.At("cn=writers,"+groups), func(r *source.Record) { r.Attributes["description"] = []string{lost} })
		for range 2 {
			r, how := w.followed()
			var coverage *state.LostCoverageError
			if how != "everything" || r.Exit() != rostersync.ExitFailed || !errors.As(r.Reads[0].Err, &coverage) {
				t.Errorf("%s: it went by %s, exit %d\n%s", lost, how, r.Exit(), text(r))
			}
		}
	}
	if n := len(w.wiki.Writes()) - before; n != 0 {
		t.Errorf("%d writes", n)
	}
	w.source.SetFaults(source.Faults{})
	if _, how := w.followed(); how != "changes" {
		t.Errorf("once it may read again: %s", how)
	}
	w.has("p0003", true)
	w.has("p0001", true, "Writers")
}

// A right that is given back is no change of any entry: while there is a doubt, IDs are
// listed, and it ends by itself.
func TestADoubtEndsByItself(t *testing.T) {
	w := follows(t, false)
	w.joinMany("p", 80)
	for _, id := range w.joinMany("north", 8) {
		r, _ := w.source.Get(id)
		w.move(id, "uid="+r.Attributes["uid"][0]+",ou=north,"+people)
	}
	w.synced()
	w.source.SetFaults(source.HideBelow("ou=north," + people))
	if r := w.cycle(rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true}); r.Exit() != rostersync.ExitHeld || w.enabled() != 88 {
		t.Fatalf("exit %d with %d enabled\n%s", r.Exit(), w.enabled(), text(r))
	}
	if r, how := w.followed(); how != "changes ids" || r.Exit() != rostersync.ExitHeld {
		t.Errorf("while it lasts it goes by %s, exit %d", how, r.Exit())
	}
	w.source.SetFaults(source.Faults{})
	if r, how := w.followed(); how != "changes everything" || r.Exit() != 0 || w.enabled() != 88 {
		t.Errorf("once it is over it goes by %s, exit %d\n%s", how, r.Exit(), text(r))
	}
	if _, how := w.followed(); how != "changes" {
		t.Errorf("and then by %s", how)
	}
	w.quiet()
}

// Many who were deleted, for certain, are many all the same.
func TestDeletedByTheDozenIsHeld(t *testing.T) {
	w := follows(t, false)
	ids := w.joinMany("p", 60)
	w.synced()
	before := len(w.wiki.Writes())
	w.source.Remove(ids[:40]...)
	r, how := w.followed()
	if how != "changes" || r.Exit() != rostersync.ExitHeld || len(w.wiki.Writes()) != before {
		t.Fatalf("it went by %s, exit %d, %d writes\n%s", how, r.Exit(), len(w.wiki.Writes())-before, text(r))
	}
	if facts, _ := w.engine.Store.SourceFacts("corp"); facts.MinPeople || facts.People != 20 || facts.Peak != 60 {
		t.Errorf("%+v", facts)
	}
}

// Everything is read where that was asked for, or what is read is not what it was.
func TestWhenChangesAreNotFollowed(t *testing.T) {
	w := follows(t, false)
	w.joinMany("p", 20)
	w.synced()
	for _, ask := range []rostersync.Request{{Verb: "sync", Full: true}, {Verb: "sync", AcceptOlder: true}} {
		if r := w.cycle(ask); ways(r) != "everything" || r.Reads[0].Why != "" {
			t.Errorf("%+v: %s (%s)", ask, ways(r), r.Reads[0].Why)
		}
	}
	cfg := source.Config{Attributes: []string{"employeeType", "sn", "title"}, Key: "employeeNumber", Bases: []string{people, groups}, Follow: true}
	for _, change := range []func(){
		func() {},
		func() { cfg.Bases = []string{people, groups, "ou=more,dc=corp,dc=example"} },
		func() { cfg.Attributes = []string{"employeeType", "sn"} },
	} {
		change()
		other := source.New("corp", cfg, func() time.Time { return w.now })
		for _, r := range w.records() {
			other.Put(r)
		}
		w.source, w.engine.Sources[0].Source = other, other
		r, how := w.followed()
		if how != "everything" || r.Reads[0].Why == "" || r.Exit() != 0 {
			t.Errorf("%+v: it went by %s (%s), exit %d", cfg, how, r.Reads[0].Why, r.Exit())
		}
		if _, how := w.followed(); how != "changes" {
			t.Errorf("and then by %s", how)
		}
	}
}

// records are those of the source.
func (w *world) records() (out []source.Record) {
	w.t.Helper()
	if err := w.engine.Store.EachPerson("corp", func(p identity.Person) error {
		r, _ := w.source.Get(p.Key.ID)
		out = append(out, r)
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	for _, g := range []string{"writers", "managers"} {
		r, _ := w.source.Get(w.source.At("cn=" + g + "," + groups))
		out = append(out, r)
	}
	return out
}

// A plan follows as a sync does, and leaves to the next cycle what it found.
func TestAPlanFollows(t *testing.T) {
	w := follows(t, false)
	ids := w.joinMany("p", 20)
	w.synced()
	w.source.Remove(ids[3])
	r := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
	if ways(r) != "changes" || r.Exit() != rostersync.ExitPending {
		t.Errorf("it went by %s, exit %d", ways(r), r.Exit())
	}
	w.has("p0003", true)
	w.synced()
	w.has("p0003", false)
}

// A lane follows while a long apply goes on; what it saw of others is left to the
// next cycle, and nothing is lost or done twice.
func TestALaneFollows(t *testing.T) {
	w := follows(t, false)
	w.join("early")
	w.synced()
	w.engine.Targets[0].Rules.Guard.MaxCreate = &plan.Limit{Count: 1000}
	ids := w.joinMany("p", 300)
	reached := w.slow(time.Millisecond, 20)
	main := w.beginCycle(rostersync.Request{Verb: "changes", Scheduled: true})
	w.reaches(main, reached)
	early := w.find("early")
	w.source.Remove(w.source.At("uid=early," + people))
	w.leave(ids[298])
	w.join("later")
	r, err := w.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync", People: []identity.Ordinal{early}, Named: true})
	if err != nil || r.Exit() != 0 || ways(r) != "changes" {
		t.Fatalf("the lane: %v, exit %d, by %s\n%s", err, r.Exit(), ways(r), text(r))
	}
	w.has("early", false)
	select {
	case <-main:
		t.Fatal("the long apply ended before the lane")
	default:
	}
	end := <-main
	if end.err != nil || len(end.report.Failed) > 0 {
		t.Fatalf("the long apply: %v\n%s", end.err, text(end.report))
	}
	w.wiki.SetFaults(memory.Faults{})
	w.now = w.now.Add(time.Minute)
	if _, how := w.followed(); how != "changes" {
		t.Errorf("by %s", how)
	}
	w.has("later", true)
	if a := w.account("p0298"); a != nil && a.Enabled {
		t.Error("who left in the middle has an open account")
	}
	w.synced()
	w.createdOnce()
}
