package ldap_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/internal/servers"
)

// fenced is the part of a page in a code block that holds a text, as it would be
// for the directory of the tests.
func fenced(t testing.TB, page, holds string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/directories/" + page)
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range regexp.MustCompile("(?m)^```[a-z]*\n").Split(string(text), -1) {
		if i%2 == 1 && strings.Contains(block, holds) {
			return strings.NewReplacer("cn=rosterd,ou=services,dc=corp,dc=example", sync, "cn=rosterd,dc=corp,dc=example", sync, "dc=corp,dc=example", suffix).Replace(block)
		}
	}
	t.Fatalf("%s has no block with %q", page, holds)
	return ""
}

// accessLogAsDocumented gives cn=accesslog the rule in docs/directories/openldap.md.
func (w *world) accessLogAsDocumented() {
	w.t.Helper()
	rule, is := strings.CutPrefix(strings.TrimSpace(fenced(w.t, "openldap.md", "reqEntryUUID")), "access ")
	if !is {
		w.t.Fatal("the page has no rule for cn=accesslog")
	}
	w.must(w.slapd.Configure("dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcAccess\nolcAccess: " + rule + "\n"))
}

// well does what happens most, and asks for a check, with the rights that a page
// says are enough.
func well(t *testing.T, w *world) {
	t.Helper()
	crowd := w.crowd(8, people)
	w.group("writers", crowd[:6]...)
	s := w.open(nil, "sn", "title")
	m := mirrorOf(t, s)
	if m.cursor.Engine != "syncrepl" || len(m.known) == 0 {
		t.Fatalf("followed by %q, it knows %v", m.cursor.Engine, m.known)
	}
	one := m.id(crowd[2])
	w.must(w.Set(crowd[0], "title", "Content writer"))
	w.must(w.Move(crowd[1], "uid=writer0001,ou=elsewhere,"+suffix))
	w.must(w.Delete(crowd[2]))
	w.must(w.Move(crowd[3], "uid=renamed,"+people))
	w.must(w.Set("cn=writers,"+groups, "member", crowd[4], "uid=renamed,"+people))
	if f := m.must(); f.Sweep != "" || m.gone[one] == "" || len(m.out) != 1 {
		t.Errorf("sweep %q, gone %v, left %v", f.Sweep, m.gone, m.out)
	}
	m.same()
	report, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range report.Notes {
		if n.Level != directory.Fine && !strings.Contains(n.Text, "no canary") {
			t.Errorf("check: %s (%s)", n.Text, n.Hint)
		}
	}
}

// The rights in docs/directories/openldap.md are enough.
func TestLeastRightsOnSlapd(t *testing.T) {
	t.Parallel()
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncAccessLog, Overlays: []string{"ppolicy"}})
	w.accessLogAsDocumented()
	var access []string
	for line := range strings.Lines(fenced(t, "openldap.md", "ou=groups")) {
		if clause, is := strings.CutPrefix(strings.TrimSpace(line), "access "); is {
			access = append(access, clause)
		}
	}
	w.must(w.slapd.SetAccess(append(access, "to attrs=userPassword by anonymous auth by * none", "to * by * none")...))
	well(t, w)
}
