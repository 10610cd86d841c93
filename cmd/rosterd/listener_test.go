package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listener is what systemd is for a service: a socket to which it says how it is
// (sd_notify(3)).
type listener struct {
	t    testing.TB
	path string
	said chan string
}

func newListener(t testing.TB) *listener {
	t.Helper()
	// Short, since a socket's path has at most 107 octets.
	folder, err := os.MkdirTemp("", "n")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "n")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{t, path, make(chan string, 1<<16)}
	// Read at once: the queue of the socket may be ten.
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for b := make([]byte, 4096); ; {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			l.said <- string(b[:n])
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
		os.RemoveAll(folder) //nolint:errcheck // a folder in the system's temporary one
	})
	return l
}

// env is what the service is started with.
func (l *listener) env(more ...string) []string {
	return append(append(os.Environ(), "NOTIFY_SOCKET="+l.path), more...)
}

// say sends what next returns, after all that was said before.
func (l *listener) say(text string) {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: l.path, Net: "unixgram"})
	if err != nil {
		l.t.Error(err)
		return
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(text)); err != nil {
		l.t.Error(err)
	}
}

// next is what is said next; empty if that is nothing for so long.
func (l *listener) next(within time.Duration) string {
	l.t.Helper()
	select {
	case said := <-l.said:
		return said
	case <-time.After(within):
		return ""
	}
}

// await reads until something is said that begins so.
func (l *listener) await(prefix string, within time.Duration) string {
	l.t.Helper()
	for end := time.Now().Add(within); ; {
		said := l.next(time.Until(end))
		if strings.HasPrefix(said, prefix) {
			return said
		}
		if said == "" {
			l.t.Fatalf("nobody said %s within %s", prefix, within)
		}
	}
}
