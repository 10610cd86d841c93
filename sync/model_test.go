package sync_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/state/journal"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// TestLaws lets a random organisation live: people come, move and go, servers
// fail and lie, somebody works in the targets by hand, rosterd is killed in the
// middle of things. After each cycle it holds the writes against the laws; in
// the end it heals everything and wants the targets to be what the policy
// wishes. ROSTERD_MODEL is how many lives are lived (20); a failure prints the
// seed to go on with.
func TestLaws(t *testing.T) {
	lives := "20"
	if n := os.Getenv("ROSTERD_MODEL"); n != "" {
		lives = n
	}
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == f.DefValue {
		if err := f.Value.Set(lives); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }()
	}
	memoryFolder := ""
	if s, err := os.Stat("/dev/shm"); err == nil && s.IsDir() {
		memoryFolder = "/dev/shm" // so that a commit costs no disk
	}
	rapid.Check(t, func(t *rapid.T) {
		folder, err := os.MkdirTemp(memoryFolder, "rosterd-model-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(folder)
		m := newModel(t, folder)
		defer func() { m.engine.Store.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"source: join":         m.act(m.join),
			"source: leave":        m.act(m.leave),
			"source: come back":    m.act(m.comeBack),
			"source: delete":       m.act(m.remove),
			"source: make again":   m.act(m.again),
			"source: move":         m.act(m.move),
			"source: rename":       m.act(m.rename),
			"source: attribute":    m.act(m.attribute),
			"source: member":       m.act(m.enrol),
			"source: member again": m.act(m.enrol),
			"source: nest":         m.act(m.nest),
			"source: empty group":  m.act(m.emptyGroup),
			"source: move group":   m.act(m.moveGroup),
			"source: delete group": m.act(m.deleteGroup),
			"source: fault":        m.act(m.sourceFault),
			"target: fault":        m.act(m.targetFault),
			"target: by hand":      m.act(m.byHand),
			"edit the policy":      m.act(m.edit),
			"healthy again":        m.act(m.heal),
			"restart":              m.act(m.restart),
			"crash in a write":     m.act(m.crashInWrite),
			"crash in a read":      m.act(m.crashInRead),
			"crash anywhere":       m.act(m.crashAnywhere),
			"crash somewhere":      m.act(m.crashAnywhere),
			"stop":                 m.act(m.stop),
			"clock":                m.act(m.clock),
			"date":                 m.act(m.date),
			"another date":         m.act(m.date),
			"sync":                 m.act(m.sync),
			"sync soon":            m.act(m.sync),
			"sync --full":          m.act(m.full),
			"sync --person":        m.act(m.onePerson),
			"sync --target":        m.act(m.oneTarget),
			"plan":                 m.act(m.plan),
			"approve":              m.act(m.approveAll),
			"approve part":         m.act(m.approvePart),
			"reject":               m.act(m.reject),
			"offboard":             m.act(m.offboard),
			"release":              m.act(m.release),
			"sync, a minute later": m.act(func() { m.now = m.now.Add(2 * time.Minute); m.sync() }),
			"sweep": m.act(func() {
				m.now = m.now.Add(2 * time.Minute)
				m.say("sweep")
				m.cycle(rostersync.Request{Verb: "sweep", Sweep: true})
			}),
			"changes": m.act(func() {
				m.say("changes")
				m.cycle(rostersync.Request{Verb: "changes", Scheduled: true})
			}),
			"sync, some days later": m.act(func() { m.now = m.now.Add(50 * time.Hour); m.sync() }),
		})
		m.t = t
		m.converge()
	})
}

// modelNames are the logins of whoever may come.
const (
	modelPeople = 24
	rootName    = "root1" // break-glass
	legacyName  = "legacy1"
)

// human is what the model knows of one login.
type human struct {
	login string
	id    identity.ID
	key   string
	// there is whether the source has an entry.
	there bool
	// unseen is when a complete read first did not show them.
	unseen time.Time
	absent bool // proved absent
	// was is what they should have had by the last complete read, between the dates
	// that it showed; is are those of the source.
	was       wish
	is, shown dates
}

// wish is what the policy gives somebody: by target the entitlements; nil: no
// account.
type wish map[string][]string

type model struct {
	t      *rapid.T
	now    time.Time
	folder string
	states int
	source *source.Source
	// follows: changes are followed; mute: who was deleted is not told.
	follows, mute bool
	member        map[string]*memory.Target
	engine        *rostersync.Engine
	policy        *mapping.Policy
	// files are the policies that the file may hold, file the one it does.
	files []*mapping.Policy
	file  int

	humans map[string]*human
	groups map[string]identity.ID // "" once deleted
	moves  int

	// ours are the accounts that rosterd made or was told to take, by target.
	ours map[string]map[target.NativeID]bool
	seen map[string]int // writes checked
	// approved are changes that somebody let go, by person; named removals of
	// people too.
	approved map[target.Key]bool
	denied   map[identity.Ordinal]bool
	named    map[identity.Ordinal]bool
	// removed are disabled accounts that nobody approved: when, by target.
	removed map[string][]time.Time
	// edited is when somebody lost a right by an edit that nobody approved.
	edited []time.Time
	extra  map[string]bool // target/account/entitlement given by hand
	closed bool            // somebody disabled an account by hand
	hand   bool            // somebody worked in a target by hand, or nothing but a resync tells
	faulty bool
	log    []string
	losing bool // part of each entry is hidden

	crash gosync.Mutex
	dead  bool
	// asked counts how often the time was asked, killAt is when that kills.
	asked, killAt int
}

func newModel(t *rapid.T, folder string) *model {
	m := &model{t: t, folder: folder, now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), member: map[string]*memory.Target{},
		humans: map[string]*human{}, groups: map[string]identity.ID{}, ours: map[string]map[target.NativeID]bool{},
		seen: map[string]int{}, approved: map[target.Key]bool{}, denied: map[identity.Ordinal]bool{}, named: map[identity.Ordinal]bool{},
		removed: map[string][]time.Time{}, extra: map[string]bool{}}
	how := rapid.SampledFrom([]string{"listed", "followed", "followed, deletions not told"}).Draw(t, "source is")
	m.follows, m.mute = how != "listed", how == "followed, deletions not told"
	m.source = source.New("corp", source.Config{Attributes: []string{"employeeType", "sn", "hireDate", "contractEnd"}, Key: "employeeNumber", Bases: []string{people, groups},
		Follow: m.follows, Mute: m.mute}, m.clockNow)
	for _, g := range []string{"writers", "managers", "leads"} {
		m.groups[g] = m.source.Put(source.Record{Kind: directory.Group, DN: "cn=" + g + "," + groups})
	}
	// Enough other groups that losing the right to read members shows.
	for i := range 9 {
		m.source.Put(source.Record{Kind: directory.Group, DN: fmt.Sprintf("cn=other%d,%s", i, groups), Members: []string{"uid=p00," + people}})
	}
	m.files = modelFiles(t)
	m.policy = m.files[0]
	for _, name := range []string{"chat", "wiki"} {
		w, err := memory.New(memory.Config{}, name)
		if err != nil {
			t.Fatal(err)
		}
		m.member[name], m.ours[name] = w, map[target.NativeID]bool{}
		w.Put(target.Account{Name: rootName, Enabled: true, Entitlements: []string{"Publishers"}})
		w.Put(target.Account{Name: legacyName, Enabled: true, Entitlements: []string{"Writers"}})
	}
	// One account that looks like somebody's and is not ours.
	m.member["chat"].Put(target.Account{Name: "p03", Enabled: true})
	m.open(filepath.Join(folder, "state0.db"))
	for i := range 12 {
		m.enter(login(i))
	}
	m.full() // the groups of the policy are tied to their IDs when first read
	return m
}

func login(i int) string { return fmt.Sprintf("p%02d", i) }

// clockNow is asked from everywhere, inside of transactions too: a good place
// to be killed at.
func (m *model) clockNow() time.Time {
	m.crash.Lock()
	m.asked++
	now := m.killAt > 0 && m.asked == m.killAt
	m.crash.Unlock()
	if now {
		m.die()
	}
	return m.now
}

func (m *model) open(path string) {
	store, err := state.Open(path, state.Options{Now: m.clockNow})
	if err != nil {
		m.t.Fatalf("open the state: %v", err)
	}
	m.engine = m.engineOf(store)
}

// act runs one action and holds what it wrote against the laws.
func (m *model) act(do func()) func(*rapid.T) {
	return func(t *rapid.T) {
		m.t = t
		do()
		m.unmet()
		m.now = m.now.Add(time.Second)
	}
}

func (m *model) say(format string, args ...any) {
	text := m.now.Format("01-02 15:04:05 ") + fmt.Sprintf(format, args...)
	m.log = append(m.log, text)
	m.t.Log(text)
}

// pick draws one of the people for whom fit holds; nil if there is none.
func (m *model) pick(fit func(*human) bool) *human {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(m.humans)) {
		if fit(m.humans[name]) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return m.humans[rapid.SampledFrom(names).Draw(m.t, "person")]
}

func (m *model) record(h *human) source.Record {
	r, _ := m.source.Get(h.id)
	return r
}

func (m *model) staff(h *human) bool {
	return m.hired(h) && h.is.hold(m.now)
}

// hired is staff whatever the dates.
func (m *model) hired(h *human) bool {
	return h.there && m.record(h).Attributes["employeetype"][0] == "staff" && m.inside(h)
}

func (m *model) inside(h *human) bool {
	return identity.MustDN(m.record(h).DN).Within(identity.MustDN(people))
}

// --- the source ---

func (m *model) enter(name string) {
	h := m.humans[name]
	if h == nil {
		h = &human{login: name, key: "n-" + name}
		m.humans[name] = h
	}
	h.there, h.is = true, dates{}
	h.id = m.source.Put(source.Record{Kind: directory.Person, DN: "uid=" + name + "," + people, Attributes: map[string][]string{
		"uid": {name}, "cn": {name}, "mail": {name + "@corp.example"}, "employeeType": {"staff"}, "employeeNumber": {h.key}}})
}

func (m *model) join() {
	for i := range modelPeople {
		if m.humans[login(i)] == nil {
			m.say("join %s", login(i))
			m.enter(login(i))
			return
		}
	}
}

func (m *model) setAttribute(h *human, name string, values ...string) {
	m.source.Change(h.id, func(r *source.Record) { r.Attributes[strings.ToLower(name)] = values })
}

// spare says whether somebody else may go: tests of shares need people.
func (m *model) spare() bool {
	n := 0
	for _, h := range m.humans {
		if m.staff(h) {
			n++
		}
	}
	return n > 7
}

func (m *model) leave() {
	if h := m.pick(m.staff); h != nil && m.spare() {
		m.say("leave %s", h.login)
		m.setAttribute(h, "employeeType", rapid.SampledFrom([]string{"former", "guest"}).Draw(m.t, "as"))
	}
}

func (m *model) comeBack() {
	if h := m.pick(func(h *human) bool { return h.there && !m.staff(h) }); h != nil {
		m.say("come back %s", h.login)
		m.setAttribute(h, "employeeType", "staff")
		uid := m.record(h).Attributes["uid"][0]
		m.source.Change(h.id, func(r *source.Record) { r.DN = "uid=" + uid + "," + people })
	}
}

func (m *model) remove() {
	if h := m.pick(func(h *human) bool { return h.there }); h != nil && m.spare() {
		m.say("delete %s", h.login)
		m.source.Remove(h.id)
		h.there = false
	}
}

func (m *model) again() {
	if h := m.pick(func(h *human) bool { return !h.there }); h != nil {
		m.say("make again %s", h.login)
		m.enter(h.login)
	}
}

func (m *model) move() {
	h := m.pick(func(h *human) bool { return h.there })
	if h == nil {
		return
	}
	to := rapid.SampledFrom([]string{people, "ou=north," + people, "ou=left,dc=corp,dc=example"}).Draw(m.t, "to")
	if !m.spare() && to != people && m.staff(h) {
		return
	}
	m.say("move %s to %s", h.login, to)
	uid := m.record(h).Attributes["uid"][0]
	m.source.Change(h.id, func(r *source.Record) { r.DN = "uid=" + uid + "," + to })
}

func (m *model) rename() {
	// Whoever is called as an account that is not ours could not be called so again.
	if h := m.pick(func(h *human) bool { return h.there && h.login != "p03" }); h != nil {
		m.moves++
		name := fmt.Sprintf("%s-%d", h.login, m.moves)
		m.say("rename %s to %s", h.login, name)
		m.setAttribute(h, "uid", name)
	}
}

func (m *model) attribute() {
	if h := m.pick(func(h *human) bool { return h.there }); h != nil {
		value := rapid.SampledFrom([]string{"", "One", "Two"}).Draw(m.t, "sn")
		m.say("sn of %s is %q", h.login, value)
		if value == "" {
			m.setAttribute(h, "sn")
		} else {
			m.setAttribute(h, "sn", value)
		}
	}
}

func (m *model) aGroup() string {
	var names []string
	for _, g := range slices.Sorted(maps.Keys(m.groups)) {
		if m.groups[g] != "" {
			names = append(names, g)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return rapid.SampledFrom(names).Draw(m.t, "group")
}

// member lets somebody in or out. A member is written by the DN that they have
// at the time, as a server with referential integrity does not.
func (m *model) toggle(g string, h *human) {
	dn := m.record(h).DN
	m.source.Change(m.groups[g], func(r *source.Record) {
		if i := slices.Index(r.Members, dn); i >= 0 {
			r.Members = slices.Delete(r.Members, i, i+1)
			m.say("%s out of %s", h.login, g)
			return
		}
		m.say("%s into %s", h.login, g)
		r.Members = append(r.Members, dn)
	})
}

func (m *model) emptyGroup() {
	if g := m.aGroup(); g != "" && rapid.IntRange(0, 3).Draw(m.t, "really") == 0 {
		m.say("empty %s", g)
		m.source.Change(m.groups[g], func(r *source.Record) { r.Members = nil })
	}
}

func (m *model) moveGroup() {
	if g := m.aGroup(); g != "" {
		m.moves++
		m.say("rename group %s", g)
		was := m.groupDN(g)
		dn := fmt.Sprintf("cn=%s-%d,%s", g, m.moves, groups)
		m.source.Change(m.groups[g], func(r *source.Record) { r.DN = dn })
		for _, id := range m.groups {
			if id != "" {
				m.source.Change(id, func(r *source.Record) {
					if i := slices.Index(r.Members, was); i >= 0 {
						r.Members[i] = dn
					}
				})
			}
		}
	}
}

func (m *model) groupDN(g string) string {
	r, _ := m.source.Get(m.groups[g])
	return r.DN
}

func (m *model) deleteGroup() {
	if g := m.aGroup(); g != "" && rapid.IntRange(0, 5).Draw(m.t, "really") == 0 {
		m.say("delete group %s", g)
		m.source.Remove(m.groups[g])
		m.groups[g] = ""
	}
}

// nest puts leads into managers, or takes it out.
func (m *model) nest() {
	if m.groups["leads"] == "" || m.groups["managers"] == "" {
		return
	}
	dn := m.groupDN("leads")
	m.source.Change(m.groups["managers"], func(r *source.Record) {
		if i := slices.Index(r.Members, dn); i >= 0 {
			m.say("leads out of managers")
			r.Members = slices.Delete(r.Members, i, i+1)
			return
		}
		m.say("leads into managers")
		r.Members = append(r.Members, dn)
	})
}

func (m *model) enrol() {
	if g, h := m.aGroup(), m.pick(func(h *human) bool { return h.there }); g != "" && h != nil {
		m.toggle(g, h)
	}
}

// wish is what the policy gives this person now.
func (m *model) wish(h *human) wish {
	if !m.staff(h) {
		return nil
	}
	return m.wishOnce(h)
}

// wishOnce is what the policy gives them between their dates.
func (m *model) wishOnce(h *human) wish {
	if !m.hired(h) {
		return nil
	}
	dn := identity.MustDN(m.record(h).DN)
	in := func(g string) bool {
		if m.groups[g] == "" {
			return false
		}
		r, _ := m.source.Get(m.groups[g])
		return slices.ContainsFunc(r.Members, func(d string) bool { return identity.MustDN(d).Equal(dn) })
	}
	manager := in("managers")
	if !manager && m.groups["managers"] != "" && m.groups["leads"] != "" {
		r, _ := m.source.Get(m.groups["managers"])
		manager = slices.Contains(r.Members, m.groupDN("leads")) && in("leads")
	}
	w := wish{"wiki": {}, "chat": {}}
	if manager {
		w["wiki"], w["chat"] = []string{"Publishers", "Writers"}, []string{"Room"}
	} else if in("writers") {
		w["wiki"] = []string{"Writers"}
	}
	return w
}

func (m *model) sourceFault() {
	faults := map[string]source.Faults{
		"read fails":       source.FailRead(0),
		"read is cut off":  source.FailRead(9),
		"no look-up":       source.FailFind(),
		"people hidden":    source.HideBelow(people),
		"north hidden":     source.HideBelow("ou=north," + people),
		"all hidden":       source.HideBelow("dc=example"),
		"types hidden":     source.Lose("employeeType"),
		"logins hidden":    source.Lose("uid"),
		"members hidden":   source.Lose("member"),
		"another server":   {Server: "other"},
		"another identity": {Bind: "somebody"},
	}
	if m.follows {
		faults["lost cursor"] = source.Faults{Lost: "a change log that was trimmed"}
		faults["changes cut off"] = source.Faults{Follow: func(_ context.Context, told int) error {
			if told < 2 {
				return nil
			}
			return errors.New("cut off")
		}}
		faults["deletions unproved"] = source.Faults{Unproved: true}
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(faults))).Draw(m.t, "source fault")
	m.say("source: %s", name)
	m.faulty = true
	m.losing = slices.Contains([]string{"types hidden", "logins hidden", "members hidden"}, name)
	m.source.SetFaults(faults[name])
}

// unmet: somebody may be met for the first time while part of them is hidden. They have
// lost nothing, so nothing is looked for, and when it is shown again they did not change:
// the resync tells.
func (m *model) unmet() {
	if !m.losing || !m.follows || m.hand {
		return
	}
	for _, h := range m.humans {
		m.hand = m.hand || h.there && !m.ordinal(h).Valid()
	}
}

// --- the targets ---

func (m *model) aTarget() string {
	return rapid.SampledFrom([]string{"chat", "wiki"}).Draw(m.t, "target")
}

func (m *model) targetFault() {
	name := m.aTarget()
	after := rapid.IntRange(1, 6).Draw(m.t, "after")
	class := rapid.SampledFrom([]target.Class{target.Refused, target.Transient, target.Denied, target.Missing, target.Exists, target.InDoubt}).Draw(m.t, "class")
	down := func(int) error { return errors.New("no route to host") }
	faults := map[string]memory.Faults{
		"one write fails": every(after, 1<<30, memory.Fault{Err: &target.Error{Class: class, Err: errors.New("as asked")}}),
		"writes fail":     every(after, 2, memory.Fault{Err: &target.Error{Class: class, Err: errors.New("as asked")}}),
		"all fail":        every(1, 1, memory.Fault{Err: &target.Error{Class: class, Err: errors.New("as asked")}}),
		"answers lost":    every(after, 2, memory.Fault{Applied: true, Err: &target.Error{Class: target.InDoubt, Err: errors.New("lost")}}),
		"short list":      memory.ShortList(2),
		"down":            {List: down, Look: func([]target.Query) error { return down(0) }},
	}
	what := rapid.SampledFrom(slices.Sorted(maps.Keys(faults))).Draw(m.t, "target fault")
	m.say("%s: %s (%s, after %d)", name, what, class, after)
	m.faulty = true
	m.member[name].SetFaults(faults[what])
}

// every fails the n-th write from now, and each step-th after it.
func every(n, step int, f memory.Fault) memory.Faults {
	var mu gosync.Mutex
	at := 0
	return memory.Faults{Write: func(int, memory.Write) memory.Fault {
		mu.Lock()
		defer mu.Unlock()
		if at++; at >= n && (at-n)%step == 0 {
			return f
		}
		return memory.Fault{}
	}}
}

// byHand lets somebody work in a target.
func (m *model) byHand() {
	name := m.aTarget()
	var list []target.Account
	for _, a := range m.member[name].Accounts() {
		if m.ours[name][a.ID] {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return
	}
	a := list[rapid.IntRange(0, len(list)-1).Draw(m.t, "account")]
	m.hand = true
	a.Entitlements = slices.Clone(a.Entitlements)
	if a.Attributes = maps.Clone(a.Attributes); a.Attributes == nil {
		a.Attributes = map[string][]string{}
	}
	switch what := rapid.SampledFrom([]string{"disable", "enable", "revoke", "give", "delete", "rename", "title"}).Draw(m.t, "by hand"); what {
	case "disable":
		m.say("%s: somebody disables %s", name, a.Name)
		a.Enabled, m.closed = false, true
		m.member[name].Put(a)
	case "enable":
		m.say("%s: somebody enables %s", name, a.Name)
		a.Enabled = true
		m.member[name].Put(a)
	case "revoke":
		m.say("%s: somebody takes all from %s", name, a.Name)
		a.Entitlements = nil
		m.member[name].Put(a)
	case "give":
		e := rapid.SampledFrom([]string{"Writers", "Publishers", "Room", "Other"}).Draw(m.t, "entitlement")
		m.say("%s: somebody gives %s %s", name, a.Name, e)
		if !slices.Contains(a.Entitlements, e) {
			a.Entitlements = append(a.Entitlements, e)
		}
		m.extra[name+"/"+string(a.ID)+"/"+e] = true
		m.member[name].Put(a)
	case "delete":
		m.say("%s: somebody deletes %s", name, a.Name)
		m.member[name].Drop(a.ID)
	case "rename":
		m.moves++
		m.say("%s: somebody renames %s", name, a.Name)
		a.Name = fmt.Sprintf("hand-%d", m.moves)
		m.member[name].Put(a)
	case "title":
		m.say("%s: somebody changes the title of %s", name, a.Name)
		a.Attributes["title"] = []string{"by hand"}
		m.member[name].Put(a)
	}
}

func (m *model) heal() {
	m.say("healthy again")
	m.faulty, m.losing = false, false
	m.source.SetFaults(source.Faults{})
	for _, w := range m.member {
		w.SetFaults(memory.Faults{})
	}
}

// --- rosterd ---

func (m *model) restart() {
	m.say("restart")
	path := m.engine.Store.Path()
	if err := m.engine.Store.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.open(path)
}

func (m *model) clock() {
	d := rapid.SampledFrom([]time.Duration{5 * time.Second, 70 * time.Second, 3 * time.Hour, 26 * time.Hour, 4 * 24 * time.Hour}).Draw(m.t, "clock")
	m.say("%s pass", d)
	m.now = m.now.Add(d)
}

func (m *model) cycle(ask rostersync.Request) *rostersync.Report {
	r, err := m.engine.Cycle(context.Background(), ask)
	m.check(r, err)
	return r
}

func (m *model) sync() { m.say("sync"); m.cycle(rostersync.Request{Verb: "sync"}) }
func (m *model) full() {
	m.say("sync --full")
	m.cycle(rostersync.Request{Verb: "sync", Full: true})
}

func (m *model) plan() {
	full := rapid.Bool().Draw(m.t, "full")
	m.say("plan, full %v", full)
	before := m.writes()
	m.cycle(rostersync.Request{Verb: "plan", DryRun: true, Full: full})
	if n := m.writes() - before; n != 0 {
		m.t.Fatalf("a dry run wrote %d times", n)
	}
}

func (m *model) writes() int {
	n := 0
	for _, w := range m.member {
		n += len(w.Writes())
	}
	return n
}

// ordinal finds the person; 0 where rosterd does not know them.
func (m *model) ordinal(h *human) identity.Ordinal {
	var out identity.Ordinal
	err := m.engine.Store.EachPerson("corp", func(p identity.Person) error {
		if p.RehireKey == h.key {
			out = p.Ordinal
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// of finds the human of an ordinal.
func (m *model) of(who identity.Ordinal) *human {
	list, err := m.engine.Store.People(who)
	if err != nil || len(list) != 1 {
		return nil
	}
	for _, h := range m.humans {
		if h.key == list[0].RehireKey {
			return h
		}
	}
	return nil
}

func (m *model) anybody() *human { return m.pick(func(*human) bool { return true }) }

func (m *model) onePerson() {
	h := m.anybody()
	who := m.ordinal(h)
	if !who.Valid() {
		return
	}
	m.say("sync --person %s", h.login)
	m.named[who] = true
	m.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{who}, Named: true})
	delete(m.named, who)
}

func (m *model) oneTarget() {
	name := m.aTarget()
	m.say("sync --target %s", name)
	m.cycle(rostersync.Request{Verb: "sync", OnlyTarget: name})
}

func (m *model) holds() []ledger.Hold {
	holds, err := m.engine.Store.Holds()
	if err != nil {
		m.t.Fatal(err)
	}
	return slices.DeleteFunc(holds, func(h ledger.Hold) bool {
		_, err := m.engine.Hold(h.ID) // that of a file that was put back is not open
		return err != nil || h.Status == ledger.Approved
	})
}

func (m *model) approveAll() {
	for _, h := range m.holds() {
		m.approve(h, 0)
	}
}

func (m *model) approvePart() {
	if holds := m.holds(); len(holds) > 0 {
		m.approve(holds[rapid.IntRange(0, len(holds)-1).Draw(m.t, "hold")], 1)
	}
}

// approve lets a hold go, and wants nothing else to be done by that.
func (m *model) approve(h ledger.Hold, limit int) {
	now, err := m.engine.Hold(h.ID)
	if err != nil || now.Status == ledger.Approved {
		return // another approval ended it
	}
	if now.Rule == ledger.RulePolicy {
		limit = 0 // it is taken whole
	}
	m.say("approve %s (%s), limit %d: %d keys", now.ID, now.Rule, limit, len(now.Keys))
	keys := map[target.Key]bool{}
	for _, k := range now.Keys {
		keys[k.Key], m.approved[k.Key] = true, true
	}
	r, err := m.engine.Approve(context.Background(), rostersync.Approval{Hold: now.ID, Version: now.Version(), By: "admin", Limit: limit},
		rostersync.Request{Verb: "approve"})
	if r == nil {
		m.t.Fatalf("approve %s: %v", now.ID, err)
	}
	for _, o := range r.Carried {
		if !keys[o.Change.Key()] {
			m.t.Fatalf("law 4: the approval of %s did what was not in it: %s", now.ID, plan.Words(o.Change))
		}
	}
	m.check(r, err)
	m.now = m.now.Add(time.Second)
}

func (m *model) reject() {
	if holds := m.holds(); len(holds) > 0 {
		h := holds[rapid.IntRange(0, len(holds)-1).Draw(m.t, "hold")]
		m.say("reject %s", h.ID)
		if _, err := m.engine.Reject(h.ID, "admin"); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *model) offboard() {
	h := m.anybody()
	who := m.ordinal(h)
	if !who.Valid() {
		return
	}
	m.say("offboard %s", h.login)
	m.denied[who] = true
	r, err := m.engine.Offboard(context.Background(), ledger.Denial{Person: who, Reason: "asked", By: "admin", At: m.now}, rostersync.Request{Verb: "offboard"})
	m.check(r, err)
}

func (m *model) release() {
	h := m.anybody()
	who := m.ordinal(h)
	if !who.Valid() {
		return
	}
	m.releaseOne(h, who)
}

func (m *model) releaseOne(h *human, who identity.Ordinal) {
	m.say("release %s", h.login)
	delete(m.denied, who)
	r, err := m.engine.Release(context.Background(), who, "admin", "asked", rostersync.Request{Verb: "release"})
	m.check(r, err)
}

// --- crashes ---

// die copies the state as it is at this instant, and lets nothing more reach a
// target. It is called where the program is killed.
func (m *model) die() {
	m.crash.Lock()
	defer m.crash.Unlock()
	if m.dead {
		return
	}
	m.dead = true
	m.states++
	last := []byte(nil)
	for { // another target's commit may be under way
		b, err := os.ReadFile(m.engine.Store.Path())
		if err == nil && bytes.Equal(b, last) {
			break
		}
		last = b
	}
	if err := os.WriteFile(m.nextState(), last, 0o600); err != nil {
		panic(err)
	}
}

func (m *model) nextState() string {
	return filepath.Join(m.folder, "state"+strconv.Itoa(m.states)+".db")
}

func (m *model) isDead() bool {
	m.crash.Lock()
	defer m.crash.Unlock()
	return m.dead
}

// killed runs a cycle in which somebody calls die, and goes on from what was on
// disk then.
func (m *model) killed() {
	var r *rostersync.Report
	var err error
	holds := m.holds()
	switch what := rapid.SampledFrom([]string{"sync", "full", "approve", "offboard"}).Draw(m.t, "killed in"); {
	case what == "approve" && len(holds) > 0:
		for _, k := range holds[0].Keys {
			m.approved[k.Key] = true
		}
		r, err = m.engine.Approve(context.Background(), rostersync.Approval{Hold: holds[0].ID, Version: holds[0].Version(), By: "admin"},
			rostersync.Request{Verb: "approve"})
	case what == "offboard":
		h := m.anybody()
		who := m.ordinal(h)
		if !who.Valid() {
			break
		}
		m.say("offboard %s", h.login)
		r, err = m.engine.Offboard(context.Background(), ledger.Denial{Person: who, Reason: "asked", By: "admin", At: m.now}, rostersync.Request{Verb: "offboard"})
		m.denied[who] = true
	default:
		r, err = m.engine.Cycle(context.Background(), rostersync.Request{Verb: "sync", Full: what == "full"})
	}
	m.killAt = 0
	m.source.SetFaults(source.Faults{})
	for _, w := range m.member {
		w.SetFaults(memory.Faults{})
	}
	m.faulty, m.losing = false, false
	if !m.isDead() {
		if r != nil || err != nil {
			m.check(r, err)
		}
		return
	}
	m.say("killed")
	if r == nil {
		r = &rostersync.Report{}
	}
	m.dead = false
	if err := m.engine.Store.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.open(m.nextState())
	if denials, err := m.engine.Store.Denials(); err != nil {
		m.t.Fatal(err)
	} else {
		for who := range m.denied {
			if _, is := denials[who]; !is {
				delete(m.denied, who) // killed before it was on disk
			}
		}
	}
	m.check(r, nil)
}

// crashAnywhere kills at the n-th look at the clock.
func (m *model) crashAnywhere() {
	at := rapid.IntRange(1, 300).Draw(m.t, "instant")
	m.say("crash at the %d. look at the clock", at)
	gone := memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("we are dead")}}
	for _, w := range m.member {
		w.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
			if m.isDead() {
				return gone
			}
			return memory.Fault{}
		}})
	}
	m.crash.Lock()
	m.asked, m.killAt = 0, at
	m.crash.Unlock()
	m.killed()
}

func (m *model) crashInWrite() {
	at := rapid.IntRange(1, 8).Draw(m.t, "write")
	applied := rapid.Bool().Draw(m.t, "applied")
	m.say("crash at write %d, applied %v", at, applied)
	var mu gosync.Mutex
	n := 0
	gone := memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("we are dead")}}
	for _, w := range m.member {
		w.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
			if m.isDead() {
				return gone
			}
			mu.Lock()
			n++
			now := n == at
			mu.Unlock()
			if !now {
				return memory.Fault{}
			}
			m.die()
			if applied {
				return memory.Fault{Applied: true, Err: gone.Err}
			}
			return gone
		}})
	}
	m.killed()
}

func (m *model) crashInRead() {
	at := rapid.IntRange(0, 20).Draw(m.t, "entries")
	m.say("crash after %d entries", at)
	die := func(_ context.Context, given int) error {
		if given < at {
			return nil
		}
		m.die()
		return errors.New("we are dead")
	}
	m.source.SetFaults(source.Faults{Read: die, Follow: die})
	gone := memory.Fault{Err: &target.Error{Class: target.Transient, Err: errors.New("we are dead")}}
	for _, w := range m.member {
		w.SetFaults(memory.Faults{Write: func(int, memory.Write) memory.Fault {
			if m.isDead() {
				return gone
			}
			return memory.Fault{}
		}})
	}
	m.killed()
}

// stop asks for an end once the k-th write was made.
func (m *model) stop() {
	at := rapid.IntRange(1, 4).Draw(m.t, "write")
	m.say("stop at write %d", at)
	stop := make(chan struct{})
	var once gosync.Once
	f := every(at, 1, memory.Fault{})
	for _, w := range m.member {
		w.SetFaults(memory.Faults{Write: func(n int, x memory.Write) memory.Fault {
			f.Write(n, x)
			once.Do(func() { close(stop) })
			return memory.Fault{}
		}})
	}
	m.cycle(rostersync.Request{Verb: "sync", Stop: stop})
	m.heal()
}

// --- the laws ---

// check holds what a cycle did against the laws.
func (m *model) check(r *rostersync.Report, err error) {
	if err != nil {
		m.t.Fatalf("law 10: the cycle ended with an error: %v", err)
	}
	read := len(r.Reads) > 0
	for _, x := range r.Reads {
		read = read && x.Err == nil
	}
	for _, name := range []string{"chat", "wiki"} {
		writes := m.member[name].Writes()
		for _, w := range writes[m.seen[name]:] {
			m.checkWrite(name, w, read)
		}
		m.seen[name] = len(writes)
		m.checkAccounts(name)
	}
	if read {
		m.sawSource()
	}
	if _, _, err := m.engine.Store.VerifyJournal(); err != nil {
		m.t.Fatalf("law 7: the journal does not verify: %v", err)
	}
}

// sawSource remembers what a complete read showed.
func (m *model) sawSource() {
	for _, h := range m.humans {
		switch {
		case h.there && !m.hidden(h):
			h.was, h.shown, h.unseen = m.wishOnce(h), h.is, time.Time{}
		case h.unseen.IsZero():
			h.unseen = m.now
		}
	}
}

func (m *model) hidden(h *human) bool {
	return m.faulty && identity.MustDN(m.record(h).DN).Within(identity.MustDN("ou=north,"+people))
}

func (m *model) checkWrite(name string, w memory.Write, read bool) {
	m.say("  %s: %s %s(%s) %s %s done %v, changed %v", name, w.Verb, w.Account.Name, w.Account.ID, w.Name, w.Entitlement, w.Done, w.Changed)
	if w.Account.Name == rootName || w.Account.Name == legacyName {
		m.t.Fatalf("law 5: %s: a write to %s: %+v", name, w.Account.Name, w)
	}
	switch w.Verb {
	case target.Create:
		if w.Done {
			m.ours[name][w.Account.ID] = true
		}
		return
	case target.Link:
		if name != "chat" || w.Account.ID != "3" {
			m.t.Fatalf("law 7: %s: %s, which we made, had to be taken over", name, w.Account.Name)
		}
		if w.Done {
			m.ours[name][w.Account.ID] = true
		}
		if !m.anyApproved() {
			m.t.Fatalf("law 5: %s: %s was taken over and nobody approved it", name, w.Account.Name)
		}
		return
	}
	if !m.ours[name][w.Account.ID] {
		m.t.Fatalf("law 5: %s: %s of %s, which is not ours", name, w.Verb, w.Account.Name)
	}
	if !w.Changed {
		return
	}
	who, owned, err := m.engine.Store.LinkOwner(name, w.Account.ID)
	if err != nil {
		m.t.Fatal(err)
	}
	if !owned && w.Verb != target.Delete {
		return // deleted since
	}
	h := m.of(who)
	if w.Verb == target.Delete {
		if name != "chat" {
			m.t.Fatalf("law 6: %s was deleted in %s, which nobody configured", w.Account.Name, name)
		}
		return
	}
	if h == nil {
		return
	}
	change := target.Change{Target: name, Person: who, Verb: w.Verb, Entitlement: w.Entitlement}
	// Where deletions are told, who is deleted is gone at once.
	told := m.follows && !m.mute && !h.there
	allowed := m.approved[change.Key()] || m.denied[who] || m.gone(h) || told
	is, was := m.under(m.wish(h)), m.under(m.wasNow(h))
	switch w.Verb {
	case target.Disable:
		if !allowed && was != nil && (is != nil || !h.there) {
			m.t.Fatalf("law 2: %s: %s was disabled, and nothing proves that they are not entitled (read: %v)", name, h.login, read)
		}
		if !m.approved[change.Key()] && !m.denied[who] && !m.named[who] {
			m.spend(name)
		}
	case target.Enable:
		if !h.is.hold(m.now) && !h.shown.hold(m.now) {
			m.t.Fatalf("law 2: %s: %s was enabled outside their dates", name, h.login)
		}
	case target.Revoke:
		m.spendRight(name, w.Entitlement, h, m.approved[change.Key()])
		if !allowed && slices.Contains(is[name], w.Entitlement) && slices.Contains(was[name], w.Entitlement) {
			m.t.Fatalf("law 2: %s: %s lost %s and is entitled to it (read: %v)", name, h.login, w.Entitlement, read)
		}
	}
}

func (m *model) anyApproved() bool { return len(m.approved) > 0 }

// gone says whether complete reads proved that the person is not there.
func (m *model) gone(h *human) bool {
	return !h.unseen.IsZero() && m.now.Sub(h.unseen) >= time.Minute
}

// spend is the guard's limit, counted from outside: no more than it in a day.
func (m *model) spend(name string) {
	m.removed[name] = append(m.removed[name], m.now)
	n, within := 0, 0
	for range m.ours[name] {
		n++
	}
	for _, at := range m.removed[name] {
		if at.After(m.now.Add(-24 * time.Hour)) {
			within++
		}
	}
	if limit := (plan.DefaultRules().Guard.MaxRemove).Of(n); float64(within) > limit {
		m.t.Fatalf("guard: %s: %d accounts of %d were disabled in a day and nobody approved it; the limit is %v", name, within, n, limit)
	}
}

// checkAccounts are the laws about what the targets show.
func (m *model) checkAccounts(name string) {
	marks := map[string]string{}
	for _, a := range m.member[name].Accounts() {
		switch {
		case a.Name == rootName && (!a.Enabled || !slices.Equal(a.Entitlements, []string{"Publishers"})):
			m.t.Fatalf("law 5: %s: break-glass account touched: %+v", name, a)
		case a.Name == legacyName && (!a.Enabled || !slices.Equal(a.Entitlements, []string{"Writers"}) || a.Mark != ""):
			m.t.Fatalf("law 5: %s: an account that is not ours was touched: %+v", name, a)
		}
		if a.Mark == "" {
			continue
		}
		if other, twice := marks[a.Mark]; twice {
			m.t.Fatalf("law 7: %s: two accounts for one person: %s and %s", name, other, a.Name)
		}
		marks[a.Mark] = a.Name
	}
}

// converge heals everything, and wants the targets to be as the policy wishes
// in the end, and rosterd to have nothing more to do.
func (m *model) converge() {
	m.heal()
	m.file = 0
	m.restart()
	var r *rostersync.Report
	for range 14 {
		if m.hand {
			m.full() // nothing else tells what was done by hand
		}
		m.approveAll()
		m.now = m.now.Add(2 * time.Minute)
		m.sync()
		m.approveAll()
		m.now = m.now.Add(7 * time.Hour)
		if m.closed {
			for _, h := range m.closedByHand() {
				m.releaseOne(h, m.ordinal(h))
				m.now = m.now.Add(time.Second)
			}
		}
		r = m.cycle(rostersync.Request{Verb: "sync", Full: m.hand})
		m.now = m.now.Add(25 * time.Hour)
		if r.Exit() == 0 && len(r.Carried) == 0 && m.differs() == "" {
			break
		}
	}
	if m.inForce() != 0 {
		m.t.Fatalf("the file that was put back is not in force\n%s", m.tell(r))
	}
	if d := m.differs(); d != "" {
		m.t.Fatalf("law 7: the targets are not what the policy wishes: %s\n%s", d, m.tell(r))
	}
	m.now = m.now.Add(10 * 24 * time.Hour) // every grace is over
	for range 3 {
		// A deletion takes a listing after its date.
		m.cycle(rostersync.Request{Verb: "sync", Full: m.hand || m.follows})
		m.approveAll()
		m.now = m.now.Add(time.Minute)
	}
	for _, full := range []bool{false, true} {
		before := m.writes()
		r := m.cycle(rostersync.Request{Verb: "sync", Full: full})
		if r.Exit() != 0 || m.writes() != before {
			m.t.Fatalf("law 11: a further cycle (full %v) exits %d and wrote %d times\n%s", full, r.Exit(), m.writes()-before, m.tell(r))
		}
		m.now = m.now.Add(time.Minute)
	}
	m.checkJournal()
}

func (m *model) tell(r *rostersync.Report) string {
	var b strings.Builder
	b.WriteString(text(r))
	holds, _ := m.engine.Store.Holds()
	for _, h := range holds {
		fmt.Fprintf(&b, "hold %s %s %s %s: %d keys, %d approved\n", h.ID, h.Target, h.Rule, h.Status, len(h.Keys), len(h.Approved))
	}
	return b.String()
}

// account is the one account of ours with the name.
func (m *model) account(name, login string) *target.Account {
	for _, a := range m.member[name].Accounts() {
		if a.Name == login && m.ours[name][a.ID] {
			return &a
		}
	}
	return nil
}

// closedByHand are people whose account is disabled and should not be.
func (m *model) closedByHand() []*human {
	var out []*human
	for _, login := range slices.Sorted(maps.Keys(m.humans)) {
		h := m.humans[login]
		for name := range m.wish(h) {
			a := m.account(name, m.record(h).Attributes["uid"][0])
			if a != nil && !a.Enabled && !m.denied[m.ordinal(h)] && !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	return out
}

// differs says where the targets are not what the policy wishes.
func (m *model) differs() string {
	for _, login := range slices.Sorted(maps.Keys(m.humans)) {
		h := m.humans[login]
		w := m.wish(h)
		if m.denied[m.ordinal(h)] {
			w = nil
		}
		for _, name := range []string{"chat", "wiki"} {
			if w == nil {
				continue
			}
			a := m.account(name, m.record(h).Attributes["uid"][0])
			if a == nil || !a.Enabled {
				return fmt.Sprintf("%s has no open account in %s", login, name)
			}
			for _, e := range w[name] {
				if !slices.Contains(a.Entitlements, e) {
					return fmt.Sprintf("%s does not have %s in %s", login, e, name)
				}
			}
			for _, e := range a.Entitlements {
				if !slices.Contains(w[name], e) && !m.extra[name+"/"+string(a.ID)+"/"+e] {
					return fmt.Sprintf("%s has %s in %s", login, e, name)
				}
			}
			if got, want := a.Attributes["title"], m.record(h).Attributes["sn"]; !slices.Equal(got, want) {
				return fmt.Sprintf("the title of %s in %s is %q, not %q", login, name, got, want)
			}
		}
	}
	// Nobody else has anything.
	for _, name := range []string{"chat", "wiki"} {
		for _, a := range m.member[name].Accounts() {
			who, owned, err := m.engine.Store.LinkOwner(name, a.ID)
			if err != nil {
				m.t.Fatal(err)
			}
			if !owned {
				if m.ours[name][a.ID] {
					return fmt.Sprintf("%s in %s is ours, and nobody's", a.Name, name)
				}
				continue
			}
			h := m.of(who)
			if h != nil && m.wish(h) != nil && !m.denied[who] {
				continue
			}
			if a.Enabled {
				return fmt.Sprintf("%s has an open account in %s", a.Name, name)
			}
			for _, e := range a.Entitlements {
				if slices.Contains(m.policy.Entitlements(name), e) {
					return fmt.Sprintf("the closed account %s has %s in %s", a.Name, e, name)
				}
			}
		}
	}
	return ""
}

// names is whatever tells who somebody in a model is.
var names = regexp.MustCompile(`\bp\d\d\b|@|uid=|hand-|admin`)

// checkJournal wants an intent before and an outcome after for each write, and
// nobody's name in what is kept for ever.
func (m *model) checkJournal() {
	intents, outcomes := map[string]int{}, map[string]int{}
	err := m.engine.Store.Journal(state.JournalFilter{}, func(r journal.Sealed) error {
		head := r.Record
		head.Public, head.Parts = nil, nil
		if found := names.FindString(fmt.Sprintf("%+v ", head) + string(r.Public)); found != "" {
			return fmt.Errorf("record %d (%s) names %q in public: %s", r.Seq, r.Kind, found, r.Public)
		}
		key := r.Target + " " + r.Action
		switch r.Kind {
		case "intent":
			intents[key]++
		case "outcome":
			if !bytes.Contains(r.Public, []byte(`"class":"in-doubt"`)) {
				outcomes[key]++
			}
			if outcomes[key] > intents[key] {
				return fmt.Errorf("an outcome of %s before its intent", key)
			}
		}
		return nil
	})
	if err != nil {
		m.t.Fatalf("law 7: %v", err)
	}
	if !maps.Equal(intents, outcomes) {
		m.t.Fatalf("law 7: intents %v, outcomes %v", intents, outcomes)
	}
	for _, name := range []string{"chat", "wiki"} {
		wrote := map[string]int{}
		for _, w := range m.member[name].Writes() {
			if w.Done {
				wrote[name+" "+w.Verb.String()]++
			}
		}
		for key, n := range wrote {
			if n > intents[key] {
				m.t.Fatalf("law 7: %d writes of %s, and %d intents", n, key, intents[key])
			}
		}
	}
	if doubts, err := m.engine.Store.InDoubt(); err != nil || len(doubts) > 0 {
		m.t.Fatalf("law 7: %d writes without an outcome, %v", len(doubts), err)
	}
}
