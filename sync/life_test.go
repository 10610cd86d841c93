package sync_test

import (
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

// A working life: joiner, promotion, leaver, rehire, each in one cycle.
func TestWorkingLife(t *testing.T) {
	w := newWorld(t)
	id := w.join("writer1")
	w.members("writers", "writer1")
	w.synced()
	w.has("writer1", true, "Writers")

	w.members("managers", "writer1")
	w.synced()
	w.has("writer1", true, "Publishers", "Writers")

	w.leave(id)
	r := w.synced()
	w.has("writer1", false)
	if r.Verified != 1 {
		t.Errorf("law 9: a leaver was revoked and not read back: %d verified", r.Verified)
	}

	w.set(id, "employeeType", "staff")
	before := w.account("writer1").ID
	w.synced()
	w.has("writer1", true, "Publishers", "Writers")
	if after := w.account("writer1").ID; after != before {
		t.Errorf("law 6: a rehire got account %s, and had %s", after, before)
	}
}

func TestRenameInOneCycle(t *testing.T) {
	w := newWorld(t)
	id := w.join("writer1")
	w.synced()
	before := w.account("writer1").ID
	w.set(id, "uid", "writer2")
	w.synced()
	if a := w.account("writer2"); a == nil || a.ID != before || w.account("writer1") != nil {
		t.Fatalf("law 8: renamed to %+v, want the account %s", a, before)
	}
}

// Law 2: nobody is a leaver because they were not seen once.
func TestLaw02AbsenceNeedsTwoLooks(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.members("writers", "p0003")
	w.synced()

	w.source.Remove(ids[3])
	r := w.sync()
	w.has("p0003", true, "Writers")
	if r.Exit() != 0 {
		t.Errorf("exit %d after a first absence, want 0\n%s", r.Exit(), text(r))
	}
	w.now = w.now.Add(2 * time.Minute)
	r = w.sync()
	w.has("p0003", false)
	if s := situation(r, "p0003"); s != "presumed-gone" {
		t.Errorf("situation %s, want presumed-gone", s)
	}
	w.quiet()
}

func TestRehireByKeyGetsTheSameAccount(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.synced()
	before := w.account("p0003").ID
	w.source.Remove(ids[3])
	w.sync()
	w.now = w.now.Add(2 * time.Minute)
	w.sync()
	w.has("p0003", false)

	w.join("p0003") // a new entry, with a new ID and the old key
	w.sync()
	w.has("p0003", true)
	if after := w.account("p0003").ID; after != before {
		t.Errorf("law 6: the rehire got account %s, and had %s", after, before)
	}
	w.quiet()
}

func TestMovedOutOfScope(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.synced()
	w.move(ids[4], "uid=p0004,ou=left,dc=corp,dc=example")
	r := w.sync()
	w.has("p0004", false)
	if s := situation(r, "p0004"); s != "out-of-scope" {
		t.Errorf("situation %s, want out-of-scope", s)
	}
	w.quiet()
	w.move(ids[4], "uid=p0004,"+people)
	w.synced()
	w.has("p0004", true)
}

func TestOffboardAndRelease(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 12)
	w.members("writers", "p0001")
	w.synced()
	who := w.person("p0001")
	denial := ledger.Denial{Person: who, Reason: "left in anger", By: "admin", At: w.now}
	r, err := w.engine.Offboard(t.Context(), denial, rostersync.Request{Verb: "offboard"})
	if err != nil || r.Exit() != 0 {
		t.Fatalf("offboard: %v, exit %d\n%s", err, r.Exit(), text(r))
	}
	w.has("p0001", false)
	w.now = w.now.Add(time.Second)
	w.quiet()
	w.has("p0001", false)
	if _, err := w.engine.Release(t.Context(), who, "admin", "a mistake", rostersync.Request{Verb: "release"}); err != nil {
		t.Fatal(err)
	}
	w.has("p0001", true, "Writers")
	w.now = w.now.Add(time.Second)
	w.quiet()
}

// An account that somebody else disabled stays so until a release.
func TestDisabledElsewhereStaysDisabled(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 12)
	w.synced()
	a := *w.account("p0001")
	a.Enabled = false
	w.wiki.Put(a)
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	w.has("p0001", false)
	w.set(w.source.At("uid=p0001,"+people), "sn", "changed")
	w.sync()
	w.has("p0001", false)
	if _, err := w.engine.Release(t.Context(), w.person("p0001"), "admin", "checked", rostersync.Request{Verb: "release"}); err != nil {
		t.Fatal(err)
	}
	w.has("p0001", true)
}

func (w *world) person(login string) identity.Ordinal {
	w.t.Helper()
	found, err := w.engine.Store.FindPerson(login)
	if err != nil || len(found) != 1 {
		w.t.Fatalf("find %s: %d people, %v", login, len(found), err)
	}
	return found[0].Ordinal
}

func situation(r *rostersync.Report, login string) string {
	for _, s := range r.Plan.Subjects {
		if s.Login == login {
			return s.Situation.String()
		}
	}
	return "nobody"
}
