package ldap_test

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/servers"
)

// BenchmarkRead reads 20,000 people and 200 groups of 100 from a real slapd
// into a stage that throws them away, beside ldapsearch with the same
// attributes and pages. It is the ratio that means something.
func BenchmarkRead(b *testing.B) {
	const n = 20_000
	var text bytes.Buffer
	add := func(dn string, attributes ...string) {
		e := ldif.Entry{DN: dn}
		for i := 0; i < len(attributes); i += 2 {
			e.Add(attributes[i], attributes[i+1])
		}
		if err := ldif.Write(&text, e); err != nil {
			b.Fatal(err)
		}
	}
	add(suffix, "objectClass", "dcObject", "objectClass", "organization", "o", "lab", "dc", "lab")
	add(people, "objectClass", "organizationalUnit", "ou", "people")
	add(groups, "objectClass", "organizationalUnit", "ou", "groups")
	var members []string
	for i := range n {
		id := fmt.Sprintf("writer%06d", i)
		dn := "uid=" + id + "," + people
		add(dn, "objectClass", "inetOrgPerson", "uid", id, "cn", "Name of "+id, "sn", "of "+id, "givenName", "Name", "mail", id+"@lab.example",
			"employeeNumber", fmt.Sprint(i), "employeeType", "staff", "title", "Content writer", "departmentNumber", fmt.Sprint(i%97), "l", "Somewhere")
		members = append(members, "member", dn)
	}
	for i := range n / 100 {
		name := fmt.Sprintf("group%d", i)
		add("cn="+name+","+groups, append([]string{"objectClass", "groupOfNames", "cn", name}, members[200*i:200*i+200]...)...)
	}
	s := servers.StartSlapd(b, servers.SlapdConfig{LDIF: []io.Reader{&text}})
	cfg := ldap.Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: sync, Password: password(b, "sync"), PageSize: 1000,
		People: ldap.People{Bases: []string{people}}, Groups: ldap.Groups{Bases: []string{groups}}, Person: ldap.Person{Key: "employeeNumber"}}
	attributes := []string{"sn", "givenName", "employeeType", "title", "departmentNumber", "l"}
	source, err := ldap.New("corp", cfg, attributes)
	if err != nil {
		b.Fatal(err)
	}
	search, err := servers.Find("ldapsearch")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ldapsearch", func(b *testing.B) {
		for b.Loop() {
			cmd := exec.Command(search, append([]string{"-x", "-LLL", "-o", "ldif-wrap=no", "-H", s.TLSURL(), "-D", sync, "-w", "sync",
				"-b", suffix, "-E", "pr=1000/noprompt", "(|(objectClass=inetOrgPerson)(objectClass=groupOfNames))",
				"uid", "cn", "mail", "employeeNumber", "entryUUID", "member"}, attributes...)...)
			cmd.Env = []string{"LDAPTLS_CACERT=" + s.CACert}
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("source", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := source.Read(b.Context(), nowhere{})
			if err != nil || p.People() != n || p.Groups() != n/100 {
				b.Fatal(err, p.People(), p.Groups())
			}
		}
	})
}

type nowhere struct{}

func (nowhere) Add([]directory.Entry) error { return nil }
