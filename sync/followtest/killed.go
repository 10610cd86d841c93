package followtest

import (
	"context"
	"os"
	"path/filepath"

	rostersync "github.com/rosterd/rosterd/sync"
)

// interrupted kills rosterd in a cycle, between two commits.
func (w *walk) interrupted() bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	left := w.rand.IntN(8)
	ask := scheduled()
	ask.Progress = func(rostersync.Progress) {
		if left--; left < 0 {
			cancel()
		}
	}
	_, err := w.engine.Cycle(ctx, ask)
	w.count.killed++
	w.say("a cycle was interrupted: %v", err)
	w.kill()
	w.start()
	return true
}

func (w *walk) killed() bool {
	w.say("rosterd restarts")
	w.kill()
	w.start()
	return true
}

func (w *walk) restarts() bool {
	w.say("the server restarts")
	w.must(w.world.Restart())
	return true
}

// beside are the files of a state.
var beside = []string{"state.db", "state.db.last"}

// copied keeps a copy of the state.
func (w *walk) copied() bool {
	w.say("the state is copied")
	w.kill()
	w.old = filepath.Join(w.folder, "old")
	for _, name := range beside {
		w.copyFile(filepath.Join(w.folder, name), filepath.Join(w.old, name))
	}
	w.start()
	return true
}

// putBack puts the copy in the place of the state. With what stands beside it, as
// where a disk is put back, nothing tells that it is old, and its cursor is a stale
// one. Alone it is known as an old one, and reads everything until its targets were
// compared: here there are none.
func (w *walk) putBack() bool {
	if w.old == "" {
		return false
	}
	alone := w.rand.IntN(4) == 0
	w.say("an older state is put back; alone: %t", alone)
	w.count.putBack++
	w.kill()
	for _, name := range beside {
		if !alone || name == "state.db" {
			w.copyFile(filepath.Join(w.old, name), filepath.Join(w.folder, name))
		}
	}
	w.start()
	if alone {
		w.cycles()
		w.must(w.engine.Store.Agree("none", "walk", nil))
	}
	return true
}

func (w *walk) copyFile(from, to string) {
	w.t.Helper()
	content, err := os.ReadFile(from)
	w.must(err)
	w.must(os.MkdirAll(filepath.Dir(to), 0o700))
	w.must(os.WriteFile(to, content, 0o600))
}
