package main

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/company"
)

// Whatever happens to the read on a real server: nobody loses anything, the
// exit code says how bad it is, and the message says what to do.
func TestBadReadsOnRealServers(t *testing.T) {
	t.Parallel() // it waits, most of the time
	s := newSite(t, company.Company{People: 600, Units: 10, Groups: 20, Big: 300}, guardOff)
	s.want(0, "sync")
	s.agree()
	good := s.accounts()
	everybody := s.corp.DefaultAccess()

	spoiled := func(name string, exit int, message string, spoil, mend func()) {
		t.Run(name, func(t *testing.T) {
			spoil()
			for range 2 {
				code, out, errs := s.rosterd("sync")
				if code != exit || !strings.Contains(out+errs, message) {
					t.Errorf("exit %d, want %d, and no word of %q\n%s\n%s", code, exit, message, tail(out), errs)
				}
				if code == 1 && !strings.Contains(errs, "hint:") {
					t.Errorf("it does not say what to do:\n%s", errs)
				}
				time.Sleep(1100 * time.Millisecond) // vanish_after
			}
			for login, a := range s.accounts() {
				if g := good[login]; a.state != g.state || !slices.Equal(a.groups, g.groups) {
					t.Errorf("%s had %+v and has %+v", login, g, a)
				}
			}
			mend()
			s.want(0, "sync")
			s.quiet()
		})
	}
	access := func(clauses ...string) func() {
		return func() {
			if err := s.corp.SetAccess(append(clauses, everybody...)...); err != nil {
				t.Fatal(err)
			}
		}
	}
	swap := func(old, new string) (do, undo func()) {
		return func() { s.edit(old, new) }, func() { s.edit(new, old) }
	}

	do, undo := swap(`"cn=sync,dc=lab,dc=example"`, `"cn=limited,dc=lab,dc=example"`)
	limitedPassword := func(name string) { writeFile(t, s.folder+"/corp.password", name) }
	spoiled("size limit", 1, `limits dn.exact="cn=limited,dc=lab,dc=example" size=unlimited`,
		func() { do(); limitedPassword("limited") }, func() { undo(); limitedPassword("sync") })

	spoiled("all rights lost", 1, "people", access(`to * by dn.exact="cn=sync,dc=lab,dc=example" none by * break`), access())
	spoiled("people unreadable", 1, "people", access(`to dn.subtree="ou=people,dc=lab,dc=example" by dn.exact="cn=sync,dc=lab,dc=example" none by * break`), access())
	spoiled("one unit of ten lost", 4, "ou=unit03", access(`to dn.subtree="ou=unit03,ou=people,dc=lab,dc=example" by dn.exact="cn=sync,dc=lab,dc=example" none by * break`), access())
	// What nobody looks at is not missed, until something changes; then others are
	// looked at too.
	also := func(spoil func(), dn string) func() {
		return func() {
			spoil()
			s.modify("dn: %s\nchangetype: modify\nreplace: description\ndescription: changed\n", dn)
		}
	}
	spoiled("member lost", 1, "member", also(access(`to attrs=member by dn.exact="cn=sync,dc=lab,dc=example" none by * break`), "cn=big,ou=groups,dc=lab,dc=example"), access())
	spoiled("one attribute lost", 1, "employeetype", also(access(`to attrs=employeeType by dn.exact="cn=sync,dc=lab,dc=example" none by * break`), s.company.DN(7)), access())

	do, undo = swap(`bases = ["ou=people,dc=lab,dc=example"]`, `bases = ["ou=nowhere,dc=lab,dc=example"]`)
	spoiled("base that is not there", 1, "ou=nowhere", do, undo)
	do, undo = swap(`bases = ["ou=people,dc=lab,dc=example"]`, `bases = ["ou=groups,dc=lab,dc=example"]`)
	spoiled("base with nobody", 1, "nobody", do, undo)

	t.Run("dead first URL", func(t *testing.T) {
		do, undo := swap(`urls     = ["`+s.corp.TLSURL()+`"]`, fmt.Sprintf(`urls     = ["ldaps://127.0.0.1:%d", "%s"]`, closedPort(t), s.corp.TLSURL()))
		do()
		s.want(0, "sync")
		undo()
	})
	t.Run("killed in mid-read", func(t *testing.T) {
		if err := s.corp.Pause(); err != nil {
			t.Fatal(err)
		}
		dead := make(chan error, 1)
		time.AfterFunc(500*time.Millisecond, func() { dead <- s.corp.Kill() })
		code, out, errs := s.rosterd("sync")
		if err := <-dead; err != nil {
			t.Fatal(err)
		}
		if code != 1 || !strings.Contains(errs, "nobody's standing has changed") {
			t.Errorf("exit %d\n%s\n%s", code, out, errs)
		}
		if err := s.corp.Start(); err != nil {
			t.Fatal(err)
		}
		s.want(0, "sync")
	})
	s.policyGroup(good, "renamed", 0, "is now",
		"dn: cn=big,ou=groups,dc=lab,dc=example\nchangetype: modrdn\nnewrdn: cn=large\ndeleteoldrdn: 1\n",
		"dn: cn=large,ou=groups,dc=lab,dc=example\nchangetype: modrdn\nnewrdn: cn=big\ndeleteoldrdn: 1\n")
	s.policyGroup(good, "emptied", 4, "emptied",
		"dn: cn=big,ou=groups,dc=lab,dc=example\nchangetype: modify\nreplace: member\nmember: cn=nobody,dc=lab,dc=example\n", "")
	s.policyGroup(good, "deleted", 4, "missing", "dn: cn=big,ou=groups,dc=lab,dc=example\nchangetype: delete\n", "")
}

// policyGroup spoils a group that the policy names.
func (s *site) policyGroup(good map[string]appAccount, name string, exit int, message, spoil, mend string) {
	s.t.Helper()
	t := s.t.(*testing.T)
	t.Run("policy group "+name, func(t *testing.T) {
		s.modify("%s", spoil)
		for range 2 {
			code, out, errs := s.rosterd("sync")
			if code != exit || !strings.Contains(out+errs, message) {
				t.Errorf("exit %d, want %d, and no word of %q\n%s\n%s", code, exit, message, tail(out), errs)
			}
			time.Sleep(1100 * time.Millisecond)
		}
		for login, a := range s.accounts() {
			if !slices.Equal(a.groups, good[login].groups) {
				t.Fatalf("%s had %v and has %v", login, good[login].groups, a.groups)
			}
		}
		if mend != "" {
			s.modify("%s", mend)
			s.want(0, "sync")
		}
	})
}

// closedPort is a port on which nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
