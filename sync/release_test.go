package sync_test

import (
	"errors"
	"testing"
	"time"

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
