package sync_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
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
