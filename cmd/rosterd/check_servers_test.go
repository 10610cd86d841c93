//go:build servers

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
)

// pasted is the block of a page of docs/directories that holds a text, with the names
// of the tests' directory in the place of the page's.
func pasted(t *testing.T, page, holds string, names ...string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/directories/" + page)
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range regexp.MustCompile("(?m)^```[a-z]*\n").Split(string(text), -1) {
		if i%2 == 1 && strings.Contains(block, holds) {
			return strings.NewReplacer(names...).Replace(block)
		}
	}
	t.Fatalf("%s has no block with %q", page, holds)
	return ""
}

// checked is what `rosterd check` says of the source, and how it ends.
func (w *twin) checked() (notes []checkNote, code int) {
	w.t.Helper()
	var out, errs bytes.Buffer
	code = run([]string{"-c", w.config, "check", "--json"}, strings.NewReader(""), &out, &errs)
	var doc checkJSON
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		w.t.Fatalf("%v: %s%s", err, out.String(), errs.String())
	}
	for _, n := range doc.Notes {
		if n.Where == "source corp" {
			notes = append(notes, n)
		}
	}
	return notes, code
}

// expected is one thing that check must say: its level, a part of its text and of its
// hint.
type expected struct{ level, text, hint string }

// says compares the warnings and errors, one by one, and looks for what is well.
func (w *twin) says(when string, want ...expected) {
	w.t.Helper()
	notes, code := w.checked()
	found := func(e expected) func(checkNote) bool {
		return func(n checkNote) bool {
			return n.Level == e.level && strings.Contains(n.Text, e.text) && strings.Contains(n.Hint, e.hint)
		}
	}
	broken := false
	for _, e := range want {
		broken = broken || e.level == "error"
		if !slices.ContainsFunc(notes, found(e)) {
			w.t.Errorf("%s: check does not say (%s) %q, hint %q", when, e.level, e.text, e.hint)
		}
	}
	for _, n := range notes {
		if n.Level != "ok" && !slices.ContainsFunc(want, func(e expected) bool { return found(e)(n) }) {
			w.t.Errorf("%s: check says (%s) %s\n\t%s", when, n.Level, n.Text, n.Hint)
		}
	}
	if broken != (code == 1) || !broken && code != 0 {
		w.t.Errorf("%s: check ends with %d", when, code)
	}
	if w.t.Failed() {
		for _, n := range notes {
			w.t.Logf("%s: (%s) %s\n\t%s", when, n.Level, n.Text, n.Hint)
		}
	}
}

// watched names a canary, so that nothing is amiss to begin with.
func (w *twin) watched() *twin {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	writeFile(w.t, w.config, strings.Replace(string(text), "vanish_after =", `canaries = ["`+w.corp.dn("stayer1")+"\"]\nvanish_after =", 1))
	return w
}

// companyNames are the names in the pages, and what they are here.
var companyNames = []string{"cn=rosterd,ou=services,dc=corp,dc=example", "cn=sync,dc=lab,dc=example", "cn=rosterd,dc=corp,dc=example", "cn=sync,dc=lab,dc=example",
	"dc=corp,dc=example", "dc=lab,dc=example"}

// The rights of docs/directories/openldap.md, one too few of each kind, and one too many.
func TestSlapdCheck(t *testing.T) {
	t.Parallel()
	s := servers.StartSlapd(t, servers.SlapdConfig{Sync: servers.SyncAccessLog, Overlays: []string{"ppolicy"}})
	corp := openLDAPFlavor
	corp.more = ""
	w := newTwin(t, corp, "auto", s.CACert).watched()
	w.must(s, corp.founding(stayers, stayers[:2]))
	w.reads(s)
	var page []string
	for line := range strings.Lines(pasted(t, "openldap.md", "ou=groups", companyNames...)) {
		if clause, is := strings.CutPrefix(strings.TrimSpace(line), "access "); is {
			page = append(page, clause)
		}
	}
	logged, _ := strings.CutPrefix(strings.TrimSpace(pasted(t, "openldap.md", "reqEntryUUID", companyNames...)), "access ")
	// rights puts those of the page into force, but for a change of some of them.
	rights := func(edit ...string) {
		t.Helper()
		log := logged
		if len(edit) == 1 {
			log, edit = edit[0], nil
		}
		change := strings.NewReplacer(edit...)
		var rules []string
		for _, r := range page {
			rules = append(rules, change.Replace(r))
		}
		if slices.Equal(rules, page) && len(edit) > 0 && !strings.Contains(logged, edit[0]) {
			t.Fatalf("no rule of the page has %q", edit[0])
		}
		rules = append(rules, "to attrs=userPassword by anonymous auth by * none", "to * by * none")
		if err := s.SetAccess(rules...); err != nil {
			t.Fatal(err)
		}
		if err := s.Configure("dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcAccess\nolcAccess: " + change.Replace(log) + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	rights()
	w.says("the rights of the page", expected{"ok", "OpenLDAP at " + s.TLSURL(), ""}, expected{"ok", "bound as dn:" + corp.bind, ""}, expected{"ok", "6 people and 1 group were read", ""},
		expected{"ok", "changes are followed by syncrepl, deletions too", ""})

	rights("entryCSN,contextCSN", "contextCSN")
	w.says("entryCSN is missing", expected{"warning", "changes are not followed by syncrepl", "search by entryCSN"}, expected{"warning", "changes are not followed by timestamp: no entry is found by modifyTimestamp", "search by it and read it"},
		expected{"warning", "everything is read each time", ""})
	rights("entryCSN,contextCSN", "contextCSN,modifyTimestamp")
	w.says("modifyTimestamp in the place of entryCSN", expected{"warning", "changes are not followed by syncrepl", "search by entryCSN"}, expected{"ok", "changes are followed by timestamp", ""})
	rights(",contextCSN", "")
	w.says("contextCSN is missing", expected{"warning", "does not say what it has seen", "contextCSN"}, expected{"warning", "not followed by syncrepl: the server does not show what it has seen", "let cn=sync"})
	rights("entryUUID,", "")
	w.says("entryUUID is missing", expected{"error", "entryUUID", ""})
	rights("uid,cn,sn,mail", "uid,cn,sn")
	w.says("mail is missing", expected{"warning", `nobody has the attribute "mail"`, "let the bind user read it"})
	rights("cn,member,uniqueMember", "cn,uniqueMember")
	w.says("member is missing", expected{"warning", "not one of 1 groups shows a member", "member"})
	rights("entry,objectClass,entryUUID", "objectClass,entryUUID")
	w.says("nothing is seen", expected{"error", `base "ou=people,dc=lab,dc=example" not found, or no right to see it`, "may read that entry and all below it"},
		expected{"error", "no right to see it", ""})
	rights("to * by * none")
	w.says("the log is hidden", expected{"warning", "cn=accesslog", "openldap.md"})

	rights("uid,cn,sn,mail", "userPassword,uid,cn,sn,mail")
	w.says("passwords are shown", expected{"warning", "may read passwords (userPassword of 6 of 6 people)", "take the right to read userPassword"})
	rights("reqResult", "reqResult,reqMod")
	w.says("the log shows passwords", expected{"warning", "may read what others wrote (cn=accesslog), new passwords too", "reqMod"})
	rights()
	w.says("all is well again")
}
