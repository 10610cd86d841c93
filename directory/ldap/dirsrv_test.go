//go:build servers

package ldap_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/servers"
)

func dirsrvWorld(t testing.TB, plugins ...servers.DirsrvPlugin) *world {
	t.Helper()
	s := servers.StartDirsrv(t, servers.DirsrvConfig{Plugins: plugins})
	w := &world{t: t, ds: s}
	w.dial(s.TLSURL(), s.CACert, s.AdminPassword)
	w.containers()
	w.config(s.TLSURL(), s.CACert)
	return w
}

// Everything that happens in a directory, on 389 DS: by its content
// synchronisation, and by modifyTimestamp where that is off.
func TestDirsrvScenario(t *testing.T) {
	for _, k := range []kept{
		{"sync", func(t testing.TB) *world { return dirsrvWorld(t, servers.ContentSync) }, "auto", "syncrepl", true, 3, false, false},
		{"sync, with references kept", func(t testing.TB) *world {
			return dirsrvWorld(t, servers.ContentSync, servers.ReferentialIntegrity, servers.MemberOf)
		}, "auto", "syncrepl", true, 3, true, true},
		{"timestamp", func(t testing.TB) *world { return dirsrvWorld(t) }, "auto", "timestamp", false, 3, false, false},
	} {
		t.Run(k.name, func(t *testing.T) { scenario(t, k) })
	}
}

func dirsrvMirror(t *testing.T, n int, plugins ...servers.DirsrvPlugin) (*world, *mirror, []string) {
	t.Helper()
	w := dirsrvWorld(t, plugins...)
	crowd := w.crowd(n, people)
	m := mirrorOf(t, w.open(nil, "sn", "title"))
	if m.cursor.Engine != "syncrepl" {
		t.Fatalf("the engine is %q", m.cursor.Engine)
	}
	return w, m, crowd
}

// A deletion is proved by the change log; one that was cut since is noticed, and
// so is a server that was started again, since other data may have been put into it.
func TestDirsrvChangeLog(t *testing.T) {
	w, m, crowd := dirsrvMirror(t, 10, servers.ContentSync)
	one := m.id(crowd[3])
	w.must(w.Delete(crowd[3]))
	if f := m.must(); f.Sweep != "" || !strings.Contains(m.gone[one], "change log") {
		t.Errorf("a sweep is needed because: %q; gone: %v", f.Sweep, m.gone)
	}
	m.same()
	if f := m.must(); !f.Nothing {
		t.Errorf("something changed: %v", m.told)
	}
	w.must(w.Set(crowd[1], "title", "Content writer"))
	w.must(w.Set(crowd[2], "title", "Content manager"))
	w.must(w.Delete(crowd[4]))
	w.must(w.ds.TrimChangelog())
	w.redial()
	cut := m.cursor
	_, err := m.follow(t.Context())
	if lost := (*directory.LostError)(nil); !errors.As(err, &lost) || m.opened {
		t.Fatalf("the change log was cut: %v", err)
	}
	// The same without the restart, by which it is noticed already.
	m.read()
	m.cursor.Token = withNumber(t, cut, m.cursor)
	if _, err := m.follow(t.Context()); err == nil || !strings.Contains(err.Error(), "change log begins at") {
		t.Errorf("the change log was cut: %v", err)
	}
	m.read()
	m.same()
}

// Whoever is hidden and changed after that is not told of at all.
func TestDirsrvWhoIsHiddenIsNotGone(t *testing.T) {
	w, m, crowd := dirsrvMirror(t, 10, servers.ContentSync)
	deny := `(targetattr = "*")(target = "ldap:///uid=*,` + people + `")(version 3.0; acl "hide"; deny (all) userdn = "ldap:///` + sync + `";)`
	w.must(w.ds.SetACI(suffix, append([]string{deny}, servers.DirsrvACI...)...))
	for _, dn := range crowd {
		w.must(w.Set(dn, "title", "Content writer"))
	}
	m.must()
	w.must(w.ds.SetACI(suffix, servers.DirsrvACI...))
	if len(m.gone) != 0 || len(m.out) != 0 {
		t.Fatalf("gone %v, left %v", m.gone, m.out)
	}
}

// A server that was put back is not believed.
func TestDirsrvRestored(t *testing.T) {
	w, m, crowd := dirsrvMirror(t, 10, servers.ContentSync)
	backup, err := w.ds.Backup()
	w.must(err)
	w.redial()
	w.must(w.Set(crowd[1], "title", "Content writer"))
	m.must()
	w.must(w.ds.Restore(backup))
	w.redial()
	_, err = m.follow(t.Context())
	if behind := (*directory.BehindError)(nil); !errors.As(err, &behind) || m.opened {
		t.Fatalf("restored: %v", err)
	}
}

// Where servers are replicated, what they have seen is in the update vector.
func TestDirsrvUpdateVector(t *testing.T) {
	w := dirsrvWorld(t)
	w.must(w.ds.Modify(`dn: cn=replica,cn=dc\3Dlab\2Cdc\3Dexample,cn=mapping tree,cn=config
objectClass: nsds5Replica
objectClass: top
cn: replica
nsDS5ReplicaRoot: ` + suffix + `
nsDS5ReplicaType: 3
nsDS5ReplicaId: 7
nsDS5Flags: 1
nsDS5ReplicaBindDN: cn=replication manager,cn=config
`))
	w.must(w.ds.SetACI("cn=mapping tree,cn=config", `(targetattr = "nsds50ruv || nsUniqueId || objectClass || cn")(targetfilter = "(objectClass=nsds5Replica)")`+
		`(version 3.0; acl "what was seen"; allow (read, search, compare) userdn = "ldap:///`+sync+`";)`))
	crowd := w.crowd(3, people)
	m := mirrorOf(t, w.open(nil))
	before := m.known
	if len(before) != 1 || before[suffix+" replica 7"] == "" {
		t.Fatalf("it knows %v", before)
	}
	w.must(w.Set(crowd[0], "sn", "Else"))
	m.must()
	if m.known[suffix+" replica 7"] <= before[suffix+" replica 7"] {
		t.Errorf("%v, then %v", before, m.known)
	}
}

// withNumber is the token of a cursor with the cookie of an older one.
func withNumber(t *testing.T, old, now directory.Cursor) []byte {
	t.Helper()
	return withCookie(t, now, cookieIn(t, old)).Token
}

// The rights in docs/directories/389ds.md are enough.
func TestDirsrvLeastRights(t *testing.T) {
	w := dirsrvWorld(t, servers.ContentSync)
	w.must(w.ds.SetACI(suffix, `(targetattr = "userPassword")(version 3.0; acl "nothing"; deny (all) userdn = "ldap:///anyone";)`))
	w.must(w.ds.Modify(fenced(t, "389ds.md", "targetattr")))
	well(t, w)
	s := w.open(func(c *ldap.Config) { c.BindDN, c.Password = w.ds.AdminDN, password(t, w.ds.AdminPassword) })
	oneNote(t, s, directory.Warning, "Directory Manager", "389ds.md")
}

// Whoever is moved to where we see nothing was not deleted, whatever the server calls
// it.
func TestDirsrvOutOfSightIsNotDeleted(t *testing.T) {
	read := `(targetattr != "userPassword")(version 3.0; acl "read"; allow (read, search, compare) userdn = "ldap:///` + sync + `";)`
	for name, hide := range map[string]func(w *world){
		"elsewhere is hidden": func(w *world) {
			w.must(w.ds.SetACI(suffix, append([]string{`(targetattr = "*")(target = "ldap:///ou=elsewhere,` + suffix + `")(version 3.0; acl "hide"; deny (all) userdn = "ldap:///` + sync + `";)`},
				servers.DirsrvACI...)...))
		},
		"the root is hidden": func(w *world) {
			w.must(w.ds.SetACI(people, read))
			w.must(w.ds.SetACI(groups, read))
			w.must(w.ds.SetACI(suffix, `(targetattr = "userPassword")(version 3.0; acl "nothing"; deny (all) userdn = "ldap:///anyone";)`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := dirsrvWorld(t, servers.ContentSync)
			crowd := w.crowd(6, people)
			hide(w)
			m := mirrorOf(t, w.open(nil, "sn", "title"))
			if m.cursor.Engine != "syncrepl" {
				t.Fatalf("the engine is %q", m.cursor.Engine)
			}
			w.must(w.Move(crowd[0], "uid=writer0000,ou=elsewhere,"+suffix))
			f := m.must()
			if len(m.gone) != 0 {
				t.Errorf("gone: %v", m.gone)
			}
			// Of what is hidden where the root is not, the server tells nothing.
			if f.Sweep == "" && name == "the root is hidden" {
				t.Error("nobody looks where they are")
			}
		})
	}
}
