package ldap_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/directory/sourcetest"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/servers"
)

// kept is a server on which changes can be followed, and how.
type kept struct {
	name    string
	start   func(testing.TB) *world
	changes string
	engine  string // that is chosen
	deletes bool
	gate    int // requests after bind when nothing changed
	// stale: who is in a container that was moved is shown under the old name until
	// the server forgets it: 389 DS with its referential integrity.
	stale bool
	// rewrites: it writes new names into groups, and is given the time for it.
	rewrites bool
}

func slapdWith(how servers.SlapdSync, overlays ...string) func(testing.TB) *world {
	return func(t testing.TB) *world {
		return slapdWorld(t, servers.SlapdConfig{Sync: how, Overlays: overlays, Debug: "stats"})
	}
}

// everyServer that is started here, with each engine that it offers.
func everyServer() []kept {
	return []kept{
		// It was loaded with what a provider had seen (slapadd -w): it is asked for that.
		{"slapd", slapdWith(servers.NoSync), "auto", "timestamp", false, 4, false, false},
		{"slapd, plain", slapdWith(servers.SyncPlain), "auto", "syncrepl", true, 3, false, false},
		{"slapd, session log", slapdWith(servers.SyncSessionLog), "auto", "syncrepl", true, 3, false, false},
		{"slapd, access log", slapdWith(servers.SyncAccessLog), "auto", "syncrepl", true, 3, false, false},
		{"slapd, access log and refint", slapdWith(servers.SyncAccessLog, "refint"), "auto", "syncrepl", true, 3, false, true},
		{"slapd, timestamp", slapdWith(servers.SyncSessionLog), "timestamp", "timestamp", false, 3, false, false},
		{"embedded", ldapdWorld, "timestamp", "timestamp", false, 3, false, false},
	}
}

func (k kept) open(t testing.TB, change func(*ldap.Config)) (*world, *ldap.Source) {
	w := k.start(t)
	return w, w.open(func(c *ldap.Config) {
		c.Changes = k.changes
		if !k.rewrites {
			c.Pause = hasty
		}
		if change != nil {
			change(c)
		}
	}, "sn", "employeeNumber", "title")
}

// Everything that happens in a directory, one after the other: after each step
// what was followed is what is there.
func TestScenario(t *testing.T) {
	for _, k := range everyServer() {
		t.Run(k.name, func(t *testing.T) { scenario(t, k) })
	}
}

func scenario(t *testing.T, k kept) {
	t.Parallel()
	w, s := k.open(t, nil)
	crowd := w.crowd(30, people)
	w.group("writers", crowd[:10]...)
	w.group("editors", crowd[5:8]...)
	w.group("everybody", "cn=writers,"+groups, "cn=editors,"+groups)
	sales, north := "ou=sales,"+people, "ou=north,ou=sales,"+people
	unit := func(dn string) {
		w.must(w.Add(dn, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {identity.MustDN(dn).RDN()[0].Value}}))
	}
	unit(sales)
	unit(north)
	seller := w.person("seller", sales)
	northerner := w.person("northerner", north)
	w.group("sellers", seller, northerner)
	m := mirrorOf(t, s)
	if m.cursor.Engine != k.engine || m.cursor.Deletes != k.deletes {
		t.Fatalf("the cursor is %+v", m.cursor)
	}
	step := func(name string, do func()) {
		t.Helper()
		do()
		f := m.must()
		if f.Nothing {
			t.Fatalf("%s: nothing changed", name)
		}
		if f.Sweep != "" || !k.deletes {
			m.sweep()
		}
		m.same()
		if t.Failed() {
			t.Fatalf("after: %s", name)
		}
	}
	still := func(name string) {
		t.Helper()
		if f := m.must(); !f.Nothing {
			t.Fatalf("%s: something changed: %v", name, m.told)
		}
	}
	still("before everything")
	step("add", func() { w.person("newcomer", people) })
	still("after an addition")
	step("modify", func() { w.must(w.Set(crowd[0], "title", "Content writer")) })
	step("modify again", func() { w.must(w.Set(crowd[0], "title", "Content manager")) })
	step("clear", func() { w.must(w.Set(crowd[0], "title")) })
	step("rename", func() { w.must(w.Move(crowd[1], "uid=renamed,"+people)) })
	step("move", func() { w.must(w.Move(crowd[2], "uid=writer0002,"+sales)) })
	step("move out of scope", func() { w.must(w.Move(crowd[3], "uid=writer0003,"+sourcetest.Elsewhere)) })
	step("move back in", func() { w.must(w.Move("uid=writer0003,"+sourcetest.Elsewhere, crowd[3])) })
	step("delete", func() { w.must(w.Delete(crowd[9])) })
	step("the same name again", func() { w.person("writer0009", people) })
	step("a new group", func() { w.group("readers", crowd[11], crowd[12]) })
	step("a member more", func() { w.must(w.Set("cn=readers,"+groups, "member", crowd[11], crowd[12], crowd[13])) })
	step("a member less", func() { w.must(w.Set("cn=readers,"+groups, "member", crowd[11], crowd[13])) })
	step("a group renamed", func() { w.must(w.Move("cn=editors,"+groups, "cn=correctors,"+groups)) })
	step("a group deleted", func() { w.must(w.Delete("cn=readers," + groups)) })
	step("a container renamed", func() { w.must(w.Move(sales, "ou=vending,"+people)) })
	step("a container moved", func() { w.must(w.Move("ou=north,ou=vending,"+people, "ou=north,"+people)) })
	step("a new container, and somebody in it", func() {
		unit("ou=press," + people)
		w.person("speaker", "ou=press,"+people)
	})
	step("that renamed", func() { w.must(w.Move("ou=press,"+people, "ou=news,"+people)) })
	if k.stale {
		return
	}
	step("a container moved out of scope", func() { w.must(w.Move("ou=news,"+people, "ou=news,"+sourcetest.Elsewhere)) })
	step("many at once", func() {
		for i, dn := range crowd[10:] {
			w.must(w.Set(dn, "title", fmt.Sprintf("number %d", i)))
		}
	})
	still("at the end")
}

// Nothing changed: a few requests, and nothing is opened.
func TestNothingChangedCostsFewRequests(t *testing.T) {
	for _, k := range everyServer() {
		t.Run(k.name, func(t *testing.T) {
			w, s := k.open(t, nil)
			if w.slapd == nil {
				return // it does not count
			}
			w.crowd(5, people)
			m := mirrorOf(t, s)
			count := requests(t, w)
			if f := m.must(); !f.Nothing {
				t.Fatalf("something changed: %v", m.told)
			}
			if n := count(); n > k.gate {
				t.Errorf("%d requests after bind", n)
			}
			// The next time on the same connection: nobody binds.
			binds := strings.Count(w.slapd.Log(), " BIND dn=")
			count = requests(t, w)
			if f := m.must(); !f.Nothing {
				t.Fatalf("something changed: %v", m.told)
			}
			if n := count(); n > k.gate || strings.Count(w.slapd.Log(), " BIND dn=") != binds {
				t.Errorf("%d requests the next time, or a bind", n)
			}
			// What changed since is seen over it, and a server that was restarted
			// meanwhile is connected to anew.
			w.must(w.Set("uid=writer0001,"+people, "title", "Content writer"))
			if f := m.must(); f.Nothing {
				t.Error("the change is not seen")
			}
			w.must(w.slapd.Restart())
			if f := m.must(); !f.Nothing {
				t.Errorf("after a restart: %v", m.told)
			}
		})
	}
}

// Where entryCSN is hidden, modifyTimestamp tells, in steps of a second.
func TestByModifyTimestamp(t *testing.T) {
	t.Parallel()
	k := everyServer()[0]
	w, s := k.open(t, nil)
	w.must(w.slapd.SetAccess(append([]string{`to attrs=entryCSN by dn.exact="` + sync + `" none by * break`}, w.slapd.DefaultAccess()...)...))
	crowd := w.crowd(3, people)
	m := mirrorOf(t, s)
	var place struct{ Engine []byte }
	w.must(json.Unmarshal(m.cursor.Token, &place))
	if !strings.Contains(string(place.Engine), "modifyTimestamp") {
		t.Fatalf("the token is %s", place.Engine)
	}
	for i, title := range []string{"Content writer", "Content manager"} {
		w.must(w.Set(crowd[i], "title", title))
		if f := m.must(); f.Nothing {
			t.Fatal("nothing changed")
		}
		m.same()
	}
	if f := m.must(); !f.Nothing {
		t.Errorf("something changed: %v", m.told)
	}
}

// A cursor that another has, or that is broken, is lost and not believed.
func TestForeignCursors(t *testing.T) {
	for _, k := range everyServer() {
		t.Run(k.name, func(t *testing.T) {
			w, s := k.open(t, nil)
			w.crowd(3, people)
			m := mirrorOf(t, s)
			good := m.cursor
			for name, spoil := range map[string]func(*directory.Cursor){
				"none":           func(c *directory.Cursor) { *c = directory.Cursor{} },
				"another engine": func(c *directory.Cursor) { c.Engine = "dirsync" },
				"another scope":  func(c *directory.Cursor) { c.Like += "x" },
				"garbage":        func(c *directory.Cursor) { c.Token = []byte("garbage") },
				"empty":          func(c *directory.Cursor) { c.Token = nil },
			} {
				m.cursor = good
				spoil(&m.cursor)
				_, err := m.follow(t.Context())
				if lost := (*directory.LostError)(nil); !errors.As(err, &lost) || lost.Why == "" {
					t.Errorf("%s: %v", name, err)
				}
			}
			other := w.open(func(c *ldap.Config) { c.Changes, c.People.Filter = k.changes, "(uid=*)" }, "sn", "employeeNumber", "title")
			m.cursor, m.source = good, other
			if _, err := m.follow(t.Context()); err == nil || !strings.Contains(err.Error(), "not what it was") {
				t.Errorf("another filter: %v", err)
			}
		})
	}
}

// Rights or a base that are lost while changes are followed are an error, and
// nobody left.
func TestRightsThatAreLostWhileFollowing(t *testing.T) {
	for _, k := range everyServer() {
		if strings.HasPrefix(k.name, "embedded") {
			continue // it has no access rules
		}
		t.Run(k.name, func(t *testing.T) {
			var canary string
			w, s := k.open(t, func(c *ldap.Config) { canary = "uid=canary," + people; c.Canaries = []string{canary} })
			crowd := w.crowd(3, people)
			w.person("canary", people)
			m := mirrorOf(t, s)
			denied := func(what string) {
				w.must(w.slapd.SetAccess(append([]string{what + ` by dn.exact="` + sync + `" none by * break`}, w.slapd.DefaultAccess()...)...))
			}
			denied(`to dn.children="` + people + `"`)
			w.must(w.Set(crowd[0], "title", "Content writer"))
			if f, err := m.follow(t.Context()); err == nil && !f.Facts().Nothing {
				t.Errorf("all below the base is hidden: %v", m.told)
			} else if err != nil && !errors.Is(err, ldap.ErrCanary) {
				t.Errorf("all below the base is hidden: %v", err)
			}
			if m.opened {
				t.Error("something was told")
			}
			w.must(w.slapd.SetAccess(w.slapd.DefaultAccess()...))
			m.must()
			m.same()
		})
	}
}

// A server offers content synchronisation, and the database that is read does not
// have it: what it was loaded with stays what it shows, and nobody is overlooked
// for that.
func TestAContextCSNThatStaysIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := slapdWorld(t, servers.SlapdConfig{Global: []string{"moduleload syncprov"}})
	w.crowd(3, people)
	m := mirrorOf(t, w.open(nil, "title"))
	if m.cursor.Engine != "timestamp" || len(m.known) == 0 {
		t.Fatalf("the engine is %q, the server shows %v", m.cursor.Engine, m.known)
	}
	for _, title := range []string{"Writer", "Editor"} {
		w.must(w.Set("uid=writer0001,"+people, "title", title))
		if f := m.must(); f.Nothing {
			t.Error("the change is not seen")
		}
		m.same()
	}
}

// A change that leaves no stamp, as a deletion of somebody who did not change
// lately, is looked for once; the next time the server has said that nothing came.
func TestAChangeThatLeavesNoStampIsLookedForOnce(t *testing.T) {
	t.Parallel()
	left := "cn=left," + suffix
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncPlain, Debug: "stats", LDIF: []io.Reader{strings.NewReader("dn: " + left +
		"\nobjectClass: device\ncn: left\nentryCSN: 20250101000000.000000Z#000000#001#000000\n")}})
	w.crowd(3, people)
	m := mirrorOf(t, w.open(func(c *ldap.Config) { c.Changes = "timestamp" }))
	w.must(w.Delete(left))
	if f := m.must(); f.Nothing || len(m.told) > 0 {
		t.Errorf("nothing %t, told %v", f.Nothing, m.told)
	}
	count := requests(t, w)
	if f := m.must(); !f.Nothing {
		t.Errorf("told: %v", m.told)
	}
	if n := count(); n > 3 {
		t.Errorf("%d requests after that", n)
	}
}

// requests counts what reaches slapd from now on, but for binding.
func requests(t testing.TB, w *world) func() int {
	t.Helper()
	asked := func() int {
		n := 0
		for line := range strings.Lines(w.slapd.Log()) {
			if strings.Contains(line, " SRCH base=") || strings.Contains(line, " EXT oid=") {
				n++
			}
		}
		return n
	}
	before := asked()
	return func() int { return asked() - before }
}

// What is neither person nor group costs a look-up for a hundred, however many
// changed.
func TestStrangersInABase(t *testing.T) {
	t.Parallel()
	w := slapdWith(servers.SyncSessionLog)(t)
	w.crowd(3, people)
	m := mirrorOf(t, w.open(nil))
	for i := range 60 {
		name := fmt.Sprintf("printer%d", i)
		w.must(w.Add("cn="+name+","+people, map[string][]string{"objectClass": {"device"}, "cn": {name}}))
	}
	count := requests(t, w)
	m.must()
	if len(m.told) != 0 {
		t.Errorf("told: %v", m.told)
	}
	if n := count(); n > 20 {
		t.Errorf("%d requests for 60 devices", n)
	}
}

// A preserved user of FreeIPA is gone, though the entry is there.
func TestPreservedByFreeIPA(t *testing.T) {
	t.Parallel()
	w := slapdWith(servers.NoSync)(t)
	crowd := w.crowd(3, people)
	container := func(dn string) {
		w.must(w.Add(dn, map[string][]string{"objectClass": {"organizationalRole"}, "cn": {identity.MustDN(dn).RDN()[0].Value}}))
	}
	kept := "cn=provisioning," + suffix
	container(kept)
	kept = "cn=accounts," + kept
	container(kept)
	kept = "cn=deleted users," + kept
	container(kept)
	m := mirrorOf(t, w.open(func(c *ldap.Config) { c.Server, c.IDAttribute = "389ds", "entryUUID" }))
	one := m.id(crowd[1])
	w.must(w.Move(crowd[1], "uid=writer0001,"+kept))
	if f := m.must(); f.Sweep != "" || !strings.Contains(m.gone[one], "preserved") {
		t.Errorf("sweep %q, gone %v, left %v", f.Sweep, m.gone, m.out)
	}
	m.same()
}
