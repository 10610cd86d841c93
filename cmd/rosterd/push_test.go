package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// seldom is a schedule that does nothing while a test lasts.
const seldom = `
[schedule]
changes  = "0 4 1 1 *"
sweep    = "10 4 1 1 *"
resync   = "20 4 1 1 *"
timezone = "UTC"
`

// pushed is what status says of the push of corp.
func (s *supervised) pushed() (d pushDocument, cycles int) {
	s.t.Helper()
	code, stdout, stderr := s.rosterd("status", "--json")
	var out statusDocument
	if err := json.Unmarshal([]byte(stdout), &out); err != nil || code != 0 {
		s.t.Fatalf("status ended with %d: %v\n%s%s", code, err, stdout, stderr)
	}
	if p := out.Sources["corp"].Push; p != nil {
		d = *p
	}
	return d, strings.Count(s.out.String(), eventCycle)
}

// eventually waits until something is so.
func (s *supervised) eventually(what string, is func() bool) time.Duration {
	s.t.Helper()
	began := time.Now()
	for !is() {
		if time.Since(began) > 30*time.Second {
			s.t.Fatalf("%s: not within %v\n%s", what, time.Since(began).Round(time.Second), tail(s.out.String()))
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}

// Nothing but push wakes this service: a change is in the application soon after
// it is in the directory; a storm is few cycles; a lost connection is said, and
// made again, and what changed meanwhile is found then.
func TestPush(t *testing.T) {
	t.Parallel() // it waits, most of the time
	s := newSupervised(t, 30, guardOff)
	s.provides(guardOff + seldom)
	s.edit("[source.corp]\n", "[source.corp]\npush = true\n")
	s.start()
	s.ear.await("READY=1", time.Minute)
	connected := func() bool { d, n := s.pushed(); return d.Connected && n > 0 }
	s.eventually("connected", connected)
	if d, _ := s.pushed(); !strings.Contains(d.How, "refreshAndPersist (RFC 4533) at "+s.corp.TLSURL()) || d.Since == nil || d.Error != "" {
		t.Errorf("%+v", d)
	}
	mail := func(i int, to string) func() bool {
		return func() bool { return s.accounts()[s.company.Login(i)].mail == to }
	}
	write := func(i int, to string) string {
		return fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: mail\nmail: %s\n\n", s.company.DN(i), to)
	}
	time.Sleep(2500 * time.Millisecond) // the rest after the first cycle
	s.modify("%s", write(3, "at.once@lab.example"))
	t.Logf("in the application %v after it was in the directory", s.eventually("a change", mail(3, "at.once@lab.example")).Round(time.Millisecond))
	if d, _ := s.pushed(); d.Told == nil {
		t.Errorf("%+v", d)
	}

	_, before := s.pushed()
	storm := ""
	for round := range 20 {
		for i := range 30 {
			storm += write(i, fmt.Sprintf("round%d.%d@lab.example", round, i))
		}
	}
	s.modify("%s", storm)
	s.eventually("the storm", func() bool { return mail(29, "round19.29@lab.example")() && mail(0, "round19.0@lab.example")() })
	// At least two seconds lie between two cycles.
	if _, after := s.pushed(); after-before > 12 || after == before {
		t.Errorf("%d cycles for 600 changes", after-before)
	} else {
		t.Logf("%d cycles for 600 changes", after-before)
	}

	if err := s.corp.Kill(); err != nil {
		t.Fatal(err)
	}
	s.eventually("the loss", func() bool { d, _ := s.pushed(); return !d.Connected && d.Error != "" && d.Next != nil })
	if _, stdout, _ := s.rosterd("status"); !strings.Contains(stdout, "push: not connected, tried again") {
		t.Errorf("status says\n%s", stdout)
	}
	if err := s.corp.Start(); err != nil {
		t.Fatal(err)
	}
	s.modify("%s", write(5, "while.deaf@lab.example"))
	s.eventually("connected again", connected)
	s.eventually("what changed meanwhile", mail(5, "while.deaf@lab.example"))
	if _, stdout, _ := s.rosterd("status"); !strings.Contains(stdout, "push: refreshAndPersist") {
		t.Errorf("status says\n%s", stdout)
	}

	// Without push in the file nobody is connected.
	s.edit("push = true\n", "")
	s.want(0, "reload")
	s.eventually("let go", func() bool { d, _ := s.pushed(); return !d.Connected && d.Error == "" })
	s.signal(syscall.SIGTERM)
	if code, _ := s.ends(); code != 0 {
		t.Errorf("ended with %d\n%s", code, s.out.String())
	}
	if n := strings.Count(s.out.String(), eventPush); n < 3 || n > 6 {
		t.Errorf("%d words about push in the log:\n%s", n, s.out.String())
	}
}
