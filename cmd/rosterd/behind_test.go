package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/servers"
)

// Law 13, at the command line and on two real servers: the second URL is as the
// first one was an hour ago. It still shows who left since, and lacks who came.
func TestLaw13ASecondServerAnHourBehind(t *testing.T) {
	t.Parallel() // it waits, most of the time
	servers.Require(t, "slapcat")
	s := newSite(t, company.Company{People: 60, Units: 1, Groups: 4, Big: 20}, guardOff)
	s.provides(guardOff)
	const late, gone, former, leaver, joiner = 12, 14, 16, 18, 60 // by number
	s.modify("dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n", s.company.DN(late))
	s.want(0, "sync")
	s.agree()

	// The copy, and what happened since it was made.
	replica := anHourBehind(t, s)
	s.modify("dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: staff\n", s.company.DN(late))
	s.modify("dn: %s\nchangetype: delete\n", s.company.DN(gone))
	s.modify("dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n", s.company.DN(former))
	var entry bytes.Buffer
	if err := ldif.Write(&entry, s.company.Person(joiner)); err != nil {
		t.Fatal(err)
	}
	s.modify("%s", strings.Replace(entry.String(), "\n", "\nchangetype: add\n", 1))
	s.want(0, "sync")
	time.Sleep(1100 * time.Millisecond) // vanish_after
	s.want(0, "sync")
	good := s.accounts()
	state := func(i int) string { return good[s.company.Login(i)].state }
	if state(gone) != "disabled" || state(former) != "disabled" || state(joiner) != "active" || state(late) != "active" {
		t.Fatalf("gone %s, former %s, joiner %s, late %s", state(gone), state(former), state(joiner), state(late))
	}

	// The first one dies: the second one is complete, and wrong.
	s.edit(`urls     = ["`+s.corp.TLSURL()+`"]`, `urls     = ["`+s.corp.TLSURL()+`", "`+replica.TLSURL()+`"]`)
	if err := s.corp.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, full := range []string{"--full=false", "--full"} {
		_, errs := s.want(1, "sync", full)
		for _, word := range []string{"is behind by 1h", "sync --accept-older", "nobody's standing has changed"} {
			if !strings.Contains(errs, word) {
				t.Errorf("no word of %q:\n%s", word, errs)
			}
		}
		time.Sleep(1100 * time.Millisecond)
	}
	s.same(good)
	if out, _ := s.want(0, "status"); !strings.Contains(strings.Join(strings.Fields(out), " "), "is behind by 1h") {
		t.Errorf("the status does not name the reason:\n%s", out)
	}

	// It is there again, in the second place: the one that is behind is left for
	// it in the same cycle, for the look-ups too. One that was killed may have
	// forgotten the last that it had seen, until the next change.
	if err := s.corp.Start(); err != nil {
		t.Fatal(err)
	}
	s.modify("dn: %s\nchangetype: modify\nreplace: l\nl: Bremen\n", s.company.DN(leaver))
	s.edit(`urls     = ["`+s.corp.TLSURL()+`", "`+replica.TLSURL()+`"]`, `urls     = ["`+replica.TLSURL()+`", "`+s.corp.TLSURL()+`"]`)
	s.want(0, "sync")
	s.quiet()
	s.same(good)
	s.modify("dn: %s\nchangetype: delete\n", s.company.DN(leaver))
	s.want(0, "sync")
	time.Sleep(1100 * time.Millisecond)
	s.want(0, "sync")
	if out, _ := s.want(0, "explain", s.company.Login(leaver)); !strings.Contains(out, "gone since") {
		t.Errorf("the look-up was answered by the server that is behind:\n%s", out)
	}
	if a := s.accounts()[s.company.Login(leaver)]; a.state != "disabled" {
		t.Errorf("%s left and has %+v", s.company.Login(leaver), a)
	}
	if out, _ := s.want(0, "status"); !strings.Contains(out, "from "+strings.ToLower(s.corp.TLSURL())) {
		t.Errorf("the status does not say who answered:\n%s", out)
	}
}

// anHourBehind starts a copy of the company's directory as it is now, which has
// seen all of it an hour ago.
func anHourBehind(t *testing.T, s *site) *servers.Slapd {
	t.Helper()
	slapcat, err := servers.Find("slapcat")
	if err != nil {
		t.Fatal(err)
	}
	copied, err := exec.Command(slapcat, "-F", filepath.Join(s.corp.Dir, "slapd.d"), "-b", s.corp.Suffix).Output()
	if err != nil {
		t.Fatalf("copy the directory: %v", err)
	}
	if !bytes.Contains(copied, []byte("contextCSN: ")) {
		t.Fatal("the directory does not say what it has seen")
	}
	csn := regexp.MustCompile(`(contextCSN|entryCSN): \d{14}`)
	old := csn.ReplaceAllFunc(copied, func(b []byte) []byte {
		name, text, _ := strings.Cut(string(b), ": ")
		at, err := time.Parse("20060102150405", text)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(name + ": " + at.Add(-time.Hour).Format("20060102150405"))
	})
	replica := servers.StartSlapd(t, servers.SlapdConfig{LDIF: []io.Reader{bytes.NewReader(old)}, Users: []servers.User{}, Overlays: []string{"syncprov"}})
	both := []byte{}
	for _, path := range []string{s.corp.CACert, replica.CACert} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	writeFile(t, filepath.Join(s.folder, "both.pem"), string(both))
	s.edit(`ca_file  = "`+s.corp.CACert+`"`, `ca_file  = "`+filepath.Join(s.folder, "both.pem")+`"`)
	return replica
}

// same says that nobody gained or lost anything.
func (s *site) same(good map[string]appAccount) {
	s.t.Helper()
	for login, a := range s.accounts() {
		if g := good[login]; a.state != g.state || strings.Join(a.groups, " ") != strings.Join(g.groups, " ") {
			s.t.Errorf("%s had %+v and has %+v", login, g, a)
		}
	}
}
