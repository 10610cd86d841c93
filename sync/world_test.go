package sync_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	people = "ou=people,dc=corp,dc=example"
	groups = "ou=groups,dc=corp,dc=example"
)

// world is a source, a wiki and a state, with a clock that only tests move.
type world struct {
	t      *testing.T
	now    time.Time
	path   string
	source *source.Source
	wiki   *memory.Target
	config mapping.Config
	engine *rostersync.Engine
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, t.TempDir())
}

// newWorldIn has its state in a folder.
func newWorldIn(t *testing.T, folder string) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), path: filepath.Join(folder, "state.db")}
	clock := func() time.Time { return w.now }
	w.source = source.New("corp", source.Config{Attributes: []string{"employeeType", "sn"}, Key: "employeeNumber", Bases: []string{people, groups}}, clock)
	w.source.Put(source.Record{Kind: directory.Group, DN: "cn=writers," + groups})
	w.source.Put(source.Record{Kind: directory.Group, DN: "cn=managers," + groups})
	wiki, err := memory.New(memory.Config{}, "wiki")
	if err != nil {
		t.Fatal(err)
	}
	w.wiki = wiki
	w.config = mapping.Config{
		Roles: map[string]mapping.Role{
			"employee": {When: `person.employeeType == "staff"`},
			"writer":   {Groups: []string{"cn=writers," + groups}},
			"manager":  {Groups: []string{"cn=managers," + groups}, Includes: []string{"writer"}},
		},
		Sources: map[string]mapping.SourcePerson{"corp": {Login: "uid", Mail: "mail", Name: "cn", Key: "employeeNumber", Disabled: `person.employeeType == "former"`}},
		Targets: map[string]mapping.Target{"wiki": {
			Account:       mapping.TargetAccount{For: []string{"employee"}, Match: []string{"name"}},
			Attributes:    mapping.Attributes{"name": {From: "${person.uid}"}, "title": {From: "${person.sn ?? ''}"}},
			Entitlements:  map[string][]string{"writer": {"Writers"}, "manager": {"Writers", "Publishers"}},
			NameAttribute: "name",
		}},
	}
	w.open()
	return w
}

// open opens the state and compiles the policy; close and open is a restart.
func (w *world) open() {
	w.t.Helper()
	w.openWith(func() time.Time { return w.now })
}

func (w *world) openWith(clock func() time.Time) {
	w.t.Helper()
	store, err := state.Open(w.path, state.Options{Now: clock})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { store.Close() })
	rules := plan.DefaultRules()
	rules.Guard.First = "apply"
	w.engine = &rostersync.Engine{Store: store, Now: clock, Policy: w.compile(),
		Sources: []rostersync.Source{{Source: w.source, VanishAfter: time.Minute, MinPeople: 0.9, MaxRekey: 5}},
		Targets: []rostersync.Target{{Name: "wiki", Target: w.wiki, Rules: rules, Concurrency: 4}}}
}

func (w *world) compile() *mapping.Policy {
	w.t.Helper()
	p := mapping.Compile(w.config, func(path ...string) string { return "rosterd.toml:" + strings.Join(path, ".") }, func(p problem.Problem) {
		if !p.Warning {
			w.t.Errorf("compile: %v: %s (%s)", p.Path, p.Message, p.Hint)
		}
	})
	if p == nil {
		w.t.Fatal("the policy does not compile")
	}
	return p
}

// join puts a person into the source.
func (w *world) join(login string) identity.ID {
	return w.source.Put(source.Record{Kind: directory.Person, DN: "uid=" + login + "," + people, Attributes: map[string][]string{
		"uid": {login}, "cn": {login}, "mail": {login + "@corp.example"}, "employeeType": {"staff"}, "employeeNumber": {"n-" + login}}})
}

func (w *world) joinMany(prefix string, n int) []identity.ID {
	ids := make([]identity.ID, n)
	for i := range ids {
		ids[i] = w.join(fmt.Sprintf("%s%04d", prefix, i))
	}
	return ids
}

func (w *world) set(id identity.ID, name string, values ...string) {
	w.t.Helper()
	if !w.source.Change(id, func(r *source.Record) { r.Attributes[strings.ToLower(name)] = values }) {
		w.t.Fatalf("no entry %s", id)
	}
}

// leave makes people former at the source.
func (w *world) leave(ids ...identity.ID) {
	for _, id := range ids {
		w.set(id, "employeeType", "former")
	}
}

// members sets who is in a group, by login.
func (w *world) members(group string, logins ...string) {
	w.t.Helper()
	id := w.source.At("cn=" + group + "," + groups)
	w.source.Change(id, func(r *source.Record) {
		r.Members = nil
		for _, l := range logins {
			r.Members = append(r.Members, "uid="+l+","+people)
		}
	})
}

func (w *world) cycle(ask rostersync.Request) *rostersync.Report {
	w.t.Helper()
	r, err := w.engine.Cycle(context.Background(), ask)
	if err != nil {
		w.t.Fatalf("cycle: %v", err)
	}
	w.now = w.now.Add(time.Second)
	return r
}

func (w *world) sync() *rostersync.Report {
	w.t.Helper()
	return w.cycle(rostersync.Request{Verb: "sync"})
}

// synced runs a cycle that must do everything, and one that must do nothing.
func (w *world) synced() *rostersync.Report {
	w.t.Helper()
	r := w.sync()
	if r.Exit() != 0 {
		w.t.Fatalf("sync: exit %d\n%s", r.Exit(), text(r))
	}
	w.quiet()
	return r
}

// quiet is law 11: the next cycle does nothing, and a full one neither.
func (w *world) quiet() {
	w.t.Helper()
	for _, full := range []bool{false, true} {
		before := len(w.wiki.Writes())
		r := w.cycle(rostersync.Request{Verb: "sync", Full: full})
		if r.Exit() != 0 || len(w.wiki.Writes()) != before {
			w.t.Fatalf("law 11: a second cycle (full=%v) exits %d and wrote %d times\n%s", full, r.Exit(), len(w.wiki.Writes())-before, text(r))
		}
	}
}

func (w *world) account(name string) *target.Account {
	w.t.Helper()
	for _, a := range w.wiki.Accounts() {
		if a.Name == name {
			return &a
		}
	}
	return nil
}

// has checks an account: its state, and its entitlements.
func (w *world) has(name string, enabled bool, entitlements ...string) {
	w.t.Helper()
	a := w.account(name)
	if a == nil {
		w.t.Fatalf("%s has no account", name)
	}
	if a.Enabled != enabled || strings.Join(a.Entitlements, " ") != strings.Join(entitlements, " ") {
		w.t.Errorf("%s: enabled %v with %v, want %v with %v", name, a.Enabled, a.Entitlements, enabled, entitlements)
	}
}

func (w *world) enabled() int {
	n := 0
	for _, a := range w.wiki.Accounts() {
		if a.Enabled {
			n++
		}
	}
	return n
}

func text(r *rostersync.Report) string {
	var b strings.Builder
	for _, read := range r.Reads {
		if read.Err != nil {
			fmt.Fprintf(&b, "read %s: %v\n", read.Source, read.Err)
		}
	}
	for _, d := range r.Down {
		fmt.Fprintf(&b, "down %s: %v\n", d.Target, d.Err)
	}
	for _, f := range r.Failed {
		fmt.Fprintf(&b, "failed %s: %s\n", plan.Words(f.Order.Change), f.Outcome.Err)
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "skipped %s: %s\n", plan.Words(s.Order.Change), s.Why)
	}
	for _, p := range r.Parked {
		fmt.Fprintf(&b, "parked %s: %s\n", p.Subject, p.Error)
	}
	plan.Text(&b, r.Plan, r.Verdict, plan.TextOptions{Verbose: true})
	return b.String()
}

// move gives an entry another DN.
func (w *world) move(id identity.ID, dn string) {
	w.t.Helper()
	if !w.source.Change(id, func(r *source.Record) { r.DN = dn }) {
		w.t.Fatalf("no entry %s", id)
	}
}
