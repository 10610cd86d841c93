//go:build servers

package main

import (
	"io"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/company"
	"github.com/rosterd/rosterd/internal/servers"
)

// References on a real server, by DN, where it keeps them itself (refint) and where it
// does not: one hold, one second pass, and nothing that is written and then taken back.
func TestSlapdReferences(t *testing.T) {
	for name, overlays := range map[string][]string{"refint": {"refint"}, "no refint": nil} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, company.Company{People: 8, Units: 2, Groups: 1, Big: 4}, guardOff)
			s.apps = servers.StartSlapd(t, servers.SlapdConfig{Suffix: appsSuffix, LDIF: []io.Reader{strings.NewReader(appsLDIF)}, Overlays: overlays})
			s.provides("") // its directory does not follow
			s.edit(`mail = "${lower(person.mail)}"`, "mail = \"${lower(person.mail)}\"\nmanager = \"${account(person.manager)}\"")
			for i := 1; i <= 5; i++ {
				s.modify("dn: %s\nchangetype: modify\nreplace: manager\nmanager: %s\n", s.company.DN(i), s.company.DN(0))
			}
			// updates is what a run must write: nothing, or the manager of all five.
			updates := func(n int, args ...string) {
				t.Helper()
				if said, _ := s.want(0, args...); strings.Contains(said, "update 5") != (n == 5) || strings.Contains(said, "update") != (n > 0) {
					t.Errorf("%v: want %d updates\n%s", args, n, tail(said))
				}
			}
			unless := func(n int) int {
				if overlays != nil {
					return 0 // the server has done it
				}
				return n
			}

			shown, _ := s.want(4, "sync")
			if n := strings.Count(shown, "manager is written once whom it refers to has an account here"); n != 5 {
				t.Errorf("%d of 5 are said to wait\n%s", n, tail(shown))
			}
			s.want(0, "approve", "h1", "--version", s.version("h1"), "--yes")
			updates(5, "sync")
			s.managers("uid=p00000,ou=accounts," + appsSuffix)
			s.quiet()

			// The entry of the manager moves.
			s.modify("dn: %s\nchangetype: modrdn\nnewrdn: uid=p00000\ndeleteoldrdn: 0\nnewsuperior: %s\n", s.company.DN(0), s.company.Unit(1))
			updates(0, "sync")
			s.managers("uid=p00000,ou=accounts," + appsSuffix)
			s.quiet()

			// Their account moves.
			if err := s.apps.Modify("dn: ou=elsewhere,ou=accounts," + appsSuffix + "\nchangetype: add\nobjectClass: organizationalUnit\nou: elsewhere\n\n" +
				"dn: uid=p00000,ou=accounts," + appsSuffix + "\nchangetype: modrdn\nnewrdn: uid=p00000\ndeleteoldrdn: 0\nnewsuperior: ou=elsewhere,ou=accounts," + appsSuffix + "\n"); err != nil {
				t.Fatal(err)
			}
			updates(unless(5), "sync", "--full")
			s.managers("uid=p00000,ou=elsewhere,ou=accounts," + appsSuffix)
			s.quiet()

			// They are called something else, and so is their account.
			s.modify("dn: uid=p00000,%s\nchangetype: modrdn\nnewrdn: uid=boss\ndeleteoldrdn: 1\n", s.company.Unit(1))
			updates(unless(5), "sync")
			s.managers("uid=boss,ou=elsewhere,ou=accounts," + appsSuffix)
			s.quiet()
		})
	}
}

// managers says whether the accounts refer to that one.
func (s *site) managers(want string) {
	s.t.Helper()
	found, err := s.apps.Search("ou=accounts,"+appsSuffix, "sub", "(objectClass=inetOrgPerson)", "uid", "manager")
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 1; i <= 5; i++ {
		got := ""
		for _, e := range found {
			if one(e, "uid") == s.company.Login(i) {
				got = one(e, "manager")
			}
		}
		if got == "" || !identity.MustDN(got).Equal(identity.MustDN(want)) {
			s.t.Errorf("the manager of %s is %q, want %q", s.company.Login(i), got, want)
		}
	}
}
