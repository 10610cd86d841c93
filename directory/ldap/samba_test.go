//go:build servers

package ldap_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/servers"
)

// samba is a domain of Samba's.
func samba(t *testing.T, user string) (*forest, *servers.Samba) {
	t.Helper()
	dc := servers.StartSamba(t, servers.SambaConfig{})
	return founded(t, dc.TLSURL(), dc.CACert, dc.AdminDN, user), dc
}

func TestSambaIsReadAsItIs(t *testing.T) {
	f, _ := samba(t, "reader")
	readAsItIs(t, f)
}

func TestSambaPrimaryGroups(t *testing.T) {
	f, _ := samba(t, "reader")
	primaryGroupsAreRead(t, f)
}

func TestSambaIsFollowed(t *testing.T) {
	for _, c := range followers {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f, _ := samba(t, c.user)
			// To ask for changes is not to see what was deleted, there.
			follows(t, f, c.engine, c.user == "deleted" || c.user == "sync")
		})
	}
}

// What check says of each who may read, and which words it must not say.
func TestSambaCheckNamesRights(t *testing.T) {
	f, dc := samba(t, "reader")
	one := f.person("Writer One", adPeople)
	f.group("Writers", one)
	f.delete(f.person("Gone Before", adLeft))
	const (
		all     = "may fetch the passwords of everybody"
		mighty  = "may change everything"
		unseen  = "no deleted object is seen"
		noSync  = "changes are not followed by dirsync"
		unknown = "cannot be told"
	)
	for user, want := range map[string]struct{ says, not []string }{
		"reader":        {[]string{noSync, unseen, "changes are followed by usn; who"}, []string{all, mighty, unknown}},
		"deleted":       {[]string{noSync, "changes are followed by usn, deletions too"}, []string{unseen, all, mighty, unknown}},
		"dirsync":       {[]string{"changes are followed by dirsync; who", unseen}, []string{noSync, all, mighty, unknown}},
		"greedy":        {[]string{"changes are followed by dirsync", all}, []string{mighty, unknown}},
		"Administrator": {[]string{"changes are followed by dirsync", mighty, "Domain Admins"}, []string{unknown}},
	} {
		for _, name := range []string{user + "@lab.example", `LAB\` + user, dc.UserDN(user)} {
			if user == "Administrator" && strings.Contains(name, "@") {
				continue // has no principal name
			}
			report, err := f.open(func(c *ldap.Config) { c.BindDN = name }).Check(t.Context())
			f.must(err)
			text := fmt.Sprintf("%s\n%+v", report.Server, report.Notes)
			if !strings.Contains(report.Server, "Active Directory (Samba)") {
				t.Errorf("the server is %s", report.Server)
			}
			for _, w := range want.says {
				if !strings.Contains(text, w) {
					t.Errorf("%s: %q is not said in\n%s", name, w, text)
				}
			}
			for _, w := range want.not {
				if strings.Contains(text, w) {
					t.Errorf("%s: %q is said in\n%s", name, w, text)
				}
			}
			for _, n := range report.Notes {
				if n.Level == directory.Broken {
					t.Errorf("%s: %s", name, n.Text)
				}
			}
		}
	}
}

// A controller that was copied back, or restored as it should be, or is of another
// domain: nothing it shows is believed, and nobody is told of.
func TestSambaRestored(t *testing.T) {
	for _, engine := range []string{"dirsync"} {
		t.Run(engine, func(t *testing.T) {
			f, dc := samba(t, "sync")
			f.person("Writer One", adPeople)
			old, err := dc.Backup()
			f.must(err)
			f.redial()
			one := f.person("Writer Two", adPeople)
			m := mirrorOf(t, f.open(engineOf(engine)))
			f.set(one, "title", "Writer")
			m.must()
			m.same()
			f.must(dc.Restart())
			if facts := m.must(); facts.Sweep != "" || len(m.told) > 0 {
				t.Errorf("after a restart: %v, sweep %q", m.told, facts.Sweep)
			}
			f.must(dc.Restore(old))
			var behind *directory.BehindError
			if _, err := m.follow(t.Context()); !errors.As(err, &behind) || m.opened {
				t.Fatalf("copied back: %v", err)
			}
			if _, err := m.source.Read(t.Context(), &informed{(*listed)(&mirror{t: t, entries: nil}), m.known}); !errors.As(err, &behind) {
				t.Fatalf("copied back, and read: %v", err)
			}
			f.must(dc.NewInvocation("11111111-2222-4333-8444-555555555555"))
			if _, err := m.follow(t.Context()); !errors.As(err, &behind) || m.opened {
				t.Fatalf("restored: %v", err)
			}
			m.known = nil // rosterd sync --accept-older
			if why := m.lost(); !strings.Contains(why, "restored from a backup") {
				t.Errorf("lost, since %s", why)
			}
			m.read()
			m.same()
		})
	}
}

// informed is a stage that says what the snapshot was taken from.
type informed struct {
	directory.Stage
	known directory.Knowledge
}

func (i *informed) Known() directory.Knowledge { return i.known }

// Who follows by DirSync and may not see deleted objects any more is not told that
// somebody was deleted: then a listing of IDs must say so.
func TestSambaHidesDeletedObjectsWhileFollowing(t *testing.T) {
	f, dc := samba(t, "sync")
	f.person("Writer One", adPeople)
	leaver := f.person("Writer Two", adPeople)
	f.delete(f.person("Gone Before", adLeft))
	s := f.open(nil)
	f.must(s.Close()) // rights are those of a bind: it is to bind each time
	m := mirrorOf(t, s)
	if !m.cursor.Deletes {
		t.Fatal("deletions are not told to begin with")
	}
	f.must(dc.Modify("dn: CN=Deleted Readers,CN=Users,DC=lab,DC=example\nchangetype: modify\ndelete: member\nmember: " + dc.UserDN("sync") + "\n"))
	f.delete(leaver)
	facts := m.must()
	if !strings.Contains(facts.Sweep, "deleted objects are not shown any more") || m.cursor.Deletes || len(m.gone) != 0 {
		t.Errorf("sweep %q, deletions told: %t, gone %v", facts.Sweep, m.cursor.Deletes, m.gone)
	}
	m.living = true
	m.sweep()
	m.same()
}

// One container is hidden from the bind user: nobody in it is told to have left or to
// be gone, whatever changes there and elsewhere.
func TestSambaHiddenContainer(t *testing.T) {
	for _, c := range followers {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f, dc := samba(t, c.user)
			var hidden []string
			for i := range 6 {
				hidden = append(hidden, f.person(fmt.Sprintf("Hidden %d", i), adPeople))
			}
			two := f.person("Writer Two", adStaff)
			writers := f.group("Writers", append(hidden, two)...)
			f.delete(f.person("Gone Before", adLeft))
			m := mirrorOf(t, f.open(nil, "title"))
			before := len(m.entries)
			f.must(dc.AddACE(adPeople, "(D;CI;RPLC;;;USER)", c.user))
			f.set(two, "title", "Writer")
			f.set(hidden[0], "title", "Writer")
			f.leave(writers, hidden[1])
			// The right is another one from the next bind on.
			f.must(m.source.Close())
			for range 2 {
				_, err := m.follow(t.Context())
				for _, told := range m.told {
					if strings.HasPrefix(told, "gone") || strings.HasPrefix(told, "left") {
						t.Errorf("%s", told)
					}
				}
				if err != nil {
					t.Logf("following ends with %v", err)
				}
			}
			if n := len(m.entries); n < before {
				t.Errorf("%d of %d entries are left", n, before)
			}
		})
	}
}
