package sync_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
)

// fourEyes has two roles that one person should not hold together.
func fourEyes(t *testing.T, action string) *world {
	t.Helper()
	w := newWorld(t)
	w.config.Roles["manager"] = mapping.Role{Groups: []string{"cn=managers," + groups}}
	w.config.Targets["wiki"].Entitlements["manager"] = []string{"Publishers"}
	w.conflict(action, nil)
	w.joinMany("p", 20)
	return w
}

func (w *world) conflict(action string, except map[string]mapping.ConflictExcept) {
	w.t.Helper()
	w.config.Conflicts = map[string]mapping.Conflict{"four-eyes": {Roles: []string{"manager", "writer"}, Action: action, Except: except}}
	w.engine.Policy = w.compile()
}

// together is who status says holds both.
func (w *world) together() string {
	w.t.Helper()
	st, err := w.engine.Status(0)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, t := range st.Together {
		p, err := w.engine.Store.People(t.Person)
		if err != nil {
			w.t.Fatal(err)
		}
		text := p[0].Login
		if t.Excepted != "" {
			text += " excepted"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// Whichever role came first, the other one is held; whoever has both already is told
// of and loses nothing.
func TestConflictIsSymmetric(t *testing.T) {
	for _, first := range []string{"writers", "managers"} {
		w := fourEyes(t, "hold")
		second := map[string]string{"writers": "managers", "managers": "writers"}[first]
		w.members(first, "p0001")
		w.synced()
		before := strings.Join(w.account("p0001").Entitlements, " ")
		w.members(second, "p0001", "p0002")
		r := w.sync()
		if r.Exit() != 4 || w.onlyHold().Rule != "conflict" || len(w.onlyHold().Keys) != 1 {
			t.Fatalf("%s first: exit %d\n%s", first, r.Exit(), text(r))
		}
		w.has("p0001", true, before)
		if w.together() != "p0001" || !strings.Contains(text(r), "p0001 holds manager and writer, against conflict.four-eyes") {
			t.Errorf("%s first: %s\n%s", first, w.together(), text(r))
		}
		w.members(second, "p0002")
		w.synced()
		if w.together() != "" {
			t.Error("it is over, and told of still: " + w.together())
		}
	}
	// Both at once: neither.
	w := fourEyes(t, "hold")
	w.members("writers", "p0001")
	w.members("managers", "p0001")
	if r := w.sync(); r.Exit() != 4 {
		t.Fatal(text(r))
	}
	w.has("p0001", true)
}

// Who has both before there is a conflict keeps both, and is told of by the first
// cycle under the edit and by status; so after the conflict is taken out.
func TestConflictOfWhatExists(t *testing.T) {
	w := fourEyes(t, "hold")
	w.config.Conflicts = nil
	w.engine.Policy = w.compile()
	w.members("writers", "p0001")
	w.members("managers", "p0001")
	w.synced()
	w.has("p0001", true, "Publishers", "Writers")
	w.conflict("hold", nil)
	r := w.sync()
	if r.Exit() != 0 || !strings.Contains(text(r), "p0001 holds manager and writer") || w.together() != "p0001" {
		t.Errorf("exit %d, %s\n%s", r.Exit(), w.together(), text(r))
	}
	w.quiet()
	w.has("p0001", true, "Publishers", "Writers")
	w.config.Conflicts = nil
	w.engine.Policy = w.compile()
	w.synced()
	if w.together() != "" {
		t.Error(w.together())
	}
	// Held by a conflict that the file does not have any more: it is not held.
	w.conflict("hold", nil)
	w.members("writers", "p0001", "p0002")
	w.members("managers", "p0001", "p0002")
	if r := w.sync(); r.Exit() != 4 {
		t.Fatal(text(r))
	}
	w.config.Conflicts = nil
	w.engine.Policy = w.compile()
	w.sync()
	w.synced()
	w.has("p0002", true, "Publishers", "Writers")
}

// An exception lets one person be, until it ends: then the next right waits again, and
// what was given stays and is told of.
func TestConflictException(t *testing.T) {
	w := fourEyes(t, "hold")
	w.conflict("hold", map[string]mapping.ConflictExcept{"alone": {Person: "p0001", Reason: "alone in the office", Until: "2026-03-04"}})
	w.members("writers", "p0001", "p0002")
	w.members("managers", "p0001")
	w.synced()
	w.has("p0001", true, "Publishers", "Writers")
	if w.together() != "p0001 excepted" {
		t.Error(w.together())
	}
	w.now = time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	r := w.sync()
	w.has("p0001", true, "Publishers", "Writers")
	if r.Exit() != 0 || w.together() != "p0001" || !strings.Contains(text(r), "p0001 holds manager and writer") {
		t.Errorf("exit %d, %s\n%s", r.Exit(), w.together(), text(r))
	}
	a := *w.account("p0001")
	a.Entitlements = []string{"Writers"}
	w.wiki.Put(a)
	if r := w.cycle(rostersync.Request{Verb: "sync", Full: true}); r.Exit() != 4 {
		t.Errorf("given again after the exception ended\n%s", text(r))
	}
}

// A grant by hand meets the conflict like anything else.
func TestConflictOfAGrant(t *testing.T) {
	w := fourEyes(t, "hold")
	w.members("writers", "p0001")
	w.synced()
	r := w.decree(ledger.Exception{Kind: ledger.Grant, Person: w.person("p0001"), Role: "manager", Reason: "the fair", By: "admin",
		Until: identity.Bound{At: w.now.Add(72 * time.Hour)}})
	if r.Exit() != 4 {
		t.Fatalf("exit %d\n%s", r.Exit(), text(r))
	}
	w.has("p0001", true, "Writers")
}

// Who moves from one role to the other loses the first right before the second comes,
// and while taking is held so is giving.
func TestConflictMover(t *testing.T) {
	w := fourEyes(t, "hold")
	w.members("writers", logins("p", 12)...)
	w.synced()
	w.members("writers", logins("p", 11)...)
	w.members("managers", "p0011")
	w.synced()
	w.has("p0011", true, "Publishers")
	writes := w.wiki.Writes()
	if n := len(writes); writes[n-2].Verb.String() != "revoke" || writes[n-1].Verb.String() != "grant" {
		t.Errorf("%v then %v", writes[n-2].Verb, writes[n-1].Verb)
	}
	w.members("writers")
	w.members("managers", logins("p", 12)...)
	if r := w.sync(); r.Exit() != 4 {
		t.Fatal(text(r))
	}
	for _, name := range logins("p", 11) {
		if a := w.account(name); strings.Join(a.Entitlements, " ") != "Writers" {
			t.Errorf("%s has %v", name, a.Entitlements)
		}
	}
}
