//go:build servers

package ldap

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
	"github.com/rosterd/rosterd/target/targettest"
)

// dirsrvRights are the least that the bind identity needs, as docs/targets/ldap.md
// says them, for every corner.
var dirsrvRights = []string{
	`(target = "ldap:///ou=accounts,ou=*,` + suffix + `")(targetattr != "userPassword || aci")(version 3.0; acl "rosterd: accounts"; allow (read, search, compare, write, add, delete) userdn = "ldap:///cn=rosterd,` + suffix + `";)`,
	`(target = "ldap:///ou=left,ou=*,` + suffix + `")(targetattr != "userPassword || aci")(version 3.0; acl "rosterd: closed accounts"; allow (read, search, compare, write, add, delete) userdn = "ldap:///cn=rosterd,` + suffix + `";)`,
	`(target = "ldap:///ou=accounts,ou=*,` + suffix + `")(targetattr = "userPassword")(version 3.0; acl "rosterd: initial passwords"; allow (write) userdn = "ldap:///cn=rosterd,` + suffix + `";)`,
	`(target = "ldap:///ou=left,ou=*,` + suffix + `")(targetattr = "userPassword")(version 3.0; acl "rosterd: initial passwords of closed accounts"; allow (write) userdn = "ldap:///cn=rosterd,` + suffix + `";)`,
	`(target_from = "ldap:///ou=accounts,ou=*,` + suffix + `")(target_to = "ldap:///ou=accounts,ou=*,` + suffix + `")(version 3.0; acl "rosterd: within"; allow (moddn) userdn = "ldap:///cn=rosterd,` + suffix + `";)`,
	`(target_from = "ldap:///ou=accounts,ou=*,` + suffix + `")(target_to = "ldap:///ou=left,ou=*,` + suffix + `")(version 3.0; acl "rosterd: away"; allow (moddn) userdn = "ldap:///cn=rosterd,` + suffix + `";)`,
	`(target_from = "ldap:///ou=left,ou=*,` + suffix + `")(target_to = "ldap:///ou=accounts,ou=*,` + suffix + `")(version 3.0; acl "rosterd: back"; allow (moddn) userdn = "ldap:///cn=rosterd,` + suffix + `";)`,
	`(target = "ldap:///ou=groups,ou=*,` + suffix + `")(targetattr = "member || uniqueMember || memberUid")(version 3.0; acl "rosterd: members"; allow (read, search, compare, write) userdn = "ldap:///cn=rosterd,` + suffix + `";)`,
	`(target = "ldap:///ou=groups,ou=*,` + suffix + `")(targetattr = "objectClass || cn")(version 3.0; acl "rosterd: groups"; allow (read, search, compare) userdn = "ldap:///cn=rosterd,` + suffix + `";)`,
}

type dirsrv struct {
	*field
	server *servers.Dirsrv
}

func startDirsrv(t *testing.T, plugins ...servers.DirsrvPlugin) dirsrv {
	t.Helper()
	s := servers.StartDirsrv(t, servers.DirsrvConfig{
		Suffix: suffix, Plugins: plugins, ACI: dirsrvRights,
		Users: []servers.User{{DN: "cn=rosterd," + suffix, Password: "let me in"}},
	})
	return dirsrv{&field{live: s, ca: s.CACert, id: "nsUniqueId", log: s.AccessLog}, s}
}

// TestDirsrvContract: the suite on 389 Directory Server, with and without the
// plugins that keep memberships in step themselves.
func TestDirsrvContract(t *testing.T) {
	for name, c := range map[string]struct {
		style   string
		disable Disable
		plugins []servers.DirsrvPlugin
	}{
		"member, attribute":       {entries.StyleMember, byAttribute, nil},
		"member, move, plugins":   {entries.StyleMember, byMove, []servers.DirsrvPlugin{servers.MemberOf, servers.ReferentialIntegrity}},
		"uniqueMember, move":      {entries.StyleUniqueMember, byMove, nil},
		"memberUid, lock, refint": {entries.StyleMemberUID, presets[NSAccountLock], []servers.DirsrvPlugin{servers.ReferentialIntegrity}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			targettest.Run(t, harness(startDirsrv(t, c.plugins...).field, c.style, c.disable))
		})
	}
}

// TestDirsrvWords: what only 389 Directory Server refuses, and what to do about it.
func TestDirsrvWords(t *testing.T) {
	t.Parallel()
	f := startDirsrv(t)
	c := f.corner(t, entries.StyleMember, byMove)
	tg := c.target(t)
	if _, err := tg.Create(t.Context(), "Zoë", person("Zoë"), ""); target.ClassOf(err) != target.Refused || !strings.Contains(hintOf(err), "7-bit") {
		t.Errorf("beyond ASCII: class %v, %v, hint %q", target.ClassOf(err), err, hintOf(err))
	}
	ref := mustCreate(t, tg, "writer1")
	if err := f.server.SetACI(suffix, dirsrvRights[0], dirsrvRights[1]); err != nil {
		t.Fatal(err)
	}
	if err := tg.Disable(t.Context(), ref); target.ClassOf(err) != target.Denied || !strings.Contains(hintOf(err), "moddn") {
		t.Errorf("without the right to move: class %v, %v, hint %q", target.ClassOf(err), err, hintOf(err))
	}
}

// TestDirsrvAccountLock: who is closed does not get in, and check knows the server.
func TestDirsrvAccountLock(t *testing.T) {
	t.Parallel()
	f := startDirsrv(t)
	c := f.corner(t, entries.StyleMember, presets[NSAccountLock])
	tg, ctx, dn := c.target(t), t.Context(), "uid=writer1,"+c.accounts
	ref := mustCreate(t, tg, "writer1")
	if err := c.Modify("dn: " + dn + "\nchangetype: modify\nadd: userPassword\nuserPassword: long enough\n"); err != nil {
		t.Fatal(err)
	}
	for _, open := range []bool{true, false, true} {
		do := tg.Enable
		if !open {
			do = tg.Disable
		}
		if err := do(ctx, ref); err != nil || f.login(t, dn, "long enough") != open {
			t.Fatalf("open %v, and gets in %v: %v", open, !open, err)
		}
	}
	for _, n := range c.check(t) {
		if strings.Contains(n.Text, "disable") {
			t.Errorf("check: %+v", n)
		}
	}
	c.cfg.Disable = presets[PPolicy]
	if notes := c.check(t); !says(notes, true, "no overlay ppolicy") {
		t.Errorf("the lock of another server: %+v", notes)
	}
}

// TestDirsrvGroups: the longest request is nsslapd-maxbersize there.
func TestDirsrvGroups(t *testing.T) {
	t.Parallel()
	f := startDirsrv(t)
	otherGroups(t, f.field)
	classes(t, f.field)
	if err := f.Modify("dn: cn=config\nchangetype: modify\nreplace: nsslapd-maxbersize\nnsslapd-maxbersize: 8191\n"); err != nil {
		t.Fatal(err)
	}
	tooLong(t, f.field)
}

func TestDirsrvContainer(t *testing.T) {
	t.Parallel()
	containers(t, startDirsrv(t).field)
}

// TestDirsrvRightsOfThePage: as TestRightsOfThePage.
func TestDirsrvRightsOfThePage(t *testing.T) {
	t.Parallel()
	s := servers.StartDirsrv(t, servers.DirsrvConfig{Suffix: suffix, ACI: []string{}, Users: []servers.User{{DN: "cn=rosterd," + suffix, Password: "let me in"}}})
	if err := s.Modify(block(t, "dn: dc=apps")); err != nil {
		t.Fatal(err)
	}
	life(t, &field{live: s, ca: s.CACert, id: "nsUniqueId", log: s.AccessLog})
}
