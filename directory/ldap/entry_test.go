package ldap

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

func TestMemberDN(t *testing.T) {
	for in, want := range map[string]string{
		"cn=x,dc=example#'0101'B":       "cn=x,dc=example",
		"cn=x,dc=example#''B":           "cn=x,dc=example",
		"cn=x,dc=example":               "cn=x,dc=example",
		"cn=x,dc=example#'0102'B":       "cn=x,dc=example#'0102'B",
		"cn=a#'1'B,dc=example":          "cn=a#'1'B,dc=example",
		"cn=a#'1'B,dc=example#'1'B":     "cn=a#'1'B,dc=example",
		"'B":                            "'B",
		"cn=x,dc=example#'0101'B extra": "cn=x,dc=example#'0101'B extra",
	} {
		if got := memberDN(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestFilterAttributes(t *testing.T) {
	for in, want := range map[string]string{
		"(objectClass=inetOrgPerson)":                     "",
		"(&(objectclass=x)(!(employeeType=robot))(a>=1))": "employeeType a",
		"(|(cn~=x)(sn<=y)(uid:dn:=z)(cn;lang-de=w))":      "cn sn uid cn",
		`(description=a \28title=b\29)`:                   "description",
		"(:dn:2.5.13.5:=x)":                               "",
		"(userAccountControl:1.2.840.113556.1.4.803:=2)":  "userAccountControl",
		"( mail = x )":                                    "mail",
		"(2.5.4.3=x)":                                     "2.5.4.3",
	} {
		if got := strings.Join(filterAttributes(in), " "); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	among := map[string]bool{"employeenumber": true, "employeetype": true, "mail": true, "cn": true, "sn": true}
	for in, want := range map[string]string{"employeenumbr": "employeenumber", "employetyp": "employeetype", "mial": "", "maill": "mail", "gn": "", "title": "", "mail": ""} {
		if got := nearest(in, among); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func view(dn string, attributes ...ldapwire.Attribute) *ldapwire.Entry {
	return &ldapwire.Entry{DN: []byte(dn), Attributes: attributes}
}

func attribute(name string, values ...string) ldapwire.Attribute {
	name, options, _ := strings.Cut(name, ";")
	a := ldapwire.Attribute{Name: name}
	if options != "" {
		a.Options = strings.Split(options, ";")
	}
	for _, v := range values {
		a.Values = append(a.Values, []byte(v))
	}
	return a
}

func source(t *testing.T, change func(*Config), attributes ...string) *Source {
	t.Helper()
	cfg := Config{URLs: []string{"ldapi://%2Fx"}, SASL: "external", People: People{Bases: []string{"dc=example"}}}
	if change != nil {
		change(&cfg)
	}
	s, err := New("corp", cfg, attributes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is kept of a view must not change with it.
func TestEntriesOutliveTheView(t *testing.T) {
	h := source(t, nil, "title", "userCertificate").shape()
	e := view("uid=writer1,dc=example", attribute("entryuuid", "AAAA-1"), attribute("uid", "writer1"), attribute("cn", "One", "Two"),
		attribute("cn;lang-fr", "Un"), attribute("cn;binary;lang-fr", "Deux"), attribute("title", ""), attribute("mail"), attribute("usercertificate;binary", "\x00\xff"), attribute("sn", "not asked for"))
	got, err := h.person(e)
	if err != nil {
		t.Fatal(err)
	}
	for i := range e.DN {
		e.DN[i] = '?'
	}
	for _, a := range e.Attributes {
		for _, v := range a.Values {
			for i := range v {
				v[i] = '?'
			}
		}
	}
	if got.ID != "aaaa-1" || got.DN.String() != "uid=writer1,dc=example" || got.Login != "writer1" || got.Name != "One" || got.Mail != "" {
		t.Errorf("%+v", got)
	}
	for _, a := range got.Attributes.List() {
		_ = append(a.Values, "of the receiver") // must not reach the next attribute
	}
	for name, want := range map[string][]string{"cn": {"One", "Two"}, "title": {""}, "usercertificate": {"\x00\xff"}, "uid": {"writer1"}} {
		if v, presence := got.Attributes.Get(name); presence != identity.Present || !slices.Equal(v, want) {
			t.Errorf("%s: %q, %d", name, v, presence)
		}
	}
	if _, presence := got.Attributes.Get("mail"); presence != identity.Absent {
		t.Errorf("an attribute without values: presence %d", presence)
	}
	if _, presence := got.Attributes.Get("sn"); presence != identity.NotRead {
		t.Errorf("an attribute that nobody asked for: presence %d", presence)
	}
}

// A server may answer by the name that was asked for, or by the usual one.
func TestAnswersByEitherName(t *testing.T) {
	h := source(t, func(c *Config) { c.Person.Name = "commonName" }).shape()
	for _, name := range []string{"cn", "commonname"} {
		got, err := h.person(view("uid=x,dc=example", attribute("entryuuid", "1"), attribute(name, "Writer One")))
		if err != nil || got.Name != "Writer One" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Of several logins the one that names the entry is meant, whatever the order.
func TestOneOfSeveralValues(t *testing.T) {
	h := source(t, nil).shape()
	for _, uids := range [][]string{{"alias", "writer1"}, {"writer1", "alias"}} {
		got, err := h.person(view("cn=x+userid=writer1,dc=example", attribute("entryuuid", "1"), attribute("uid", uids...), attribute("mail", "b@x", "a@x")))
		if err != nil || got.Login != "writer1" || got.Mail != "b@x" {
			t.Errorf("%v: %+v, %v", uids, got, err)
		}
	}
}

func TestLockedByAnAdministrator(t *testing.T) {
	h := source(t, nil).shape()
	for value, want := range map[string]bool{"000001010000Z": true, "00000101000000Z": true, "20260101120000Z": false, "": false} {
		got, err := h.person(view("uid=x,dc=example", attribute("entryuuid", "1"), attribute("pwdaccountlockedtime", value)))
		if err != nil || (got.Validity.ClosedBy == "pwdAccountLockedTime") != want || !want && !got.Validity.IsZero() {
			t.Errorf("%q: %+v, %v", value, got.Validity, err)
		}
	}
}

func TestEntriesWithoutAProperID(t *testing.T) {
	h := source(t, nil).shape()
	for name, e := range map[string]*ldapwire.Entry{
		"none":    view("uid=x,dc=example", attribute("uid", "x")),
		"two":     view("uid=x,dc=example", attribute("entryuuid", "1", "2")),
		"blank":   view("uid=x,dc=example", attribute("entryuuid", " ")),
		"no name": view("", attribute("entryuuid", "1")),
		"no DN":   view("x", attribute("entryuuid", "1")),
	} {
		if got, err := h.person(e); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
		if got, _, err := h.group(e); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Large groups fill a chunk before a thousand of them do.
func TestChunksOfLargeGroups(t *testing.T) {
	var sizes []int
	r := &reading{source: source(t, nil), ids: map[[2]uint64]seen{}, seed: maphash.MakeSeed(), seed2: maphash.MakeSeed(),
		stage: stageFunc(func(entries []directory.Entry) error { sizes = append(sizes, len(entries)); return nil })}
	for i := range 7 {
		e := directory.Entry{Kind: directory.Group, ID: identity.ID(fmt.Sprint(i)), DN: identity.MustDN(fmt.Sprintf("cn=group%d,dc=example", i)),
			Members: make([]directory.Member, chunkMembers/3+1)}
		if err := r.add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.flush(); err != nil || !slices.Equal(sizes, []int{3, 3, 1}) || r.groups != 7 {
		t.Errorf("chunks of %v, %d groups, %v", sizes, r.groups, err)
	}
}

type stageFunc func([]directory.Entry) error

func (f stageFunc) Add(entries []directory.Entry) error { return f(entries) }

func TestProduct(t *testing.T) {
	root := func(name, value string) ldapwire.Server {
		return ldapwire.Server{RootDSE: ldapwire.Record{Attributes: []ldapwire.RecordAttribute{{Name: strings.ToLower(name), Values: []string{value}}}}}
	}
	for want, server := range map[string]ldapwire.Server{
		"Active Directory":    root("supportedCapabilities", "1.2.840.113556.1.4.800"),
		"OpenLDAP":            root("objectClass", "openldaprootdse"),
		"389-Directory/2.3.1": root("vendorVersion", "389-Directory/2.3.1"),
		"Some Vendor":         root("vendorName", "Some Vendor"),
		"an LDAP server":      {},
	} {
		if got := product(server); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		c := &checking{source: source(t, func(c *Config) { c.Server = "openldap" })}
		c.whom(server)
		warned := false
		for _, n := range c.report.Notes {
			warned = warned || strings.Contains(n.Text, "this is "+want)
		}
		if warned != (want != openLDAP) {
			t.Errorf("%s where openldap is set: %+v", want, c.report.Notes)
		}
	}
}

func BenchmarkPerson(b *testing.B) {
	s, err := New("corp", Config{URLs: []string{"ldapi://%2Fx"}, SASL: "external", People: People{Bases: []string{"dc=example"}}}, []string{"sn", "givenName", "title", "employeeType", "departmentNumber", "l"})
	if err != nil {
		b.Fatal(err)
	}
	h := s.shape()
	e := view("uid=writer1,ou=people,dc=lab,dc=example", attribute("entryuuid", "5e1f1a6c-0000-4000-8000-000000000001"), attribute("uid", "writer1"), attribute("cn", "Writer One"),
		attribute("sn", "One"), attribute("givenname", "Writer"), attribute("title", "Content writer"), attribute("employeetype", "staff"),
		attribute("departmentnumber", "42"), attribute("l", "Somewhere"), attribute("mail", "writer1@lab.example"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.person(e); err != nil {
			b.Fatal(err)
		}
	}
}

// Whatever a filter is, the attributes that it is said to name are names: they
// are asked for.
func FuzzFilterAttributes(f *testing.F) {
	for _, s := range []string{"(&(a=b)(!(c~=d)))", "(a:dn:1.2.3:=x)", `(a=\28b\29)`, "((((", "(=)", "(a;b=c)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range filterAttributes(s) {
			if !identity.ValidType(name) || strings.ContainsAny(name, "()=*\\;") {
				t.Errorf("%q names %q", s, name)
			}
		}
	})
}

// Taking the bit string off leaves a beginning of the name, once.
func FuzzMemberDN(f *testing.F) {
	f.Add("cn=x,dc=example#'0101'B")
	f.Add("#''B#''B")
	f.Fuzz(func(t *testing.T, s string) {
		got := memberDN(s)
		rest, ok := strings.CutPrefix(s, got)
		if !ok || rest != "" && (!strings.HasPrefix(rest, "#'") || strings.Trim(rest[2:], "01") != "'B") {
			t.Errorf("%q became %q", s, got)
		}
	})
}
