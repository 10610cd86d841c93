package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
)

const (
	stormPeople = 300
	stormHeld   = 80
	// stormKills is after how many kills both servers and the state are made
	// afresh.
	stormKills = 60
)

// stormGuard holds the eighty who leave at once, and lets the others of a minute,
// five in five rounds, leave.
const stormGuard = `
[target.intranet.guard]
window     = "1m"
max_remove = { count = 70 }
max_revoke = { count = 100000 }
max_create = { count = 100000 }
max_enable = { count = 100000 }
max_rename = { count = 100000 }
max_update = { count = 100000 }
`

// Law 7, in every step: rosterd is killed at random instants of reading, sealing,
// draining, judging, applying, verifying and settling, and of decisions, by hand
// and as the service; now and then who comes next finds a copy that was made while
// it was stopped. Each time the next run ends it, both directories agree, the
// journal accounts for every write, once, and holds are what they were.
func TestKilledInEveryStep(t *testing.T) {
	kills, seed := fromEnv(t, "ROSTERD_KILLS", 12), uint64(fromEnv(t, "ROSTERD_SEED", int(time.Now().UnixNano()&0xffffffff)))
	t.Logf("%d kills; to repeat them: ROSTERD_KILLS=%d ROSTERD_SEED=%d", kills, kills, seed)
	all := &tally{left: kills, hits: map[string]int{}, during: map[string]int{}, more: map[int]int{}}
	random := rand.New(rand.NewPCG(seed, 1))
	began := time.Now()
	for all.left > 0 && !t.Failed() {
		s := newStorm(t, random, all)
		for until := all.left - stormKills; all.left > max(0, until) && !t.Failed(); {
			s.rounds()
		}
		s.stop()
		t.Logf("%d kills left after %s", all.left, time.Since(began).Round(time.Second))
	}
	t.Logf("%d kills in %d rounds, %d of them with a copy of the state, seed %d, %s", kills-all.left, all.rounds, all.frozen, seed, time.Since(began).Round(time.Second))
	for _, step := range steps {
		t.Logf("%4d fell in %s", all.hits[step], step)
	}
	for _, verb := range sortedKeys(all.during) {
		t.Logf("%4d fell during %s", all.during[verb], verb)
	}
	t.Logf("decisions that a kill came before: %d, after: %d", all.before, all.after)
	t.Logf("runs that were needed after the kills, and how often: %v", all.more)
}

// tally is what a test of kills counts.
type tally struct {
	left   int
	hits   map[string]int // by step
	during map[string]int // by verb
	more   map[int]int    // runs that were needed after kills
	rounds int
	frozen int
	// before and after: decisions that were not yet, and already on disk.
	before, after int
}

// storm is a site in which rosterd is killed.
type storm struct {
	*killing
	*tally
	ear  *listener
	took map[string]time.Duration
	// known are the accounts as the last round left them.
	known  map[string]appEntry
	newest auditRecord
	gone   int // joiners that were deleted again
}

func newStorm(t *testing.T, random *rand.Rand, all *tally) *storm {
	k := &killing{random: random, site: newSite(t, company.Company{People: stormPeople, Groups: 10, Big: stormPeople / 2}, stormGuard)}
	k.binary = rosterdBinary(t)
	k.edit("${lower(person.mail)}\"", "${lower(person.mail)}\"\nemployeeNumber = \"${person.employeeNumber}\"\nmanager = \"${account(person.manager)}\"")
	s := &storm{killing: k, tally: all, ear: newListener(t), took: map[string]time.Duration{}}
	s.known = map[string]appEntry{}
	s.first()
	s.check()
	return s
}

// first: nobody has an account yet; the plan is held whole, and approved.
func (s *storm) first() {
	s.tally.rounds++
	s.run(4, "sync")
	shown := s.hold()
	if s.decide(shown, "approve", shown.ID, "--version", shown.Version, "--yes") {
		s.run(0, "sync")
	}
}

// rounds are one of each kind. Together they leave the company as it was, but
// for those who joined.
func (s *storm) rounds() {
	for _, round := range []func(){s.movers, s.held, s.back, s.rejected, s.vanished} {
		if s.left == 0 || s.t.Failed() {
			return
		}
		s.number++
		s.tally.rounds++
		round()
		s.check()
	}
}

// The people of a round, by number.
func those(from, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = from + i
	}
	return out
}

func (s *storm) become(b *strings.Builder, who []int, attribute, value string) {
	for _, i := range who {
		s.killing.set(b, i, attribute, value)
	}
}

// stir changes what no rule holds: rights that come and go, addresses, joiners.
func (s *storm) stir(b *strings.Builder) {
	titles := []string{"Publisher", "Writer"}
	s.become(b, those(40, 8), "title", titles[s.number%2])
	s.become(b, those(50, 8), "title", titles[(s.number+1)%2])
	for _, i := range those(60, 10) {
		s.killing.set(b, i, "mail", fmt.Sprintf("%s@round%d.example", s.company.Login(i), s.number))
	}
	// Some get a manager whose account is to be made: who is killed between the
	// passes has made it, and told nobody.
	s.become(b, those(200, 6), "manager", s.company.DN(s.company.People))
	for range 2 {
		b.WriteString(ldifOf(s.company.Person(s.company.People)))
		s.company.People++
	}
}

// movers: three leave, and others change.
func (s *storm) movers() {
	var b strings.Builder
	s.stir(&b)
	s.become(&b, those(0, 3), "employeeType", "former")
	s.modify("%s", b.String())
	s.run(0, "sync")
}

// held: eighty leave at once, which is held, stays what it is over every kill,
// and is approved.
func (s *storm) held() {
	var b strings.Builder
	s.stir(&b)
	s.become(&b, those(100, stormHeld), "employeeType", "former")
	s.modify("%s", b.String())
	s.run(4, "sync")
	shown := s.hold()
	if len(shown.Changes) < stormHeld {
		s.fault("%d changes are held", len(shown.Changes))
	}
	s.run(4, "sync")
	s.same(shown)
	if s.decide(shown, "approve", shown.ID, "--version", shown.Version, "--yes") {
		s.run(0, "sync")
	}
}

// back: all of them return.
func (s *storm) back() {
	var b strings.Builder
	s.become(&b, slices.Concat(those(0, 3), those(100, stormHeld)), "employeeType", "staff")
	s.modify("%s", b.String())
	s.run(0, "sync")
}

// rejected: eighty leave at once, which is rejected; they keep what they have,
// and it was a mistake.
func (s *storm) rejected() {
	var b strings.Builder
	s.become(&b, those(100, stormHeld), "employeeType", "former")
	s.modify("%s", b.String())
	s.run(4, "sync")
	shown := s.hold()
	s.decide(shown, "reject", shown.ID)
	s.run(0, "sync")
	for id, now := range s.entries() {
		if now.csn != s.known[id].csn {
			s.fault("%s was written, though all was rejected", now.uid)
		}
	}
	b.Reset()
	s.become(&b, those(100, stormHeld), "employeeType", "staff")
	s.modify("%s", b.String())
	s.run(0, "sync")
}

// vanished: two of those who joined are deleted; it takes two looks.
func (s *storm) vanished() {
	var b strings.Builder
	for range 2 {
		fmt.Fprintf(&b, "dn: %s\nchangetype: delete\n\n", s.company.DN(stormPeople+s.gone))
		s.gone++
	}
	s.modify("%s", b.String())
	s.run(0, "sync")
	time.Sleep(1100 * time.Millisecond)
	s.run(0, "sync")
}

// decide kills a decision until it is on disk; whether what was decided is still
// to be done is for the caller to find out.
func (s *storm) decide(shown holdDocument, args ...string) (killed bool) {
	s.t.Helper()
	for {
		var how *strike
		if s.left > 0 && s.random.IntN(4) > 0 {
			how = s.draw(steps)
			if s.random.IntN(2) == 0 {
				how = s.draw(steps[:1])
			}
		}
		r := s.child(how, s.random.IntN(3) == 0, args...)
		switch {
		case r.code == 0:
			return false
		case r.code != -1:
			s.t.Fatalf("round %d: rosterd %s ended with %d\n%s", s.number, strings.Join(args, " "), r.code, tail(r.output))
		}
		s.hit(r, args)
		if s.waiting() == nil {
			s.after++
			return true
		}
		s.before++
		s.same(shown)
	}
}

// waiting are the holds that wait for somebody.
func (s *storm) waiting() []holdDocument {
	s.t.Helper()
	code, stdout, stderr := s.rosterd("status", "--json")
	var doc statusDocument
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != 0 {
		s.t.Fatalf("status: %d, %v\n%s", code, err, stderr)
	}
	var out []holdDocument
	for _, h := range doc.Holds {
		if h.Status == "waiting" && len(h.Changes) > 0 {
			out = append(out, h)
		}
	}
	return out
}

// hold is the only one that waits.
func (s *storm) hold() holdDocument {
	s.t.Helper()
	w := s.waiting()
	if len(w) != 1 {
		s.t.Fatalf("round %d: %d holds wait: %+v", s.number, len(w), w)
	}
	return w[0]
}

func (s *storm) same(shown holdDocument) {
	s.t.Helper()
	if now := s.hold(); now.ID != shown.ID || now.Version != shown.Version {
		s.fault("hold %s of version %s became %s of version %s", shown.ID, shown.Version, now.ID, now.Version)
	}
}

// check is what must hold after each round.
func (s *storm) check() {
	s.t.Helper()
	s.agree()
	s.entitled()
	s.managed()
	now := s.entries()
	s.account(s.known, now, s.since(s.newest))
	s.known, s.newest = now, s.last()
	for _, args := range [][]string{{"audit", "--verify"}, {"plan"}} {
		if code, stdout, stderr := s.rosterd(args...); code != 0 {
			s.fault("rosterd %s ends with %d\n%s%s", strings.Join(args, " "), code, tail(stdout), stderr)
		}
	}
}
