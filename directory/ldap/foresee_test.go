package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
)

func foreseen(t *testing.T, was, is Config) directory.Foresight {
	t.Helper()
	make := func(c Config) *Source {
		c.URLs = []string{"ldaps://nowhere.example"}
		if c.People.Bases == nil {
			c.People.Bases = []string{"ou=people,dc=corp,dc=example"}
		}
		if c.Server == "" {
			c.Server = serverOpenLDAP
		}
		s, err := New("corp", c, []string{"employeeType", "manager", "phone"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return make(is).Foresee(make(was))
}

func someone(dn string, attributes map[string]string) identity.Person {
	var list []identity.Attribute
	for name, v := range attributes {
		list = append(list, identity.Attribute{Name: name, Values: []string{v}})
	}
	return identity.Person{DN: identity.MustDN(dn), Attributes: identity.NewAttributes(identity.NewCoverage("uid", "employeetype", "manager", "phone", "useraccountcontrol"), list)}
}

// What a changed filter does is told where what was read tells it, and where not
// that is said.
func TestForeseeFilter(t *testing.T) {
	staff := someone("uid=a,ou=people,dc=corp,dc=example", map[string]string{"employeetype": "Staff", "manager": "uid=b, ou=people,dc=corp,dc=example",
		"phone": "+1 555-01", "useraccountcontrol": "514"})
	const was = "(objectClass=inetOrgPerson)"
	for _, c := range []struct {
		filter string
		want   directory.Answer
		wider  bool
	}{
		{"(objectclass=INETORGPERSON)", directory.Yes, false},
		{"(&(objectClass=inetOrgPerson)(employeeType=staff))", directory.Yes, false},
		{"(&(objectClass=inetOrgPerson)(employeeType=former))", directory.No, false},
		{"(&(objectClass=inetOrgPerson)(!(employeeType=former)))", directory.Yes, false},
		{"(&(objectClass=inetOrgPerson)(!(employeeType=staff)))", directory.No, false},
		{"(&(objectClass=inetOrgPerson)(|(employeeType=former)(employeeType=st*f)))", directory.Yes, false},
		{"(&(objectClass=inetOrgPerson)(employeeType=*x*))", directory.No, false},
		{"(&(objectClass=inetOrgPerson)(employeeType=*))", directory.Yes, false},
		{"(&(objectClass=inetOrgPerson)(title=*))", directory.Maybe, false},
		{"(&(objectClass=inetOrgPerson)(!(title=Boss)))", directory.Maybe, false},
		{"(&(objectClass=inetOrgPerson)(title=Boss)(employeeType=former))", directory.No, false},
		{"(&(objectClass=inetOrgPerson)(objectClass=posixAccount))", directory.Maybe, false},
		{"(&(objectClass=inetOrgPerson)(objectClass=person))", directory.Yes, false},
		{"(objectClass=person)", directory.Yes, true},
		{"(|(objectClass=inetOrgPerson)(objectClass=account))", directory.Yes, true},
		{"(employeeType=staff)", directory.Yes, true},
		{"(&(objectClass=inetOrgPerson)(manager=UID=b,ou=people,dc=corp,dc=example))", directory.Yes, false},
		{"(&(objectClass=inetOrgPerson)(manager=uid=c,ou=people,dc=corp,dc=example))", directory.No, false},
		{"(&(objectClass=inetOrgPerson)(phone=+155501))", directory.Maybe, false},
		{"(&(objectClass=inetOrgPerson)(phone=+2))", directory.No, false},
		{"(&(objectClass=inetOrgPerson)(employeeType~=stuff))", directory.Maybe, false},
		{"(&(objectClass=inetOrgPerson)(userAccountControl:1.2.840.113556.1.4.803:=2))", directory.Yes, false},
		{"(&(objectClass=inetOrgPerson)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", directory.No, false},
		{"(&(objectClass=inetOrgPerson)(userAccountControl>=600))", directory.No, false},
		{"(&(objectClass=inetOrgPerson)(employeeType>=a))", directory.Maybe, false},
		{"(&(objectClass=inetOrgPerson)(ou:dn:=people))", directory.Maybe, false},
		{`(&(objectClass=inetOrgPerson)(employeeType=\73taff))`, directory.Yes, false},
	} {
		f := foreseen(t, Config{People: People{Filter: was}}, Config{People: People{Filter: c.filter}})
		got, why := f.Keeps(staff)
		if got != c.want || (why == "") != (got != directory.Maybe) {
			t.Errorf("%s: %d (%s), want %d", c.filter, got, why, c.want)
		}
		if (len(f.Wider) > 0) != c.wider {
			t.Errorf("%s: wider: %q", c.filter, f.Wider)
		}
		if len(f.Everybody)+len(f.Groups) > 0 {
			t.Errorf("%s: %+v", c.filter, f)
		}
	}
}

func TestForeseeScope(t *testing.T) {
	inside := someone("uid=a,ou=staff,ou=people,dc=corp,dc=example", nil)
	narrow := foreseen(t, Config{}, Config{People: People{Bases: []string{"ou=staff,ou=people,dc=corp,dc=example"}}})
	if a, _ := narrow.Keeps(inside); a != directory.Yes || len(narrow.Wider) > 0 {
		t.Errorf("narrower: %v, %q", a, narrow.Wider)
	}
	if a, _ := narrow.Keeps(someone("uid=a,ou=people,dc=corp,dc=example", nil)); a != directory.No {
		t.Errorf("outside the narrower base: %v", a)
	}
	wide := foreseen(t, Config{}, Config{People: People{Bases: []string{"dc=corp,dc=example"}}})
	if a, _ := wide.Keeps(inside); a != directory.Yes || len(wide.Wider) != 1 {
		t.Errorf("wider: %v, %q", a, wide.Wider)
	}
	for name, is := range map[string]Config{
		"groups":    {Groups: Groups{Filter: "(objectClass=posixGroup)"}},
		"members":   {Groups: Groups{Members: []string{"memberUid"}}},
		"bases":     {Groups: Groups{Bases: []string{"ou=groups,dc=corp,dc=example"}}},
		"login":     {Person: Person{Login: "mail"}},
		"id":        {IDAttribute: "employeeNumber"},
		"state":     {AccountState: []string{"nsAccountLock"}},
		"referrals": {IgnoreReferrals: []string{"ldap://x"}},
	} {
		f := foreseen(t, Config{}, is)
		if got := len(f.Groups) + len(f.Everybody); got != 1 || len(f.Wider) > 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := foreseen(t, Config{}, Config{PageSize: 7}); len(f.Groups)+len(f.Everybody)+len(f.Wider) > 0 {
		t.Errorf("nothing is read otherwise: %+v", f)
	}
	if f := foreseen(t, Config{Server: serverAuto}, Config{Server: serverAuto, People: People{Filter: "(objectClass=inetOrgPerson)"}}); len(f.Everybody) != 0 {
		t.Errorf("the default, written: %+v", f)
	}
	if f := foreseen(t, Config{Server: serverAuto}, Config{Server: serverAuto, People: People{Filter: "(uid=*)"}}); len(f.Everybody) != 1 {
		t.Errorf("a default that is not known: %+v", f)
	}
}

// What is foreseen of a filter is what a server does: Yes and No of random filters
// and people agree with the embedded directory, and so does "no wider".
func TestForeseeIsWhatAServerFinds(t *testing.T) {
	values := []string{"staff", "Staff", "former", "st aff", "10", "9"}
	attributes := []string{"employeeType", "title", "uidNumber"}
	item := rapid.Custom(func(t *rapid.T) string {
		a, v := rapid.SampledFrom(attributes).Draw(t, "attribute"), rapid.SampledFrom(values).Draw(t, "value")
		form := rapid.SampledFrom([]string{"(%s=%s)", "(%s=*)", "(%s=*%s)", "(%s=%s*)", "(%s>=%s)", "(%s<=%s)", "(%s~=%s)"}).Draw(t, "form")
		if strings.Count(form, "%s") == 1 {
			return fmt.Sprintf(form, a)
		}
		return fmt.Sprintf(form, a, v)
	})
	var filter func(depth int) *rapid.Generator[string]
	filter = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			if depth == 0 {
				return item.Draw(t, "item")
			}
			op := rapid.SampledFrom([]string{"&", "|", "!", ""}).Draw(t, "op")
			one := filter(depth - 1)
			switch op {
			case "":
				return item.Draw(t, "item")
			case "!":
				return "(!" + one.Draw(t, "part") + ")"
			}
			return "(" + op + strings.Join(rapid.SliceOfN(one, 1, 3).Draw(t, "parts"), "") + ")"
		})
	}
	w := newForetold(t)
	rapid.Check(t, func(t *rapid.T) {
		was, is := filter(2).Draw(t, "was"), filter(2).Draw(t, "is")
		if rapid.Bool().Draw(t, "narrower") {
			is = "(&" + was + is + ")"
		}
		a, b := w.find(t, was), w.find(t, is)
		found, _ := parseFilter(was)
		asks, err := parseFilter(is)
		if err != nil {
			t.Fatal(err)
		}
		if implies(asks, found) {
			for dn := range b {
				if _, in := a[dn]; !in {
					t.Fatalf("%s finds %s, which %s does not, and is not called wider", is, dn, was)
				}
			}
		}
		for dn, p := range a {
			_, in := b[dn]
			if got, _ := asked(asks, found, p); got == directory.Yes && !in || got == directory.No && in {
				t.Fatalf("%s of %s: foreseen %d, found %v", is, dn, got, in)
			}
		}
	})
}

// foretold is a directory of people of every combination of a few values.
type foretold struct {
	search func(filter string) ([]directory.Entry, error)
}

func (w *foretold) find(t *rapid.T, filter string) map[string]identity.Person {
	entries, err := w.search(filter)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]identity.Person{}
	for _, e := range entries {
		if e.Kind == directory.Person {
			out[e.DN.Key()] = identity.Person{DN: e.DN, Attributes: e.Attributes}
		}
	}
	return out
}

func newForetold(t *testing.T) *foretold {
	t.Helper()
	dir := ldapd.New("dc=corp,dc=example")
	var b strings.Builder
	b.WriteString("dn: dc=corp,dc=example\nobjectClass: domain\ndc: corp\n\ndn: ou=people,dc=corp,dc=example\nobjectClass: organizationalUnit\nou: people\n\n")
	n := 0
	for _, employeeType := range []string{"", "staff", "Staff", "former", "st  aff"} {
		for _, title := range []string{"", "staff", "former"} {
			for _, number := range []string{"", "9", "10"} {
				n++
				fmt.Fprintf(&b, "dn: uid=p%d,ou=people,dc=corp,dc=example\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: p%d\ncn: p\nsn: p\n", n, n)
				for a, v := range map[string]string{"employeeType": employeeType, "title": title, "uidNumber": number} {
					if v != "" {
						fmt.Fprintf(&b, "%s: %s\n", a, v)
					}
				}
				b.WriteString("\n")
			}
		}
	}
	if err := dir.Load(strings.NewReader(b.String())); err != nil {
		t.Fatal(err)
	}
	server, err := dir.Serve(t.Context(), ldapd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return &foretold{search: func(filter string) ([]directory.Entry, error) {
		s, err := New("corp", Config{Server: serverGeneric, URLs: []string{server.URL()}, AllowPlaintext: true,
			People: People{Bases: []string{"ou=people,dc=corp,dc=example"}, Filter: filter}}, []string{"employeeType", "title", "uidNumber"})
		if err != nil {
			return nil, err
		}
		defer s.Close()
		return new(keptEntries).read(s)
	}}
}

// kept is a stage that keeps everything.
type keptEntries struct{ entries []directory.Entry }

func (k *keptEntries) Add(list []directory.Entry) error {
	k.entries = append(k.entries, slices.Clone(list)...)
	return nil
}

func (k *keptEntries) read(s *Source) ([]directory.Entry, error) {
	_, err := s.Read(context.Background(), k)
	return k.entries, err
}
