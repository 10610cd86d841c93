//go:build servers

package servers

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestDirsrvEveryPlugin(t *testing.T) {
	s := StartDirsrv(t, DirsrvConfig{Plugins: []DirsrvPlugin{ContentSync, MemberOf, ReferentialIntegrity, EntryUSN},
		LDIF: []io.Reader{strings.NewReader("dn: ou=people," + lab + "\nobjectClass: organizationalUnit\nou: people\n\n" + person(1, lab) + person(2, lab))}})
	root, err := s.Search("", "base", "(objectClass=*)", "supportedControl", "lastusn", "vendorVersion", "defaultNamingContext")
	if err != nil || len(root) != 1 || !slices.Contains(root[0].Get("supportedControl"), "1.3.6.1.4.1.4203.1.9.1.1") || root[0].Get("lastusn;userroot") == nil ||
		!strings.HasPrefix(root[0].Get("vendorVersion")[0], "389-Directory/") || root[0].Get("defaultNamingContext")[0] != lab {
		t.Fatalf("the rootDSE: %v, %v", root, err)
	}
	p1 := "uid=p1,ou=people," + lab
	must(t, s.Modify("dn: cn=g,"+lab+"\nobjectClass: groupOfNames\ncn: g\nmember: "+p1+"\n\ndn: "+p1+"\nchangetype: modify\nadd: nsAccountLock\nnsAccountLock: true\n"))
	asSync := func(base, scope, filter string, attrs ...string) []string {
		t.Helper()
		got, err := s.SearchAs("cn=sync,"+lab, "sync", base, scope, filter, attrs...)
		if err != nil {
			t.Fatal(err)
		}
		var values []string
		for _, e := range got {
			for _, a := range attrs {
				values = append(values, e.Get(a)...)
			}
		}
		return values
	}
	if got := asSync(p1, "base", "(objectClass=*)", "nsAccountLock", "memberOf", "userPassword"); !slices.Equal(got, []string{"true", "cn=g," + lab}) {
		t.Errorf("lock and memberOf: %q", got)
	}
	if got := asSync(p1, "base", "(objectClass=*)", "entryUSN", "nsUniqueId"); len(got) != 2 {
		t.Errorf("USN and ID: %q", got)
	}
	must(t, s.Modify("dn: "+p1+"\nchangetype: modify\nadd: description\ndescription: gone soon\n\ndn: "+p1+"\nchangetype: delete\n"))
	if got := asSync("cn=g,"+lab, "base", "(objectClass=*)", "member"); len(got) != 0 {
		t.Errorf("a group keeps who was deleted: %q", got)
	}
	if got := asSync("cn=changelog", "one", "(changeType=delete)", "targetDn", "targetUniqueId", "changes"); len(got) != 2 || got[0] != p1 {
		t.Errorf("the record of a deletion: %q", got)
	}
	if _, err := s.SearchAs("cn=sync,"+lab, "wrong", lab, "base", "(objectClass=*)"); err == nil {
		t.Error("bound with a wrong password")
	}
	if got, _ := s.SearchAs("", "", lab, "sub", "(objectClass=*)"); len(got) != 0 {
		t.Errorf("everybody reads: %v", got)
	}
	first, last, err := s.Changes()
	if err != nil || first != 1 || last < 5 {
		t.Fatalf("changes %d to %d, %v", first, last, err)
	}
	must(t, s.TrimChangelog())
	if f, l, err := s.Changes(); err != nil || l < last || f != l {
		t.Errorf("trimmed: changes %d to %d, %v", f, l, err)
	}
}

func TestDirsrvRestoredAndRebuilt(t *testing.T) {
	s := StartDirsrv(t, DirsrvConfig{Plugins: []DirsrvPlugin{ContentSync}})
	ids := func() []string {
		t.Helper()
		got, err := s.Search(lab, "sub", "(cn=sync)", "nsUniqueId")
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		return got[0].Get("nsUniqueId")
	}
	id := ids()
	_, last, err := s.Changes()
	must(t, err)
	old, err := s.Backup()
	must(t, err)
	must(t, s.Modify("dn: ou=people,"+lab+"\nobjectClass: organizationalUnit\nou: people\n"))
	must(t, s.Kill())
	must(t, s.Start())
	if _, err := s.Search("ou=people,"+lab, "base", "(objectClass=*)"); err != nil {
		t.Errorf("after a crash of the program: %v", err)
	}
	must(t, s.Restore(old))
	_, err = s.Search("ou=people,"+lab, "base", "(objectClass=*)")
	if te := (*ToolError)(nil); !errors.As(err, &te) || te.Code != 32 {
		t.Errorf("an older copy knows what came later: %v", err)
	}
	if _, l, err := s.Changes(); err != nil || l != last || !slices.Equal(ids(), id) {
		t.Errorf("an older copy ends with change %d, and ended with %d: %v", l, last, err)
	}
	must(t, s.Rebuild())
	if slices.Equal(ids(), id) {
		t.Error("rebuilt from LDIF, and with the same IDs")
	}
}
