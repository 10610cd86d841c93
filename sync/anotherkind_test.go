package sync_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	rostersync "github.com/rosterd/rosterd/sync"
)

// An entry that is of another kind now makes no listing, and nobody loses anything; what
// the error says to do is enough.
func TestSomebodyWhoIsAGroupNow(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 8)
	w.synced()
	kind := func(k directory.Kind) { w.source.Change(ids[3], func(r *source.Record) { r.Kind = k }) }
	kind(directory.Group)
	w.leave(ids[5])
	r := w.sync()
	var hint interface{ Hint() string }
	if r.Exit() != rostersync.ExitFailed || !errors.As(r.Reads[0].Err, &hint) || !strings.Contains(hint.Hint(), "narrow the filters") {
		t.Fatalf("exit %d: %v", r.Exit(), r.Reads[0].Err)
	}
	if w.enabled() != 8 {
		t.Errorf("%d of 8 are left", w.enabled())
	}
	w.move(ids[3], "cn=p0003,ou=elsewhere,dc=corp,dc=example")
	w.synced()
	w.has("p0003", false)
	w.has("p0005", false)
	kind(directory.Person)
	w.move(ids[3], "uid=p0003,"+people)
	w.synced()
	w.has("p0003", true)
}
