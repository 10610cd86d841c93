package ldap_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/servers"
)

// setUps are slapd's three ways to tell changes.
var setUps = []servers.SlapdSync{servers.SyncPlain, servers.SyncSessionLog, servers.SyncAccessLog}

func eachSetUp(t *testing.T, do func(t *testing.T, how servers.SlapdSync)) {
	for _, how := range setUps {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			do(t, how)
		})
	}
}

// syncWorld is a slapd with a crowd and a mirror of it.
func syncWorld(t *testing.T, cfg servers.SlapdConfig, n int) (*world, *mirror, []string) {
	t.Helper()
	w := slapdWorld(t, cfg)
	crowd := w.crowd(n, people)
	m := mirrorOf(t, w.open(nil, "sn", "title"))
	if m.cursor.Engine != "syncrepl" {
		t.Fatalf("the engine is %q", m.cursor.Engine)
	}
	return w, m, crowd
}

// A deletion is told by the delete phase where there is a log of it, and else found
// by a sweep. Nobody is gone because of silence.
func TestWhatProvesADeletion(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w, m, crowd := syncWorld(t, servers.SlapdConfig{Sync: how}, 10)
		one := m.id(crowd[3])
		w.must(w.Delete(crowd[3]))
		f := m.must()
		switch {
		case how == servers.SyncPlain:
			if f.Sweep == "" || len(m.gone) != 0 {
				t.Errorf("a sweep is needed because: %q; gone: %v", f.Sweep, m.gone)
			}
		case f.Sweep != "" || !strings.Contains(m.gone[one], "delete phase"):
			t.Errorf("a sweep is needed because: %q; gone: %v", f.Sweep, m.gone)
		}
	})
}

// What happened while the log was lost, or is longer than the log, is found.
func TestTheLogIsLost(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w, m, crowd := syncWorld(t, servers.SlapdConfig{Sync: how, SessionLog: 20}, 80)
		w.must(w.Delete(crowd[0]))
		w.must(w.Set(crowd[1], "title", "Content writer"))
		w.must(w.slapd.Restart())
		w.redial()
		if f := m.must(); f.Sweep != "" {
			m.sweep()
		} else if how != servers.SyncAccessLog {
			t.Error("who is gone is known after a restart, and no sweep is needed")
		}
		m.same()
		for i, dn := range crowd[2:] {
			if i%2 == 0 {
				w.must(w.Delete(dn))
			} else {
				w.must(w.Set(dn, "title", "Content manager"))
			}
		}
		if f := m.must(); f.Sweep != "" {
			m.sweep()
		}
		m.same()
	})
}

// A container is hidden from us, and everybody in it is changed after that: slapd
// calls them deleted, and they are not.
func TestWhoIsHiddenIsNotGone(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w := slapdWorld(t, servers.SlapdConfig{Sync: how})
		sales := "ou=sales," + people
		w.must(w.Add(sales, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"sales"}}))
		crowd := w.crowd(6, sales)
		w.person("canary", people)
		m := mirrorOf(t, w.open(nil, "sn", "title"))
		for _, hidden := range []string{`to dn.subtree="` + sales + `"`, `to dn.children="` + sales + `"`} {
			w.must(w.slapd.SetAccess(append([]string{hidden + ` by dn.exact="` + sync + `" none by * break`}, w.slapd.DefaultAccess()...)...))
			for i, dn := range crowd {
				w.must(w.Set(dn, "title", fmt.Sprintf("%s %d", hidden[:14], i)))
			}
			f := m.must()
			if len(m.gone) != 0 || len(m.out) != 0 {
				t.Fatalf("%s: gone %v, left %v", hidden, m.gone, m.out)
			}
			if f.Sweep == "" {
				t.Errorf("%s: they are not seen any more, and nobody looks", hidden)
			}
			w.must(w.slapd.SetAccess(w.slapd.DefaultAccess()...))
			m.read()
		}
	})
}

// A cookie of another life of the server: everybody is told again, or the cursor is
// lost. Nobody is gone by that.
func TestStaleCookies(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w, m, crowd := syncWorld(t, servers.SlapdConfig{Sync: how}, 10)
		good := m.cursor
		w.must(w.Set(crowd[1], "title", "Content writer"))
		for name, cookie := range map[string]string{
			"of long ago":    "rid=000,csn=20200101000000.000000Z#000000#001#000000",
			"of the future":  "rid=000,csn=20991231235959.000000Z#000000#001#000000",
			"of a stranger":  "rid=000,csn=20200101000000.000000Z#000000#0ff#000000",
			"without a time": "rid=000,sid=001",
			"of 389 DS":      "localhost:3990#cn=directory manager:dc=lab,dc=example:(objectClass=*)#379",
			"empty":          "",
		} {
			m.cursor = withCookie(t, good, cookie)
			m.must()
			if len(m.gone) != 0 || len(m.out) != 0 {
				t.Fatalf("%s: gone %v, left %v", name, m.gone, m.out)
			}
			m.same()
			if after := cookieIn(t, m.cursor); !strings.Contains(after, "#001#") || strings.Contains(after, "2099") {
				t.Errorf("%s: the cookie after it is %q", name, after)
			}
		}
	})
}

// A server that was restored from a backup has seen less, and is not believed;
// one that was rebuilt with new IDs has no news of those whom it replaces.
func TestAServerThatWasRestoredOrRebuilt(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w, m, crowd := syncWorld(t, servers.SlapdConfig{Sync: how}, 10)
		backup, err := w.slapd.Backup()
		w.must(err)
		w.redial()
		w.must(w.Set(crowd[1], "title", "Content writer"))
		m.must()
		m.same()
		w.must(w.slapd.Restore(backup))
		w.redial()
		_, err = m.follow(t.Context())
		if behind := (*directory.BehindError)(nil); !errors.As(err, &behind) || m.opened {
			t.Fatalf("restored: %v", err)
		}
		m.read()
		w.must(w.slapd.Rebuild(false))
		w.redial()
		f := m.must()
		if len(m.gone) != 0 || len(m.out) != 0 {
			t.Errorf("rebuilt: gone %v, left %v", m.gone, m.out)
		}
		if f.Sweep == "" && !slices.Contains(m.told, "lost") {
			t.Errorf("rebuilt: nobody looks for those who were there: %v", m.told)
		}
	})
}

// Another server that has seen as much goes on from the same cookie; one that is
// behind does not.
func TestFailOverWhileFollowing(t *testing.T) {
	t.Parallel()
	first := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncSessionLog})
	crowd := first.crowd(10, people)
	second := servers.StartSlapd(t, servers.SlapdConfig{Sync: servers.SyncSessionLog, ServerID: 2, Replica: true})
	first.must(second.FollowChanges(first.slapd))
	first.must(second.CaughtUp(first.slapd))
	ca := both(t, first.slapd.CACert, second.CACert)
	s := first.open(func(c *ldap.Config) { c.URLs, c.CAFile = []string{first.slapd.TLSURL(), second.TLSURL()}, ca }, "sn", "title")
	m := mirrorOf(t, s)
	first.must(first.Set(crowd[1], "title", "Content writer"))
	first.must(second.CaughtUp(first.slapd))
	first.must(first.slapd.Stop())
	if f := m.must(); f.Server != strings.ToLower(second.TLSURL()) || f.Nothing {
		t.Fatalf("followed on %s: %v", f.Server, m.told)
	}
	m.same()
	first.must(first.slapd.Start())
	first.redial()
	first.must(second.StopFollowing())
	first.must(first.Set(crowd[2], "title", "Content manager"))
	m.must()
	first.must(first.slapd.Stop())
	_, err := m.follow(t.Context())
	if behind := (*directory.BehindError)(nil); !errors.As(err, &behind) {
		t.Errorf("a replica that is behind: %v", err)
	}
}

// Two thousand changes at once, and one too many to be followed.
func TestManyChangesAtOnce(t *testing.T) {
	t.Parallel()
	w, m, crowd := syncWorld(t, servers.SlapdConfig{Sync: servers.SyncSessionLog}, 2000)
	for _, dn := range crowd {
		w.must(w.Set(dn, "title", "Content writer"))
	}
	if f := m.must(); f.Sweep != "" || len(m.told) != 2000 {
		t.Errorf("%d were told, sweep %q", len(m.told), f.Sweep)
	}
	m.same()
}

// withCookie puts a cookie into each root of a cursor.
func withCookie(t *testing.T, c directory.Cursor, cookie string) directory.Cursor {
	t.Helper()
	place, engine := openCursor(t, c)
	for _, r := range engine["roots"].([]any) {
		r.(map[string]any)["cookie"] = cookie
	}
	raw, err := json.Marshal(engine)
	if err != nil {
		t.Fatal(err)
	}
	place["engine"] = raw
	if c.Token, err = json.Marshal(place); err != nil {
		t.Fatal(err)
	}
	return c
}

func cookieIn(t *testing.T, c directory.Cursor) string {
	t.Helper()
	_, engine := openCursor(t, c)
	return engine["roots"].([]any)[0].(map[string]any)["cookie"].(string)
}

func openCursor(t *testing.T, c directory.Cursor) (place, engine map[string]any) {
	t.Helper()
	var token struct {
		Engine []byte `json:"engine"`
	}
	if err := errors.Join(json.Unmarshal(c.Token, &token), json.Unmarshal(token.Engine, &engine), json.Unmarshal(c.Token, &place)); err != nil {
		t.Fatal(err)
	}
	return place, engine
}

// Containers that were there when everything was read: whoever is below them is
// renamed with them, whatever they are; a person may be one.
func TestContainersOfAListing(t *testing.T) {
	t.Parallel()
	w := slapdWorld(t, servers.SlapdConfig{Sync: servers.SyncSessionLog})
	sales, deep := "ou=sales,"+people, "cn=deep,ou=sales,"+people
	w.must(w.Add(sales, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"sales"}}))
	w.must(w.Add(deep, map[string][]string{"objectClass": {"organizationalRole"}, "cn": {"deep"}}))
	w.person("seller", sales)
	w.person("diver", deep)
	boss := w.person("boss", people)
	w.group("all", w.person("assistant", boss))
	m := mirrorOf(t, w.open(nil, "sn", "title"))
	for _, move := range [][2]string{{deep, "cn=deeper," + sales}, {sales, "ou=vending," + people}, {boss, "uid=chief," + people}, {"uid=chief," + people, boss}} {
		w.must(w.Move(move[0], move[1]))
		m.must()
		m.same()
	}
}

// The right to search by entryCSN is lost: slapd would tell of nothing, without a
// word.
func TestTheRightToSearchIsLost(t *testing.T) {
	eachSetUp(t, func(t *testing.T, how servers.SlapdSync) {
		w, m, crowd := syncWorld(t, servers.SlapdConfig{Sync: how}, 5)
		w.must(w.slapd.SetAccess(append([]string{`to attrs=entryCSN by dn.exact="` + sync + `" none by * break`}, w.slapd.DefaultAccess()...)...))
		w.must(w.Set(crowd[1], "title", "Content writer"))
		if _, err := m.follow(t.Context()); !errors.As(err, new(*directory.LostError)) || m.opened {
			t.Fatalf("following goes on: %v", err)
		}
		m.read()
		if m.cursor.Engine != "timestamp" {
			t.Errorf("followed by %q", m.cursor.Engine)
		}
	})
}
