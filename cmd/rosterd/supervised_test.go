package main

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
)

// supervised is the program as systemd runs it.
type supervised struct {
	*site
	ear *listener
	cmd *exec.Cmd
	out lockedBuffer
}

func newSupervised(t *testing.T, people int, more string) *supervised {
	return &supervised{site: newSite(t, company.Company{People: people, Groups: 10, Big: people / 2}, more), ear: newListener(t)}
}

func (s *supervised) start(env ...string) {
	s.t.Helper()
	s.out.reset()
	s.cmd = exec.Command(rosterdBinary(s.t), "-c", s.config, "run", "--log", "logfmt")
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Env = &s.out, &s.out, s.ear.env(env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the end, and returns the exit code and all that was said since.
func (s *supervised) ends() (code int, said string) {
	s.t.Helper()
	timer := time.AfterFunc(time.Minute, func() { _ = s.cmd.Process.Signal(syscall.SIGQUIT) })
	defer timer.Stop()
	_ = s.cmd.Wait() // how it ended is looked at below
	s.ear.say("ended")
	for {
		line := s.ear.next(10 * time.Second)
		if line == "ended" {
			return s.cmd.ProcessState.ExitCode(), said
		}
		said += line + " "
	}
}

func (s *supervised) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *supervised) socket() string { return filepath.Join(s.folder, "state", "state.db.sock") }

// A hundred starts, reloads, stops and kills (six in make test): READY is said
// when the socket answers and not before, never by one that does not come to
// work; STOPPING is said before a stop; a reload takes a good file and refuses a
// bad one while the old one goes on; what a kill leaves behind stops no start.
func TestStartedReloadedStoppedAndKilled(t *testing.T) {
	rounds := 6
	if os.Getenv("ROSTERD_SOAK") != "" {
		rounds = 100
	}
	seed := uint64(fromEnv(t, "ROSTERD_SEED", int(time.Now().UnixNano()&0xffffffff)))
	random := rand.New(rand.NewPCG(seed, 3))
	s := newSupervised(t, 20, guardOff)
	good, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	var slowest time.Duration
	for round := range rounds {
		if random.IntN(5) == 0 {
			counts["killed before it was ready"]++
			s.start()
			time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
			s.signal(syscall.SIGKILL)
			s.ends()
		}
		began := time.Now()
		s.start()
		s.ear.await("READY=1", time.Minute)
		conn, err := net.Dial("unix", s.socket())
		if err != nil {
			t.Fatalf("round %d: it said that it is ready, and its socket does not answer: %v\n%s", round, err, s.out.String())
		}
		conn.Close()
		slowest = max(slowest, time.Since(began))
		s.served()
		for range random.IntN(4) {
			counts[s.something(random, string(good))]++
		}
		if random.IntN(2) == 0 {
			counts["stopped"]++
			s.signal(syscall.SIGTERM)
			if code, said := s.ends(); code != 0 || !strings.Contains(said, "STOPPING=1") {
				t.Fatalf("round %d: stopped, it ended with %d and said %s\n%s", round, code, said, s.out.String())
			}
			if _, err := os.Lstat(s.socket()); err == nil {
				t.Errorf("round %d: the socket is left after a stop", round)
			}
		} else {
			counts["killed"]++
			s.signal(syscall.SIGKILL)
			s.ends()
		}
	}
	s.want(0, "sync")
	s.agree()
	s.want(0, "audit", "--verify")
	s.quiet()
	t.Logf("%d rounds, seed %d: %v; the slowest start took %s", rounds, seed, counts, slowest.Round(time.Millisecond))
}

// served asks for the status, which the service answers.
func (s *supervised) served() {
	s.t.Helper()
	code, stdout, stderr := s.rosterd("status")
	if code != 0 || strings.Contains(stdout, "no service is running") {
		s.t.Fatalf("status ended with %d\n%s%s", code, stdout, stderr)
	}
}

// something happens to a service: a file to take, a file with a mistake, work, a
// second service.
func (s *supervised) something(random *rand.Rand, good string) string {
	s.t.Helper()
	what := []string{"reload", "SIGHUP", "mistake", "sync", "second"}[random.IntN(5)]
	fresh := good + "\n# " + time.Now().Format(time.RFC3339Nano) + "\n"
	switch what {
	case "reload":
		s.write(fresh)
		s.want(0, "reload")
	case "SIGHUP":
		s.write(fresh)
		taken := strings.Count(s.out.String(), eventReload)
		s.signal(syscall.SIGHUP)
		for end := time.Now().Add(20 * time.Second); strings.Count(s.out.String(), eventReload) == taken; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				s.t.Fatalf("the file was not taken: %s", s.out.String())
			}
		}
	case "mistake":
		before, err := os.ReadFile(s.config)
		if err != nil {
			s.t.Fatal(err)
		}
		s.write(strings.Replace(good, "[source.corp.guard]", "[source.corp.gard]", 1))
		if code, _, stderr := s.rosterd("reload"); code != 2 || !strings.Contains(stderr, "gard") {
			s.t.Errorf("reload of a mistake ended with %d: %s", code, stderr)
		}
		s.write(string(before))
	case "sync":
		i := random.IntN(20)
		s.modify("dn: %s\nchangetype: modify\nreplace: title\ntitle: %s\n", s.company.DN(i), []string{"Publisher", "Writer"}[random.IntN(2)])
		s.want(0, "sync")
	case "second":
		other := &supervised{site: s.site, ear: newListener(s.t)}
		other.start()
		if code, said := other.ends(); code != 1 || strings.Contains(said, "READY") || !strings.Contains(other.out.String(), "has it") {
			s.t.Errorf("a second service ended with %d and said %q: %s", code, said, other.out.String())
		}
	}
	s.served()
	return what
}

// Whoever does not come to work does not say that it is ready.
func TestNotReady(t *testing.T) {
	s := newSupervised(t, 3, "")
	s.edit("[source.corp.guard]", "[source.corp.gard]")
	s.start()
	if code, said := s.ends(); code != 2 || strings.Contains(said, "READY") {
		t.Errorf("with a mistake it ended with %d and said %q", code, said)
	}
	s.edit("[source.corp.gard]", "[source.corp.guard]")
	if err := os.MkdirAll(filepath.Join(s.folder, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(s.folder, "state", "state.db"), strings.Repeat("no state ", 4096))
	s.start()
	if code, said := s.ends(); code != 1 || strings.Contains(said, "READY") {
		t.Errorf("with a broken state it ended with %d and said %q", code, said)
	}
}

// The watchdog hears of the real service while it waits, and while it works,
// however slowly; not while a directory hangs; and again when that goes on.
func TestTheWatchdogOfTheService(t *testing.T) {
	t.Parallel() // it waits, most of the time
	s := newSupervised(t, 60, "[target.intranet.guard]\nfirst = \"apply\"\n")
	s.edit("kind     = \"ldap\"", "kind     = \"ldap\"\nrate     = 20")
	const patience = 900 * time.Millisecond
	s.start("WATCHDOG_USEC=900000")
	// The first cycle writes for three seconds at least, in one batch.
	s.ear.await("STATUS=apply", time.Minute)
	began := time.Now()
	working, worst := s.pings("STATUS=settle", time.Minute)
	if working < 5 || worst > 3*patience {
		t.Errorf("%d pings while it worked, %s between two of them", working, worst)
	}
	s.ear.await("STATUS=idle", time.Minute)
	idle, _ := s.pings("", 2*time.Second)
	if idle < 3 {
		t.Errorf("%d pings in two seconds with nothing to do", idle)
	}
	t.Logf("worked for %s: %d pings, at most %s between two; %d in two seconds with nothing to do", time.Since(began).Round(time.Millisecond), working, worst.Round(time.Millisecond), idle)
	s.signal(syscall.SIGKILL)
	s.ends()

	// A directory that takes connections and answers nothing.
	if err := s.corp.Pause(); err != nil {
		t.Fatal(err)
	}
	s.edit("[source.corp]", "[schedule]\nchanges = \"* * * * *\"\n[source.corp]")
	s.unrun()
	s.start("WATCHDOG_USEC=900000")
	s.ear.await("STATUS=read", time.Minute)
	s.pings("", patience) // what was said before it hung
	if hung, _ := s.pings("", 2*time.Second); hung > 0 {
		t.Errorf("%d pings while the read hung", hung)
	}
	began = time.Now()
	if err := s.corp.Resume(); err != nil {
		t.Fatal(err)
	}
	s.ear.await("WATCHDOG=1", time.Minute)
	t.Logf("the next ping came %s after the directory went on", time.Since(began).Round(time.Millisecond))
	s.signal(syscall.SIGTERM)
	if code, _ := s.ends(); code != 0 {
		t.Errorf("it ended with %d\n%s", code, s.out.String())
	}
}

// unrun lets the next start find a run that was missed.
func (s *supervised) unrun() {
	s.t.Helper()
	if err := os.RemoveAll(filepath.Join(s.folder, "state")); err != nil {
		s.t.Fatal(err)
	}
}

// pings counts the signs of life until something is said, or for so long, and
// tells the longest time between two.
func (s *supervised) pings(end string, within time.Duration) (n int, worst time.Duration) {
	s.t.Helper()
	last := time.Now()
	for until := time.Now().Add(within); time.Now().Before(until); {
		said := s.ear.next(time.Until(until))
		if end != "" && strings.HasPrefix(said, end) {
			return n, worst
		}
		if said == "WATCHDOG=1" {
			n++
			worst, last = max(worst, time.Since(last)), time.Now()
		}
	}
	if end != "" {
		s.t.Errorf("nobody said %s within %s", end, within)
	}
	return n, worst
}
