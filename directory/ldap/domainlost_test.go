package ldap_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// lost follows and returns why the cursor does not hold.
func (m *mirror) lost() string {
	m.t.Helper()
	_, err := m.follow(m.t.Context())
	lost := (*directory.LostError)(nil)
	if !errors.As(err, &lost) {
		m.t.Fatalf("the cursor is not lost: %v", err)
	}
	if m.opened {
		m.t.Error("something was told though the cursor is lost")
	}
	return lost.Why
}

// engineToken changes the token of the engine in the cursor.
func (m *mirror) engineToken(change func([]byte) []byte) {
	m.t.Helper()
	var mark struct {
		Engine []byte `json:"engine"`
	}
	if err := json.Unmarshal(m.cursor.Token, &mark); err != nil {
		m.t.Fatal(err)
	}
	mark.Engine = change(mark.Engine)
	var err error
	if m.cursor.Token, err = json.Marshal(mark); err != nil {
		m.t.Fatal(err)
	}
}

// engineOf forces an engine.
func engineOf(name string) func(*ldap.Config) {
	return func(c *ldap.Config) { c.Changes = name }
}

// A domain controller that was restored as it should be has another invocation ID.
// As long as it does not say that it has seen what was known it is not believed.
func TestARestoredControllerIsNotBelieved(t *testing.T) {
	for _, engine := range []string{"dirsync", "usn"} {
		t.Run(engine, func(t *testing.T) {
			f := embedded(t, "sync", nil)
			f.person("Writer One", adPeople)
			m := mirrorOf(t, f.open(engineOf(engine)))
			f.ldapd.Reinvoke()
			_, err := m.follow(t.Context())
			if behind := (*directory.BehindError)(nil); !errors.As(err, &behind) || !strings.HasPrefix(behind.Place, "domain controller ") {
				t.Fatalf("a database that is another one: %v", err)
			}
			// Where somebody says that an older one is meant, everything is read.
			m.known = nil
			if why := m.lost(); !strings.Contains(why, "restored from a backup") {
				t.Errorf("lost, since %s", why)
			}
		})
	}
}

// One that was copied back has the same ID, and gives numbers a second time.
func TestAControllerThatWasCopiedBackIsNotBelieved(t *testing.T) {
	for _, engine := range []string{"dirsync", "usn"} {
		t.Run(engine, func(t *testing.T) {
			f := embedded(t, "sync", nil)
			before := f.ldapd.Copy()
			f.person("Writer One", adPeople)
			m := mirrorOf(t, f.open(engineOf(engine)))
			old := serveForest(t, before, "sync", connected)
			m.source = old.open(engineOf(engine))
			_, err := m.follow(t.Context())
			if behind := (*directory.BehindError)(nil); !errors.As(err, &behind) {
				t.Fatalf("an older copy: %v", err)
			}
			m.known = nil
			if why := m.lost(); !strings.Contains(why, "gone back") {
				t.Errorf("lost, since %s", why)
			}
		})
	}
}

func TestTokensThatAreNone(t *testing.T) {
	for _, engine := range []string{"dirsync", "usn"} {
		for _, token := range []string{"", "{}", "null", "MSDS", `{"invocation":"11111111-2222-3333-4444-555555555555","usn":1,"cookie":"AAAA"}`} {
			f := embedded(t, "sync", nil)
			m := mirrorOf(t, f.open(engineOf(engine)))
			m.engineToken(func([]byte) []byte { return []byte(token) })
			m.lost()
		}
	}
}

// A cookie that the server does not take leads to everything being read.
func TestACookieThatIsRefused(t *testing.T) {
	f := embedded(t, "sync", nil)
	one := f.person("Writer One", adPeople)
	m := mirrorOf(t, f.open(engineOf("dirsync")))
	f.set(one, "mail", "other@lab.example")
	m.engineToken(func(token []byte) []byte {
		return []byte(strings.Replace(string(token), `"cookie":"TV`, `"cookie":"AA`, 1))
	})
	if why := m.lost(); !strings.Contains(why, "cookie") {
		t.Errorf("lost, since %s", why)
	}
}

// Rights that go: what was followed cannot be any more, and nobody is thought to be
// there for that.
func TestRightsToFollowAreTaken(t *testing.T) {
	t.Run("to ask for changes", func(t *testing.T) {
		f := embedded(t, "sync", nil)
		one := f.person("Writer One", adPeople)
		m := mirrorOf(t, f.open(nil))
		f.ldapd.AD.Replicators = nil
		f.set(one, "mail", "other@lab.example")
		m.lost()
		m.read()
		if m.cursor.Engine != "usn" {
			t.Errorf("followed by %q then", m.cursor.Engine)
		}
	})
	t.Run("to see who was deleted", func(t *testing.T) {
		f := embedded(t, "deleted", nil)
		one, two := f.person("Writer One", adPeople), f.person("Writer Two", adPeople)
		f.delete(f.person("Gone Before", adLeft))
		m := mirrorOf(t, f.open(nil))
		if !m.cursor.Deletes {
			t.Fatal("deletions are not told at first")
		}
		f.delete(two)
		if facts := m.must(); facts.Sweep != "" || !facts.Cursor.Deletes {
			t.Errorf("with the right: sweep %q, deletes %t", facts.Sweep, facts.Cursor.Deletes)
		}
		f.ldapd.AD.DeletedReaders = nil
		f.delete(one)
		if facts := m.must(); facts.Sweep == "" || facts.Cursor.Deletes {
			t.Errorf("without the right: sweep %q, deletes %t", facts.Sweep, facts.Cursor.Deletes)
		}
		m.sweep()
		m.living = true
		m.same()
		// The right comes back.
		f.ldapd.AD.DeletedReaders = []string{"CN=deleted," + adUsers}
		f.delete(f.person("Writer Three", adPeople))
		if facts := m.must(); !facts.Cursor.Deletes {
			t.Error("with the right again, deletions are not told")
		}
	})
}

// An entry that is restored from the recycle bin has its memberships again, without
// a change of the groups.
func TestRestoredFromTheRecycleBin(t *testing.T) {
	for _, c := range followers {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f := embedded(t, c.user, func(d *ldapd.Directory) { d.AD.RecycleBin = true })
			one, two := f.person("Writer One", adPeople), f.person("Writer Two", adPeople)
			writers := f.group("Writers", one, two)
			f.group("Staff", writers)
			f.delete(f.person("Gone Before", adLeft))
			id := f.ldapd.GUID(one)
			m := mirrorOf(t, f.open(nil))
			f.delete(one)
			m.must()
			if c.user == "reader" {
				m.living = true
				m.sweep()
			}
			m.same()
			f.must(f.ldapd.Undelete(id, one))
			m.must()
			m.same()
			f.delete(one)
			m.must()
			f.must(f.ldapd.Recycle(id))
			m.must()
			if c.user == "reader" {
				m.sweep()
			}
			m.same()
		})
	}
}

// Nothing changed: at most three requests after the bind, and nothing is opened.
func TestNothingChangedInADomain(t *testing.T) {
	for _, c := range followers {
		t.Run(c.engine+" as "+c.user, func(t *testing.T) {
			f := embedded(t, c.user, nil)
			f.person("Writer One", adPeople)
			f.delete(f.person("Gone Before", adLeft))
			m := mirrorOf(t, f.open(nil))
			f.server.Faults().ResetCounts()
			if facts := m.must(); !facts.Nothing || m.opened {
				t.Errorf("nothing %t, opened %t", facts.Nothing, m.opened)
			}
			if n := f.server.Faults().Count(ldapd.OpSearch) + f.server.Faults().Count(ldapd.OpExtended); n > 3 {
				t.Errorf("%d requests after the bind", n)
			}
		})
	}
}

// One controller that has not got all of the domain is left for the next.
func TestAControllerThatIsBeingMade(t *testing.T) {
	f := embedded(t, "sync", nil)
	f.ldapd.AD.Unsynchronized = true
	_, err := f.open(nil).Read(t.Context(), (*listed)(&mirror{t: t}))
	if err == nil || !strings.Contains(err.Error(), "isSynchronized") {
		t.Fatalf("read: %v", err)
	}
}

// A child domain below a base lives on another server: a listing without it would
// be one of a part.
func TestAChildDomainIsNotLeftOut(t *testing.T) {
	f := embedded(t, "reader", nil)
	f.must(f.ldapd.Add("DC=branch,OU=People,"+adBase, map[string][]string{"objectClass": {"referral"}, "ref": {"ldap://branch.lab.example/DC=branch,OU=People," + adBase}}))
	_, err := f.open(nil).Read(t.Context(), (*listed)(&mirror{t: t}))
	if !errors.Is(err, ldapwire.ErrReferral) {
		t.Fatalf("read: %v", err)
	}
}
