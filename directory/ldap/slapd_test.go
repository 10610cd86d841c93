package ldap_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/servers"
)

// hintOf is what the error says to do.
func hintOf(t *testing.T, err error) string {
	t.Helper()
	var h interface{ Hint() string }
	if !errors.As(err, &h) || h.Hint() == "" {
		t.Fatalf("the error has no hint: %v", err)
	}
	return h.Hint()
}

func mustNotRead(t *testing.T, s *ldap.Source) error {
	t.Helper()
	return sourcetest.MustNotRead(t.Context(), t, s, &sourcetest.Stage{})
}

// A bind user who may read 500 entries, pages included, of 520.
func TestSizeLimitOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{})
	w.crowd(520, people)
	limited := func(c *ldap.Config) { c.BindDN, c.Password = "cn=limited,"+suffix, password(t, "limited") }
	for _, size := range []int{0, 100, 1000} {
		s := w.open(func(c *ldap.Config) { limited(c); c.PageSize = size })
		err := mustNotRead(t, s)
		if !errors.Is(err, ldapwire.ErrSizeLimit) {
			t.Errorf("pages of %d: %v", size, err)
		}
		if h := hintOf(t, err); !strings.Contains(h, `limits dn.exact="cn=limited,`+suffix+`" size=unlimited`) {
			t.Errorf("the hint lacks the line to type: %s", h)
		}
		report, err := s.Check(t.Context())
		if err != nil || !slices.ContainsFunc(report.Notes, func(n directory.Note) bool {
			return n.Level == directory.Broken && strings.Contains(n.Hint, "size=unlimited")
		}) {
			t.Errorf("check: %+v, %v", report, err)
		}
	}
	if _, p := sourcetest.Read(t, w.open(nil)); p.People() != 520 {
		t.Errorf("the unlimited user reads %d", p.People())
	}
}

// The server dies, or halts, with the first chunk; then it is back.
func TestServerDiesInMidReadOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{})
	w.crowd(2500, people)
	s := w.open(func(c *ldap.Config) { c.PageSize = 100 })
	stage := &sourcetest.Stage{Before: func([]directory.Entry) error { return w.slapd.Kill() }}
	err := sourcetest.MustNotRead(t.Context(), t, s, stage)
	if !ldapwire.IsTransient(err) {
		t.Errorf("a server that died is not called transient: %v", err)
	}
	if _, err := s.Find(t.Context(), []directory.Known{{ID: "x"}}); err == nil {
		t.Error("a look-up on a dead server has an answer")
	}
	if _, err := s.Check(t.Context()); err == nil {
		t.Error("a check of a dead server has no error")
	}
	w.must(w.slapd.Start())
	if _, p := sourcetest.Read(t, s); p.People() != 2500 {
		t.Errorf("%d people after the restart", p.People())
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stage = &sourcetest.Stage{Before: func([]directory.Entry) error {
		time.AfterFunc(50*time.Millisecond, cancel)
		return w.slapd.Pause()
	}}
	began := time.Now()
	if err := sourcetest.MustNotRead(ctx, t, s, stage); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("giving up on a server that hangs took %v", took)
	}
	w.must(w.slapd.Resume())
	sourcetest.Read(t, s)
}

// Rights that are lost: of everything, it is an error; of a part, the read is
// complete and smaller, and others judge who is absent.
func TestRightsThatAreLostOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{})
	var members []string
	for i := range 10 {
		ou := fmt.Sprintf("ou=site%d,%s", i, people)
		w.must(w.Add(ou, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {fmt.Sprintf("site%d", i)}}))
		for j := range 3 {
			members = append(members, w.person(fmt.Sprintf("writer%d-%d", i, j), ou))
		}
	}
	group := w.group("writers", members...)
	canary := w.person("canary", people)
	s := w.open(func(c *ldap.Config) { c.Canaries = []string{canary} }, "sn")
	before, p := sourcetest.Read(t, s)
	if p.People() != 31 || p.Groups() != 1 {
		t.Fatalf("%d people, %d groups", p.People(), p.Groups())
	}
	rest := w.slapd.DefaultAccess()
	set := func(clauses ...string) { t.Helper(); w.must(w.slapd.SetAccess(append(clauses, rest...)...)) }
	denied := ` by dn.exact="` + sync + `" none by * break`

	t.Run("all", func(t *testing.T) {
		set(`to *` + denied)
		err := mustNotRead(t, s)
		if !errors.Is(err, ldap.ErrBase) || !strings.Contains(err.Error(), people) || !strings.Contains(hintOf(t, err), sync) {
			t.Errorf("%v; %s", err, hintOf(t, err))
		}
		if _, err := s.Find(t.Context(), []directory.Known{{ID: before.Get(t, canary).ID}}); !errors.Is(err, ldap.ErrBase) {
			t.Errorf("a look-up without rights: %v", err)
		}
	})
	t.Run("all below the bases", func(t *testing.T) {
		set(`to dn.children="` + people + `"` + denied)
		if err := mustNotRead(t, s); !errors.Is(err, ldap.ErrCanary) || !strings.Contains(hintOf(t, err), sync) {
			t.Errorf("%v", err)
		}
	})
	t.Run("the base itself", func(t *testing.T) {
		set(`to dn.base="` + people + `" attrs=entry` + denied)
		if err := mustNotRead(t, s); !errors.Is(err, ldap.ErrBase) {
			t.Errorf("%v", err)
		}
	})
	t.Run("one container of ten", func(t *testing.T) {
		set(`to dn.subtree="ou=site4,` + people + `"` + denied)
		stage, p := sourcetest.Read(t, s)
		if p.People() != 28 || len(stage.Entries()) != 29 {
			t.Errorf("%d people", p.People())
		}
		hidden := before.Get(t, members[12])
		got, err := s.Find(t.Context(), []directory.Known{{Kind: directory.Person, ID: hidden.ID}, {Kind: directory.Person, ID: before.Get(t, canary).ID}})
		if err != nil || got[0].Found || !got[1].Found {
			t.Errorf("found %+v, %v", got, err)
		}
	})
	t.Run("member", func(t *testing.T) {
		set(`to attrs=member` + denied)
		stage, p := sourcetest.Read(t, s)
		if p.People() != 31 || p.Groups() != 1 || len(stage.Get(t, group).Members) != 0 {
			t.Errorf("%d people, %d groups, members %v", p.People(), p.Groups(), stage.Get(t, group).Members)
		}
		report, err := s.Check(t.Context())
		if err != nil || !slices.ContainsFunc(report.Notes, func(n directory.Note) bool {
			return n.Level == directory.Warning && strings.Contains(n.Hint, "member")
		}) {
			t.Errorf("check says nothing of it: %+v, %v", report, err)
		}
	})
	t.Run("one attribute", func(t *testing.T) {
		set(`to attrs=sn` + denied)
		stage, p := sourcetest.Read(t, s)
		if _, presence := stage.Get(t, members[0]).Attributes.Get("sn"); p.People() != 31 || presence != identity.Absent {
			t.Errorf("%d people, presence %d", p.People(), presence)
		}
		report, err := s.Check(t.Context())
		if err != nil || !slices.ContainsFunc(report.Notes, func(n directory.Note) bool {
			return n.Level == directory.Warning && strings.Contains(n.Text, `"sn"`)
		}) {
			t.Errorf("check says nothing of it: %+v, %v", report, err)
		}
	})
	t.Run("the ID", func(t *testing.T) {
		set(`to attrs=entryUUID` + denied)
		if err := mustNotRead(t, s); !errors.Is(err, ldap.ErrID) || !strings.Contains(hintOf(t, err), "entryUUID") {
			t.Errorf("%v", err)
		}
		if got, err := s.Find(t.Context(), []directory.Known{{ID: before.Get(t, members[0]).ID}}); !errors.Is(err, ldap.ErrLookup) {
			t.Errorf("found %+v, %v", got, err)
		}
	})
	t.Run("searching by ID", func(t *testing.T) {
		// Listed, but a filter by ID matches nobody: nobody is gone by that.
		set(`to attrs=entryUUID by dn.exact="` + sync + `" =r by * break`)
		if _, p := sourcetest.Read(t, s); p.People() != 31 {
			t.Errorf("%d people", p.People())
		}
		if got, err := s.Find(t.Context(), []directory.Known{{ID: before.Get(t, members[0]).ID}}); !errors.Is(err, ldap.ErrLookup) {
			t.Errorf("found %+v, %v", got, err)
		}
		report, err := s.Check(t.Context())
		if err != nil || !slices.ContainsFunc(report.Notes, func(n directory.Note) bool { return n.Level == directory.Broken }) {
			t.Errorf("check says nothing of it: %+v, %v", report, err)
		}
	})
	t.Run("given back", func(t *testing.T) {
		set()
		sourcetest.Read(t, s)
	})
}

func TestWrongBaseAndDeadServersOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{})
	w.person("writer1", people)
	wrong := w.open(func(c *ldap.Config) { c.People.Bases = []string{people, "ou=poeple," + suffix} })
	if err := mustNotRead(t, wrong); !errors.Is(err, ldap.ErrBase) || !strings.Contains(err.Error(), "ou=poeple") {
		t.Errorf("wrong base: %v", err)
	}
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	url := "ldaps://" + dead.Addr().String()
	dead.Close()
	s := w.open(func(c *ldap.Config) { c.URLs = append([]string{url}, c.URLs...) })
	_, p := sourcetest.Read(t, s)
	if p.People() != 1 || p.Server() != w.slapd.TLSURL() {
		t.Errorf("%d people from %s", p.People(), p.Server())
	}
	err = mustNotRead(t, w.open(func(c *ldap.Config) { c.URLs = []string{url} }))
	if !ldapwire.IsTransient(err) || !strings.Contains(err.Error(), url) {
		t.Errorf("a dead server: %v", err)
	}
	err = mustNotRead(t, w.open(func(c *ldap.Config) { c.Password = password(t, "wrong") }))
	if !errors.Is(err, ldapwire.ErrInvalidCredentials) || strings.Contains(err.Error()+hintOf(t, err), "wrong\n") {
		t.Errorf("a wrong password: %v", err)
	}
	err = mustNotRead(t, w.open(func(c *ldap.Config) { c.CAFile = "" }))
	if h := hintOf(t, err); !strings.Contains(h, "ca_file") {
		t.Errorf("an unknown authority: %v; %s", err, h)
	}
}

// The ways to connect, and who we are then.
func TestWaysToConnectOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{})
	w.person("writer1", people)
	for name, c := range map[string]struct {
		change func(*ldap.Config)
		bind   string
	}{
		"StartTLS":  {func(c *ldap.Config) { c.URLs = []string{w.slapd.URL()} }, "dn:" + sync},
		"plaintext": {func(c *ldap.Config) { c.URLs, c.AllowPlaintext = []string{w.slapd.URL()}, true }, "dn:" + sync},
		"ldapi": {func(c *ldap.Config) {
			c.URLs, c.SASL, c.BindDN, c.Password = []string{w.slapd.LDAPIURL()}, "external", "", secret.Secret{}
		}, "dn:" + w.slapd.PeerDN()},
		"anybody": {func(c *ldap.Config) { c.BindDN, c.Password = "", secret.Secret{} }, "anybody"},
	} {
		t.Run(name, func(t *testing.T) {
			_, p := sourcetest.Read(t, w.open(c.change))
			if p.People() != 1 || p.Bind() != c.bind {
				t.Errorf("%d people as %q, want %q", p.People(), p.Bind(), c.bind)
			}
			report, err := w.open(c.change).Check(t.Context())
			if err != nil || !strings.HasPrefix(report.Server, "OpenLDAP at ldap") {
				t.Errorf("check: %q, %v", report.Server, err)
			}
			warned := slices.ContainsFunc(report.Notes, func(n directory.Note) bool { return strings.Contains(n.Hint, "allow_plaintext") })
			if warned != (name == "plaintext") {
				t.Errorf("warned of plain text: %v", warned)
			}
		})
	}
}

// Groups four deep with a cycle, one of 3,000, and memberUid.
func TestGroupsOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{})
	all := w.crowd(3000, people)
	big := w.group("big", all...)
	top := w.group("level1", big)
	below := top
	var chain []string
	for i := 2; i <= 4; i++ {
		next := w.group(fmt.Sprintf("level%d", i), all[i])
		w.must(w.Set(below, "member", next, all[0]))
		chain = append(chain, below)
		below = next
	}
	w.must(w.Set(below, "member", top, all[4]))
	unique := "cn=unique," + groups
	w.must(w.Add(unique, map[string][]string{"objectClass": {"groupOfUniqueNames"}, "cn": {"unique"},
		"uniqueMember": {all[0] + "#'0101'B", strings.ToUpper(all[1])}}))
	stage, p := sourcetest.Read(t, w.open(func(c *ldap.Config) { c.PageSize = 1000 }))
	if p.People() != 3000 || p.Groups() != 6 {
		t.Errorf("%d people, %d groups", p.People(), p.Groups())
	}
	keys := func(dn string) (out []string) {
		for _, m := range stage.Get(t, dn).Members {
			out = append(out, m.DN.Key())
		}
		slices.Sort(out)
		return out
	}
	want := func(dns ...string) (out []string) {
		for _, dn := range dns {
			out = append(out, identity.MustDN(dn).Key())
		}
		slices.Sort(out)
		return out
	}
	if !slices.Equal(keys(big), want(all...)) {
		t.Errorf("the group of 3,000 has %d members", len(keys(big)))
	}
	if got := keys(unique); !slices.Equal(got, want(all[0], all[1])) {
		t.Errorf("uniqueMember: %q", got)
	}
	if got := keys(below); !slices.Equal(got, want(top, all[4])) {
		t.Errorf("the end of the cycle: %q", got)
	}
	for i, dn := range chain {
		next := fmt.Sprintf("cn=level%d,%s", i+2, groups)
		if got := keys(dn); !slices.Equal(got, want(next, all[0])) {
			t.Errorf("%s: %q", dn, got)
		}
	}
}

// Names by which OpenLDAP does not answer: commonName is asked for, cn comes.
func TestOtherNamesOfAttributesOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{})
	dn := w.person("writer1", people)
	w.must(w.Set(dn, "cn;lang-fr", "Rédacteur"))
	w.must(w.Set(dn, "jpegPhoto", "\xff\xd8\xff\xe0\x00\x10JFIF\x00"))
	s := w.open(func(c *ldap.Config) { c.Person.Name, c.Person.Login = "commonName", "userid" }, "2.5.4.4", "name", "jpegPhoto")
	stage, _ := sourcetest.Read(t, s)
	e := stage.Get(t, dn)
	if e.Name != "Name of writer1" || e.Login != "writer1" {
		t.Errorf("name %q, login %q", e.Name, e.Login)
	}
	for name, want := range map[string]identity.Presence{"commonname": identity.Present, "2.5.4.4": identity.Present, "name": identity.Absent, "cn": identity.NotRead, "sn": identity.NotRead} {
		if v, got := e.Attributes.Get(name); got != want {
			t.Errorf("%s: presence %d of %q, want %d", name, got, v, want)
		}
	}
	if v, _ := e.Attributes.Get("commonname"); len(v) != 1 {
		t.Errorf("a variant in a language was taken in: %q", v)
	}
	if got := e.Attributes.First("jpegPhoto"); got != "\xff\xd8\xff\xe0\x00\x10JFIF\x00" {
		t.Errorf("octets: %q", got)
	}
}

func TestCheckOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{})
	one := w.person("writer1", people)
	w.must(w.Set(one, "userPassword", "secret"))
	group := w.group("writers", one, "uid=left,"+people)
	w.must(w.Add("cn=elsewhere,"+sourcetest.Elsewhere, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {"elsewhere"}, "member": {one}}))
	s := w.open(nil, "departmentNumber", "employeeNumbr")
	report, err := s.Check(t.Context())
	w.must(err)
	var text strings.Builder
	for _, n := range report.Notes {
		fmt.Fprintf(&text, "%d %s (%s)\n", n.Level, n.Text, n.Hint)
	}
	for _, want := range []string{
		"0 bound as dn:" + sync, "1 there is no canary", "0 1 person and 1 group were read",
		sync + " may read passwords", `1 nobody has the attribute "departmentnumber"`,
		`1 nobody has the attribute "employeenumbr" (`, `there is "employeenumber"`, "1 of 2 members of groups are nobody",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	notes, err := s.CheckGroups(t.Context(), []string{strings.ToUpper(group), "cn=nobody," + groups, "cn=elsewhere," + sourcetest.Elsewhere, one, "no name"})
	w.must(err)
	text.Reset()
	for _, n := range notes {
		fmt.Fprintf(&text, "%d %s (%s)\n", n.Level, n.Text, n.Hint)
	}
	if len(notes) != 4 {
		t.Errorf("of five groups one is sound: %s", text.String())
	}
	for _, want := range []string{`2 there is no group "cn=nobody`, `2 the group "cn=elsewhere,` + sourcetest.Elsewhere + `" is in none`, `2 "` + one + `" is no group`, `2 the group "no name"`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
}

// Overlapping bases show an entry once; a person who matches both filters is
// a mistake that is named.
func TestOverlapOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{})
	w.must(w.Add("ou=sales,"+people, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"sales"}}))
	one := w.person("writer1", "ou=sales,"+people)
	s := w.open(func(c *ldap.Config) { c.People.Bases = []string{"ou=sales," + people, strings.ToUpper(people)} })
	if stage, p := sourcetest.Read(t, s); p.People() != 1 || len(stage.Entries()) != 1 {
		t.Errorf("%d people, %d entries", p.People(), len(stage.Entries()))
	}
	s = w.open(func(c *ldap.Config) { c.Groups = ldap.Groups{Bases: []string{suffix}, Filter: "(cn=*)"} })
	if err := mustNotRead(t, s); !errors.Is(err, ldap.ErrID) || !strings.Contains(err.Error(), fmt.Sprintf("%q is a person and a group", one)) {
		t.Errorf("a person and a group: %v", err)
	}
	// Three people, two with one number, which is their ID here.
	two := w.person("writer2", people)
	w.must(w.Set(two, "employeeNumber", "N-WRITER1"))
	s = w.open(func(c *ldap.Config) { c.IDAttribute, c.Groups.Bases = "employeeNumber", nil })
	if err := mustNotRead(t, s); !errors.Is(err, ldap.ErrID) || !strings.Contains(err.Error(), "n-writer1") {
		t.Errorf("one ID twice: %v", err)
	}
	if got, err := s.Find(t.Context(), []directory.Known{{ID: "n-writer1"}}); !errors.Is(err, ldap.ErrID) {
		t.Errorf("one ID twice in a look-up: %+v, %v", got, err)
	}
	w.must(w.Set(two, "employeeNumber", "n-2"))
	stage, _ := sourcetest.Read(t, s)
	got, err := s.Find(t.Context(), []directory.Known{{ID: stage.Get(t, two).ID}, {ID: "n-3"}})
	if err != nil || !got[0].Found || got[1].Found {
		t.Errorf("look-up by number: %+v, %v", got, err)
	}
	w.must(w.Set(two, "employeeNumber"))
	if err := mustNotRead(t, s); !errors.Is(err, ldap.ErrID) || !strings.Contains(err.Error(), two) {
		t.Errorf("no ID: %v", err)
	}
}
