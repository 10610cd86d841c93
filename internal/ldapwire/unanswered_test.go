package ldapwire

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestWritesThatGotNoAnswer(t *testing.T) {
	for name, tc := range map[string]struct {
		raw               func(*scriptedConn, message) bool
		inDoubt, retry    bool
		is                error
		wantNil, deadThen bool
	}{
		"dropped before the answer": {raw: func(c *scriptedConn, m message) bool { c.Close(); return true }, inDoubt: true, is: io.EOF, deadThen: true},
		"busy": {raw: func(c *scriptedConn, m message) bool {
			c.send(envelope(m.id, answer(opAddResult, CodeBusy, "")))
			return true
		}, retry: true, is: ErrBusy},
		"another answer": {raw: func(c *scriptedConn, m message) bool {
			c.send(envelope(m.id, answer(opModifyResult, 0, "")))
			return true
		},
			inDoubt: true, is: ErrProtocol, deadThen: true},
		"answered, then dropped": {raw: func(c *scriptedConn, m message) bool {
			c.send(envelope(m.id, answer(opAddResult, 0, "")))
			c.Close()
			return true
		}, wantNil: true, deadThen: true},
		"answered, and something behind it": {raw: func(c *scriptedConn, m message) bool {
			c.send(append(envelope(m.id, answer(opAddResult, 0, "")), envelope(m.id, answer(opAddResult, CodeOther, ""))...))
			return true
		}, wantNil: true, deadThen: true},
	} {
		s := newScripted(t, nil)
		s.raw = func(c *scriptedConn, m message) bool { return m.op == opAdd && tc.raw(c, m) }
		c := dial(t, s.config(Fast))
		err := c.Add(t.Context(), "uid=1,dc=x", []Values{{"uid", []string{"1"}}})
		var e *Error
		errors.As(err, &e)
		switch {
		case tc.wantNil:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case e == nil || e.InDoubt() != tc.inDoubt || e.Retryable() != tc.retry || !errors.Is(err, tc.is):
			t.Errorf("%s: %v", name, err)
		}
		for i := 0; tc.deadThen && c.Alive() && i < 100; i++ {
			time.Sleep(5 * time.Millisecond)
		}
		if c.Alive() == tc.deadThen {
			t.Errorf("%s: alive %v", name, c.Alive())
		}
	}
	// Not sent: may be tried again.
	c := dial(t, newScripted(t, nil).config(Fast))
	_ = c.Close()
	var e *Error
	if err := c.Delete(t.Context(), "dc=x"); !errors.As(err, &e) || e.InDoubt() || !e.Retryable() {
		t.Errorf("on a closed connection: %v", err)
	}
}

// go-ldap must hand over one whole message with each Write: the lane finds the
// message ID there.
func TestOneMessagePerWrite(t *testing.T) {
	for name, p := range map[string][]byte{
		"half a message": envelope(1, tlv(opDelete, []byte("dc=x")))[:5],
		"two messages":   append(envelope(1, tlv(opDelete, []byte("dc=x"))), envelope(2, tlv(opDelete, []byte("dc=x")))...),
		"unknown":        envelope(1, tlv(0x50, []byte{2})),
	} {
		s := newScripted(t, nil)
		c := dial(t, s.config(Fast))
		c.w.begin(nil)
		if _, err := c.w.Write(p); !errors.Is(err, ErrProtocol) || c.Alive() {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Each of its requests, small and large, keeps to it.
	s := newScripted(t, func(q *query) { q.pages(1, 3) })
	s.raw = func(c *scriptedConn, m message) bool {
		if m.op == opCompare {
			c.send(envelope(m.id, answer(opCompareResult, 6, "")))
		}
		if m.op == opExtended {
			c.send(envelope(m.id, answer(opExtendedResult, 0, "", tlv(extendedValue, []byte("u:x")))))
		}
		return m.op == opCompare || m.op == opExtended
	}
	cfg := s.config(Fast)
	cfg.BindDN, cfg.Password = "cn=sync", password("x")
	c, ctx := dial(t, cfg), t.Context()
	long := strings.Repeat("v", 1<<20)
	_, err1 := c.Compare(ctx, "dc=x", "cn", long)
	who, err2 := c.WhoAmI(ctx)
	_, _, err3 := c.Collect(ctx, Request{Base: "dc=x", Filter: "(cn=" + long + ")"})
	err := errors.Join(err1, err2, err3, c.Add(ctx, "dc=x", []Values{{"cn", []string{long}}}), c.Delete(ctx, "dc=x"),
		c.ModifyDN(ctx, "dc=x", "dc=y", true, "dc=z"), c.Modify(ctx, "dc=x", []Change{{AddValues, "cn", []string{long}}}))
	if err != nil || who != "u:x" {
		t.Error(err, who)
	}
	// A second request while one runs is refused.
	c.w.begin(nil)
	if err := c.w.request(message{id: 90, op: opDelete}); err != nil {
		t.Fatal(err)
	}
	if err := c.w.request(message{id: 91, op: opDelete}); !errors.Is(err, ErrProtocol) {
		t.Errorf("two at a time: %v", err)
	}
}
