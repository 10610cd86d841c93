package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/company"
)

// soakSchedule names hours; over the night of the change a schedule of every
// half hour takes its place, by reload.
const (
	soakSchedule = `
[schedule]
changes  = "20 */3 * * *"
resync   = "30 2 * * *"
timezone = "Europe/Berlin"
[target.intranet.guard]
first = "apply"
`
	soakNight = "*/30 * * * *"
)

// A service is left alone for two months, with summer time beginning or ending,
// an hour in which the machine slept and twenty restarts, some in the middle of a
// cycle; people join, move, leave and come back. Every run that the schedule
// names is done once; what the service holds does not grow. make test does a week
// of it, make soak all.
func TestLeftAlone(t *testing.T) {
	long := os.Getenv("ROSTERD_SOAK") != ""
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change time.Time // a Sunday
	}{
		{"spring", time.Date(2026, 3, 29, 12, 0, 0, 0, berlin)},
		{"autumn", time.Date(2026, 10, 25, 12, 0, 0, 0, berlin)},
	} {
		t.Run(c.name, func(t *testing.T) {
			people, before, after, restarts := 40, 54*time.Hour, 40*time.Hour, 2
			if long {
				people, before, after, restarts = 400, 26*24*time.Hour, 36*24*time.Hour, 20
			}
			s := newSoak(t, people, c.change.Add(-before-6*time.Hour), c.change)
			s.months(c.change.Add(after), restarts)
		})
	}
}

// soak is a site with a service on a clock that is moved.
type soak struct {
	*site
	clock   *clock.Fake
	random  *rand.Rand
	change  time.Time
	service *running
	oracle  oracle
	begin   time.Time
	log     lockedBuffer
	read    int // of the log
	ran     []runAt
	people  []int // who is here, by number
	away    []int
	cut     int
}

func newSoak(t *testing.T, people int, begin, change time.Time) *soak {
	seed := uint64(fromEnv(t, "ROSTERD_SEED", int(begin.Unix()&0xffffff)))
	s := &soak{site: newSite(t, company.Company{People: people, Groups: 10, Big: 20}, soakSchedule), clock: clock.NewFake(begin),
		random: rand.New(rand.NewPCG(seed, 2)), change: change, begin: begin}
	for i := range s.company.People {
		s.people = append(s.people, i)
	}
	s.oracle = oracle{zone: change.Location(), plans: []period{{from: begin, minute: 20, hours: 3}}}
	s.start()
	return s
}

func (s *soak) start() {
	s.t.Helper()
	r := &running{ended: make(chan int, 1)}
	r.app = &app{stdin: strings.NewReader(""), stdout: &s.log, stderr: &s.log, now: s.clock.Now, clock: s.clock, getenv: func(string) string { return "" },
		stop: make(chan struct{}), listening: true}
	go func() { r.ended <- r.app.run([]string{"-c", s.config, "run", "--log", "json"}) }()
	s.service = r
}

// stop ends the service, in the middle of a cycle or not.
func (s *soak) stop() {
	s.t.Helper()
	close(s.service.app.stop)
	select {
	case code := <-s.service.ended:
		if code != 0 {
			s.t.Fatalf("the service ended with %d\n%s", code, tail(s.log.String()))
		}
	case <-time.After(time.Minute):
		s.t.Fatalf("the service does not end\n%s", tail(s.log.String()))
	}
	s.service = nil
}

// to lets the time pass, from one wait of the service to the next.
func (s *soak) to(until time.Time) {
	s.t.Helper()
	for {
		at := s.waits()
		if at.After(until) {
			s.clock.Set(until)
			s.waits()
			return
		}
		s.clock.Set(at)
	}
}

// waits returns when the service has nothing to do, and until when that is so.
func (s *soak) waits() time.Time {
	s.t.Helper()
	waited := make(chan time.Time, 1)
	go func() { waited <- s.clock.Waited() }()
	select {
	case at := <-waited:
		return at
	case <-time.After(time.Minute):
		s.t.Fatalf("the service hangs\n%s", tail(s.log.String()))
		return time.Time{}
	}
}

// noteRuns reads the log: which cycles there were, and how they ended.
func (s *soak) noteRuns() {
	s.t.Helper()
	text := s.log.String()
	for _, line := range strings.Split(text[s.read:], "\n") {
		var r struct {
			ID    string `json:"MESSAGE_ID"`
			Msg   string
			Level string
			Verb  string
			Cycle string
		}
		if json.Unmarshal([]byte(line), &r) != nil {
			continue
		}
		if r.Level != "INFO" && r.ID != eventHeld {
			s.t.Errorf("the log says: %s", line)
		}
		if r.ID != eventCycle || r.Verb != "changes" && r.Verb != "resync" {
			continue
		}
		if strings.Contains(r.Msg, "stopped by a signal") {
			s.cut++
			continue
		}
		at, err := time.Parse("20060102T150405.000", r.Cycle)
		if err != nil {
			s.t.Fatal(err)
		}
		s.ran = append(s.ran, runAt{r.Verb, at})
	}
	s.read = len(text)
}

// schedule changes the schedule for the night of the change, or back.
func (s *soak) schedule(p period, old, new string) {
	s.t.Helper()
	s.edit(`changes  = "`+old, `changes  = "`+new)
	if code, stdout, stderr := s.rosterd("reload"); code != 0 {
		s.t.Fatalf("reload ended with %d\n%s%s", code, stdout, stderr)
	}
	s.waits()
	p.from = s.clock.Now().Add(time.Minute)
	s.oracle.plans = append(s.oracle.plans, p)
}

// months lets the time pass until the end, day by day.
func (s *soak) months(end time.Time, restarts int) {
	s.waits()
	var watched []load
	// Right after a run of the one schedule, so that the other has missed none.
	y, m, d := s.change.Date()
	night := [2]time.Time{time.Date(y, m, d-1, 21, 21, 0, 0, s.change.Location()), time.Date(y, m, d, 9, 31, 0, 0, s.change.Location())}
	days := int(end.Sub(s.begin) / (24 * time.Hour))
	slept := false
	for day := 0; s.clock.Now().Before(end); day++ {
		s.to(s.clock.Now().Add(time.Duration(s.random.IntN(180)) * time.Minute))
		if s.clock.Now().Before(end.Add(-36 * time.Hour)) {
			s.live(day)
		}
		// None in the last month: the one process is watched through it.
		for n := 0; n < 2 && restarts > 0 && s.clock.Now().Before(night[0].Add(-24*time.Hour)); n++ {
			restarts--
			s.restart()
		}
		if !slept && s.clock.Now().Before(night[0].Add(-12*time.Hour)) {
			slept = true
			s.sleep()
		}
		next := s.begin.Add(time.Duration(day+1) * 24 * time.Hour)
		for i, at := range night {
			if s.clock.Now().Before(at) && !next.Before(at) {
				s.to(at)
				if i == 0 {
					s.schedule(period{minutes: 30}, "20 */3 * * *", soakNight)
				} else {
					s.schedule(period{minute: 20, hours: 3}, soakNight, "20 */3 * * *")
				}
			}
		}
		if next.After(end) {
			next = end
		}
		for s.clock.Now().Before(next) {
			at := s.clock.Now().Add(4 * time.Hour)
			if at.After(next) {
				at = next
			}
			s.to(at)
			s.noteRuns()
			if at.After(night[1]) {
				watched = append(watched, s.measure())
			}
		}
	}
	early, late := most(watched[:len(watched)/2]), most(watched[len(watched)/2:])
	if restarts > 0 || !slept {
		s.t.Errorf("%d restarts were left, slept %v: too few days", restarts, slept)
	}
	s.compare(s.oracle.expect(s.begin, end))
	s.agree()
	s.t.Logf("%d runs in %d days, %d cut short by a restart and done after it; at most %s in the first half of the days after the last restart, %s in the second", len(s.ran), days, s.cut, early, late)
	early.flat(s.t, late)
	s.stop()
	s.want(0, "audit", "--verify")
	s.quiet()
}

// restart stops the service for a while: at some time, or as a cycle begins.
func (s *soak) restart() {
	s.t.Helper()
	if s.random.IntN(2) == 0 {
		// Right into the next cycle.
		next := s.oracle.expect(s.begin, s.clock.Now().Add(12*time.Hour))
		i := slices.IndexFunc(next, func(r runAt) bool { return r.at.After(s.clock.Now()) })
		s.to(next[i].at.Add(-time.Minute))
		s.clock.Set(next[i].at)
		time.Sleep(time.Duration(s.random.IntN(60)) * time.Millisecond)
	} else {
		s.to(s.clock.Now().Add(time.Duration(s.random.IntN(200)) * time.Minute))
	}
	from := s.clock.Now()
	s.stop()
	s.noteRuns()
	until := from.Add(time.Duration(1+s.random.IntN(500)) * time.Minute)
	g := gap{from, until} // what was cut short is due again
	if n := len(s.ran); n > 0 && s.ran[n-1].at.Equal(from) {
		g.from = from.Add(time.Minute)
	}
	s.oracle.out = append(s.oracle.out, g)
	s.clock.Set(until)
	s.start()
	s.waits()
}

// sleep is an hour in which the machine was suspended.
func (s *soak) sleep() {
	s.to(s.clock.Now().Truncate(time.Hour).Add(2*time.Hour + 50*time.Minute))
	from := s.clock.Now()
	s.oracle.out = append(s.oracle.out, gap{from.Add(time.Minute), from.Add(time.Hour)})
	s.clock.Set(from.Add(time.Hour))
	s.waits()
}

// live is what happens in the company in a day.
func (s *soak) live(day int) {
	var b strings.Builder
	join := s.company.People
	s.company.People++
	b.WriteString(ldifOf(s.company.Person(join)))
	at := s.random.IntN(len(s.people))
	who := s.people[at]
	fmt.Fprintf(&b, "dn: %s\nchangetype: modify\nreplace: title\ntitle: %s\n\n", s.company.DN(who), []string{"Publisher", "Writer"}[day%2])
	switch leaves := s.people[s.random.IntN(len(s.people))]; {
	case day%3 == 0:
		fmt.Fprintf(&b, "dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n\n", s.company.DN(leaves))
		s.away = append(s.away, leaves)
		s.people = slices.DeleteFunc(s.people, func(i int) bool { return i == leaves })
	case day%3 == 1 && len(s.away) > 1:
		back := s.away[0]
		fmt.Fprintf(&b, "dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: staff\n\n", s.company.DN(back))
		s.away, s.people = s.away[1:], append(s.people, back)
	case day%6 == 5:
		fmt.Fprintf(&b, "dn: %s\nchangetype: delete\n\n", s.company.DN(leaves))
		s.people = slices.DeleteFunc(s.people, func(i int) bool { return i == leaves })
	}
	s.people = append(s.people, join)
	s.modify("%s", b.String())
}

func (s *soak) compare(want []runAt) {
	s.t.Helper()
	for i := range max(len(want), len(s.ran)) {
		switch {
		case i >= len(s.ran):
			s.t.Fatalf("run %d is lost: %s at %s", i, want[i].kind, want[i].at.In(s.oracle.zone))
		case i >= len(want):
			s.t.Fatalf("run %d is one too many: %s at %s", i, s.ran[i].kind, s.ran[i].at.In(s.oracle.zone))
		case want[i].kind != s.ran[i].kind || !want[i].at.Equal(s.ran[i].at):
			s.t.Fatalf("run %d is %s at %s, want %s at %s", i, s.ran[i].kind, s.ran[i].at.In(s.oracle.zone), want[i].kind, want[i].at.In(s.oracle.zone))
		}
	}
}

// load is what the service holds while it has nothing to do.
type load struct {
	heap        uint64
	routines    int
	descriptors int
	state       int64
}

func (l load) String() string {
	return fmt.Sprintf("heap %.1f MB, %d goroutines, %d descriptors, state %.1f MB", float64(l.heap)/1e6, l.routines, l.descriptors, float64(l.state)/1e6)
}

func (s *soak) measure() load {
	s.t.Helper()
	s.waits()
	s.noteRuns()
	s.log.reset() // it is ours, not the service's
	s.read = 0
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		s.t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(s.folder, "state", "state.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	return load{m.HeapAlloc, runtime.NumGoroutine(), len(files), info.Size()}
}

// most is the most that was held at any of the times.
func most(of []load) load {
	var out load
	for _, l := range of {
		out = load{max(out.heap, l.heap), max(out.routines, l.routines), max(out.descriptors, l.descriptors), max(out.state, l.state)}
	}
	return out
}

// flat: nothing grew. Up to four connections to the target are kept, one at
// least, with two goroutines each; whatever a cycle left behind would be more.
func (l load) flat(t testing.TB, late load) {
	t.Helper()
	const kept = 3
	if late.heap > l.heap+l.heap/4+1<<20 || late.routines > l.routines+2*kept || late.descriptors > l.descriptors+kept {
		t.Errorf("it grew: %s, then %s", l, late)
	}
}
