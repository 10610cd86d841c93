//go:build servers

package servers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

func TestSambaEveryRoadAndRight(t *testing.T) {
	s := StartSamba(t, SambaConfig{LDIF: []io.Reader{strings.NewReader("dn: OU=Staff,DC=lab,DC=example\nobjectClass: organizationalUnit\n\n" +
		"dn: CN=writer1,OU=Staff,DC=lab,DC=example\nobjectClass: user\nsAMAccountName: writer1\n")}})
	const staff = "OU=Staff,DC=lab,DC=example"
	for _, url := range []string{s.URL(), s.TLSURL(), s.CatalogURL()} {
		c := s.client()
		c.url = url
		got, err := c.searchAs(`LAB\reader`, SambaPassword, s.BaseDN, "sub", "(sAMAccountName=writer1)", "cn")
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %v, %v", url, got, err)
		}
	}
	if err := s.Modify("dn: CN=writer1," + staff + "\nchangetype: delete\n"); err != nil {
		t.Fatal(err)
	}
	// Who sees the tombstone: ldapsearch sends the control with a ! for critical.
	for user, sees := range map[string]bool{"reader": false, "dirsync": false, "greedy": false, "deleted": true, "sync": true} {
		out, _ := output(s.client().env(), []byte(SambaPassword), "ldapsearch", "-LLL", "-x", "-H", s.TLSURL(), "-D", s.UserDN(user), "-y", "/dev/stdin",
			"-b", s.BaseDN, "-E", "!1.2.840.113556.1.4.417", "(isDeleted=TRUE)", "lastKnownParent")
		if got := strings.Contains(string(out), "lastKnownParent: "+staff); got != sees {
			t.Errorf("%s sees the tombstone: %v", user, got)
		}
	}
	hide := "(D;CI;RPLC;;;USER)"
	if err := s.Modify("dn: CN=writer2," + staff + "\nobjectClass: user\nsAMAccountName: writer2\n"); err != nil {
		t.Fatal(err)
	}
	count := func(user string) int {
		got, err := s.SearchAs(s.UserDN(user), SambaPassword, s.BaseDN, "sub", "(sAMAccountName=writer2)", "cn")
		if err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	if err := s.AddACE(staff, hide, "sync"); err != nil {
		t.Fatal(err)
	}
	if a, b := count("sync"), count("reader"); a != 0 || b != 1 {
		t.Errorf("hidden from sync alone: sync sees %d, reader %d", a, b)
	}
	if err := s.RemoveACE(staff, hide, "sync"); err != nil {
		t.Fatal(err)
	}
	if a := count("sync"); a != 1 {
		t.Errorf("hidden no more: sync sees %d", a)
	}
	keytab, err := s.Keytab("sync")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(keytab); err != nil {
		t.Error(err)
	}
}

func (s *Samba) usn(t *testing.T) string {
	t.Helper()
	got, err := s.Search("", "base", "(objectClass=*)", "highestCommittedUSN")
	if err != nil || len(got) != 1 {
		t.Fatalf("read the USN: %v, %v", got, err)
	}
	return got[0].Get("highestCommittedUSN")[0]
}

func (s *Samba) invocation(t *testing.T) string {
	t.Helper()
	service, err := s.attribute("", "dsServiceName")
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Search(service, "base", "(objectClass=*)", "invocationId")
	if err != nil || len(got) != 1 {
		t.Fatalf("read the invocation ID: %v, %v", got, err)
	}
	return fmt.Sprintf("%x", got[0].Get("invocationId")[0])
}

func TestSambaRestoredAndForeign(t *testing.T) {
	s := StartSamba(t, SambaConfig{})
	id, usn := s.invocation(t), s.usn(t)
	old, err := s.Backup()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Modify("dn: " + s.UserDN("writer1") + "\nobjectClass: user\nsAMAccountName: writer1\n"); err != nil {
		t.Fatal(err)
	}
	if s.usn(t) == usn {
		t.Error("a new user and the same USN")
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Search(s.UserDN("writer1"), "base", "(objectClass=*)", "cn"); err != nil || len(got) != 1 {
		t.Errorf("after a crash of the program: %v, %v", got, err)
	}
	if err := s.Restore(old); err != nil {
		t.Fatal(err)
	}
	_, err = s.Search(s.UserDN("writer1"), "base", "(objectClass=*)", "cn")
	if te := (*ToolError)(nil); !errors.As(err, &te) || te.Code != 32 {
		t.Errorf("an older copy knows what came later: %v", err)
	}
	if a, b := s.invocation(t), s.usn(t); a != id || b != usn {
		t.Errorf("an older copy has invocation %s and USN %s, had %s and %s", a, b, id, usn)
	}
	if err := s.NewInvocation("11111111-2222-4333-8444-555555555555"); err != nil {
		t.Fatal(err)
	}
	if s.invocation(t) == id {
		t.Error("the same invocation ID")
	}
	// Beside it a copy of the same domain, and one of another.
	copied, foreign := StartSamba(t, SambaConfig{}), StartSamba(t, SambaConfig{Domain: "other.example"})
	if copied.invocation(t) != id || copied.Addr == s.Addr {
		t.Error("the copy has another invocation ID or the same address")
	}
	if foreign.invocation(t) == id || foreign.BaseDN != "DC=other,DC=example" {
		t.Error("the foreign domain is the same domain")
	}
}
