package daemon

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
)

// systemd is a socket that keeps what the service says.
type systemd struct {
	t    *testing.T
	conn *net.UnixConn
}

func listenAsSystemd(t *testing.T) *systemd {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "30000000")
	return &systemd{t, conn}
}

// heard is all that was said by now.
func (s *systemd) heard() string {
	s.t.Helper()
	var all []string
	for b := make([]byte, 4096); ; {
		_ = s.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		n, err := s.conn.Read(b)
		if err != nil {
			return strings.Join(all, " ")
		}
		all = append(all, string(b[:n]))
	}
}

// The watchdog is fed while something moves and while there is nothing to do, and
// not while a cycle hangs.
func TestTheWatchdogTripsWhenProgressStops(t *testing.T) {
	s := listenAsSystemd(t)
	c := clock.NewFake(at(10, 0))
	n := NewNotifier(c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Watch(ctx)
	}()
	turn := func() string {
		c.Set(c.Waited())
		c.Waited()
		return s.heard()
	}
	c.Waited()
	s.heard()
	n.Beat()
	if got := turn(); got != "WATCHDOG=1" {
		t.Errorf("something moved, and it said %q", got)
	}
	for range 3 {
		if got := turn(); got != "" {
			t.Errorf("nothing moved, and it said %q", got)
		}
	}
	n.Idle(true)
	if got := turn(); got != "WATCHDOG=1" {
		t.Errorf("nothing was to be done, and it said %q", got)
	}
	n.Idle(false)
	if got := turn(); got != "" {
		t.Errorf("a cycle hangs, and it said %q", got)
	}
	cancel()
	<-ended
	n.Ready()
	n.Status("idle, %s", "next")
	n.Status("idle, next")
	n.Stopping()
	if got := s.heard(); got != "READY=1 STATUS=idle, next STOPPING=1" {
		t.Errorf("it said %q", got)
	}
}

// A manager that does not listen keeps nobody from working.
func TestNobodyWaitsForWhoDoesNotListen(t *testing.T) {
	listenAsSystemd(t)
	text, err := os.ReadFile("/proc/sys/net/unix/max_dgram_qlen")
	if err != nil {
		t.Fatal(err)
	}
	queue, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	n := NewNotifier(clock.Real{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := range queue + 5 {
			n.Status("%d", i)
		}
	}()
	select {
	case <-ended:
	case <-time.After(2 * time.Minute):
		t.Fatal("it waits for a manager that does not listen")
	}
}
