package ldapwire

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// changing is a server whose root entry is another each time.
func changing(t *testing.T) *scripted {
	n := 100
	s := newScripted(t, func(q *query) { q.pages(1, 3) })
	s.raw = func(c *scriptedConn, m message) bool {
		if m.op != opSearch || newQuery(c, m).base != "" {
			return false
		}
		n++
		c.send(envelope(m.id, entryOp("", attribute("supportedControl", OIDPaging), attribute("highestCommittedUSN", fmt.Sprint(n)))), envelope(m.id, answer(opSearchDone, 0, "")))
		return true
	}
	return s
}

func TestSession(t *testing.T) {
	serve := changing(t)
	s := NewSession(time.Minute, time.Hour)
	t.Cleanup(func() { _ = s.Close() })
	if s.Take(t.Context()) != nil {
		t.Fatal("kept from nowhere")
	}
	first := dial(t, serve.config(Fast))
	if usn := first.Server().RootDSE.First("highestCommittedUSN"); usn != "101" {
		t.Fatalf("%s", usn)
	}
	s.Give(first, nil)
	for i := range 3 {
		c := s.Take(t.Context())
		if c != first {
			t.Fatalf("not kept: %v", c)
		}
		// Whoever takes it sees the server as it is now, not as it was then.
		if usn := c.Server().RootDSE.First("highestCommittedUSN"); usn != fmt.Sprint(102+i) {
			t.Errorf("take %d: %s", i, usn)
		}
		if s.Take(t.Context()) != nil {
			t.Error("taken twice")
		}
		if _, _, err := c.Collect(t.Context(), all()); err != nil {
			t.Fatal(err)
		}
		s.Give(c, nil)
	}
	// The root entry four times, and three questions: nobody bound again.
	if n := first.Requests(); n != 7 || len(serve.conns) != 1 {
		t.Errorf("%d requests, %d connections", n, len(serve.conns))
	}
	// After any error it is not used again, though the connection lives.
	c := s.Take(t.Context())
	s.Give(c, errors.New("not what I wanted"))
	if c.Alive() || s.Take(t.Context()) != nil {
		t.Error("kept after an error")
	}
}

// What the server closed meanwhile is not handed out, noticed before or not.
func TestSessionOfALostConnection(t *testing.T) {
	for _, wait := range []time.Duration{0, 50 * time.Millisecond} {
		serve := changing(t)
		s := NewSession(time.Minute, time.Hour)
		c := dial(t, serve.config(Fast))
		s.Give(c, nil)
		serve.mu.Lock()
		_ = serve.conns[0].Close()
		serve.mu.Unlock()
		time.Sleep(wait)
		if s.Take(t.Context()) != nil || c.Alive() {
			t.Error("handed out")
		}
		s.Give(c, nil)
		if s.Take(t.Context()) != nil {
			t.Error("a dead one is kept")
		}
	}
}

func TestSessionEnds(t *testing.T) {
	serve := changing(t)
	for name, s := range map[string]*Session{
		"idle": NewSession(20*time.Millisecond, time.Hour), "old": NewSession(time.Hour, 20*time.Millisecond), "neither": NewSession(0, time.Hour),
	} {
		c := dial(t, serve.config(Fast))
		s.Give(c, nil)
		time.Sleep(60 * time.Millisecond)
		if name != "old" && c.Alive() {
			t.Errorf("%s: still open", name)
		}
		if s.Take(t.Context()) != nil || c.Alive() {
			t.Errorf("%s: handed out", name)
		}
	}
	s := NewSession(time.Hour, time.Hour)
	a, b := dial(t, serve.config(Fast)), dial(t, serve.config(Fast))
	s.Give(a, nil)
	s.Give(b, nil) // one is enough
	if !a.Alive() || b.Alive() {
		t.Error("two are kept, or none")
	}
	if err := s.Close(); err != nil || a.Alive() {
		t.Errorf("after Close: %v", err)
	}
	c := dial(t, serve.config(Fast))
	s.Give(c, nil)
	if c.Alive() {
		t.Error("kept after Close")
	}
}

// Who we are is asked once after the bind, and of a connection that was kept only by
// whoever confirms it: then it must still be the same.
func TestSessionIsConfirmed(t *testing.T) {
	who, asked := "dn:cn=reader", 0
	serve := rootless(t, func(q *query) {
		q.entry("", attribute("supportedExtension", oidWhoAmI))
		q.done(0)
	}, nil)
	root := serve.raw
	serve.raw = func(c *scriptedConn, m message) bool {
		if m.op != opExtended {
			return root(c, m)
		}
		asked++
		c.send(envelope(m.id, answer(opExtendedResult, 0, "", tlv(extendedValue, []byte(who)))))
		return true
	}
	s := NewSession(time.Minute, time.Hour)
	t.Cleanup(func() { _ = s.Close() })
	c := dial(t, serve.config(Fast))
	if err := c.Confirm(t.Context()); err != nil || asked != 1 || c.Server().AuthzID != who {
		t.Fatalf("after the bind: asked %d times, %q, %v", asked, c.Server().AuthzID, err)
	}
	s.Give(c, nil)
	for range 2 {
		if c = s.Take(t.Context()); c == nil || asked != 1 || c.Server().AuthzID != who {
			t.Fatalf("kept: %v, asked %d times", c, asked)
		}
		s.Give(c, nil)
	}
	for range 2 {
		if err := c.Confirm(t.Context()); err != nil || asked != 2 {
			t.Fatalf("asked %d times, %v", asked, err)
		}
	}
	c = s.Take(t.Context())
	who = ""
	if err := c.Confirm(t.Context()); err == nil {
		t.Error("the server takes us for anybody, and that is confirmed")
	}
	s.Give(c, errors.New("not confirmed"))
}
