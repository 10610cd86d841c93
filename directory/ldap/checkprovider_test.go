package ldap_test

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/servers"
)

// notes are those of a check that say a word.
func notes(t testing.TB, s *ldap.Source, word string) []directory.Note {
	t.Helper()
	report, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []directory.Note
	for _, n := range report.Notes {
		if strings.Contains(n.Text, word) {
			out = append(out, n)
		}
	}
	return out
}

// oneNote is the only note that says a word, with a level and a part of its hint.
func oneNote(t testing.TB, s *ldap.Source, level directory.Level, word, hint string) {
	t.Helper()
	got := notes(t, s, word)
	if len(got) != 1 || got[0].Level != level || !strings.Contains(got[0].Hint, hint) || hint == "" && got[0].Hint != "" {
		t.Errorf("check says of %q: %+v", word, got)
	}
}

// Check says how changes are found, what is in the way, and which rights are
// missing or too many.
func TestCheckSaysHowChangesAreFound(t *testing.T) {
	t.Parallel()
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncAccessLog})
	crowd := w.crowd(5, people)
	w.accessLogAsDocumented()
	s := w.open(nil)
	oneNote(t, s, directory.Fine, "followed by syncrepl, deletions too", "")
	oneNote(t, w.open(func(c *ldap.Config) { c.Changes = "timestamp" }), directory.Fine, "followed by timestamp", "")
	oneNote(t, w.open(func(c *ldap.Config) { c.Changes = "full" }), directory.Fine, "read each time", "")
	oneNote(t, w.open(nil, "memberOf"), directory.Warning, "read each time", "")
	oneNote(t, w.open(nil, "memberOf"), directory.Warning, "memberOf is needed", "")
	for _, word := range []string{"entryCSN", "what others wrote", "does not say what it has seen"} {
		if got := notes(t, s, word); len(got) != 0 {
			t.Errorf("all is well, and check says %+v", got)
		}
	}
	hide := func(what string) {
		t.Helper()
		w.must(w.slapd.SetAccess(append([]string{what + ` by dn.exact="` + sync + `" none by * break`}, w.slapd.DefaultAccess()...)...))
	}
	hide(`to dn.exact="` + crowd[0] + `" attrs=entryCSN`)
	oneNote(t, s, directory.Warning, "1 of 5 people are not found by entryCSN", "entryCSN and entryUUID")
	hide(`to attrs=entryCSN`)
	oneNote(t, s, directory.Warning, "not followed by syncrepl", "search by entryCSN")
	oneNote(t, s, directory.Fine, "followed by timestamp", "")
	hide(`to attrs=contextCSN`)
	oneNote(t, s, directory.Warning, "not followed by syncrepl", "let "+sync)
	oneNote(t, s, directory.Warning, "does not say what it has seen", "contextCSN")
}

// A server without syncprov has the next best engine, and a hint.
func TestCheckWithoutSyncprov(t *testing.T) {
	t.Parallel()
	w := slapdWorld(t, servers.SlapdConfig{})
	w.crowd(2, people)
	s := w.open(nil)
	oneNote(t, s, directory.Fine, "followed by timestamp", "")
	oneNote(t, s, directory.Warning, "not followed by syncrepl", "syncprov")
}

// Who reads the log of the server reads passwords.
func TestCheckTheLogOfTheServer(t *testing.T) {
	t.Parallel()
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncAccessLog})
	crowd := w.crowd(2, people)
	w.must(w.Set(crowd[0], "title", "Content writer"))
	s := w.open(func(c *ldap.Config) { c.BindDN, c.Password = admin, password(t, w.slapd.AdminPassword) })
	oneNote(t, s, directory.Warning, "what others wrote (cn=accesslog)", "reqMod")
}
