//go:build servers

package main

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
)

// A first provisioning of 10,000, requests counted at the server: correlation from one
// listing and verification from one listing included, at most 1.1 an account.
func TestSlapdProvisionTenThousand(t *testing.T) {
	s := newSite(t, company.Company{People: 10000, Groups: 10, Big: 10000}, guardOff)
	s.counted(guardOff)
	s.binary = rosterdBinary(t)
	began := time.Now()
	kinds, all := s.spent(func() { s.want(0, "sync") })
	made := len(s.accounts())
	t.Logf("%d accounts in %s: %d requests, %v: %.3f an account", made, time.Since(began).Round(time.Millisecond), all, kinds, float64(all)/float64(made))
	if made < 8000 || kinds["ADD"] != made || float64(all) > 1.1*float64(made) {
		t.Errorf("%d accounts by %d requests: %v", made, all, kinds)
	}
	kinds, _ = s.spent(func() { s.want(0, "sync", "--full") })
	if n := kinds["ADD"] + kinds["MOD"] + kinds["MODRDN"] + kinds["DEL"]; n > 0 {
		t.Errorf("no change: %v", kinds)
	}
}

// Law 7 on a server: killed again and again while it makes accounts in batches, with
// hundreds of them in doubt each time, it finds what was made by few looks, and makes
// nobody's twice.
func TestSlapdKilledWhileItMakesAccounts(t *testing.T) {
	s := newSite(t, company.Company{People: 4000, Groups: 4, Big: 4000}, guardOff)
	s.counted(guardOff)
	s.binary = rosterdBinary(t)
	adds := func() int { return strings.Count(s.apps.Log(), " ADD dn=") }
	for round := range 4 {
		cmd := exec.Command(s.binary, "-c", s.config, "sync")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for want, end := adds()+150+130*round, time.Now().Add(30*time.Second); adds() < want && atWork(cmd) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		_ = cmd.Process.Kill()
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) {
			t.Fatalf("round %d: it ended before it was killed: %v", round, err)
		}
	}
	_, out, _ := s.rosterd("status", "--json")
	doubt := regexp.MustCompile(`"in_doubt": (\d+)`).FindStringSubmatch(out)
	kinds, _ := s.spent(func() { s.rosterd("sync") })
	t.Logf("%s in doubt after the last kill; then %v", doubt, kinds)
	if doubt == nil || len(doubt[1]) < 3 {
		t.Error("no kill left hundreds in doubt")
	}
	if n := kinds["SRCH"]; n > 350 { // by one look for each 50, and one at the groups of each account, it was 920
		t.Errorf("%d searches", n)
	}
	s.want(0, "sync", "--full")
	s.agree()
	// Each was added once, by the server's own word: it was asked for none that is there.
	if n := strings.Count(s.apps.Log(), "RESULT tag=105 err=68"); n > 0 {
		t.Errorf("%d were to be added that were there", n)
	}
	if n := len(s.accounts()); n != 4000 {
		t.Errorf("%d accounts", n)
	}
}
