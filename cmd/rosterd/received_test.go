package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/internal/company"
)

// received is a journal that keeps what it is sent by the native protocol.
type received struct {
	mu      gosync.Mutex
	records []map[string]string
}

// newReceived listens until the test ends, and returns where.
func newReceived(t *testing.T) (*received, string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "j")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "j")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	r, ended := &received{}, make(chan struct{})
	go func() {
		defer close(ended)
		for b := make([]byte, 1<<20); ; {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.records = append(r.records, fieldsOf(b[:n]))
			r.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
		os.RemoveAll(folder) //nolint:errcheck // a folder in the system's temporary one
	})
	return r, path
}

// fieldsOf reads one datagram: NAME=value, or NAME, a length and the value.
func fieldsOf(text []byte) map[string]string {
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

// of are the records of an event, once there are so many.
func (r *received) of(t *testing.T, event string, want int) []map[string]string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var out []map[string]string
		r.mu.Lock()
		for _, x := range r.records {
			if x["MESSAGE_ID"] == event {
				out = append(out, x)
			}
		}
		r.mu.Unlock()
		if len(out) >= want || time.Now().After(end) {
			if len(out) != want {
				t.Errorf("%d records of event %s, want %d: %v", len(out), event, want, out)
			}
			return out
		}
	}
}

// What journald is sent by a running service: one record a change with every
// field, one of totals a cycle, whether it was due or somebody asked for it; what
// failed, what is held, what is down, a reload, the head of the journal.
func TestTheRecordsOfTheService(t *testing.T) {
	s := newSite(t, company.Company{People: 12, Groups: 10, Big: 4}, "[target.intranet.guard]\nfirst = \"apply\"\nmax_remove = { count = 1 }\n")
	journal, path := newReceived(t)
	var out lockedBuffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now, clock: clock.Real{}, journal: path,
		getenv: func(string) string { return "" }, stop: make(chan struct{}), listening: true}
	ended := make(chan int, 1)
	go func() { ended <- a.run([]string{"-c", s.config, "run", "--log", "journald"}) }()
	defer func() {
		close(a.stop)
		if code := <-ended; code != 0 {
			t.Errorf("the service ended with %d\n%s", code, out.String())
		}
		journal.of(t, eventStopping, 1)
	}()

	// Twelve accounts are made; ten of them have one right, four another.
	changes := journal.of(t, eventChange, 12+10+4)
	totals := journal.of(t, eventCycle, 1)
	seen := map[string]bool{}
	for _, c := range changes {
		for _, name := range []string{"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "ROSTERD_PERSON", "ROSTERD_ACTION", "ROSTERD_SITUATION", "ROSTERD_BY"} {
			if c[name] == "" {
				t.Errorf("a change without %s: %v", name, c)
			}
		}
		if c["ROSTERD_CYCLE"] != totals[0]["ROSTERD_CYCLE"] || c["ROSTERD_CYCLE"] == "" || c["ROSTERD_TARGET"] != "intranet" || c["ROSTERD_VERB"] != "changes" {
			t.Errorf("a change of another cycle, target or verb: %v", c)
		}
		key := fmt.Sprint(c["ROSTERD_PERSON"], c["ROSTERD_ACTION"], c["ROSTERD_ENTITLEMENT"])
		if seen[key] {
			t.Errorf("a change has two records: %v", c)
		}
		seen[key] = true
	}
	if journal.of(t, eventStarted, 1)[0]["PRIORITY"] != "6" || journal.of(t, eventHead, 1)[0]["ROSTERD_HEAD"] == "" {
		t.Error("the start is no information, or the head is missing")
	}

	// What somebody asked for is there too; what they looked at is not.
	s.want(0, "offboard", "p00003", "--reason", "left")
	if got := journal.of(t, eventChange, 26+3); got[26]["ROSTERD_VERB"] != "offboard" || got[26]["ROSTERD_SITUATION"] != "offboarded" || got[26]["ROSTERD_PERSON"] != "p00003" {
		t.Errorf("the change that was asked for: %v", got[26])
	}
	journal.of(t, eventCycle, 2)
	s.want(0, "plan")
	s.want(0, "plan", "--full")
	s.want(0, "reload")
	journal.of(t, eventReload, 1)

	// Two leave: held. One cannot be written: parked. The directory goes away.
	var b strings.Builder
	for _, i := range []int{5, 6} {
		fmt.Fprintf(&b, "dn: %s\nchangetype: modify\nreplace: employeeType\nemployeeType: former\n\n", s.company.DN(i))
	}
	s.modify("%s", b.String())
	s.want(4, "sync")
	held := journal.of(t, eventHeld, 1)[0]
	for name, want := range map[string]string{"ROSTERD_TARGET": "intranet", "ROSTERD_RULE": "max_remove", "ROSTERD_HOLD": "h1", "PRIORITY": "4"} {
		if held[name] != want {
			t.Errorf("what is held has %s=%q, want %q: %v", name, held[name], want, held)
		}
	}
	if held["ROSTERD_VERSION"] != s.version("h1") {
		t.Errorf("version %s is named, %s is shown", held["ROSTERD_VERSION"], s.version("h1"))
	}
	if err := s.apps.Stop(); err != nil {
		t.Fatal(err)
	}
	s.modify("dn: %s\nchangetype: modify\nreplace: title\ntitle: Publisher\n", s.company.DN(9))
	s.rosterd("sync")
	if down := journal.of(t, eventDown, 1)[0]; down["ROSTERD_TARGET"] != "intranet" || down["PRIORITY"] != "3" || down["ROSTERD_HINT"] == "" {
		t.Errorf("a target that is down: %v", down)
	}
	if err := s.corp.Stop(); err != nil {
		t.Fatal(err)
	}
	s.want(1, "sync")
	if unread := journal.of(t, eventUnread, 1)[0]; unread["ROSTERD_SOURCE"] != "corp" || unread["PRIORITY"] != "3" {
		t.Errorf("a directory that is not read: %v", unread)
	}
}
