package ldapd

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// FuzzFilter: whatever decodes as a filter can be evaluated, and a filter and
// its opposite are never both true.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"\x87\x0bobjectClass", "\xa3\x0b\x04\x03uid\x04\x04wri1", "\xa2\x07\xa3\x05\x04\x01a\x04\x00",
		"\xa4\x0c\x04\x02cn0\x06\x80\x01a\x82\x01b", "\xa0\x00", "\xa1\x00", "\xa9\x09\x82\x02cn\x83\x01x\x84\x00",
		"\xa9\x0c\x82\x02cn\x83\x01x\x84\x01\xff", "\xa5\x0f\x04\x09uidNumber\x04\x0210",
	} {
		f.Add([]byte(s))
	}
	d := load(f, fixture)
	v := view{dir: d}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := decoder{rest: b}
		x, err := decodeFilter(&in, 0)
		if err != nil {
			return
		}
		not := filter{kind: filterNot, parts: []filter{x}}
		for _, n := range d.byKey {
			yes, no := v.match(&x, n.rec), v.match(&not, n.rec)
			if yes == isTrue && no == isTrue || yes == isUndefined != (no == isUndefined) {
				t.Fatalf("%s: %d and %d", n.rec.dn, yes, no)
			}
			// What the indexes give must hold everything that matches.
			if found, ok := d.lookUp(&x); ok && yes == isTrue {
				there := false
				for _, c := range found {
					there = there || c == n
				}
				if !there {
					t.Fatalf("%s matches, and the index does not know it", n.rec.dn)
				}
			}
		}
	})
}

// FuzzRequest: any bytes to the server, and it neither panics nor hangs, and
// the directory stays whole.
func FuzzRequest(f *testing.F) {
	seed := func(tag byte, body func(*encoder)) {
		e := &encoder{}
		msg := e.open(tagSequence)
		e.integer(tagInteger, 1)
		op := e.open(tag)
		body(e)
		e.close(op)
		e.close(msg)
		f.Add(e.buf)
	}
	seed(opBindRequest, func(e *encoder) {
		e.integer(tagInteger, 3)
		e.octets(tagOctets, "cn=admin,"+lab)
		e.octets(0x80, "secret")
	})
	seed(opSearchRequest, query{base: lab, scope: scopeSub, equal: [2]string{"uid", "x"}, attrs: []string{"*"}}.encode)
	seed(opDeleteRequest, func(e *encoder) { e.buf = append(e.buf, under("uid=writer2")...) })
	seed(opRenameRequest, func(e *encoder) {
		e.octets(tagOctets, under("uid=writer1"))
		e.octets(tagOctets, "uid=x")
		e.boolean(true)
		e.octets(0x80, "ou=empty,"+lab)
	})
	seed(opModifyRequest, func(e *encoder) {
		e.octets(tagOctets, under("uid=writer1"))
		e.buf = append(e.buf, "0\x0f0\x0d\x0a\x01\x020\x08\x04\x01l1\x03\x04\x01x"...)
	})
	seed(opCompareRequest, func(e *encoder) {
		e.octets(tagOctets, lab)
		e.buf = append(e.buf, "0\x07\x04\x02dc\x04\x01x"...)
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		d := load(t, fixture)
		s := &Server{dir: d, faults: &Faults{}, conns: map[net.Conn]struct{}{}}
		ours, theirs := net.Pipe()
		x := newSession(s, theirs)
		x.bound = d.byKey[lab].rec.dn // somebody who may write

		// Each message is answered to its end, which a stream that closes may
		// not let happen.
		x.out = bufio.NewWriter(io.Discard)
		in := bufio.NewReader(bytes.NewReader(b))
		for {
			body, err := readMessage(in)
			if err != nil {
				break
			}
			if m, err := decodeMessage(body); err == nil && !isStartTLS(m) && m.tag != opUnbindRequest && m.tag != opAbandonRequest {
				if x.handle(work{ctx: t.Context(), msg: m}) != nil {
					break
				}
			}
		}

		done := make(chan struct{})
		go func() { defer close(done); x.run(context.Background(), false) }()
		go io.Copy(io.Discard, ours)                       //nolint:errcheck // ends with the pipe
		ours.SetDeadline(time.Now().Add(10 * time.Second)) //nolint:errcheck // a pipe has deadlines
		ours.Write(b)                                      //nolint:errcheck // the server may have closed
		ours.Close()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("the session does not end")
		}
		if len(x.running) > 0 {
			t.Fatalf("%d requests are remembered for ever", len(x.running))
		}
		for key, n := range d.byKey {
			if n.rec.dn.Key() != key || !n.rec.named() {
				t.Fatalf("%s under %s", n.rec.dn, key)
			}
		}
	})
}
