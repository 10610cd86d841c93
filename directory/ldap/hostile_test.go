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
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/span"
)

// What a server may do in the middle of a listing: none of it is a listing.
func TestLawCompleteOrNothing(t *testing.T) {
	w := ldapdWorld(t)
	dns := w.crowd(60, people)
	for i := range 12 {
		w.group(fmt.Sprintf("group%d", i), dns[i])
	}
	canary := w.person("zcanary", people) // on the last page
	for name, fault := range map[string]ldapd.Fault{
		"size limit":            {Do: ldapd.Answer, Code: 4, After: 25},
		"administrative limit":  {Do: ldapd.Answer, Code: 11, After: 25},
		"time limit":            {Do: ldapd.Answer, Code: 3, After: 25},
		"busy":                  {Do: ldapd.Answer, Code: 51, After: 25},
		"unwilling":             {Do: ldapd.Answer, Code: 53, After: 20},
		"dropped":               {Do: ldapd.Drop, After: 25},
		"dropped in a message":  {Do: ldapd.DropMid, After: 25},
		"dropped at the end":    {Do: ldapd.Drop, After: 61, Base: people},
		"hanging":               {Do: ldapd.Hang, After: 25},
		"a page twice":          {Do: ldapd.RepeatPage, Page: 3},
		"no paging control":     {Do: ldapd.NoControl, Page: 2},
		"a page lost":           {Do: ldapd.LosePage, Page: 7, Base: people},
		"no cookie":             {Do: ldapd.NoCookie, Page: 3, Base: people},
		"base is empty":         {Do: ldapd.Empty, Base: people},
		"empty after the base":  {Do: ldapd.Empty, Base: people, Skip: 1},
		"a referral":            {Do: ldapd.Refer, URL: "ldap://other.example/" + people, Page: 2},
		"groups: size limit":    {Do: ldapd.Answer, Code: 4, After: 5, Base: groups},
		"groups: dropped":       {Do: ldapd.Drop, After: 10, Base: groups},
		"groups: not there":     {Do: ldapd.Answer, Code: 32, Base: groups},
		"groups: base is empty": {Do: ldapd.Empty, Base: groups, Times: 1},
	} {
		for reader, kind := range readers {
			t.Run(name+"/"+reader, func(t *testing.T) {
				s := w.open(func(c *ldap.Config) {
					c.PageSize, c.Canaries = 10, []string{canary}
					if fault.Do == ldapd.Hang { // else it has time: a machine may be busy
						c.IdleTimeout = span.Duration(500 * time.Millisecond)
					}
					c.Reader = kind
				})
				fault.Op = ldapd.OpSearch
				w.ldapd.Faults().Add(fault)
				defer w.ldapd.Faults().Clear()
				err := mustNotRead(t, s)
				if hidden := strings.Contains(name, "base is empty"); hidden && !errors.Is(err, ldap.ErrBase) {
					t.Errorf("a base that shows nothing: %v", err)
				}
				if !strings.HasPrefix(err.Error(), "read source corp: ") {
					t.Errorf("%v", err)
				}
				w.ldapd.Faults().Clear()
				if _, p := sourcetest.Read(t, s); p.People() != 61 || p.Groups() != 12 {
					t.Errorf("afterwards: %d people, %d groups", p.People(), p.Groups())
				}
			})
		}
	}
}

// A look-up answers for all or fails: an answer that is cut short is not an
// answer that nobody is there.
func TestLawAbsenceNeedsProof(t *testing.T) {
	w := ldapdWorld(t)
	w.crowd(250, people)
	s := w.open(func(c *ldap.Config) { c.IdleTimeout = span.Duration(time.Second) })
	stage, _ := sourcetest.Read(t, s)
	var known []directory.Known
	for _, e := range stage.Entries() {
		known = append(known, directory.Known{Kind: e.Kind, ID: e.ID, DN: e.DN})
	}
	// What it has seen and whether the root is there are asked of it first.
	for name, fault := range map[string]ldapd.Fault{
		"size limit":             {Do: ldapd.Answer, Code: 4, After: 50, Base: suffix},
		"busy at the second":     {Do: ldapd.Answer, Code: 51, Skip: 3, Base: suffix},
		"dropped":                {Do: ldapd.Drop, After: 99, Base: suffix},
		"hanging":                {Do: ldapd.Hang, After: 99, Base: suffix},
		"empty":                  {Do: ldapd.Empty, Skip: 2, Base: suffix},
		"everything empty":       {Do: ldapd.Empty},
		"a referral":             {Do: ldapd.Refer, URL: "ldap://other.example/", Skip: 2, Base: suffix},
		"the bases are gone":     {Do: ldapd.Answer, Code: 32, Base: people},
		"the context is in need": {Do: ldapd.Answer, Code: 80, Base: suffix},
	} {
		t.Run(name, func(t *testing.T) {
			fault.Op = ldapd.OpSearch
			w.ldapd.Faults().Add(fault)
			defer w.ldapd.Faults().Clear()
			if got, err := s.Find(t.Context(), known); err == nil || got != nil {
				t.Errorf("%d answers, %v", len(got), err)
			}
		})
	}
	w.ldapd.Faults().ResetCounts()
	got, err := s.Find(t.Context(), known)
	w.must(err)
	for i, f := range got {
		if !f.Found || !f.Listed || f.ID != known[i].ID {
			t.Fatalf("answer %d: %+v to %+v", i, f, known[i])
		}
	}
	// One for a hundred finds them, and one the filter finds them by.
	if n := w.ldapd.Faults().Count(ldapd.OpSearch); n > 13 {
		t.Errorf("%d searches for 250 IDs", n)
	}
}

// Where the root of the naming context is hidden, the bases are searched.
func TestFindWithoutTheRoot(t *testing.T) {
	w := ldapdWorld(t)
	dns := w.crowd(3, people)
	s := w.open(nil)
	stage, _ := sourcetest.Read(t, s)
	w.must(w.Move(dns[1], "uid=writer0001,"+sourcetest.Elsewhere))
	w.must(w.Delete(dns[2]))
	var known []directory.Known
	for _, dn := range dns {
		known = append(known, directory.Known{ID: stage.Get(t, dn).ID})
	}
	nested := w.open(func(c *ldap.Config) { c.People.Bases = []string{"ou=sales," + people, people, "OU=People," + suffix} })
	w.must(w.Add("ou=sales,"+people, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"sales"}}))
	for _, code := range []int{32, 50} {
		w.ldapd.Faults().Add(ldapd.Fault{Op: ldapd.OpSearch, BindDN: sync, Base: suffix, Do: ldapd.Answer, Code: code})
		got, err := s.Find(t.Context(), known)
		if err != nil || !got[0].Found || got[1].Found || got[2].Found {
			t.Errorf("the root answers %d: %+v, %v", code, got, err)
		}
		w.ldapd.Faults().ResetCounts()
		if got, err := nested.Find(t.Context(), known); err != nil || !got[0].Found {
			t.Errorf("the root answers %d: %+v, %v", code, got, err)
		}
		// The root entry, four bases, the root for each of them, an ID that is
		// there and the look-up in people and in groups.
		if n := w.ldapd.Faults().Count(ldapd.OpSearch); n != 1+4+4+2+2 {
			t.Errorf("%d searches: bases within others are searched again", n)
		}
		w.ldapd.Faults().Clear()
	}
	got, err := s.Find(t.Context(), known)
	if err != nil || !got[0].Found || !got[1].Found || got[2].Found {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whom the server finds must be who was asked for: an ID that it takes for
// equal, and we do not, would be an answer to nothing.
func TestFindOfWhoWasNotAskedFor(t *testing.T) {
	w := ldapdWorld(t)
	dn := w.person("writer1", people)
	w.must(w.Set(dn, "employeeNumber", "n 1"))
	s := w.open(func(c *ldap.Config) { c.IDAttribute, c.Groups.Bases = "employeeNumber", nil })
	got, err := s.Find(t.Context(), []directory.Known{{ID: "N 1"}})
	if err != nil || !got[0].Found {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.Find(t.Context(), []directory.Known{{ID: "n   1"}}); !errors.Is(err, ldap.ErrLookup) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReferralsThatAreIgnored(t *testing.T) {
	w := ldapdWorld(t)
	w.crowd(3, people)
	w.must(w.Add("ou=away,"+people, map[string][]string{"objectClass": {"referral", "extensibleObject"}, "ou": {"away"}, "ref": {"ldap://other.example/ou=away," + people}}))
	if err := mustNotRead(t, w.open(nil)); !errors.Is(err, ldapwire.ErrReferral) || !strings.Contains(hintOf(t, err), "ignore_referrals") {
		t.Errorf("%v", err)
	}
	s := w.open(func(c *ldap.Config) { c.IgnoreReferrals = []string{"ldap://other.example/"} })
	stage, p := sourcetest.Read(t, s)
	if p.People() != 3 {
		t.Errorf("%d people", p.People())
	}
	e := stage.Entries()[0]
	if got, err := s.Find(t.Context(), []directory.Known{{ID: e.ID}}); err != nil || !got[0].Found {
		t.Errorf("%+v, %v", got, err)
	}
}

// A server that is busy or unavailable hands over to the next URL.
func TestFailOver(t *testing.T) {
	w, second := ldapdWorld(t), ldapdWorld(t)
	second.crowd(2, people)
	both := second.open(func(c *ldap.Config) { c.URLs, c.AllowPlaintext = []string{w.ldapd.URL(), second.ldapd.URL()}, true })
	_, p := sourcetest.Read(t, both)
	if p.People() != 0 || p.Server() != w.ldapd.URL() {
		t.Errorf("%d people from %s, the first is up", p.People(), p.Server())
	}
	w.ldapd.Faults().Add(ldapd.Fault{Op: ldapd.OpBind, Do: ldapd.Answer, Code: 52})
	_, p = sourcetest.Read(t, both)
	if p.People() != 2 || p.Server() != second.ldapd.URL() {
		t.Errorf("%d people from %s, the first is unavailable", p.People(), p.Server())
	}
}

func TestCancelInMidRead(t *testing.T) {
	w := ldapdWorld(t)
	w.crowd(30, people)
	w.ldapd.Faults().Add(ldapd.Fault{Op: ldapd.OpSearch, Do: ldapd.Hang, After: 12})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := sourcetest.MustNotRead(ctx, t, w.open(func(c *ldap.Config) { c.PageSize = 10 }), &sourcetest.Stage{})
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

// What groups refer to by something that is no name is nobody: left out,
// counted, and no reason to fail.
func TestMembersWithoutAName(t *testing.T) {
	w := ldapdWorld(t)
	one := w.person("writer1", people)
	group := w.group("writers", one)
	w.must(w.Set(group, "uniqueMember", one+"#'1'B"))
	w.must(w.Set(group, "description", "writer1", "#", "cn"))
	s := w.open(func(c *ldap.Config) { c.Groups.Members = []string{"member", "uniqueMember", "description"} })
	stage, _ := sourcetest.Read(t, s)
	members := stage.Get(t, group).Members
	if len(members) != 2 || members[0].DN.String() != one || members[1].DN.String() != one || members[0].Login+members[1].Login != "" {
		t.Errorf("%+v", members)
	}
	report, err := s.Check(t.Context())
	if err != nil || !slices.ContainsFunc(report.Notes, func(n directory.Note) bool {
		return strings.HasPrefix(n.Text, "3 members of groups are left out")
	}) {
		t.Errorf("check: %+v, %v", report.Notes, err)
	}
}

func TestSecretsAreReadWhenDialling(t *testing.T) {
	w := ldapdWorld(t)
	t.Setenv("ROSTERD_TEST_PASSWORD", "not this one")
	s := w.open(func(c *ldap.Config) { c.Password = secret.Env("ROSTERD_TEST_PASSWORD") })
	err := mustNotRead(t, s)
	if !errors.Is(err, ldapwire.ErrInvalidCredentials) || strings.Contains(err.Error()+hintOf(t, err), "not this one") {
		t.Errorf("%v", err)
	}
	t.Setenv("ROSTERD_TEST_PASSWORD", "sync")
	sourcetest.Read(t, s)
	t.Setenv("ROSTERD_TEST_PASSWORD", "")
	if err := mustNotRead(t, s); !strings.Contains(err.Error(), "ROSTERD_TEST_PASSWORD") {
		t.Errorf("%v", err)
	}
}

// The time-outs of the file reach the connection.
func TestTimeouts(t *testing.T) {
	w := ldapdWorld(t)
	w.crowd(30, people)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	defer silent.Close()
	short := span.Duration(200 * time.Millisecond)
	for name, change := range map[string]func(*ldap.Config){
		"connecting": func(c *ldap.Config) { c.DialTimeout, c.URLs = short, []string{"ldaps://" + silent.Addr().String()} },
		"silence":    func(c *ldap.Config) { c.IdleTimeout = short },
		"in all":     func(c *ldap.Config) { c.TotalTimeout = short },
	} {
		t.Run(name, func(t *testing.T) {
			w.ldapd.Faults().Add(ldapd.Fault{Op: ldapd.OpSearch, Do: ldapd.Hang, Base: people, Skip: 1})
			defer w.ldapd.Faults().Clear()
			began := time.Now()
			err := mustNotRead(t, w.open(change))
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("after %v: %v", took, err)
			}
		})
	}
}

func TestNameInTheCertificate(t *testing.T) {
	w := ldapdWorld(t)
	sourcetest.Read(t, w.open(func(c *ldap.Config) { c.ServerName = "localhost" }))
	err := mustNotRead(t, w.open(func(c *ldap.Config) { c.ServerName = "ldap.corp.example" }))
	if !strings.Contains(hintOf(t, err), "server_name") {
		t.Errorf("%v; %s", err, hintOf(t, err))
	}
}

func TestPagesAreAsLargeAsTheFileSays(t *testing.T) {
	w := ldapdWorld(t)
	w.crowd(30, people)
	for size, want := range map[int]int{10: 3, 7: 5, 0: 1} {
		w.ldapd.Faults().ResetCounts()
		sourcetest.Read(t, w.open(func(c *ldap.Config) { c.PageSize, c.Groups.Bases, c.Changes = size, nil, "full" }))
		// The root entry, the base and, before and after, what the server has seen
		// come on top.
		if n := w.ldapd.Faults().Count(ldapd.OpSearch) - 4; n != want {
			t.Errorf("pages of %d: %d searches, want %d", size, n, want)
		}
	}
}

func TestCheckCounts(t *testing.T) {
	w := ldapdWorld(t)
	s := w.open(nil)
	notes := func() string {
		t.Helper()
		report, err := s.Check(t.Context())
		w.must(err)
		var text strings.Builder
		for _, n := range report.Notes {
			fmt.Fprintf(&text, "%d %s\n", n.Level, n.Text)
		}
		return text.String()
	}
	if text := notes(); !strings.Contains(text, "1 0 people and 0 groups") {
		t.Errorf("nobody is read:\n%s", text)
	}
	one, two := w.person("writer1", people), w.person("writer2", people)
	w.must(w.Set(one, "pwdAccountLockedTime", "000001010000Z"))
	for dn, value := range map[string]string{w.person("over", people): "20200101000000Z", w.person("open", people): "99991231235959Z", w.person("odd", people): "soon"} {
		w.must(w.Set(dn, "krbPrincipalExpiration", value))
	}
	w.must(w.Set(w.person("later", people), "pwdStartTime", "99991231235959Z"))
	posix := "cn=posix," + groups
	w.must(w.Add(posix, map[string][]string{"objectClass": {"posixGroup"}, "cn": {"posix"}, "gidNumber": {"1"}, "memberUid": {"WRITER1", "nobody"}}))
	w.group("writers", two, posix, "uid=left,"+people)
	w.must(w.Add("cn=nologin,"+people, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {"nologin"}, "sn": {"nologin"}}))
	text := notes()
	for _, want := range []string{"0 7 people and 2 groups", "0 1 person is disabled at the source", "1 there is no closed canary", "0 1 person's account is over by its date", "0 1 person's account begins later",
		"1 whether 1 account may be used cannot be told: krbPrincipalExpiration: \"soon\" is no generalizedTime of \"uid=odd,", "1 1 of 7 people have no uid", "0 2 of 5 members of groups are nobody"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}
