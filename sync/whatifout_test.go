package sync_test

import (
	"slices"
	"testing"

	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
)

// Who is out of scope already is nobody's loss: a narrower filter names those who are read
// and would not be any more, and as losing something those of them who have it.
func TestWhatIfLeavesOutWhoWasOut(t *testing.T) {
	w := staffed(t, 20)
	w.join("guest")
	w.move(w.source.At("uid=guest,"+people), "uid=guest,ou=guests,"+people)
	w.move(w.source.At("uid=p0019,"+people), "uid=p0019,ou=elsewhere,dc=corp,dc=example") // there, and out of scope
	w.leave(w.source.At("uid=p0018," + people))
	w.synced()
	w.has("p0019", false)
	w.has("p0018", false)

	read := slices.DeleteFunc(logins("p", 20), func(l string) bool { return l == "p0019" })
	in := slices.DeleteFunc(logins("p", 20), func(l string) bool { return l == "p0018" || l == "p0019" })
	got := w.whatIf(w.edit(func(_ *mapping.Config, e *rostersync.Engine) {
		e.Sources[0].Source = w.reads("ou=guests,"+people, groups)
	}))
	w.engine.Next = nil
	slices.Sort(got.Outside)
	if !slices.Equal(got.Outside, read) {
		t.Errorf("not read any more: %v, want %v", got.Outside, read)
	}
	for _, l := range got.Impact {
		for _, who := range l.People {
			if !slices.Contains(in, who) {
				t.Errorf("%s of %s, who was out already or stays in", l.What, who)
			}
		}
	}
	if len(got.Unread) > 0 || got.Exit() != rostersync.ExitHeld {
		t.Errorf("exit %d, not known: %+v", got.Exit(), got.Unread)
	}
	// And it is no way back: where the filter gives nothing else, nothing is left to say.
	next := w.edit(func(_ *mapping.Config, e *rostersync.Engine) {
		e.Sources[0].Source = w.reads(people, "ou=nobody,dc=corp,dc=example", groups)
	})
	if got = w.whatIf(next); len(got.Impact) > 0 || len(got.Outside) > 0 {
		t.Errorf("a scope that loses nobody: %+v, outside %v", got.Impact, got.Outside)
	}
}
