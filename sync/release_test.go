package sync_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/state/journal"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// TestReleaseIsKept: a release that the cycle could not carry out, since it ended before
// or the target refused, is carried out by a later one; and it is for once.
func TestReleaseIsKept(t *testing.T) {
	closed := func(t *testing.T) *world {
		w := newWorld(t)
		w.joinMany("p", 3)
		w.synced()
		for _, a := range w.wiki.Accounts() {
			if a.Name == "p0001" {
				a.Enabled = false
				w.wiki.Put(a)
			}
		}
		w.cycle(rostersync.Request{Verb: "sync", Full: true})
		w.has("p0001", false)
		return w
	}
	t.Run("ended before", func(t *testing.T) {
		w := closed(t)
		if err := w.engine.Store.Allow(w.person("p0001"), "admin", "checked"); err != nil {
			t.Fatal(err)
		}
		w.sync()
		w.has("p0001", true)
		for _, a := range w.wiki.Accounts() {
			if a.Name == "p0001" {
				a.Enabled = false
				w.wiki.Put(a)
			}
		}
		w.cycle(rostersync.Request{Verb: "sync", Full: true})
		w.has("p0001", false)
	})
	t.Run("refused", func(t *testing.T) {
		w := closed(t)
		w.wiki.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
			return memory.Fault{Err: &target.Error{Class: target.Refused, Err: errors.New("not today")}}
		}})
		if _, err := w.engine.Release(t.Context(), w.person("p0001"), "admin", "checked", rostersync.Request{Verb: "release"}); err != nil {
			t.Fatal(err)
		}
		w.has("p0001", false)
		w.wiki.SetFaults(memory.Faults{})
		w.now = w.now.Add(48 * time.Hour)
		w.sync()
		w.has("p0001", true)
	})
}

// TestReleaseIsInTheJournal: who opened what somebody else had closed, where, and why is
// told for good: with an offboard and without, by a cycle that failed, and where nobody had
// seen yet that it was closed.
func TestReleaseIsInTheJournal(t *testing.T) {
	for _, seen := range []bool{true, false} {
		for _, offboarded := range []bool{true, false} {
			w := newWorld(t)
			w.joinMany("p", 3)
			w.synced()
			a := *w.account("p0001")
			a.Enabled = false
			w.wiki.Put(a)
			if seen {
				w.cycle(rostersync.Request{Verb: "sync", Full: true})
			}
			who := w.person("p0001")
			if offboarded {
				if err := w.engine.Store.Deny(ledger.Denial{Person: who, Reason: "asked", By: "admin", At: w.now}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.engine.Release(t.Context(), who, "root", "ticket 4712", rostersync.Request{Verb: "release", By: "root"}); err != nil {
				t.Fatal(err)
			}
			w.has("p0001", true)
			var told []string
			by := map[string]string{}
			if err := w.engine.Store.Journal(state.JournalFilter{Person: who}, func(r journal.Sealed) error {
				text := ""
				for _, p := range r.Parts {
					text += string(p.Event())
				}
				switch {
				case r.Kind == "allow" && strings.Contains(text, `"ticket 4712"`) && strings.Contains(text, `"root"`):
					told = append(told, r.Target)
				case r.Kind == "outcome":
					by[r.Action] = text
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			want := []string{"wiki", ""}
			if !seen {
				want = want[1:]
			} else if !offboarded {
				want = want[:1]
			}
			if !slices.Equal(told, want) || !strings.Contains(by["enable"], `"root"`) {
				t.Errorf("seen %v, offboarded %v: told of %q, enabled: %s", seen, offboarded, told, by["enable"])
			}
		}
	}
}
