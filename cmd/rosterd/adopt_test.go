package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/servers"
)

// An application that was there before, on a real server: see adopts.
func TestAdoptOnSlapd(t *testing.T) { adopts(t, 300, 5) }

// legacy are accounts that somebody else made, of as many of each kind that is not
// exact: by mail alone, twins, protected, break-glass, of leavers, of nobody. As many
// people have none.
func (s *site) legacy(of int) (accounts string, exact int) {
	var b strings.Builder
	n := 0
	add := func(who int, name, number, mail string) {
		e := ldif.Entry{DN: "uid=" + name + ",ou=accounts," + appsSuffix}
		e.Add("objectClass", "inetOrgPerson")
		for k, v := range map[string]string{"uid": name, "cn": s.company.Name(who), "sn": fmt.Sprintf("Writer %d", who), "employeeNumber": number, "mail": mail, "employeeType": "active"} {
			if v != "" {
				e.Add(k, v)
			}
		}
		if err := ldif.Write(&b, e); err != nil {
			s.t.Fatal(err)
		}
		n++
	}
	number := func(i int) string { return fmt.Sprintf("%06d", 100000+i) }
	for i := range s.company.People {
		name := fmt.Sprintf("old%05d", i)
		switch i / of {
		case 0:
			add(i, name, "", s.company.Login(i)+"@corp.example")
		case 1:
			add(i, name, number(i), "")
			add(i, "twin"+name, number(i), "")
		case 2:
			add(i, "svc-"+name, number(i), "")
		case 3:
			add(i, "glass-"+name, number(i), "")
		case 4:
			add(i, name, number(i), "")
			s.modify("dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n", s.company.DN(i))
		case 5: // none
		default:
			if i%10 > 0 { // as it should be, so that the cycles after it have less to do
				name = s.company.Login(i)
			}
			add(i, name, number(i), s.company.Login(i)+"@corp.example")
			exact++
		}
	}
	for i := range of {
		add(i, fmt.Sprintf("robot%05d", i), "", "")
	}
	return b.String(), exact
}

const adoptConfig = `[target.intranet.account]
for   = ["employee"]
match = ["employeeNumber", "mail", "uid"]
adopt = { employeeNumber = "link" }
protect     = ["account:svc-*"]
break_glass = ["account:glass-*"]
[target.intranet.attributes]
employeeNumber = "${person.employeeNumber}"
`

// requests counts what reached the application's server since the last call.
func (s *site) requests(before *string) (searches, writes int) {
	log := s.apps.Log()
	since := strings.TrimPrefix(log, *before)
	*before = log
	return strings.Count(since, " SRCH base="), strings.Count(since, " MOD dn=") + strings.Count(since, " ADD dn=") + strings.Count(since, " MODRDN dn=")
}

// found is what adopt --json says.
type found struct {
	Listed, Ours, Link int
	Linked             *int
	Version            string
	Counts             map[string]int
	Findings           []struct{ Class, Why, Login string }
}

func (s *site) adopt(exit int, args ...string) (f found) {
	s.t.Helper()
	out, _ := s.want(exit, append([]string{"adopt", "intranet", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		s.t.Fatal(err)
	}
	return f
}

// adopts takes over an application of so many people: of each kind that is not exact
// there are so many. Those beyond doubt are linked, all others are named with a reason,
// and nobody gets a second account; then the state is lost, and all are linked again
// by their marks. Everything is judged by what the application's own client shows.
func adopts(t *testing.T, people, of int) {
	s := newSite(t, company.Company{People: people, Groups: 1}, guardOff)
	if people > 1000 {
		s.binary = rosterdBinary(t)
	}
	accounts, exact := s.legacy(of)
	s.apps = servers.StartSlapd(t, servers.SlapdConfig{Suffix: appsSuffix, Debug: "stats", LDIF: []io.Reader{strings.NewReader(appsLDIF + "\n\n" + accounts)}})
	if err := os.WriteFile(filepath.Join(s.folder, "apps.password"), []byte(s.apps.AdminPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(siteConfig, "[target.intranet.account]\nfor   = [\"employee\"]\nmatch = [\"uid\"]\n[target.intranet.attributes]\n", adoptConfig, 1)
	s.write(strings.Replace(config, "rdn      = \"uid\"\n", "rdn      = \"uid\"\nmark     = \"businessCategory\"\n", 1) + guardOff)
	before := s.accounts()
	log := s.apps.Log()

	began := time.Now()
	look := s.adopt(4)
	searches, writes := s.requests(&log)
	t.Logf("look: %d accounts in %s, %d searches, %d writes", look.Listed, time.Since(began).Round(time.Millisecond), searches, writes)
	// Who left and whose account another attribute finds is told of, too.
	want := map[string]int{"exact": exact, "candidate": of, "ambiguous": of, "protected": 2 * of, "left": of, "orphaned": of, "without": of}
	if !maps.Equal(look.Counts, want) || look.Listed != len(before) || writes != 0 || look.Link != exact {
		t.Fatalf("found %v of %d with %d writes, want %v of %d", look.Counts, look.Listed, writes, want, len(before))
	}
	for _, f := range look.Findings {
		if f.Why == "" && f.Class != "exact" {
			t.Fatalf("%+v has no reason", f)
		}
	}
	began = time.Now()
	did := s.adopt(0, "--version", look.Version, "--yes")
	took := time.Since(began)
	searches, writes = s.requests(&log)
	t.Logf("link: %d accounts in %s, %d searches, %d writes", exact, took.Round(time.Millisecond), searches, writes)
	if did.Linked == nil || *did.Linked != exact || writes != exact {
		t.Fatalf("linked %v with %d writes, want %d", did.Linked, writes, exact)
	}
	if after := s.accounts(); !equalAccounts(before, after) {
		t.Fatal("adopting changed more than the mark")
	}
	// The next cycle makes accounts for whom there is none, and no other.
	began = time.Now()
	s.rosterd("sync")
	t.Logf("sync: %s", time.Since(began).Round(time.Millisecond))
	after := s.accounts()
	if n := len(after) - len(before); n != of {
		t.Fatalf("%d accounts were made, want %d", n, of)
	}
	closed := 0
	for login, a := range after {
		if a.state != "active" {
			t.Logf("%s is %s", login, a.state)
			closed++
		}
	}
	if closed > 0 {
		t.Fatalf("%d accounts were closed", closed)
	}

	// The state is lost.
	if err := os.RemoveAll(filepath.Join(s.folder, "state")); err != nil {
		t.Fatal(err)
	}
	s.requests(&log)
	s.rosterd("sync")
	if _, writes := s.requests(&log); writes != 0 {
		t.Fatalf("a first cycle on an empty state wrote %d times", writes)
	}
	began = time.Now()
	look = s.adopt(4, "--recover")
	if n := exact + of; look.Link != n || look.Counts["exact"] != n {
		t.Fatalf("%d are found by their marks, want %d: %v", look.Link, n, look.Counts)
	}
	s.adopt(0, "--recover", "--version", look.Version, "--yes")
	searches, writes = s.requests(&log)
	t.Logf("recover: %d accounts in %s, %d searches, %d writes", look.Link, time.Since(began).Round(time.Millisecond), searches, writes)
	if again := s.accounts(); !equalAccounts(after, again) || writes != exact+of {
		t.Fatalf("recovering changed more than the marks: %d writes", writes)
	}
	s.rosterd("sync")
	if _, writes := s.requests(&log); writes != 0 || !equalAccounts(after, s.accounts()) {
		t.Fatalf("the cycle after recover wrote %d times", writes)
	}
}

func equalAccounts(a, b map[string]appAccount) bool {
	return maps.EqualFunc(a, b, func(x, y appAccount) bool { return fmt.Sprint(x) == fmt.Sprint(y) })
}
