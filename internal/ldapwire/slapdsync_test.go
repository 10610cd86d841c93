package ldapwire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
)

// refreshed is what a refresh said: names by state, IDs by what was said.
type refreshed struct {
	added         map[SyncID]string
	gone, present map[SyncID]bool
	done          SyncDone
}

func refresh(t *testing.T, c *Conn, cookie []byte) refreshed {
	t.Helper()
	out := refreshed{added: map[SyncID]string{}, gone: map[SyncID]bool{}, present: map[SyncID]bool{}}
	var err error
	out.done, err = c.Sync(t.Context(), Request{Base: "ou=people,dc=lab,dc=example", Scope: ScopeSubtree, Attributes: []string{"uid", "entryUUID"}},
		SyncRequest{Cookie: cookie}, func(m SyncMessage) error {
			switch m := m.(type) {
			case *SyncEntry:
				out.added[m.ID] = string(m.Entry.DN)
				// The ID of the stream is the entryUUID.
				if uuid := m.Entry.First("entryuuid"); strings.ReplaceAll(uuid, "-", "") != fmt.Sprintf("%x", m.ID) || m.State != SyncAdd {
					t.Errorf("%v %x of %q with the entryUUID %s", m.State, m.ID, m.Entry.DN, uuid)
				}
			case *SyncIDs:
				set := out.present
				if m.Gone {
					set = out.gone
				}
				for _, id := range m.IDs {
					set[id] = true
				}
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A refresh against slapd in each of its set-ups: with a session log it names
// what is gone, without one what is not. Both readers see the same.
func TestSlapdSync(t *testing.T) {
	for _, setup := range []struct {
		name    string
		overlay []string
		deletes bool
	}{
		{"plain", []string{"overlay syncprov", "syncprov-checkpoint 100 5"}, false},
		{"session log", []string{"overlay syncprov", "syncprov-checkpoint 100 5", "syncprov-sessionlog 1000"}, true},
	} {
		t.Run(setup.name, func(t *testing.T) {
			s := servers.StartSlapd(t, servers.SlapdConfig{LDIF: []io.Reader{people(300)}, Global: []string{"moduleload syncprov"}, Overlay: setup.overlay,
				Users: []servers.User{{DN: "cn=sync,dc=lab,dc=example", Password: "sync", Limits: "size=unlimited time=unlimited", Access: "write"}}})
			var conns []*Conn
			for _, r := range readers {
				cfg := syncConfig(s)
				cfg.Reader = r.kind
				conns = append(conns, dial(t, cfg))
			}
			both := func(cookie []byte) refreshed {
				t.Helper()
				a, b := refresh(t, conns[0], cookie), refresh(t, conns[1], cookie)
				if fmt.Sprint(a.added, a.gone, a.present) != fmt.Sprint(b.added, b.gone, b.present) || !bytes.Equal(a.done.Cookie, b.done.Cookie) || a.done.RefreshDeletes != b.done.RefreshDeletes {
					t.Errorf("the readers differ:\n%v\n%v", a, b)
				}
				return a
			}
			first := both(nil)
			if len(first.added) != 302 || !bytes.Contains(first.done.Cookie, []byte("csn=")) || first.done.Entries != 302 {
				t.Fatalf("%d entries, %+v", len(first.added), first.done)
			}
			cookie := first.done.Cookie
			if again := both(cookie); len(again.added)+len(again.gone)+len(again.present) != 0 || len(again.done.Cookie) != 0 {
				t.Errorf("nothing changed: %+v", again)
			}
			var gone SyncID
			for id, dn := range first.added {
				if strings.HasPrefix(dn, "uid=writer7,") {
					gone = id
				}
			}
			w := conns[0]
			if err := errors.Join(w.Delete(t.Context(), "uid=writer7,ou=people,dc=lab,dc=example"),
				w.ModifyDN(t.Context(), "uid=writer8,ou=people,dc=lab,dc=example", "uid=moved8", true, ""),
				w.Modify(t.Context(), "uid=writer9,ou=people,dc=lab,dc=example", []Change{{Verb: ReplaceValues, Name: "title", Values: []string{"editor"}}})); err != nil {
				t.Fatal(err)
			}
			next := both(cookie)
			var names []string
			for _, dn := range next.added {
				names = append(names, dn)
			}
			slices.Sort(names)
			if len(names) != 2 || !strings.HasPrefix(names[0], "uid=moved8,") || !strings.HasPrefix(names[1], "uid=writer9,") {
				t.Errorf("changed: %q", names)
			}
			if setup.deletes && (!next.done.RefreshDeletes || !next.gone[gone] || len(next.present) != 0) {
				t.Errorf("a delete phase: %+v", next)
			}
			if !setup.deletes && (next.done.RefreshDeletes || next.present[gone] || len(next.gone) != 0 || len(next.present) != 301) {
				t.Errorf("a present phase: %+v, %d present", next.done, len(next.present))
			}
			// A cookie from the future is refused, and nothing else is said.
			_, err := w.Sync(t.Context(), Request{Base: "ou=people,dc=lab,dc=example", Scope: ScopeSubtree},
				SyncRequest{Cookie: []byte("rid=000,sid=001,csn=29991122192730.976731Z#000000#001#000000")}, func(SyncMessage) error { return nil })
			if !errors.Is(err, ErrUnwilling) || !w.Alive() {
				t.Errorf("a cookie from the future: %v", err)
			}
		})
	}
}
