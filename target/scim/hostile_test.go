package scim

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/scimd"
	"github.com/rosterd/rosterd/internal/span"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

const (
	peopleBase = "ou=people,dc=corp,dc=example"
	groupsBase = "ou=groups,dc=corp,dc=example"
	// strangers have accounts there that are nobody's business.
	strangers = 60
)

// hostile is a server that errs, with accounts of its own, and rosterd working
// on it in whole cycles.
type hostile struct {
	t      *testing.T
	now    time.Time
	server *service
	source *source.Source
	store  *state.Store
	engine *rostersync.Engine
	ids    map[string]identity.ID
	// before is what strangers had.
	before map[string]string
	// writes are how many came in each cycle.
	writes []int
	said   []string
}

func newHostile(t *testing.T, m scimd.Mode) *hostile {
	t.Helper()
	h := &hostile{t: t, now: noon, ids: map[string]identity.ID{}, before: map[string]string{}}
	o := scimd.Options{PageSize: 20, Elsewhere: "http://127.0.0.1:1", Slow: 20 * time.Millisecond, ETags: m == scimd.NeedsIfMatch || m == scimd.ETagIsHash}
	if m == scimd.CursorCircle || m == scimd.CursorLost {
		o.Paging = "cursor"
	}
	h.server = serve(t, o, "Writers", "Publishers")
	if m != "" {
		h.server.Turn(m)
	}
	h.settle()

	moved := clock.NewFake(noon)
	t.Cleanup(moving(moved))
	cfg := h.server.cfg
	if cfg.IdleTimeout = span.Duration(20 * time.Second); m == scimd.Stall {
		cfg.IdleTimeout = span.Duration(30 * time.Millisecond)
	}
	wiki, err := newTarget(cfg, "wiki", moved)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wiki.Close() }) //nolint:errcheck // it cannot fail

	now := func() time.Time { return h.now }
	h.source = source.New("corp", source.Config{Attributes: []string{"employeeType", "title"}, Key: "employeeNumber", Bases: []string{peopleBase, groupsBase}}, now)
	h.source.Put(source.Record{Kind: directory.Group, DN: "cn=writers," + groupsBase})
	if h.store, err = state.Open(filepath.Join(t.TempDir(), "state.db"), state.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.store.Close() })
	rules := plan.DefaultRules()
	rules.Guard.First = "apply"
	h.engine = &rostersync.Engine{Store: h.store, Now: now, Policy: h.policy(),
		Sources: []rostersync.Source{{Source: h.source, VanishAfter: time.Minute, MinPeople: 0.9, MaxRekey: 5}},
		Targets: []rostersync.Target{{Name: "wiki", Target: wiki, Rules: rules, Concurrency: 1}}}
	return h
}

func (h *hostile) policy() *mapping.Policy {
	h.t.Helper()
	p := mapping.Compile(mapping.Config{
		Roles: map[string]mapping.Role{
			"employee": {When: `person.employeeType == "staff"`},
			"writer":   {Groups: []string{"cn=writers," + groupsBase}},
		},
		Sources: map[string]mapping.SourcePerson{"corp": {Login: "uid", Mail: "mail", Name: "cn", Key: "employeeNumber", Disabled: `person.employeeType == "former"`}},
		Targets: map[string]mapping.Target{"wiki": {
			Account: mapping.TargetAccount{For: []string{"employee"}, Match: []string{"userName"}},
			Attributes: mapping.Attributes{
				"userName": {From: "${person.uid}"}, "displayName": {From: "${person.cn}"}, "title": {From: "${person.title ?? ''}"},
				"enterprise.department": {From: "Content"},
			},
			Entitlements:  map[string][]string{"writer": {"Writers"}},
			NameAttribute: "userName",
		}},
	}, func(path ...string) string { return strings.Join(path, ".") }, func(p problem.Problem) {
		if !p.Warning {
			h.t.Errorf("compile: %v: %s (%s)", p.Path, p.Message, p.Hint)
		}
	})
	if p == nil {
		h.t.Fatal("the policy does not compile")
	}
	return p
}

// settle puts strangers and their memberships there.
func (h *hostile) settle() {
	var members []any
	for i := range strangers {
		name := fmt.Sprintf("stranger%02d", i)
		id := h.server.Add(scimd.Users, scimd.Resource{"userName": name, "active": i%7 != 0, "title": "Do not touch", "displayName": name})
		members = append(members, map[string]any{"value": id})
		h.before[id] = fmt.Sprint(name, i%7 != 0, "Do not touch")
	}
	for _, name := range []string{"Writers", "Publishers"} {
		g, _ := h.server.Group(name)
		h.server.Change(scimd.Groups, g.Text("id"), func(r scimd.Resource) { r["members"] = slices.Clone(members) })
	}
}

func (h *hostile) join(logins ...string) {
	for _, l := range logins {
		h.ids[l] = h.source.Put(source.Record{Kind: directory.Person, DN: "uid=" + l + "," + peopleBase, Attributes: map[string][]string{
			"uid": {l}, "cn": {"Person " + l}, "mail": {l + "@corp.example"}, "employeetype": {"staff"}, "employeenumber": {"n-" + l}}})
	}
}

func (h *hostile) set(login, name, value string) {
	h.t.Helper()
	if !h.source.Change(h.ids[login], func(r *source.Record) { r.Attributes[name] = []string{value} }) {
		h.t.Fatal("there is no", login)
	}
}

func (h *hostile) writers(logins ...string) {
	h.source.Change(h.source.At("cn=writers,"+groupsBase), func(r *source.Record) {
		r.Members = nil
		for _, l := range logins {
			r.Members = append(r.Members, "uid="+l+","+peopleBase)
		}
	})
}

// cycles runs full cycles, and holds what must be true after each.
func (h *hostile) cycles(n int, full bool) {
	h.t.Helper()
	for range n {
		before := h.server.Writes()
		r, err := h.engine.Cycle(h.t.Context(), rostersync.Request{Verb: "sync", Full: full})
		if err != nil {
			h.t.Fatal(err)
		}
		h.now = h.now.Add(10 * time.Minute)
		h.writes = append(h.writes, h.server.Writes()-before)
		h.said = append(h.said, words(r)...)
		h.lawful()
	}
}

// words are what a report says that went wrong.
func words(r *rostersync.Report) []string {
	var out []string
	for _, d := range r.Down {
		out = append(out, d.Err.Error())
	}
	for _, f := range r.Failed {
		out = append(out, f.Outcome.Err)
	}
	for _, p := range r.Parked {
		out = append(out, p.Error)
	}
	for _, p := range r.Unverified {
		out = append(out, p.Error)
	}
	return out
}

// lawful: no stranger was touched or lost a group, and what rosterd says that it
// closed or revoked is so.
func (h *hostile) lawful() {
	h.t.Helper()
	users := map[string]scimd.Resource{}
	for _, u := range h.server.All(scimd.Users) {
		users[u.Text("id")] = u
	}
	for _, id := range slices.Sorted(maps.Keys(h.before)) {
		u := users[id]
		if got := fmt.Sprint(u.Text("userName"), u["active"] == true, u.Text("title")); got != h.before[id] {
			h.t.Errorf("a stranger was %s and is %s", h.before[id], got)
		}
		if u.Text("externalId") != "" {
			h.t.Errorf("a stranger was taken: %v", u)
		}
	}
	holders := map[string][]string{}
	for _, g := range h.server.All(scimd.Groups) {
		name := g.Text("displayName")
		holders[name] = g.Members()
		for _, id := range slices.Sorted(maps.Keys(h.before)) {
			if !slices.Contains(g.Members(), id) {
				h.t.Errorf("%s lost %s", name, h.before[id])
				break
			}
		}
	}
	for _, l := range h.links() {
		u, there := users[string(l.Account)]
		switch {
		case !there:
		case h.before[string(l.Account)] != "":
			h.t.Errorf("the account of a stranger is linked: %+v", l)
		case l.Phase == ledger.Closed && u["active"] != false:
			h.t.Errorf("%s is called closed, and is active", l.Name)
		}
		granted := slices.ContainsFunc(l.Granted, func(g ledger.Granted) bool { return g.Entitlement == "Writers" })
		if there && !granted && slices.Contains(holders["Writers"], string(l.Account)) && !h.doubted(l) {
			h.t.Errorf("%s is called without Writers, and has it", l.Name)
		}
	}
}

// doubted: what rosterd says of an account is not verified, and it says so.
func (h *hostile) doubted(l ledger.Link) bool { return len(h.said) > 0 }

func (h *hostile) links() []ledger.Link {
	h.t.Helper()
	var ords []identity.Ordinal
	for i := range 12 {
		ords = append(ords, identity.Ordinal(i+1))
	}
	all, err := h.store.Links(ords...)
	if err != nil {
		h.t.Fatal(err)
	}
	var out []ledger.Link
	for _, ord := range ords {
		for _, l := range all[ord] {
			out = append(out, l)
		}
	}
	return out
}

// wanted says whether all is as the directory wants it.
func (h *hostile) wanted() bool {
	has := func(login string, active, writer bool, title string) bool {
		u, ok := h.server.User(login)
		g, _ := h.server.Group("Writers")
		return ok && (u["active"] == true) == active && slices.Contains(g.Members(), u.Text("id")) == writer && strings.EqualFold(u.Text("title"), title)
	}
	return has("p0", true, true, "Editor") && !active(h.server, "p1") && has("p2", true, false, "") && has("p3", true, true, "") && has("p5", true, false, "") && has("p6", true, false, "")
}

func active(s *service, login string) bool {
	u, ok := s.User(login)
	return ok && u["active"] != false
}

// live is the life that is told to each server.
func (h *hostile) live() {
	h.join("p0", "p1", "p2", "p3", "p4", "p5")
	h.writers("p0", "p1", "p2", "p3")
	h.cycles(3, true)
	h.set("p0", "title", "Editor")
	h.set("p1", "employeetype", "former")
	h.writers("p0", "p3")
	h.cycles(3, true)
	// Somebody who is found by a look, and not by a listing.
	h.join("p6")
	h.cycles(3, false)
	settled := len(h.writes)
	h.server.Forget()
	h.cycles(5, false)
	h.cycles(1, true)
	// What the server refuses is tried again as the back-off says, and so is the
	// closing of an account that is open still, for ever. What it takes is not
	// written to it again and again.
	taken, total := 0, 0
	for _, r := range h.server.Requests() {
		if !r.Write() {
			continue
		}
		if total++; r.Status >= 200 && r.Status < 300 && !strings.Contains(string(r.Body), `"active"`) {
			taken++
		}
	}
	if taken > 4 || total > 30 {
		h.t.Errorf("endless: %v writes in six cycles without a change, of which the server took %d", h.writes[settled:], taken)
	}
}

// volatile is what differs from run to run.
var volatile = []struct {
	text *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
	{regexp.MustCompile(`"p\d"`), `"NAME"`},
	{regexp.MustCompile(`\bp\d\b`), "NAME"},
	{regexp.MustCompile(`\b([uU]-\d+|stranger\d+)\b`), "ID"},
	{regexp.MustCompile(`(unexpected )?EOF$|read: connection reset by peer$|http: server closed idle connection$`), "the connection ended"},
}

// outcome is what rosterd does about a mode, in a line.
func (h *hostile) outcome() string {
	said := ""
	for _, s := range h.said {
		if s != "" {
			said = s
			break
		}
	}
	for _, v := range volatile {
		said = v.text.ReplaceAllString(said, v.by)
	}
	switch done := h.wanted(); {
	case done && said == "":
		return "works"
	case done:
		return "works in the end; before: " + said
	case said == "":
		h.t.Errorf("not done, and nobody says why; writes %v", h.writes)
		return "silent"
	default:
		return said
	}
}

// dangerous are the modes that have cost somebody accounts or groups, or would.
var dangerous = []scimd.Mode{
	scimd.FilterIgnored, scimd.TwinGroups, scimd.WrongUser, scimd.FirstPageOnly, scimd.TotalOfPage, scimd.ActiveIgnored, scimd.ActiveSaysOtherwise,
	scimd.CreatedInactive, scimd.PatchDoesNothing, scimd.FilteredRemoveWipes, scimd.MultiRemoveShift, scimd.AddReplaces, scimd.MembersOmitted, scimd.ErrorAfterWork, scimd.NotStored,
}

// TestHostileServers: whatever a server does, no stranger loses anything, nobody is
// called closed who is not, nothing is written for ever, and the reason is named.
// All modes are in TestScimHostileServers.
func TestHostileServers(t *testing.T) {
	for _, m := range dangerous {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, m)
			h.live()
			h.outcome()
		})
	}
}

func TestAHarmlessServer(t *testing.T) {
	h := newHostile(t, "")
	h.live()
	if got := h.outcome(); got != "works" || h.writes[len(h.writes)-1] != 0 {
		t.Error(got, h.writes, h.said)
	}
}
