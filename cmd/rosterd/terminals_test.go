package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Two terminals: while the service is in the middle of a long apply, the verbs of
// another process that look answer in under a second, those that decide are
// accepted in under a second, and what they decided is done before the apply ends.
// ROSTERD_PEOPLE makes the company larger.
func TestTwoTerminals(t *testing.T) {
	t.Parallel() // it waits, most of the time
	people := fromEnv(t, "ROSTERD_PEOPLE", 300)
	s := newSupervised(t, people, guardOff)
	s.edit("max_remove = { count = 100000 }", "max_remove = { count = 3 }")
	s.want(0, "sync")
	var b strings.Builder
	change := func(i int, attribute, value string) {
		fmt.Fprintf(&b, "dn: %s\nchangetype: modify\nreplace: %s\n%s: %s\n\n", s.company.DN(i), attribute, attribute, value)
	}
	// Four leave: held.
	for i := range 4 {
		change(i, "employeeType", "former")
	}
	s.modify("%s", b.String())
	s.want(4, "sync")
	version := s.version("h1")

	// Everybody else gets another address, at a rate that makes it last.
	b.Reset()
	for i := 20; i < people; i++ {
		change(i, "mail", s.company.Login(i)+"@new.example")
	}
	s.modify("%s", b.String())
	s.edit("kind     = \"ldap\"", fmt.Sprintf("kind     = \"ldap\"\nrate     = %d", max(40, people/60)))
	s.start()
	s.ear.await("STATUS=apply intranet: 0 of", 2*time.Minute)
	s.ear.await("STATUS=apply", time.Minute)
	// And while it goes on, somebody moves and somebody leaves.
	s.modify("dn: %s\nchangetype: modify\nreplace: title\ntitle: Publisher\n", s.company.DN(7))
	s.modify("dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n", s.company.DN(people-1))

	times := map[string]time.Duration{}
	terminal := func(want int, args ...string) string {
		t.Helper()
		var code int
		var out string
		// The machine may be busy with other tests: the best of three counts.
		for range 3 {
			began := time.Now()
			code, out = s.terminal(args...)
			times[args[0]] = least(times[args[0]], time.Since(began))
			if times[args[0]] < time.Second {
				break
			}
		}
		if code != want {
			t.Fatalf("%v ended with %d, want %d\n%s", args, code, want, tail(out))
		}
		return out
	}
	done := map[string]time.Duration{}
	// What decides is accepted when the service begins to read for it: the decision
	// is on disk.
	decide := func(want int, args ...string) string {
		t.Helper()
		s.ear.say("STATUS=until here")
		s.ear.await("STATUS=until here", time.Minute)
		began := time.Now()
		var code int
		var out string
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			code, out = s.terminal(args...)
		}()
		s.ear.await("STATUS=read corp", time.Minute)
		times[args[0]] = time.Since(began)
		<-ended
		done[args[0]] = time.Since(began)
		if code != want {
			t.Fatalf("%v ended with %d, want %d\n%s", args, code, want, tail(out))
		}
		return out
	}
	// What the service said meanwhile is of the apply, and it still is in it.
	applying := func(after string) {
		t.Helper()
		s.ear.say("STATUS=until here")
		for {
			said := s.ear.await("STATUS=", time.Minute)
			if said == "STATUS=until here" {
				return
			}
			if strings.HasPrefix(said, "STATUS=idle") {
				t.Fatalf("after %s the service says %s", after, said)
			}
		}
	}
	terminal(0, "status")
	if out := terminal(0, "explain", "p00007"); !strings.Contains(out, "p00007") {
		t.Errorf("explain says\n%s", out)
	}
	if out := terminal(4, "plan"); !strings.Contains(out, "h1") {
		t.Errorf("the plan does not show what is held:\n%s", tail(out))
	}
	applying("looking")
	if out := decide(4, "sync", "--person", "p00007"); !strings.Contains(out, "grant Publishers") {
		t.Errorf("sync --person does not do what it should:\n%s", out)
	}
	if out := decide(0, "approve", "h1", "--version", version, "--yes"); !strings.Contains(out, "disable p00000") {
		t.Errorf("approve does not do what it should:\n%s", tail(out))
	}
	last := s.company.Login(people - 1)
	decide(0, "offboard", last, "--reason", "left today")
	applying("deciding")
	have := s.accounts()
	for i := range 4 {
		if a := have[s.company.Login(i)]; a.state != "disabled" || len(a.groups) > 0 {
			t.Errorf("approved, and before the apply ends %s has %+v", s.company.Login(i), a)
		}
	}
	if a := have["p00007"]; !strings.Contains(strings.Join(a.groups, " "), "Publishers") {
		t.Errorf("before the apply ends p00007 has %+v", a)
	}
	if a := have[last]; a.state != "disabled" {
		t.Errorf("before the apply ends %s has %+v", last, a)
	}
	left := 0
	for _, a := range have {
		if !strings.HasSuffix(a.mail, "@new.example") {
			left++
		}
	}
	if left < 30 {
		t.Fatalf("%d addresses were left when all was done: the apply was over", left)
	}
	for _, verb := range sortedKeys(times) {
		t.Logf("%-8s %s, done %s", verb, times[verb].Round(time.Millisecond), done[verb].Round(time.Millisecond))
		if times[verb] > time.Second {
			t.Errorf("%s took %s in the middle of an apply", verb, times[verb].Round(time.Millisecond))
		}
	}
	t.Logf("%d of %d addresses were left when the verbs had ended", left, people-20)

	s.ear.await("STATUS=idle", 10*time.Minute)
	s.signal(syscall.SIGTERM)
	if code, _ := s.ends(); code != 0 {
		t.Errorf("the service ended with %d\n%s", code, s.out.String())
	}
	s.want(0, "sync")
	s.agree()
	s.quiet()
}

// least is the shorter of two times that were taken; zero is none.
func least(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// terminal runs the program as a process of its own.
func (s *supervised) terminal(args ...string) (code int, output string) {
	s.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(rosterdBinary(s.t), append([]string{"-c", s.config}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}
