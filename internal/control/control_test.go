package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves h on a socket whose path is too long for a sockaddr.
func start(t *testing.T, h Handler) string {
	t.Helper()
	return startFor(t, h, func(Peer) bool { return true })
}

func startFor(t *testing.T, h Handler, decides func(Peer) bool) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := Serve(l, h, decides, func(any, []byte) {})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is left behind: %v", err)
		}
	})
	return path
}

func call(t *testing.T, path string, ask Request, in string, signals <-chan struct{}) (int, string, string, error) {
	t.Helper()
	conn, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code, err := Call(t.Context(), conn, ask, Streams{In: strings.NewReader(in), Out: &out, Err: &errs}, signals)
	return code, out.String(), errs.String(), err
}

func TestACommandIsRunThere(t *testing.T) {
	path := start(t, func(s *Session) int {
		line := make([]byte, 100)
		n, _ := s.Streams.In.Read(line)
		_, _ = io.WriteString(s.Streams.Out, strings.Join(s.Args, " ")+" "+string(line[:n])+strings.Repeat("x", 3*chunk))
		_, _ = io.WriteString(s.Streams.Err, s.Peer.Name)
		return 7
	})
	code, out, errs, err := call(t, path, Request{Args: []string{"status", "-v"}}, "yes\n", nil)
	if err != nil || code != 7 || !strings.HasPrefix(out, "status -v yes\n") || len(out) < 3*chunk || errs != describe(uint32(os.Geteuid())).Name {
		t.Errorf("%d, %d bytes, %q, %v", code, len(out), errs, err)
	}
}

func TestASignalStopsAndASecondAborts(t *testing.T) {
	path := start(t, func(s *Session) int {
		<-s.Stop
		_, _ = io.WriteString(s.Streams.Out, "stopping")
		<-s.Gone.Done()
		return 5
	})
	signals := make(chan struct{}, 2)
	signals <- struct{}{}
	signals <- struct{}{}
	if code, out, _, err := call(t, path, Request{}, "", signals); err != nil || code != 5 || out != "stopping" {
		t.Errorf("%d %q %v", code, out, err)
	}
}

func TestAPanicIsAnswered(t *testing.T) {
	path := start(t, func(*Session) int { panic("no") })
	if code, _, errs, err := call(t, path, Request{}, "", nil); err != nil || code != 1 || errs == "" {
		t.Errorf("%d %q %v", code, errs, err)
	}
}

func TestAClientThatGoesAwayEndsWhatLooks(t *testing.T) {
	ended := make(chan struct{})
	path := start(t, func(s *Session) int {
		<-s.Gone.Done()
		close(ended)
		return 0
	})
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := Dial(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := Call(ctx, conn, Request{}, Streams{In: strings.NewReader("")}, nil); !errors.Is(err, ErrLost) {
		t.Errorf("%v", err)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("nobody told the command")
	}
}

func TestWhatLiesAtThePath(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "s")
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrNobody) {
		t.Errorf("nothing there: %v", err)
	}
	// A socket that a killed process left is replaced.
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrNobody) {
		t.Errorf("left behind: %v", err)
	}
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	// One that somebody serves is not, and neither is what is no socket.
	if _, err := Listen(path); err == nil {
		t.Error("a socket was taken from whoever serves it")
	}
	l.Close()
	if err := os.Symlink("/nowhere", path); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil {
		t.Error("a link was followed")
	}
}

// Whoever may not decide cannot keep out who may: neither with connections that
// say nothing, nor with requests that fill the memory.
func TestRoomForWhoDecides(t *testing.T) {
	var trusted atomic.Bool
	path := startFor(t, func(*Session) int { return 0 }, func(Peer) bool { return trusted.Load() })
	var idle []net.Conn
	defer func() {
		for _, c := range idle {
			c.Close()
		}
	}()
	if code, _, errs, err := call(t, path, Request{Input: make([]byte, lookLimit)}, "", nil); code == 0 && err == nil || strings.Contains(errs, "running") {
		t.Errorf("a long request was taken: %d %q %v", code, errs, err)
	}
	for range 2 * together {
		conn, err := Dial(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	if code, _, errs, err := call(t, path, Request{}, "", nil); code != 1 || err != nil || !strings.Contains(errs, "try again") {
		t.Errorf("%d %q %v", code, errs, err)
	}
	trusted.Store(true)
	began := time.Now()
	if code, _, errs, err := call(t, path, Request{Input: make([]byte, 1<<20)}, "", nil); code != 0 || err != nil {
		t.Errorf("%d %q %v", code, errs, err)
	}
	if took := time.Since(began); took > hello/2 {
		t.Errorf("who may decide waited %s", took)
	}
	// Who went away leaves the room to others.
	trusted.Store(false)
	for _, c := range idle {
		c.Close()
	}
	for range 100 {
		if code, _, _, err := call(t, path, Request{}, "", nil); code == 0 && err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the room is not given back")
}

func TestRights(t *testing.T) {
	r := Rights{Look: []string{"@writers"}, Decide: []string{"admin"}}
	writer := Peer{UID: 4711, Name: "writer1", Groups: []string{"writers"}}
	admin := Peer{UID: 4712, Name: "admin"}
	other := Peer{UID: 4713, Name: "writers", Groups: []string{"admin"}}
	for _, c := range []struct {
		who           Peer
		look, decides bool
	}{{writer, true, false}, {admin, true, true}, {other, false, false}, {Peer{UID: 0}, true, true}, {Peer{UID: uint32(os.Geteuid())}, true, true}} {
		if r.MayLook(c.who) != c.look || r.MayDecide(c.who) != c.decides {
			t.Errorf("%+v may look %v and decide %v", c.who, r.MayLook(c.who), r.MayDecide(c.who))
		}
	}
	if everybody := (Rights{Look: []string{"*"}}); !everybody.MayLook(other) || everybody.MayDecide(other) {
		t.Error("everybody may look, and nobody decide")
	}
}

func FuzzReceive(f *testing.F) {
	var b bytes.Buffer
	if err := send(&b, Request{Args: []string{"status"}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, in []byte) {
		var r Request
		if receive(bytes.NewReader(in), &r, limit) == nil && len(in) < 4 {
			t.Error("a message without a length")
		}
	})
}
