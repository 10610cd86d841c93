package journald

import (
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// receiver is a journal that keeps what it is sent.
func receiver(t *testing.T) (string, func() map[string]string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return path, func() map[string]string {
		t.Helper()
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		text, control := make([]byte, 1<<20), make([]byte, 1024)
		n, m, _, _, err := conn.ReadMsgUnix(text, control)
		if err != nil {
			t.Fatal(err)
		}
		text = text[:n]
		if m > 0 {
			messages, err := unix.ParseSocketControlMessage(control[:m])
			if err != nil {
				t.Fatal(err)
			}
			fds, err := unix.ParseUnixRights(&messages[0])
			if err != nil {
				t.Fatal(err)
			}
			f := os.NewFile(uintptr(fds[0]), "sent")
			defer f.Close()
			if seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&unix.F_SEAL_WRITE == 0 {
				t.Errorf("the file is not sealed: %v", err)
			}
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			if text, err = io.ReadAll(f); err != nil {
				t.Fatal(err)
			}
		}
		return fields(t, text)
	}
}

func fields(t *testing.T, text []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		if name, value, is := strings.Cut(string(line), "="); is {
			out[name], text = value, rest
			continue
		}
		n := binary.LittleEndian.Uint64(rest)
		out[string(line)], text = string(rest[8:8+n]), rest[8+n+1:]
	}
	return out
}

func TestFieldsComeBack(t *testing.T) {
	path, next := receiver(t)
	h, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	log := slog.New(h).With("cycle", "c1")
	log.Warn("one\nline=of\nthree", "person", "writer7\nROSTERD_ACTION=delete", "MESSAGE_ID", "abc", "entitlement", "Writers")
	got := next()
	for name, want := range map[string]string{"MESSAGE": "one\nline=of\nthree", "PRIORITY": "4", "ROSTERD_CYCLE": "c1", "MESSAGE_ID": "abc",
		"ROSTERD_PERSON": "writer7\nROSTERD_ACTION=delete", "ROSTERD_ENTITLEMENT": "Writers", "SYSLOG_IDENTIFIER": "rosterd"} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	if _, forged := got["ROSTERD_ACTION"]; forged {
		t.Error("a value forged a field")
	}
	// What no datagram holds goes in a file.
	long := strings.Repeat("x", 4<<20)
	log.Info(long)
	if got := next(); got["MESSAGE"] != long {
		t.Errorf("%d of %d bytes came", len(got["MESSAGE"]), len(long))
	}
}

func TestNamesOfFields(t *testing.T) {
	for key, want := range map[string]string{"person": "ROSTERD_PERSON", "MESSAGE_ID": "MESSAGE_ID", "a-b.c": "ROSTERD_A_B_C", "_x": "ROSTERD__X"} {
		if got := Name(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}
