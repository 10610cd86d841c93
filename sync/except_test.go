package sync_test

import (
	"context"
	"strings"
	"testing"
	"time"

	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

// excepting opens a world again whose policy has these exceptions.
func (w *world) excepting(change func(*mapping.Config)) {
	w.t.Helper()
	change(&w.config)
	w.engine.Policy = w.compile()
}

// decree decides an exception by hand.
func (w *world) decree(x ledger.Exception) *rostersync.Report {
	w.t.Helper()
	r, err := w.engine.Except(context.Background(), &rostersync.Decree{Exception: x}, rostersync.Request{Verb: x.Kind.String()})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func keeps(who identity.Ordinal, until time.Time) ledger.Exception {
	return ledger.Exception{Kind: ledger.Retain, Person: who, Reason: "a suit", Ticket: "S-1", By: "admin", Until: identity.Bound{At: until}}
}

// A grant of the file gives, ends by itself in a cycle that reads nothing new, and
// what it gave is read back as gone.
func TestGrantEndsByItself(t *testing.T) {
	w := newWorld(t)
	w.joinMany("p", 12)
	w.excepting(func(c *mapping.Config) {
		c.Grants = map[string]mapping.Grant{"fair": {Person: "P0003", Role: "manager", Reason: "the fair", From: "2026-03-04", Until: "2026-03-06"}}
	})
	w.synced()
	w.has("p0003", true)
	for _, c := range []struct {
		at   time.Time
		ents []string
	}{
		{time.Date(2026, 3, 3, 23, 59, 59, 0, time.UTC), nil}, {time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC), []string{"Publishers", "Writers"}},
		{time.Date(2026, 3, 6, 23, 59, 0, 0, time.UTC), []string{"Publishers", "Writers"}}, {time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), nil},
	} {
		w.now = c.at
		r := w.sync()
		if r.Exit() != 0 {
			t.Fatalf("at %s: exit %d\n%s", c.at, r.Exit(), text(r))
		}
		w.has("p0003", true, c.ents...)
		if c.at.Day() == 7 && !strings.Contains(text(r), "grant.fair of manager ended: it was until 2026-03-06") {
			t.Errorf("why it goes is not told\n%s", text(r))
		}
	}
	w.quiet()
	// A clock that ran ahead and was set back: it is in force again.
	w.now = time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	w.cycle(rostersync.Request{Verb: "sync", Full: true})
	w.has("p0003", true, "Publishers", "Writers")
}

// Whoever the text means when it is first read is meant, renamed or not. Who gets
// the login later is not.
func TestGrantIsOfThePersonNotOfTheLogin(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.excepting(func(c *mapping.Config) {
		c.Grants = map[string]mapping.Grant{"fair": {Person: "p0003", Role: "manager", Reason: "the fair", Until: "never"}}
	})
	w.synced()
	w.has("p0003", true, "Publishers", "Writers")
	// Renamed, and the login is given to somebody else in the same reading.
	w.set(ids[3], "uid", "married")
	w.set(ids[3], "mail", "married@corp.example")
	w.move(ids[3], "uid=married,"+people)
	w.synced()
	w.join("p0003x")
	w.synced()
	w.set(w.source.At("uid=p0003x,"+people), "uid", "p0003")
	w.synced()
	w.has("married", true, "Publishers", "Writers")
	w.has("p0003", true)
	// They leave, and another one gets the login anew.
	if err := w.engine.Store.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.source.Remove(ids[3])
	w.sync()
	w.now = w.now.Add(time.Hour)
	w.sync()
	w.has("married", false)
	w.has("p0003", true)
	w.quiet()
	// Out of the file and in again: it means who is called so by now.
	w.excepting(func(c *mapping.Config) { c.Grants = nil })
	w.synced()
	w.excepting(func(c *mapping.Config) {
		c.Grants = map[string]mapping.Grant{"fair": {Person: "p0003", Role: "manager", Reason: "the fair", Until: "never"}}
	})
	w.synced()
	w.has("p0003", true, "Publishers", "Writers")
}

// More than one is meant: it applies to none of them.
func TestExceptionOfSeveralIsOfNobody(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany("p", 12)
	w.synced()
	w.source.Remove(ids[3])
	w.sync()
	w.now = w.now.Add(time.Hour)
	w.sync()
	w.now = w.now.Add(time.Hour)
	w.sync()
	w.set(w.join("p0003y"), "uid", "p0003")
	w.sync()
	w.excepting(func(c *mapping.Config) {
		c.Grants = map[string]mapping.Grant{"fair": {Person: "p0003", Role: "manager", Reason: "the fair", Until: "never"}}
		c.Denies = map[string]mapping.Deny{"d": {Person: "p0003", Reason: "the fair", Until: "never"}}
	})
	r := w.sync()
	for _, a := range w.wiki.Accounts() {
		if strings.HasPrefix(a.Name, "p0003") && len(a.Entitlements) > 0 {
			t.Errorf("%+v\n%s", a, text(r))
		}
	}
	x, err := w.engine.Explain(w.person("p0003y@corp.example"))
	if err != nil || len(x.Desired.Exceptions) != 2 || !strings.Contains(x.Desired.Exceptions[0].Idle, "more than one person") {
		t.Errorf("%+v %v", x.Desired.Exceptions, err)
	}
}

// A deny of a target closes the account, never deletes it, and ends by itself.
func TestDenyClosesAndEnds(t *testing.T) {
	w := newWorld(t)
	w.engine.Targets[0].Rules.Leaver.Delete = map[string]string{"unentitled": "1h", "gone": "1h"}
	w.joinMany("p", 12)
	w.members("managers", "p0003")
	w.excepting(func(c *mapping.Config) {
		c.Grants = map[string]mapping.Grant{"g": {Person: "p0003", Role: "manager", Reason: "x", Until: "never"}}
		c.Denies = map[string]mapping.Deny{"audit": {Person: "n-p0003", Target: "wiki", Reason: "is under audit", Until: "2026-03-04"}}
	})
	w.synced()
	if w.account("p0003") != nil {
		t.Fatal("an account that is denied was made")
	}
	w.is("p0003", plan.None, "")
	w.now = time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	w.synced()
	w.has("p0003", true, "Publishers", "Writers")
	w.excepting(func(c *mapping.Config) {
		c.Denies = map[string]mapping.Deny{"audit": {Person: "n-p0003", Reason: "is under audit", Until: "2026-03-20"}}
	})
	w.synced()
	w.has("p0003", false)
	w.is("p0003", plan.Offboarded, "denied: is under audit, until 2026-03-20 (deny.audit at rosterd.toml:deny.audit)")
	for range 3 {
		w.now = w.now.Add(72 * time.Hour)
		w.cycle(rostersync.Request{Verb: "sync", Full: true})
	}
	w.has("p0003", false)
	// A directory that cannot be read does not keep it from ending.
	w.source.SetFaults(source.Faults{Read: func(context.Context, int) error { return errAway }})
	w.now = time.Date(2026, 3, 21, 0, 0, 0, 0, time.UTC)
	w.sync()
	w.has("p0003", true, "Publishers", "Writers")
}

// A retain outlives the grace, keeps the person from being forgotten, and lets go
// when it ends.
func TestRetainKeepsTheAccount(t *testing.T) {
	for _, byHand := range []bool{false, true} {
		w := newWorld(t)
		w.engine.KeepLeavers = 10 * 24 * time.Hour
		w.engine.Targets[0].Rules.Leaver.Delete = map[string]string{"gone": "2d", "unentitled": "2d"}
		ids := w.joinMany("p", 12)
		if !byHand {
			w.excepting(func(c *mapping.Config) {
				c.Retains = map[string]mapping.Retain{"suit": {Person: "p0003", Reason: "a suit", Ticket: "S-1", Until: "2026-04-30"}}
			})
		}
		w.synced()
		who := w.find("p0003")
		if byHand {
			w.decree(keeps(who, time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)))
		}
		w.set(ids[3], "employeeType", "guest")
		w.synced()
		for range 5 {
			w.now = w.now.Add(5 * 24 * time.Hour)
			w.cycle(rostersync.Request{Verb: "sync", Full: true})
		}
		w.has("p0003", false)
		x, err := w.engine.Explain(who)
		if err != nil || !strings.Contains(x.Subjects[0].Kept, "a suit") {
			t.Errorf("by hand %v: %q %v", byHand, x.Subjects[0].Kept, err)
		}
		w.now = time.Date(2026, 4, 30, 23, 59, 0, 0, time.UTC)
		w.cycle(rostersync.Request{Verb: "sync", Full: true})
		w.has("p0003", false)
		w.now = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
		w.sync()
		if w.account("p0003") != nil {
			t.Errorf("by hand %v: it ended and the account is there", byHand)
		}
	}
}
