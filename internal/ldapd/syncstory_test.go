package ldapd

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/servers"
)

const syncFixture = `dn: dc=lab,dc=example
objectClass: dcObject
objectClass: organization
dc: lab
o: Lab

dn: ou=people,dc=lab,dc=example
objectClass: organizationalUnit
ou: people

dn: ou=other,dc=lab,dc=example
objectClass: organizationalUnit
ou: other

`

// syncPlace is a sync provider that is driven over the wire.
type syncPlace struct {
	t       *testing.T
	dial    func() *client
	c       *client
	restart func()
	names   map[string]string
	cookies map[string]string
	out     strings.Builder
	native  bool // 389-ds
}

func (p *syncPlace) say(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

func (p *syncPlace) learn() {
	attr := "entryUUID"
	if p.native {
		attr = "nsUniqueId"
	}
	found, end := p.c.all(asking{base: lab, scope: scopeSub, attrs: []string{attr}})
	if end.code != 0 {
		p.t.Fatalf("%+v", end)
	}
	for _, e := range found {
		id := uuidOctets(e.attrs[strings.ToLower(attr)][0])
		if rdn, _, _ := strings.Cut(e.dn, ","); p.names[id] == "" {
			p.names[id] = rdn
		}
	}
}

// The searches of the story, each with a cookie of its own.
var syncSearches = map[string]asking{
	"all":   {base: lab, scope: scopeSub, attrs: []string{"uid", "sn", "member"}},
	"staff": {base: "ou=people," + lab, scope: scopeSub, filter: "(employeeType=staff)", attrs: []string{"uid", "sn"}},
	"one":   {base: "ou=people," + lab, scope: scopeOne, filter: "(objectClass=inetOrgPerson)", attrs: []string{"1.1"}},
}

func (p *syncPlace) poll(name string) {
	p.t.Helper()
	q := syncSearches[name]
	q.ctls = []ctl{syncControl(modeRefreshOnly, p.cookies[name])}
	found, end := p.c.all(q)
	var lines []string
	for _, m := range found {
		lines = append(lines, p.line(m))
	}
	sort.Strings(lines)
	for _, l := range lines {
		p.say("  %s: %s", name, l)
	}
	cookie := "the same cookie"
	switch {
	case end.cookie == "":
		cookie = "no cookie"
	case end.cookie != p.cookies[name]:
		cookie = "a cookie"
	}
	p.say("  %s: done code %d, refreshDeletes %v, %s, control %v", name, end.code, end.deletes, cookie, end.control == oidSyncDone)
	if end.cookie != "" {
		p.cookies[name] = end.cookie
	}
}

func (p *syncPlace) line(m told) string {
	if m.info != 0 {
		var names []string
		for _, id := range m.ids {
			name := p.names[id]
			if name == "" {
				name = "a stranger"
			}
			names = append(names, name)
		}
		sort.Strings(names)
		cookie := ""
		if m.cookie != "" {
			cookie = " cookie"
		}
		if strings.Contains(m.cookie, "delcsn=") {
			cookie += " with delcsn"
		}
		return fmt.Sprintf("info %x deletes=%v%s %s", m.info&0xf, m.deletes, cookie, strings.Join(names, " "))
	}
	var attrs []string
	for _, n := range slices.Sorted(maps.Keys(m.attrs)) {
		attrs = append(attrs, n+"="+strings.Join(m.attrs[n], "|"))
	}
	if p.native {
		attrs = []string{fmt.Sprint(len(m.attrs) > 1)}
	}
	name := p.names[m.id]
	if name == "" {
		name = "a stranger"
	}
	cookie := ""
	if m.ctl != "" {
		cookie = " cookie"
	}
	return fmt.Sprintf("entry state %d %s, %s%s: %s", m.state, name, m.dn, cookie, strings.Join(attrs, " "))
}

func (p *syncPlace) step(name string, do ...func() int) {
	p.t.Helper()
	var codes []string
	for _, f := range do {
		codes = append(codes, fmt.Sprint(f()))
	}
	p.learn()
	p.say("%s: %s", name, strings.Join(codes, " "))
	for _, s := range slices.Sorted(maps.Keys(syncSearches)) {
		p.poll(s)
	}
}

func (p *syncPlace) person(uid, container, kind string) func() int {
	return func() int {
		return p.c.add("uid="+uid+","+container, []string{"objectClass", "inetOrgPerson"}, []string{"uid", uid}, []string{"cn", uid}, []string{"sn", uid}, []string{"employeeType", kind})
	}
}

// tell is the same for every provider.
func (p *syncPlace) tell() string {
	p.names, p.cookies = map[string]string{}, map[string]string{}
	p.c = p.dial()
	c := p.c
	people, other, group := "ou=people,"+lab, "ou=other,"+lab, "cn=g,"+lab
	dn := func(uid string) string { return "uid=" + uid + "," + people }
	change := func(dn, attr string, values ...string) func() int {
		return func() int { return c.change(dn, ReplaceValues, attr, values...) }
	}
	var crowd []func() int
	for i := range 6 {
		crowd = append(crowd, p.person(fmt.Sprintf("p%d", i), people, "staff"))
	}
	p.step("crowd", crowd...)
	p.step("nothing")
	p.step("add", p.person("new", people, "guest"))
	p.step("modify", change(dn("p0"), "sn", "Zero"))
	p.step("modify outside", change(other, "description", "x"))
	p.step("group", func() int { return c.add(group, []string{"objectClass", "groupOfNames"}, []string{"member", dn("p0")}) })
	p.step("member", func() int { return c.change(group, AddValues, "member", dn("p1")) })
	p.step("leave the filter", change(dn("p1"), "employeeType", "former"))
	p.step("enter the filter", change(dn("p1"), "employeeType", "staff"))
	p.step("rename", func() int { return c.rename(dn("p2"), "uid=two", "") })
	p.step("move out", func() int { return c.rename(dn("p3"), "uid=p3", other) })
	p.step("move in", func() int { return c.rename("uid=p3,"+other, "uid=p3", people) })
	p.step("delete", func() int { return c.delete(dn("p4")) })
	p.step("same name again", p.person("p4", people, "staff"))
	p.step("modify and delete", change(dn("p5"), "sn", "x"), func() int { return c.delete(dn("p5")) })
	p.step("add and delete", p.person("brief", people, "staff"), func() int { return c.delete(dn("brief")) })
	p.step("rename a container", func() int { return c.rename(other, "ou=others", "") })
	var many []func() int
	for i := range 5 {
		many = append(many, p.person(fmt.Sprintf("m%d", i), people, "staff"))
	}
	p.step("many", many...)
	many = nil
	for i := range 5 {
		many = append(many, func() int { return c.delete(dn(fmt.Sprintf("m%d", i))) })
	}
	p.step("many deleted", many...)
	if p.restart != nil {
		p.say("delete, restart: %d", c.delete(dn("p4")))
		p.restart()
		p.c = p.dial()
		c = p.c
		p.step("after the restart")
		p.step("delete after the restart", func() int { return c.delete(dn("p3")) })
	}
	p.persist()
	p.strange()
	return p.out.String()
}

// persist follows what happens while a search stays open.
func (p *syncPlace) persist() {
	listener := p.dial()
	q := syncSearches["staff"]
	q.ctls = []ctl{syncControl(modeRefreshAndPersist, p.cookies["staff"])}
	listener.begin(q)
	next := func() {
		p.t.Helper()
		if p.native {
			listener.conn.SetReadDeadline(time.Now().Add(time.Second)) //nolint:errcheck // it can
		}
		m, end, err := listener.next()
		if p.native && errors.Is(err, os.ErrDeadlineExceeded) {
			p.say("  nothing")
			return
		}
		if err != nil || end != nil {
			p.t.Fatalf("%+v, %v", end, err)
		}
		p.say("  %s", p.line(m))
	}
	p.say("persist")
	next()
	c, people := p.c, "ou=people,"+lab
	for _, x := range []struct {
		name string
		do   func() int
	}{
		{"modify", func() int { return c.change("uid=p0,"+people, ReplaceValues, "sn", "live") }},
		{"leave", func() int { return c.change("uid=p0,"+people, ReplaceValues, "employeeType", "former") }},
		{"enter", func() int { return c.change("uid=p0,"+people, ReplaceValues, "employeeType", "staff") }},
		{"add", p.person("live", people, "staff")},
		{"rename", func() int { return c.rename("uid=live,"+people, "uid=lively", "") }},
		{"delete", func() int { return c.delete("uid=lively," + people) }},
	} {
		p.say("%s: %d", x.name, x.do())
		p.learn()
		next()
	}
}

// strange are cookies that the provider did not give.
func (p *syncPlace) strange() {
	good := p.cookies["all"]
	for _, x := range [][2]string{
		{"garbage", "garbage"}, {"old", "rid=000,sid=001,csn=20200101000000.000000Z#000000#001#000000"},
		{"of another server", "rid=000,sid=001,csn=20200101000000.000000Z#000000#0ab#000000"},
		{"from the future", "rid=000,sid=001,csn=29990101000000.000000Z#000000#001#000000"},
		{"of another search", ""},
	} {
		if x[0] == "of another search" {
			x[1] = p.cookies["one"]
		}
		if p.native && x[0] == "from the future" {
			x[1] = good[:strings.LastIndex(good, "#")] + "#999999"
		}
		p.say("cookie %s", x[0])
		p.cookies["all"] = x[1]
		p.poll("all")
	}
	p.cookies["all"] = good
}

// TestSlapdTellsTheSame: our sync provider and slapd's give the same answers,
// in each of its set-ups.
func TestSlapdTellsTheSame(t *testing.T) {
	for _, x := range []struct {
		mode servers.SlapdSync
		log  int
	}{{servers.SyncPlain, 0}, {servers.SyncSessionLog, 1000}, {servers.SyncSessionLog, 3}, {servers.SyncAccessLog, -1}} {
		t.Run(fmt.Sprintf("%s %d", x.mode, x.log), func(t *testing.T) {
			real := servers.StartSlapd(t, servers.SlapdConfig{Suffix: lab, Users: []servers.User{}, Sync: x.mode, SessionLog: max(x.log, 0), LDIF: []io.Reader{strings.NewReader(syncFixture)}})
			theirs := &syncPlace{t: t, dial: func() *client { return dialURL(t, real.URL(), "").mustBind(real.AdminDN, real.AdminPassword) },
				restart: func() {
					if err := real.Restart(); err != nil {
						t.Fatal(err)
					}
				}}
			d := NewAs(OpenLDAP, lab)
			d.SessionLog = x.log
			if err := d.Load(strings.NewReader(syncFixture)); err != nil {
				t.Fatal(err)
			}
			s := serve(t, d, Options{})
			ours := &syncPlace{t: t, dial: func() *client { return asAdmin(t, s) }, restart: func() {
				if x.mode != servers.SyncAccessLog {
					d.Forget()
				}
				s.DropAll()
			}}
			compareText(t, theirs.tell(), ours.tell())
		})
	}
}

// compareText shows the lines in which two texts differ, below the step to
// which they belong.
func compareText(t *testing.T, want, got string) {
	t.Helper()
	if got == want {
		return
	}
	group := func(s string) (order []string, of map[string][]string) {
		of = map[string][]string{}
		at := ""
		for _, l := range strings.Split(s, "\n") {
			if !strings.HasPrefix(l, "  ") {
				at = fmt.Sprintf("%d %s", len(order), l)
				order = append(order, at)
				continue
			}
			of[at] = append(of[at], l)
		}
		return order, of
	}
	order, wants := group(want)
	_, gots := group(got)
	shown := 0
	for _, step := range order {
		if !slices.Equal(wants[step], gots[step]) && shown < 6 {
			shown++
			t.Errorf("%s\n want\n%s\n got\n%s", step, strings.Join(wants[step], "\n"), strings.Join(gots[step], "\n"))
		}
	}
	if shown == 0 {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}
