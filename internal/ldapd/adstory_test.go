package ldapd

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// adPlace is a domain controller that is driven over the wire.
type adPlace struct {
	t        *testing.T
	c        *client
	base     string
	names    map[string]string // objectGUID → how the story calls the entry
	out      strings.Builder
	cookies  map[string]string
	usn      int
	reader   *client
	aliasing []string
}

const storyOU = "OU=story"

func (p *adPlace) dn(rdn string) string { return rdn + "," + storyOU + "," + p.base }

func (p *adPlace) say(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

// shorten takes what differs between servers out of a value.
func (p *adPlace) shorten(v string) string {
	if len(v) == 16 && p.names[v] != "" {
		return "GUID of " + p.names[v]
	}
	v = strings.ReplaceAll(v, p.base, "BASE")
	for guid, name := range p.names {
		v = strings.ReplaceAll(v, uuidOf(guid), "GUID-of-"+name)
	}
	v = strings.ReplaceAll(strings.ReplaceAll(v, "\n", `\0A`), `\0a`, `\0A`)
	return v
}

func (p *adPlace) learn() {
	found, end := p.c.all(asking{base: storyOU + "," + p.base, scope: scopeSub, attrs: []string{"objectGUID", "name"}})
	if end.code != 0 {
		p.t.Fatalf("%+v", end)
	}
	for _, e := range found {
		if e.dn != "" && p.names[e.attrs["objectguid"][0]] == "" {
			p.names[e.attrs["objectguid"][0]] = e.attrs["name"][0]
		}
	}
}

const storyFilter = "(|(objectClass=user)(objectClass=group)(objectClass=organizationalUnit))"

var storyAttrs = []string{"sn", "mail", "description", "member", "userAccountControl", "sAMAccountName", "isDeleted", "isRecycled", "lastKnownParent", "primaryGroupID"}

// samba are attributes that Samba shows and that matter to nobody here.
var samba = strings.Fields(`codepage countrycode dbcspwd lmpwdhistory logonhours ntpwdhistory ntsecuritydescriptor unicodepwd`)

// dirSync polls once with a cookie of its own, and prints what it is told.
func (p *adPlace) dirSync(name string, flags int64, attrs ...string) {
	p.t.Helper()
	for {
		found, end := p.c.all(asking{base: p.base, scope: scopeSub, filter: storyFilter, attrs: attrs, ctls: []ctl{dirSyncControl(flags, 1<<20, p.cookies[name])}})
		if end.code != 0 || end.control != oidDirSync {
			p.t.Fatalf("%s: %+v", name, end)
		}
		first := p.cookies[name] == ""
		p.cookies[name] = end.cookie
		if !first {
			var lines []string
			for _, e := range found {
				if len(attrs) == 0 {
					lines = append(lines, p.shorten(e.dn)+" "+strings.Join(slices.DeleteFunc(slices.Sorted(maps.Keys(e.attrs)), func(n string) bool { return slices.Contains(samba, n) }), " "))
					continue
				}
				lines = append(lines, p.entry(e))
			}
			sort.Strings(lines)
			for _, l := range lines {
				p.say("  %s: %s", name, l)
			}
		}
		if !end.more {
			return
		}
	}
}

func (p *adPlace) entry(e told) string {
	var parts []string
	for name, values := range e.attrs {
		var short []string
		for _, v := range values {
			short = append(short, p.shorten(v))
		}
		sort.Strings(short)
		switch name {
		case "objectguid":
			continue
		case "primarygroupid":
			if len(short) == 1 && short[0] != "513" {
				short = []string{"another"}
			}
		case "parentguid":
			if !strings.HasPrefix(short[0], "GUID of") {
				short = []string{"GUID of another"}
			}
		case "whencreated", "whenchanged", "objectsid", "pwdlastset":
			short = []string{"…"}
		}
		parts = append(parts, fmt.Sprintf("%s=%s", name, strings.Join(short, " | ")))
	}
	sort.Strings(parts)
	return p.shorten(e.dn) + " " + strings.Join(parts, " ; ")
}

// changed prints who has a higher USN than when it was last asked.
func (p *adPlace) changed() {
	root, _ := p.c.all(asking{scope: scopeBase, attrs: []string{"highestCommittedUSN"}})
	now, err := strconv.Atoi(root[0].attrs["highestcommittedusn"][0])
	if err != nil {
		p.t.Fatal(err)
	}
	found, end := p.c.all(asking{base: p.base, scope: scopeSub, filter: fmt.Sprintf("(&%s(uSNChanged>=%d))", storyFilter, p.usn+1), attrs: []string{"name"}, ctls: []ctl{{oid: oidShowDeleted}}})
	if end.code != 0 {
		p.t.Fatalf("%+v", end)
	}
	var names []string
	for _, e := range found {
		if e.dn != "" {
			names = append(names, p.shorten(e.dn))
		}
	}
	sort.Strings(names)
	if p.usn > 0 {
		for _, n := range names {
			p.say("  usn: %s", n)
		}
	}
	p.usn = now
}

// step is one line of the story and what who follows sees of it.
func (p *adPlace) step(name string, do ...func() int) {
	p.t.Helper()
	var codes []string
	for _, f := range do {
		codes = append(codes, strconv.Itoa(f()))
	}
	p.say("%s: %s", name, strings.Join(codes, " "))
	p.learn()
	p.dirSync("values", -flagIncrementalValues, append([]string{"name", "parentGUID"}, storyAttrs...)...)
	p.dirSync("whole", 0, storyAttrs...)
	p.dirSync("mail", 0, "mail")
	p.dirSync("any", 0)
	p.changed()
}

// show prints an entry as a search does.
func (p *adPlace) show(rdn string, attrs ...string) {
	p.t.Helper()
	found, end := p.c.all(asking{base: p.dn(rdn), scope: scopeBase, attrs: attrs})
	p.say("  show: code %d", end.code)
	for _, e := range found {
		p.say("  show: %s", p.entry(e))
	}
}

func (p *adPlace) user(rdn, container string) func() int {
	name := strings.TrimPrefix(rdn, "CN=")
	return func() int {
		return p.c.add(rdn+","+container, []string{"objectClass", "user"}, []string{"sAMAccountName", "story-" + name}, []string{"sn", name}, []string{"mail", name + "@lab.example"})
	}
}

func (p *adPlace) group(rdn string, members ...string) func() int {
	return func() int {
		attrs := [][]string{{"objectClass", "group"}, {"sAMAccountName", "story-" + strings.TrimPrefix(rdn, "CN=")}}
		if len(members) > 0 {
			attrs = append(attrs, append([]string{"member"}, members...))
		}
		return p.c.add(p.dn(rdn), attrs...)
	}
}

// tell runs the story. It is the same for every server; what it prints is the
// golden file.
func (p *adPlace) tell() string {
	p.names, p.cookies = map[string]string{}, map[string]string{}
	c := p.c
	people, other := p.dn("OU=people"), p.dn("OU=other")
	u1, u2, u3 := "CN=u1,"+people, "CN=u2,"+people, "CN=u3,"+people
	if code := c.add(storyOU+","+p.base, []string{"objectClass", "organizationalUnit"}); code != 0 {
		p.t.Fatal(code)
	}
	p.step("begin")
	ou := func(dn string) func() int {
		return func() int { return c.add(dn, []string{"objectClass", "organizationalUnit"}) }
	}
	change := func(dn string, op ChangeOp, attr string, values ...string) func() int {
		return func() int { return c.change(dn, op, attr, values...) }
	}
	p.step("containers", ou(people), ou(other))
	p.step("people", p.user("CN=u1", people), p.user("CN=u2", people), p.user("CN=u3", people))
	p.step("a login that is taken", func() int {
		return c.add("CN=u9,"+people, []string{"objectClass", "user"}, []string{"sAMAccountName", "STORY-U1"})
	})
	p.step("group", p.group("CN=g1", u1, u2))
	p.step("nested group", p.group("CN=g2", p.dn("CN=g1")))
	p.show("CN=u1,OU=people", "memberOf", "primaryGroupID", "userAccountControl", "objectClass", "accountExpires", "name", "distinguishedName", "instanceType")
	p.show("CN=g1", "memberOf", "member", "groupType", "objectClass")
	p.step("nothing")
	p.step("modify", change(u1, ReplaceValues, "sn", "One"))
	p.step("clear", change(u2, DeleteValues, "mail"))
	p.step("set again", change(u2, ReplaceValues, "mail", "two@lab.example"))
	p.step("an attribute nobody asked for", change(u1, ReplaceValues, "title", "Editor"))
	p.step("member in, member out", change(p.dn("CN=g1"), AddValues, "member", u3), change(p.dn("CN=g1"), DeleteValues, "member", u1))
	p.step("member twice", change(p.dn("CN=g1"), AddValues, "member", u3))
	p.step("no member", change(p.dn("CN=g1"), DeleteValues, "member", u1))
	p.step("nobody as member", change(p.dn("CN=g1"), AddValues, "member", "CN=nobody,"+people))
	p.step("member back", change(p.dn("CN=g1"), AddValues, "member", u1))
	p.step("in and out again", change(p.dn("CN=g1"), DeleteValues, "member", u1), change(p.dn("CN=g1"), AddValues, "member", u1))
	p.step("rename a member", func() int { return c.rename(u1, "CN=u1 new", "") })
	u1 = "CN=u1 new," + people
	p.show("CN=g1", "member")
	p.step("move a member", func() int { return c.rename(u1, "CN=u1 new", other) })
	u1 = "CN=u1 new," + other
	p.show("CN=g1", "member")
	p.step("rename a container", func() int { return c.rename(people, "OU=folk", "") })
	people = p.dn("OU=folk")
	u2, u3 = "CN=u2,"+people, "CN=u3,"+people
	p.show("CN=g1", "member")
	p.step("delete what has children", func() int { return c.delete(people) })
	p.step("delete a member", func() int { return c.delete(u3) })
	p.show("CN=g1", "member")
	p.step("same name again", p.user("CN=u3", people))
	p.step("delete a group", func() int { return c.delete(p.dn("CN=g1")) })
	p.show("CN=u1 new,OU=other", "memberOf")
	p.step("enable", change(u2, ReplaceValues, "userAccountControl", "544"))
	p.step("disable", change(u2, ReplaceValues, "userAccountControl", "546"))
	p.step("primary group of which they are no member", func() int {
		found, _ := c.all(asking{base: "CN=Domain Computers,CN=Users," + p.base, scope: scopeBase, attrs: []string{"primaryGroupToken"}})
		return c.change(u2, ReplaceValues, "primaryGroupID", found[0].attrs["primarygrouptoken"][0])
	})
	p.step("primary group", p.group("CN=g3", u2), func() int {
		found, _ := c.all(asking{base: p.dn("CN=g3"), scope: scopeBase, attrs: []string{"primaryGroupToken"}})
		code := c.change(u2, ReplaceValues, "primaryGroupID", found[0].attrs["primarygrouptoken"][0])
		return code
	})
	p.show("CN=g3", "member")
	p.ask(u2)
	return p.out.String()
}

// ask is what changes nothing: names, filters, controls, refusals.
func (p *adPlace) ask(u2 string) {
	c := p.c
	code := func(name string, q asking) {
		found, end := c.all(q)
		var dns []string
		for _, e := range found {
			if e.dn != "" {
				dns = append(dns, p.shorten(e.dn))
			}
		}
		sort.Strings(dns)
		p.say("%s: code %d, %s", name, end.code, strings.Join(dns, " | "))
	}
	found, _ := c.all(asking{base: u2, scope: scopeBase, attrs: []string{"objectGUID", "objectSid"}})
	guid, sid := found[0].attrs["objectguid"][0], found[0].attrs["objectsid"][0]
	code("by GUID", asking{base: "<GUID=" + fmt.Sprintf("%x", guid) + ">", scope: scopeBase, attrs: []string{"1.1"}})
	code("by GUID in text", asking{base: "<GUID=" + uuidOf(guid) + ">", scope: scopeBase, attrs: []string{"1.1"}})
	code("by SID", asking{base: "<SID=" + textSID(sid) + ">", scope: scopeBase, attrs: []string{"1.1"}})
	code("by no GUID", asking{base: "<GUID=" + uuidOf(strings.Repeat("x", 16)) + ">", scope: scopeBase, attrs: []string{"1.1"}})
	story := storyOU + "," + p.base
	for _, f := range []string{
		"(objectGUID=" + escapeOctets(guid) + ")", "(objectSid=" + escapeOctets(sid) + ")", "(objectSid=" + textSID(sid) + ")",
		"(objectCategory=person)", "(objectCategory=group)", "(&(objectCategory=person)(objectClass=user)(sAMAccountName=STORY-u2))",
		"(memberOf=" + p.dn("CN=g3") + ")", "(memberOf=*)", "(name=u2)", "(distinguishedName=" + u2 + ")", "(isDeleted=TRUE)", "(isDeleted=*)", "(nosuchattr=x)",
		"(&(objectClass=group)(!(objectClass=nosuchclass)))", "(&(objectClass=group)(!(nosuchattr=x)))", "(&(objectClass=group)(!(objectClass=dnsNode)))",
	} {
		code(p.shorten(strings.NewReplacer(textSID(sid), "SID", escapeOctets(sid), "SID", escapeOctets(guid), "GUID").Replace(f)), asking{base: story, scope: scopeSub, filter: f, attrs: []string{"1.1"}})
	}
	junk := []ctl{dirSyncControl(0, 1<<20, "junk")}
	code("junk cookie", asking{base: p.base, scope: scopeSub, ctls: junk})
	code("dirsync below the head", asking{base: story, scope: scopeSub, ctls: []ctl{dirSyncControl(0, 1<<20, "")}})
	code("dirsync below the head, secured", asking{base: story, scope: scopeSub, ctls: []ctl{dirSyncControl(1, 1<<20, "")}})
	if p.reader != nil {
		admin := p.c
		p.c, c = p.reader, p.reader
		code("dirsync as a reader", asking{base: p.base, scope: scopeSub, ctls: []ctl{dirSyncControl(0, 1<<20, "")}})
		found, end := c.all(asking{base: p.base, scope: scopeSub, filter: "(isDeleted=TRUE)", attrs: []string{"1.1"}, ctls: []ctl{{oid: oidShowDeleted}}})
		var dns []string
		for _, e := range found {
			if e.dn != "" {
				dns = append(dns, p.shorten(e.dn))
			}
		}
		p.say("deleted objects as a reader: code %d, %q", end.code, dns)
		p.c = admin
	}
}

func adHere(t *testing.T) (*Directory, *Server, string) {
	t.Helper()
	d := NewAs(ActiveDirectory, "DC=lab,DC=example")
	d.mustAdd("CN=reader,CN=Users,DC=lab,DC=example", map[string][]string{"objectClass": {"user"}, "userAccountControl": {"512"}, "userPassword": {"Passw0rd.1"}})
	s, err := d.Serve(context.Background(), Options{AdminDN: "CN=Administrator,CN=Users,DC=lab,DC=example", AdminPassword: "Passw0rd.1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return d, s, authority(t, s)
}

// authority writes the certificate of a server's authority.
func authority(t *testing.T, s *Server) string {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return ca
}

const storyAdmin = "CN=Administrator,CN=Users,DC=lab,DC=example"

// TestDomainStory: what a domain controller tells who follows it. The golden
// file is what Samba told (TestSambaTellsTheStory).
func TestDomainStory(t *testing.T) {
	_, s, ca := adHere(t)
	p := &adPlace{t: t, base: "DC=lab,DC=example", c: dialURL(t, s.TLSURL(), ca).mustBind(storyAdmin, "Passw0rd.1"),
		reader: dialURL(t, s.TLSURL(), ca).mustBind("reader@lab.example", "Passw0rd.1")}
	compareStory(t, "testdata/domain.golden", p.tell(), false)
}

func compareStory(t *testing.T, path, got string, write bool) {
	t.Helper()
	if write && *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	a, b := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Errorf("line %d:\n want %s\n  got %s", i+1, a[i], b[i])
			break
		}
	}
	if !slices.Equal(a, b) {
		t.Errorf("got\n%s", got)
	}
}
