//go:build servers

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
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
	writeFile(w.t, w.config, strings.Replace(w.text(), "vanish_after =", `canaries = ["`+w.corp.dn("stayer1")+"\"]\nvanish_after =", 1))
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

// The rights of docs/directories/389ds.md, one too few of each kind, and one too many.
func TestDirsrvCheck(t *testing.T) {
	t.Parallel()
	s := servers.StartDirsrv(t, servers.DirsrvConfig{Plugins: []servers.DirsrvPlugin{servers.ContentSync}})
	corp := dirsrvFlavor
	w := newTwin(t, corp, "auto", s.CACert).watched()
	w.must(s, corp.founding(stayers, stayers[:2]))
	w.reads(s)
	page := pasted(t, "389ds.md", "targetattr", companyNames...)
	places := regexp.MustCompile(`(?m)^dn: (.*)$`).FindAllStringSubmatch(page, -1)
	// rights puts those of the page into force, but for a change of some of them.
	rights := func(edit ...string) {
		t.Helper()
		for _, at := range places {
			// Nothing at all, or what the server itself needs.
			if err := s.SetACI(at[1]); err != nil {
				t.Fatal(err)
			}
		}
		text := strings.NewReplacer(edit...).Replace(page)
		if text == page && len(edit) > 0 {
			t.Fatalf("no rule of the page has %q", edit[0])
		}
		if err := s.Modify(text); err != nil {
			t.Fatal(err)
		}
	}
	rights()
	w.says("the rights of the page", expected{"ok", "389-Directory/", ""}, expected{"ok", "bound as", ""}, expected{"ok", "6 people and 1 group were read", ""},
		expected{"ok", "changes are followed by syncrepl, deletions too", ""})

	rights("objectClass || nsUniqueId ||", "objectClass ||")
	w.says("nsUniqueId is missing", expected{"error", "nsUniqueId", "access rules for nsUniqueId"})
	rights("dn: oid=1.3.6.1.4.1.4203.1.9.1.1,cn=features,cn=config", "dn: cn=monitor")
	w.says("content synchronisation is missing", expected{"warning", "changes are not followed by syncrepl: the server does not tell cn=sync", "give it the right to read oid=1.3.6.1.4.1.4203.1.9.1.1"}, expected{"ok", "changes are followed by timestamp", ""})
	rights("|| mail ||", "||")
	w.says("mail is missing", expected{"warning", `nobody has the attribute "mail"`, "let the bind user read it"})
	rights("cn || member ||", "cn ||")
	w.says("member is missing", expected{"warning", "not one of 1 groups shows a member", "member"})
	rights("(targetattr = \"uid ||", "(targetattr = \"description ||")
	w.says("the login is missing", expected{"warning", `nobody has the attribute "uid"`, "let the bind user read it"})

	rights("(targetattr = \"uid ||", "(targetattr = \"userPassword || uid ||")
	w.says("passwords are shown", expected{"warning", "may read passwords (userPassword of 6 of 6 people)", "take the right to read userPassword"})
	rights()
	if err := s.SetACI("cn=changelog", `(targetattr = "*")(version 3.0; acl "all"; allow (read, search, compare) userdn = "ldap:///cn=sync,dc=lab,dc=example";)`); err != nil {
		t.Fatal(err)
	}
	w.says("the log shows passwords", expected{"warning", "may read what others wrote (cn=changelog), new passwords too", "changes"})
	if err := s.SetACI("cn=changelog"); err != nil {
		t.Fatal(err)
	}
	w.says("all is well again")
	writeFile(t, w.config, strings.Replace(strings.Replace(w.text(), corp.bind, s.AdminDN, 1), "corp.password", "admin.password", 1))
	writeFile(t, filepath.Join(w.folder, "admin.password"), s.AdminPassword)
	w.says("as the Directory Manager", expected{"warning", "read as the Directory Manager", "389ds.md"}, expected{"warning", "may read passwords", ""})
}

// The commands of docs/directories/active-directory.md as they stand there, one right
// too few of each kind, and one too many.
func TestSambaCheck(t *testing.T) {
	t.Parallel()
	s, other := servers.StartSambaPair(t, servers.SambaConfig{})
	corp := domainFlavor
	corp.bind = "rosterd@lab.example"
	w := newTwin(t, corp, "auto", s.CACert, other.CACert).watched()
	w.must(s, corp.founding(append([]string{"left"}, stayers...), stayers[:2]), corp.delete("left"))
	w.reads(s)
	paste := func(holds string) {
		t.Helper()
		text := pasted(t, "active-directory.md", holds, "DC=corp,DC=example", "DC=lab,DC=example", "corp.example", "lab.example")
		if out, err := s.Shell(text); err != nil {
			t.Fatalf("%s\n%s%v", text, out, err)
		}
	}
	// A password is asked for at a terminal.
	if err := s.Tool("user", "create", "rosterd", corp.password); err != nil {
		t.Fatal(err)
	}
	paste("user setexpiry")
	none := expected{"warning", "changes are not followed by dirsync", "active-directory.md"}
	blind := expected{"ok", "no deleted object is seen", "list and read Deleted Objects"}
	w.says("no right but to read", expected{"ok", "Active Directory (Samba) at " + s.TLSURL(), ""}, expected{"ok", "6 people and 1 group were read", ""},
		expected{"ok", "changes are followed by usn; who was deleted is found by listing IDs", ""}, none, blind)
	paste("--car=get-changes")
	w.says("the first of the page", expected{"ok", "changes are followed by dirsync; who was deleted is found by listing IDs", ""}, blind)
	paste("ldbmodify -H")
	w.says("the rights of the page", expected{"ok", "changes are followed by dirsync, deletions too", ""})
	if err := errors.Join(other.Pull(s), s.Pull(other)); err != nil {
		t.Fatal(err)
	}
	w.reads(s, other)
	w.says("two controllers", expected{"ok", "changes are followed by dirsync, deletions too", ""})

	// One too few, each taken away and given back.
	const user, root = "rosterd", "DC=lab,DC=example"
	for _, c := range []struct {
		dn, ace string
		want    []expected
	}{
		{"cn=writers," + corp.groups, "(OD;;RP;bf9679c0-0de6-11d0-a285-00aa003049e2;;USER)", []expected{{"warning", "not one of 1 groups shows a member", "member"}}},
		{root, "(OD;;RP;bf967a16-0de6-11d0-a285-00aa003049e2;;USER)", []expected{{"warning", "what the controller has got from others is not seen", "replUpToDateVector"}}},
		{corp.base, "(D;CI;RPLC;;;USER)", []expected{{"error", "the canary", "may rosterd@lab.example read it"}}},
	} {
		if err := s.AddACE(c.dn, c.ace, user); err != nil {
			t.Fatal(err)
		}
		w.says("denied "+c.ace, c.want...)
		if err := s.RemoveACE(c.dn, c.ace, user); err != nil {
			t.Fatal(err)
		}
	}
	w.says("all is well again")

	// One too many.
	if err := s.Grant(user, servers.GetChangesAll); err != nil {
		t.Fatal(err)
	}
	w.says("Get-Changes-All", expected{"warning", "may fetch the passwords of everybody", "Replicating Directory Changes All"})
	if err := s.Tool("group", "addmembers", "Domain Admins", user); err != nil {
		t.Fatal(err)
	}
	w.must(s, "dn: "+corp.dn("stayer1")+"\nchangetype: modify\nreplace: unixUserPassword\nunixUserPassword: secret\n")
	w.says("an administrator", expected{"warning", "may fetch the passwords of everybody", ""}, expected{"warning", "is in Domain Admins and may change everything", "may only read"},
		expected{"warning", "is in Administrators and may change everything", ""}, expected{"warning", "may read passwords (unixUserPassword of 1 of 6 people)", "unixUserPassword"})
}
