package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/company"
)

// Forty of five hundred are held on Friday, by the service and on real servers.
// All week-end joiners and single leavers go on, status says what waits and ends
// with 4, over restarts; on Monday it is approved through the socket as it was
// shown, and those forty are disabled and nobody else.
func TestTheServiceOverAWeekend(t *testing.T) {
	friday := time.Date(2026, 3, 6, 16, 0, 0, 0, time.UTC)
	s := &soak{site: newSite(t, company.Company{People: 500, Groups: 10, Big: 100}, `
[schedule]
changes = "0 */4 * * *"
[target.intranet.guard]
first = "apply"
`), clock: clock.NewFake(friday), random: rand.New(rand.NewPCG(1, 4)), change: friday, begin: friday}
	s.start()
	s.waits()
	if code, stdout, _ := s.rosterd("status", "--exit-code"); code != 0 {
		t.Fatalf("on Friday status ends with %d\n%s", code, stdout)
	}
	leave := func(who ...int) {
		t.Helper()
		var b strings.Builder
		for _, i := range who {
			fmt.Fprintf(&b, "dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n\n", s.company.DN(i))
		}
		s.modify("%s", b.String())
	}
	leave(those(0, 40)...)
	s.to(friday.Add(4 * time.Hour))
	shown := s.onlyHold()
	if len(shown.Changes) < 40 {
		t.Fatalf("%d changes are held", len(shown.Changes))
	}
	joined, left := 0, 0
	monday := time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)
	for turn := 1; s.clock.Now().Before(monday); turn++ {
		switch {
		case turn%3 == 2:
			leave(400 + left)
			left++
		case turn%3 != 2:
			s.modify("%s", ldifOf(s.company.Person(s.company.People)))
			s.company.People++
			joined++
		}
		if turn%5 == 3 {
			s.stop()
			s.start()
		}
		s.to(s.clock.Now().Add(4 * time.Hour))
		if turn%3 > 1 {
			continue
		}
		if now := s.onlyHold(); now.ID != shown.ID || now.Version != shown.Version {
			t.Fatalf("%s: the hold became %s, version %s", s.clock.Now(), now.ID, now.Version)
		}
		if active := s.active(); len(active) != 500+joined-left {
			t.Fatalf("%s: %d accounts are active, want %d: somebody waits for the hold", s.clock.Now(), len(active), 500+joined-left)
		}
	}
	if joined < 8 || left < 4 {
		t.Fatalf("%d joined and %d left: the week-end was too short to show anything", joined, left)
	}

	before := s.active()
	out, _ := s.want(4, "approve", shown.ID)
	if !strings.Contains(out, shown.Version) {
		t.Errorf("approve shows another version than %s\n%s", shown.Version, out)
	}
	// Somebody else leaves as it is approved: not shown, not done by it.
	leave(450)
	done, _ := s.want(0, "approve", shown.ID, "--version", shown.Version, "--yes", "-v")
	after := s.active()
	gone := slices.DeleteFunc(before, func(login string) bool { return slices.Contains(after, login) })
	var want []string
	for i := range 40 {
		want = append(want, s.company.Login(i))
	}
	if !slices.Equal(gone, want) {
		t.Errorf("law 4: shown were the forty, disabled are %v", gone)
	}
	var lines []string
	for _, line := range strings.Split(done, "\n") {
		if what, is := strings.CutPrefix(line, "done     intranet  "); is {
			what, _, _ = strings.Cut(what, "  [")
			lines = append(lines, what)
		}
	}
	slices.Sort(lines)
	slices.Sort(shown.Changes)
	if !slices.Equal(lines, shown.Changes) {
		t.Errorf("law 4: shown were %d changes, done %d\n%q\n%q", len(shown.Changes), len(lines), shown.Changes, lines)
	}
	if code, stdout, _ := s.rosterd("status", "--exit-code"); code != 0 {
		t.Errorf("on Monday status ends with %d\n%s", code, stdout)
	}
	s.to(s.clock.Now().Add(4 * time.Hour))
	s.agree()
	s.noteRuns()
	s.stop()
	s.want(0, "audit", "--verify")
	s.quiet()
	t.Logf("%d joined, %d left while forty were held; %d runs", joined, left, len(s.ran))
}

// onlyHold is the hold that waits; status says it, with what to type, and ends
// with 4.
func (s *soak) onlyHold() holdDocument {
	s.t.Helper()
	code, stdout, stderr := s.rosterd("status", "--exit-code", "--json")
	var doc statusDocument
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != 4 {
		s.t.Fatalf("status ended with %d, %v\n%s%s", code, err, stdout, stderr)
	}
	doc.Holds = slices.DeleteFunc(doc.Holds, func(h holdDocument) bool { return h.Status != "waiting" || len(h.Changes) == 0 })
	if len(doc.Holds) != 1 {
		s.t.Fatalf("%d holds wait", len(doc.Holds))
	}
	if code, text, _ := s.rosterd("status", "--exit-code"); code != 4 || !strings.Contains(text, "rosterd approve "+doc.Holds[0].ID) {
		s.t.Fatalf("status ended with %d\n%s", code, text)
	}
	return doc.Holds[0]
}

// active are the logins of the accounts that are open, sorted.
func (s *soak) active() []string {
	s.t.Helper()
	var out []string
	for login, a := range s.accounts() {
		if a.state == "active" {
			out = append(out, login)
		}
	}
	slices.Sort(out)
	return out
}
