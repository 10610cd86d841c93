//go:build servers

package ldap_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/internal/servers"
)

// A container is renamed for the second time, and 389 DS shows who is in it below the
// name before, while it writes the new one into their groups: nothing that is read then
// takes anybody out of a group or out of scope, and the reason says what helps.
func TestDirsrvNamesThatNobodyHas(t *testing.T) {
	for engine, plugins := range map[string][]servers.DirsrvPlugin{"timestamp": {servers.ReferentialIntegrity}, "syncrepl": {servers.ReferentialIntegrity, servers.ContentSync}} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			w := dirsrvWorld(t, plugins...)
			unit := func(name string) string {
				dn := "ou=" + name + "," + people
				w.must(w.Add(dn, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {name}}))
				return dn
			}
			one := w.person("writer1", unit("first"))
			w.group("writers", one, w.person("writer2", people))
			m := mirrorOf(t, w.open(nil, "sn", "title"))
			if m.cursor.Engine != engine {
				t.Fatalf("it is followed by %q", m.cursor.Engine)
			}
			id := m.id(one)
			in := func() bool {
				e, group := m.entries[id], m.entries[m.id("cn=writers,"+groups)]
				return slices.ContainsFunc(group.Members, func(x directory.Member) bool { return x.DN.Equal(e.DN) })
			}
			w.must(w.Move("ou=first,"+people, "ou=second,"+people))
			if m.must(); !in() {
				t.Fatal("renamed once, and they are in no group")
			}
			w.must(w.Move("ou=second,"+people, "ou=third,"+people))
			_, err := m.follow(t.Context())
			if lost := (*directory.LostError)(nil); !errors.As(err, &lost) {
				t.Errorf("followed: %v", err)
			}
			refused := func(what string, err error) {
				t.Helper()
				var hint interface{ Hint() string }
				if !errors.Is(err, ldap.ErrName) || !errors.As(err, &hint) || hint.Hint() == "" {
					t.Errorf("%s: %v", what, err)
				}
			}
			all := func() {
				t.Helper()
				_, err := m.source.Read(t.Context(), &sourcetest.Stage{})
				refused("listed", err)
				_, err = m.source.Sweep(t.Context(), &sourcetest.Stage{})
				refused("swept", err)
				_, err = w.open(func(c *ldap.Config) { c.Changes = "full" }).Read(t.Context(), &sourcetest.Stage{})
				refused("listed, and not followed", err)
			}
			all()
			// One that is hidden, and looked for first, does not hide it.
			alone := unit("alone")
			w.person("writer3", alone)
			w.must(w.ds.SetACI(alone, `(targetattr = "*")(targetfilter = "(objectClass=organizationalUnit)")(version 3.0; acl "hide"; deny (all) userdn = "ldap:///`+sync+`";)`))
			all()
			w.must(w.ds.SetACI(alone))
			under := w.open(func(c *ldap.Config) { c.People.Bases = []string{"ou=third," + people} })
			_, err = under.Find(t.Context(), []directory.Known{{Kind: directory.Person, ID: id}})
			refused("looked up, and not listed", err)
			// Somebody else gets the name. It is another one, and has their groups.
			unit("second")
			w.must(w.ds.Restart())
			w.redial()
			if err := w.Add("uid=writer1,ou=second,"+people, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"writer1"}, "cn": {"Other"}, "sn": {"Other"}}); err != nil {
				t.Logf("the server refuses it: %v", err)
			} else if _, err := m.source.Read(t.Context(), &sourcetest.Stage{}); err == nil {
				t.Error("two have one name")
			}
			w.must(w.ds.Modify("dn: cn=config\nchangetype: modify\nreplace: nsslapd-return-original-entrydn\nnsslapd-return-original-entrydn: off\n"))
			w.must(w.ds.Restart())
			w.redial()
			m.read()
			if m.same(); !in() || m.cursor.IsZero() {
				t.Errorf("the server shows names as they are: in the group %t, cursor %+v", in(), m.cursor)
			}
		})
	}
}
