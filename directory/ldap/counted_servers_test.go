//go:build servers

package ldap_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strings"
	gosync "sync"
	"sync/atomic"
	"testing"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/sync/followtest"
)

// counter stands before a server and counts what is said to it: each request is one
// record of TLS that has data in it.
type counter struct {
	listener net.Listener
	requests atomic.Int64
	running  gosync.WaitGroup
}

func countBefore(t *testing.T, address string) *counter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{listener: l}
	c.running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", address)
			if err != nil {
				in.Close()
				continue
			}
			c.running.Go(func() { io.Copy(in, out); in.Close() }) //nolint:errcheck // it ends with the connection
			c.running.Go(func() { c.records(out, in); out.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); c.running.Wait() })
	return c
}

func (c *counter) records(out io.Writer, in io.Reader) {
	const data = 23
	for from := bufio.NewReader(in); ; {
		head, err := from.Peek(5)
		if err != nil {
			return
		}
		if head[0] == data {
			c.requests.Add(1)
		}
		if _, err := io.CopyN(out, from, 5+int64(binary.BigEndian.Uint16(head[3:]))); err != nil {
			return
		}
	}
}

// still follows twice while nothing changes, the second time over the connection of the
// first, and counts that.
func still(t *testing.T, name string, start followtest.Start, engine string) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		world := start(t)
		w, plain := world.(*storyWorld)
		if !plain {
			w = world.(*sambaWorld).storyWorld
		}
		for _, login := range []string{"writer1", "writer2", "writer3"} {
			w.must(w.AddPerson(w.PersonRDN(login)+","+w.Base(), login))
		}
		address := strings.TrimPrefix(w.cfg.URLs[0], "ldaps://")
		if !strings.Contains(address, ":") {
			address += ":636"
		}
		c := countBefore(t, address)
		cfg := w.cfg
		cfg.URLs = []string{"ldaps://" + c.listener.Addr().String()}
		s, err := ldap.New("corp", cfg, w.asked())
		w.must(err)
		t.Cleanup(func() { s.Close() })
		m := mirrorOf(t, s)
		if m.cursor.Engine != engine {
			t.Fatalf("the engine is %q", m.cursor.Engine)
		}
		for range 2 {
			m.must() // what the listing came too early for
		}
		before := c.requests.Load()
		if f := m.must(); !f.Nothing || m.opened {
			t.Fatalf("told: %v, opened %t", m.told, m.opened)
		}
		n := c.requests.Load() - before
		t.Logf("%d requests; it knows %d places", n, len(m.known))
		if n == 0 || n > 3 {
			t.Errorf("%d requests while nothing changed", n)
		}
		w.must(w.Set(w.PersonRDN("writer1")+","+w.Base(), "title", "Editor"))
		if f := m.must(); f.Nothing || len(m.told) != 1 {
			t.Errorf("of one change is told: %v", m.told)
		}
	})
}

func TestSlapdNothingChanged(t *testing.T) {
	t.Parallel()
	still(t, "plain", storySlapd(servers.SyncPlain, "syncrepl", 0), "syncrepl")
	still(t, "session log", storySlapd(servers.SyncSessionLog, "syncrepl", 0), "syncrepl")
	still(t, "access log", storySlapd(servers.SyncAccessLog, "syncrepl", 0), "syncrepl")
	still(t, "timestamp", storySlapd(servers.SyncPlain, "timestamp", 0), "timestamp")
	still(t, "timestamp on no provider", storySlapd(servers.NoSync, "timestamp", 0), "timestamp")
}

func TestSambaNothingChanged(t *testing.T) {
	t.Parallel()
	still(t, "dirsync", storySamba("sync", "dirsync", 0), "dirsync")
	still(t, "usn", storySamba("deleted", "usn", 0), "usn")
	still(t, "usn without the deleted", storySamba("reader", "usn", 0), "usn")
}

func TestDirsrvNothingChanged(t *testing.T) {
	t.Parallel()
	still(t, "syncrepl", storyDirsrv("syncrepl", 0, servers.ContentSync), "syncrepl")
	still(t, "timestamp", storyDirsrv("timestamp", 0), "timestamp")
	still(t, "timestamp on a supplier", func(t *testing.T) followtest.World {
		w := storyDirsrv("timestamp", 0)(t).(*storyWorld)
		w.must(w.ds.Supply(7))
		w.must(w.ds.SetACI("cn=mapping tree,cn=config", `(targetattr = "nsds50ruv || nsUniqueId || objectClass || cn")(targetfilter = "(objectClass=nsds5Replica)")`+
			`(version 3.0; acl "what was seen"; allow (read, search, compare) userdn = "ldap:///`+sync+`";)`))
		return w
	}, "timestamp")
}
