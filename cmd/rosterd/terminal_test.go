package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/rosterd/rosterd/internal/company"
)

// What a directory holds does not steer the terminal of whoever looks: no
// escape, no line of its own, no text that runs backwards.
func TestNamesDoNotSteerTheTerminal(t *testing.T) {
	s := newSite(t, company.Company{People: 3, Groups: 1, Units: 1}, strings.Replace(guardOff, `"apply"`, `"hold"`, 1))
	const evil = "Mallory\x1b]0;owned\x07\x1b[31m\u202egnp.exe\u009b2J\nrosterd: error: all is lost\r\u2066)(uid=*"
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for i, uid := range []string{"m\x1b[2Jx", "m\u202ex\ny", `m)(uid=*`, `m,ou=x+cn=y\`, "m\u009b1A"} {
		s.modify("dn: employeeNumber=x%d,%s\nchangetype: add\nobjectClass: inetOrgPerson\nuid:: %s\ncn:: %s\nsn:: %s\nmail: m%d@corp.example\nemployeeType: staff\ntitle:: %s\nemployeeNumber: x%d\n",
			i, s.company.Unit(0), b64(uid), b64(evil), b64("x"), i, b64("Publisher"), i)
	}
	look := func(args ...string) string {
		t.Helper()
		_, stdout, stderr := s.rosterd(append([]string{"--color", "never"}, args...)...)
		for _, r := range stdout + stderr {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%v prints %U\n%q", args, r, tail(stdout+stderr))
				break
			}
		}
		for _, line := range strings.Split(stdout+stderr, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "rosterd: error: all is lost") {
				t.Errorf("%v: a name made a line of its own", args)
			}
		}
		return stdout
	}
	if out := look("plan", "-v"); !strings.Contains(out, "uid=*") {
		t.Errorf("the plan does not show them:\n%s", tail(out))
	}
	look("approve", "h1")
	look("approve", "h1", "--version", s.version("h1"), "--yes")
	look("sync")
	for i := range 5 {
		login := fmt.Sprintf("m%d@corp.example", i)
		look("explain", login)
		look("offboard", login, "--reason", "\x1b[31mred")
		look("offboard", login, "--reason", "again")
	}
	look("status")
	look("audit")
	look("explain", "\x1b[31mnobody")
	for _, args := range [][]string{{"audit"}, {"status"}, {"plan", "--full"}, {"explain", "m1@corp.example"}} {
		_, stdout, _ := s.rosterd(append([]string{"--json"}, args...)...)
		if !json.Valid([]byte(stdout)) {
			t.Errorf("%v: no JSON: %s", args, tail(stdout))
		}
	}
	for login, a := range s.accounts() {
		t.Logf("%q: %q, %s", login, a.dn, a.state)
		if strings.HasPrefix(login, "m") && a.state == "active" {
			t.Errorf("%q is still active", login)
		}
	}
}
