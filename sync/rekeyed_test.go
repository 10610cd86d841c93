package sync_test

import (
	"testing"

	rostersync "github.com/rosterd/rosterd/sync"
)

// A directory that was rebuilt gives everybody a new ID. Nobody loses anything,
// nobody gets a second account, and one approval makes them who they were.
func TestRebuiltDirectory(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 40)
	w.members("writers", "p0001", "p0002")
	w.synced()
	before := w.account("p0001").ID
	writes := len(w.wiki.Writes())

	w.source.Remove(ids[:20]...)
	w.joinMany("p", 20)
	for range 2 {
		if r := w.sync(); r.Exit() != 4 {
			t.Fatalf("exit %d, want 4\n%s", r.Exit(), text(r))
		}
	}
	if n := len(w.wiki.Writes()) - writes; n != 0 {
		t.Fatalf("%d writes though nobody left", n)
	}
	h := w.onlyHold()
	if h.Rule != "rekeyed" || len(h.Keys) != 20 {
		t.Fatalf("held by %s with %d changes, want rekeyed with 20", h.Rule, len(h.Keys))
	}
	if _, err := w.engine.Approve(t.Context(), rostersync.Approval{Hold: h.ID, Version: "stale", By: "admin"}, rostersync.Request{Verb: "approve"}); err == nil {
		t.Fatal("law 4: a version that was never shown was approved")
	}
	if r, err := w.approve(h); err != nil || r.Exit() != 0 {
		t.Fatalf("approve: %v, exit %d\n%s", err, r.Exit(), text(r))
	}
	if a := w.account("p0001"); a == nil || a.ID != before || len(w.wiki.Accounts()) != 40 {
		t.Fatalf("p0001 has %+v of %d accounts, and had %s", a, len(w.wiki.Accounts()), before)
	}
	w.has("p0001", true, "Writers")
	w.quiet()
}
