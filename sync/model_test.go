package sync_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	gosync "sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/handover"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
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
		moves := map[string]func(*rapid.T){
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
		}
		if m.with["decrees"] {
			moves["grant, deny or retain"], moves["grant, deny or retain, too"] = m.act(m.except), m.act(m.except)
			moves["take that back"] = m.act(m.unexcept)
		}
		if m.with["conflict"] {
			moves["source: from one role to the other"], moves["source: from one role to another"] = m.act(m.change), m.act(m.change)
		}
		if m.with["managers"] {
			moves["source: manager"], moves["source: another manager"] = m.act(m.report), m.act(m.report)
		}
		if m.with["strangers"] {
			moves["target: a stranger"], moves["adopt"] = m.act(m.stranger), m.act(m.adopt)
		}
		if m.with["lag"] {
			moves["target: listings lag"] = m.act(m.lag)
		}
		if m.with["oddities"] {
			moves["target: lies"], moves["target: groups are hidden"], moves["target: one is not listed"] = m.act(m.lie), m.act(m.veil), m.act(m.unlist)
			moves["target: lies, too"], moves["target: says yes"], moves["pause or resume"] = m.act(m.lie), m.act(m.lie), m.act(m.pause)
		}
		if m.with["passwords"] {
			moves["letters are lost"] = m.act(m.courierFault)
		}
		t.Repeat(moves)
		m.t = t
		m.converge()
	})
}

// modelParts are what a life has or has not.
var modelParts = []string{"decrees", "seats", "conflict", "passwords", "managers", "protected", "lag", "strangers", "oddities"}

// modelNames are the logins of whoever may come.
const (
	modelPeople = 24
	rootName    = "root1" // break-glass
	legacyName  = "legacy1"
)

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

	// with says which parts of the policy language and of the program this life has, beside
	// what each one has.
	with map[string]bool

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

	// decrees are the exceptions that were decided by hand.
	decrees []ledger.Exception
	// owner says whose an account was, by target.
	owner map[string]map[target.NativeID]identity.Ordinal
	// letters are the passwords that were handed over, by target; loses: which are lost.
	couriers       map[string]*courier
	letters        map[string][]handover.Letter
	carried, loses int
	// strangers are the logins of accounts that somebody else made, foreign those accounts.
	strangers, foreign map[string]bool
	adopting           bool
	// insists: the command says --protected; fresh are protected accounts made since the
	// laws were held.
	insists bool
	fresh   map[string]bool
	// old is what targets list instead of what there is.
	old map[string]*memory.Target
	// odd is how targets behave.
	odd    map[string]odd
	checks int
	// broken is what was seen while a cycle ran.
	broken string

	crash gosync.Mutex
	dead  bool
	// asked counts how often the time was asked, killAt is when that kills.
	asked, killAt int
}

func newModel(t *rapid.T, folder string) *model {
	m := &model{t: t, folder: folder, now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), member: map[string]*memory.Target{},
		humans: map[string]*human{}, groups: map[string]identity.ID{}, ours: map[string]map[target.NativeID]bool{},
		seen: map[string]int{}, approved: map[target.Key]bool{}, denied: map[identity.Ordinal]bool{}, named: map[identity.Ordinal]bool{},
		removed: map[string][]time.Time{}, extra: map[string]bool{}, with: map[string]bool{},
		owner: map[string]map[target.NativeID]identity.Ordinal{}, letters: map[string][]handover.Letter{},
		fresh: map[string]bool{}, old: map[string]*memory.Target{}, odd: map[string]odd{}, strangers: map[string]bool{}, foreign: map[string]bool{}}
	for _, part := range modelParts {
		m.with[part] = rapid.Bool().Draw(t, "with "+part)
	}
	how := rapid.SampledFrom([]string{"listed", "followed", "followed, deletions not told"}).Draw(t, "source is")
	m.follows, m.mute = how != "listed", how == "followed, deletions not told"
	m.source = source.New("corp", source.Config{Attributes: []string{"employeeType", "sn", "hireDate", "contractEnd", "manager"}, Key: "employeeNumber", Bases: []string{people, groups},
		Follow: m.follows, Mute: m.mute}, m.clockNow)
	names := []string{"writers", "managers", "leads"}
	if m.with["conflict"] {
		names = append(names, "payers", "clearers")
	}
	for _, g := range names {
		m.groups[g] = m.source.Put(source.Record{Kind: directory.Group, DN: "cn=" + g + "," + groups})
	}
	// Enough other groups that losing the right to read members shows.
	for i := range 9 {
		m.source.Put(source.Record{Kind: directory.Group, DN: fmt.Sprintf("cn=other%d,%s", i, groups), Members: []string{"uid=p00," + people}})
	}
	m.files = modelFiles(t, m.with)
	m.policy = m.files[0]
	if m.with["passwords"] {
		m.couriers = newCouriers(t, m)
	}
	for _, name := range []string{"chat", "wiki"} {
		w, err := memory.New(memory.Config{}, name)
		if err != nil {
			t.Fatal(err)
		}
		if m.with["passwords"] && name == "chat" {
			w.PasswordFirst()
		}
		m.member[name], m.ours[name], m.owner[name] = w, map[target.NativeID]bool{}, map[target.NativeID]identity.Ordinal{}
		w.Put(target.Account{Name: rootName, Enabled: true, Entitlements: []string{"Publishers"}})
		w.Put(target.Account{Name: legacyName, Enabled: true, Entitlements: []string{"Writers"}})
	}
	// One account that looks like somebody's and is not ours.
	id := m.member["chat"].Put(target.Account{Name: "p03", Enabled: true})
	m.strangers["p03"], m.foreign["chat/"+string(id)] = true, true
	m.open(filepath.Join(folder, "state0.db"))
	for i := range 12 {
		m.enter(login(i))
		if g := []string{"payers", "clearers", "-"}[i%3]; m.groups[g] != "" {
			m.toggle(g, m.humans[login(i)])
		}
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
