package ldap_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/internal/servers"
)

// employee adds somebody with an account and a title.
func (w *world) employee(login, container, title string, number int) string {
	w.t.Helper()
	dn, attributes := sourcetest.Person(login, container)
	attributes["objectClass"] = append(attributes["objectClass"], "posixAccount")
	attributes["title"], attributes["homeDirectory"] = []string{title}, []string{"/home/" + login}
	attributes["uidNumber"], attributes["gidNumber"] = []string{fmt.Sprint(5000 + number)}, []string{fmt.Sprint(number)}
	w.must(w.Add(dn, attributes))
	return dn
}

// membersOf reads, and returns who is in each group.
func membersOf(t *testing.T, s directory.Source) map[string]string {
	t.Helper()
	stage, _ := sourcetest.Read(t, s)
	out := map[string]string{}
	for _, chunk := range stage.Chunks {
		for _, e := range chunk {
			if e.Kind != directory.Group {
				continue
			}
			var who []string
			for _, m := range e.Members {
				if who = append(who, m.Login); m.Login == "" {
					who[len(who)-1] = m.DN.RDN()[0].Value
				}
			}
			slices.Sort(who)
			out[e.Name] = strings.Join(who, " ")
		}
	}
	return out
}

func TestMembersThatAreWorkedOutOnSlapd(t *testing.T) {
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncSessionLog})
	lab := "ou=lab," + people
	w.must(w.Add(lab, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"lab"}}))
	w.employee("ada", people, "Editor", 1000)
	bea := w.employee("bea", lab, "Editor", 1000)
	w.employee("cai", people, "Writer", 1001)
	w.employee("dan", sourcetest.Elsewhere, "Editor", 1000) // nobody who is read
	w.person("eve", people)
	w.must(w.Add("cn=staff,"+groups, map[string][]string{"objectClass": {"posixGroup"}, "cn": {"staff"}, "gidNumber": {"1000"}, "memberUid": {"eve"}}))
	w.must(w.Add("cn=empty,"+groups, map[string][]string{"objectClass": {"posixGroup"}, "cn": {"empty"}, "gidNumber": {"1002"}}))
	urls := func(name string, urls ...string) {
		t.Helper()
		w.must(w.Add("cn="+name+","+groups, map[string][]string{"objectClass": {"groupOfURLs"}, "cn": {name}, "memberURL": urls}))
	}
	urls("editors", "ldap:///"+suffix+"??sub?(title=Editor)")
	urls("top", "LDAP:///"+people+"?cn?one?title=Editor", "ldap:///"+strings.ReplaceAll(people, ",", "%2C")+"??one?(title=Writer)")
	urls("lab", "ldap:///"+lab+"??sub") // all of the lab
	urls("one", "ldap:///"+bea)
	urls("none", "ldap:///"+people+"??sub?(title=Nobody)", "ldap://other.example/"+people+"??sub", "ldap:///"+sourcetest.Elsewhere+"??sub?(title=Editor)")
	open := func(members ...string) *ldap.Source {
		return w.open(func(c *ldap.Config) {
			c.Groups.Filter, c.Groups.Members = "(|(objectClass=posixGroup)(objectClass=groupOfURLs))", members
		})
	}
	want := map[string]string{"staff": "ada bea eve", "empty": "", "editors": "ada bea", "top": "ada cai", "lab": "bea", "one": "bea", "none": ""}
	s := open("memberUid", "gidNumber", "memberURL")
	if got := membersOf(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("members: %v\nwant     %v", got, want)
	}
	// A read of another kind asks for none of it.
	if got := membersOf(t, open("memberUid")); got["staff"] != "eve" || got["editors"] != "" {
		t.Errorf("members: %v", got)
	}
	_, proof := sourcetest.Read(t, s)
	if !proof.Cursor().IsZero() {
		t.Error("changes are followed, and no change of a group tells of these")
	}
	report, err := s.Check(t.Context())
	w.must(err)
	said := func(text string) bool {
		return slices.ContainsFunc(report.Notes, func(n directory.Note) bool { return strings.Contains(n.Text, text) })
	}
	if !said("2 URLs of groups lead elsewhere") || !said("gidNumber is needed") {
		t.Errorf("check: %+v", report.Notes)
	}

	w.must(w.Set(bea, "title", "Writer"))
	w.must(w.Set(bea, "gidNumber", "1002"))
	got := membersOf(t, s)
	if got["staff"] != "ada eve" || got["empty"] != "bea" || got["editors"] != "ada" || got["top"] != "ada cai" {
		t.Errorf("after a change: %v", got)
	}

	// What cannot be asked is no empty group.
	for url, hint := range map[string]string{
		"ldap:///ou=hidden," + people + "??sub":           "let " + sync + " read",
		"ldap:///" + people + "??near":                    "mend the URL",
		"ldap:///" + people + "??sub?(title=Editor":       "",
		"ldap:///" + people + "??sub?(title=*)?!secret=1": "mend the URL",
		"ldap:///no name??sub":                            "mend the URL",
		"http://example.com/":                             "mend the URL",
		"ldap:///" + people + "%zz??sub":                  "mend the URL",
	} {
		w.must(w.Set("cn=lab,"+groups, "memberURL", url))
		err := mustNotRead(t, s)
		var h interface{ Hint() string }
		if hint != "" && (!errors.As(err, &h) || !strings.Contains(h.Hint(), hint)) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
