package ldapd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/servers"
)

// TestBitRules: what Active Directory has and slapd has not.
func TestBitRules(t *testing.T) {
	servers.Require(t, "ldapsearch")
	d := New(lab)
	add := func(dn, uac string) {
		t.Helper()
		if err := d.Add(dn, map[string][]string{"objectClass": {"user"}, "userAccountControl": {uac}}); err != nil {
			t.Fatal(err)
		}
	}
	add(lab, "0")
	add("cn=a,"+lab, "512")
	add("cn=b,"+lab, "514")
	add("cn=c,"+lab, "66050")
	add("cn=d,"+lab, "-2147483646") // groupType is negative where the sign bit is a flag
	p := place{"ldapd", serve(t, d, Options{}).URL(), "", ""}
	for filter, want := range map[string]string{
		"(userAccountControl:1.2.840.113556.1.4.803:=2)":          "b c d",
		"(userAccountControl:1.2.840.113556.1.4.803:=514)":        "b c",
		"(userAccountControl:1.2.840.113556.1.4.804:=65538)":      "b c d",
		"(userAccountControl:1.2.840.113556.1.4.803:=2147483648)": "d",
		"(!(userAccountControl:1.2.840.113556.1.4.803:=2))":       "a lab",
		"(userAccountControl:1.2.840.113556.1.4.803:=x)":          "",
		"(!(userAccountControl:1.2.840.113556.1.4.803:=x))":       "",
		"(cn:1.2.840.113556.1.4.803:=2)":                          "",
		"(userAccountControl<=-1)":                                "d",
		"(userAccountControl>=513)":                               "b c",
		"(userAccountControl<=0)":                                 "d lab",
	} {
		var got []string
		for dn := range p.run(t, false, "", "ldapsearch", "-b", lab, filter, "1.1").Entries {
			name, _, _ := strings.Cut(dn, ",")
			got = append(got, name[3:])
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", filter, got, want)
		}
	}
}

// TestBigGroup: a message of close to a megabyte there and back, and changes
// to a group of that size that do not cost as much as the group.
func TestBigGroup(t *testing.T) {
	d := crowd(t, 1)
	c := asAdmin(t, serve(t, d, Options{}))
	var members []string
	for i := range 15_000 {
		members = append(members, fmt.Sprintf("uid=member%d,ou=people,%s", i, lab))
	}
	const group = "cn=big," + lab
	c.send(opAddRequest, func(e *encoder) {
		e.octets(tagOctets, group)
		list := e.open(tagSequence)
		for name, values := range map[string][]string{"objectClass": {"groupOfNames"}, "member": members} {
			a := e.open(tagSequence)
			e.octets(tagOctets, name)
			set := e.open(tagSet)
			for _, v := range values {
				e.octets(tagOctets, v)
			}
			e.close(set)
			e.close(a)
		}
		e.close(list)
	}, nil)
	if r, err := c.receive(); err != nil || r.code != 0 {
		t.Fatal(r, err)
	}
	f, err := c.search(query{base: group})
	if err != nil || !slices.Equal(f.attrs[0]["member"], members) {
		t.Fatalf("%d of %d members, %v", len(f.attrs[0]["member"]), len(members), err)
	}
	// What else a machine does only adds to a time: one good measurement is enough.
	var whole, changes time.Duration
	for try := range 5 {
		start := time.Now()
		if err := d.Add(fmt.Sprintf("cn=again%d,%s", try, lab), map[string][]string{"objectClass": {"groupOfNames"}, "member": members}); err != nil {
			t.Fatal(err)
		}
		whole = time.Since(start)
		start = time.Now()
		for i := range 30 {
			if err := d.Modify(group, Change{Op: DeleteValues, Attr: "member", Values: []string{strings.ToUpper(members[try*30*16+i*16])}},
				Change{Op: AddValues, Attr: "member", Values: []string{fmt.Sprintf("uid=new%d-%d,%s", try, i, lab)}}); err != nil {
				t.Fatal(err)
			}
		}
		changes = time.Since(start)
		t.Logf("a group of 15,000 added in %v, 30 changes of it in %v", whole, changes)
		if changes <= 15*whole {
			break
		}
	}
	if changes > 15*whole {
		t.Errorf("30 changes took %v, the whole group %v: each change costs as much as the group", changes, whole)
	}
	if got := len(f.attrs[0]["member"]); got != len(members) {
		t.Errorf("what was read before has changed: %d members", got)
	}
	e, _ := d.Get(group)
	if got := len(e.Get("member")); got != len(members) {
		t.Errorf("%d members, want %d", got, len(members))
	}
}

// TestReferralsAreManaged: with the control they are entries like others.
func TestReferralsAreManaged(t *testing.T) {
	servers.Require(t, "ldapmodify")
	d := load(t, fixture)
	p := place{"ldapd", serve(t, d, Options{}).URL(), "cn=admin," + lab, "secret"}
	change := "dn: ou=elsewhere," + lab + "\nchangetype: modify\nreplace: ref\nref: ldap://127.0.0.1:2/dc=x\n"
	if o := p.run(t, true, change, "ldapmodify"); o.Code != Referral {
		t.Errorf("without: %d", o.Code)
	}
	if o := p.run(t, true, change, "ldapmodify", "-M"); o.Code != 0 {
		t.Errorf("with: %d", o.Code)
	}
	o := p.run(t, true, "", "ldapsearch", "-b", lab, "(uid=writer1)", "1.1")
	if len(o.Refs) != 1 || !strings.Contains(o.Refs[0], "127.0.0.1:2") {
		t.Errorf("references %v", o.Refs)
	}

	// What lies below belongs to the other server, found by a walk or an index.
	below := "cn=below,ou=elsewhere," + lab
	if err := d.Add(below, map[string][]string{"objectClass": {"device"}}); err != nil {
		t.Fatal(err)
	}
	for _, filter := range []string{"(cn=below)", "(objectClass=device)"} {
		if o := p.run(t, true, "", "ldapsearch", "-b", lab, filter); len(o.Entries) != 0 || len(o.Refs) != 1 {
			t.Errorf("%s without: %+v", filter, o)
		}
		if o := p.run(t, true, "", "ldapsearch", "-M", "-b", lab, filter); len(o.Entries) != 1 || len(o.Refs) != 0 {
			t.Errorf("%s with: %+v", filter, o)
		}
	}
}
