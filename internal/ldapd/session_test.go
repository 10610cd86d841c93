package ldapd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCookies(t *testing.T) {
	d := crowd(t, 20)
	s := serve(t, d, Options{})
	c := asAdmin(t, s)
	first := func() query {
		t.Helper()
		q := paged(5)
		f, err := c.search(q)
		if err != nil || f.code != 0 || f.cookie == "" || len(f.dns) != 5 {
			t.Fatalf("%+v, %v", f, err)
		}
		q.cookie = f.cookie
		return q
	}
	refused := func(name string, c *client, q query) {
		t.Helper()
		f, err := c.search(q)
		if err != nil || f.code != UnwillingToPerform || len(f.dns) != 0 {
			t.Errorf("%s: code %d, %d entries, %v", name, f.code, len(f.dns), err)
		}
	}
	q := first()
	refused("on another connection", asAdmin(t, s), q)
	other := q
	other.attrs = []string{"uid"}
	refused("for another request", c, other)
	refused("after that", c, q)

	q = first()
	if f, err := c.search(q); err != nil || f.code != 0 || len(f.dns) != 5 {
		t.Fatal(f, err)
	}
	refused("twice", c, q)
	q = first()
	if code, err := c.bind("cn=admin,"+lab, "secret"); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	refused("for who has bound since", c, q)
	q = first()
	q.cookie += "x"
	refused("made up", c, q)

	// Another page size is allowed, and what goes meanwhile is not shown.
	q = first()
	for i := 5; i < 10; i++ {
		if err := d.Delete(fmt.Sprintf("uid=p%d,ou=people,%s", i, lab)); err != nil {
			t.Fatal(err)
		}
	}
	q.page = 100
	if f, err := c.search(q); err != nil || len(f.dns) != 10 || f.cookie != "" || !f.controls {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestMaxPage(t *testing.T) {
	c := asAdmin(t, serve(t, crowd(t, 5), Options{MaxPage: 3}))
	if f, err := c.search(paged(4)); err != nil || f.code != AdminLimitExceeded {
		t.Errorf("%+v, %v", f, err)
	}
	if f, _, err := c.searchAll(paged(3)); err != nil || len(f.dns) != 5 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestNoAnonymous(t *testing.T) {
	s := serve(t, crowd(t, 5), Options{NoAnonymous: true})
	c := dial(t, s)
	if f, err := c.search(people); err != nil || f.code != InsufficientAccessRights {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := c.search(query{}); err != nil || f.code != 0 || len(f.dns) != 1 {
		t.Errorf("root: %+v, %v", f, err)
	}
	if code, err := c.bind("cn=admin,"+lab, "secret"); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	if f, err := c.search(people); err != nil || len(f.dns) != 5 {
		t.Errorf("%+v, %v", f, err)
	}
	// A bind that fails takes the old identity away.
	if code, err := c.bind("cn=admin,"+lab, "wrong"); code != InvalidCredentials || err != nil {
		t.Fatal(code, err)
	}
	if f, err := c.search(people); err != nil || f.code != InsufficientAccessRights {
		t.Errorf("after a failed bind: %+v, %v", f, err)
	}
}

func TestRootDSE(t *testing.T) {
	c := dial(t, serve(t, New(lab, "o=other"), Options{}))
	f, err := c.search(query{attrs: []string{"+"}})
	if err != nil || len(f.dns) != 1 || f.dns[0] != "" {
		t.Fatalf("%+v, %v", f, err)
	}
	for name, want := range map[string]string{
		"namingContexts": lab, "supportedControl": oidPaged, "supportedExtension": oidStartTLS,
		"supportedLDAPVersion": "3", "vendorName": "rosterd",
	} {
		if !slices.Contains(f.attrs[0][name], want) {
			t.Errorf("%s: %v", name, f.attrs[0][name])
		}
	}
	if f, err = c.search(query{}); err != nil || f.attrs[0]["vendorName"] != nil {
		t.Errorf("not asked for, and sent: %v, %v", f.attrs, err)
	}
	if f, err = c.search(query{equal: [2]string{"objectClass", "person"}}); err != nil || len(f.dns) != 0 || f.code != 0 {
		t.Errorf("the filter was not looked at: %+v, %v", f, err)
	}
}

func TestOperationalAttributes(t *testing.T) {
	d := crowd(t, 2)
	now := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	d.SetClock(func() time.Time { return now })
	c := asAdmin(t, serve(t, d, Options{}))
	const dn = "uid=p0,ou=people," + lab
	read := func(attrs ...string) map[string][]string {
		t.Helper()
		f, err := c.search(query{base: dn, attrs: attrs})
		if err != nil || len(f.dns) != 1 {
			t.Fatalf("%+v, %v", f, err)
		}
		return f.attrs[0]
	}
	plain := read()
	for _, a := range []string{"entryUUID", "modifyTimestamp", "entryCSN"} {
		if plain[a] != nil {
			t.Errorf("%s was sent unasked", a)
		}
	}
	before := read("+")
	if before["cn"] != nil || len(before["entryUUID"]) != 1 || before["entryDN"][0] != dn {
		t.Errorf("%v", before)
	}
	if code, err := c.modify(dn, "title", "x"); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	after := read("*", "+")
	if after["entryUUID"][0] != before["entryUUID"][0] {
		t.Error("a modification changed the entryUUID")
	}
	if after["modifyTimestamp"][0] != "20300102030405Z" || after["modifiersName"][0] != "cn=admin,"+lab {
		t.Errorf("%v", after)
	}
	if got := after["entryCSN"][0]; got != "20300102030405.000006Z#000000#001#000000" || got != d.ContextCSN() {
		t.Errorf("entryCSN %s, contextCSN %s", got, d.ContextCSN())
	}
	f, err := c.search(query{base: lab, attrs: []string{"contextCSN"}})
	if err != nil || f.attrs[0]["contextCSN"][0] != d.ContextCSN() {
		t.Errorf("%v, %v", f.attrs, err)
	}
	// By ID, after a rename: the index must have followed.
	if err := d.Rename(dn, "uid=renamed", true, "ou=other,"+lab); err != nil {
		t.Fatal(err)
	}
	f, err = c.search(query{base: lab, scope: scopeSub, equal: [2]string{"entryUUID", before["entryUUID"][0]}})
	if err != nil || !slices.Equal(f.dns, []string{"uid=renamed,ou=other," + lab}) {
		t.Errorf("%v, %v", f.dns, err)
	}
	f, err = c.search(query{base: lab, scope: scopeSub, equal: [2]string{"uid", "p0"}})
	if err != nil || len(f.dns) != 0 {
		t.Errorf("found by the old name: %v, %v", f.dns, err)
	}
	if d.ContextCSN() <= after["entryCSN"][0] {
		t.Error("with the clock stopped, the CSN did not ascend")
	}
}

func TestPasswordsAreNotForAnybody(t *testing.T) {
	s := serve(t, load(t, fixture), Options{})
	q := query{base: under("uid=writer1"), attrs: []string{"userPassword"}}
	if f, err := dial(t, s).search(q); err != nil || len(f.attrs) != 1 || f.attrs[0]["userPassword"] != nil {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestAbandon(t *testing.T) {
	s := serve(t, crowd(t, 20), Options{})
	c := asAdmin(t, s)
	s.Faults().Add(Fault{Op: OpSearch, Do: Hang, Times: 1})
	c.send(opSearchRequest, people.encode, nil)
	c.send(opAbandonRequest, func(e *encoder) { e.buf = append(e.buf, byte(c.id-1)) }, nil)
	// The search was never answered; what comes next is.
	if code, err := c.modify("ou=people,"+lab, "description", "x"); code != 0 || err != nil {
		t.Fatal(code, err)
	}
}

func TestStartTLS(t *testing.T) {
	s := serve(t, crowd(t, 1), Options{})
	start := func(c *client) reply {
		t.Helper()
		c.send(opExtendedRequest, func(e *encoder) { e.octets(0x80, oidStartTLS) }, nil)
		r, err := c.receive()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	c := dial(t, s)
	if r := start(c); r.code != 0 {
		t.Fatal(r)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CAPEM())
	c.conn = tls.Client(c.conn, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	c.in.Reset(c.conn)
	if code, err := c.bind("cn=admin,"+lab, "secret"); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	if r := start(c); r.code != OperationsError {
		t.Errorf("TLS twice: %+v", r)
	}
	if f, err := c.search(people); err != nil || len(f.dns) != 1 {
		t.Errorf("%+v, %v", f, err)
	}

	// What was sent in the clear behind the request is not taken for part of
	// the protected stream.
	c = dial(t, s)
	e := &encoder{}
	msg := e.open(tagSequence)
	e.integer(tagInteger, 1)
	op := e.open(opExtendedRequest)
	e.octets(0x80, oidStartTLS)
	e.close(op)
	e.close(msg)
	inject := encoder{}
	msg = inject.open(tagSequence)
	inject.integer(tagInteger, 2)
	op = inject.open(opDeleteRequest)
	inject.buf = append(inject.buf, "uid=p0,ou=people,"+lab...)
	inject.close(op)
	inject.close(msg)
	if _, err := c.conn.Write(append(e.buf, inject.buf...)); err != nil {
		t.Fatal(err)
	}
	if r, err := c.receive(); err != nil || r.code != 0 {
		t.Fatal(r, err)
	}
	c.conn = tls.Client(c.conn, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	c.in.Reset(c.conn)
	if code, err := c.bind("", ""); code != 0 || err != nil {
		t.Fatalf("the injected request was answered first: %d, %v", code, err)
	}
	if s.Faults().Count(OpDelete) != 0 {
		t.Error("the injected request arrived")
	}
}

// TestNotLDAP: whatever comes, the server says so at most, and goes on.
func TestNotLDAP(t *testing.T) {
	s := serve(t, crowd(t, 1), Options{})
	for name, bytes := range map[string]string{
		"HTTP":                "GET / HTTP/1.0\r\n\r\n",
		"zeroes":              strings.Repeat("\x00", 64),
		"endless length":      "\x30\x85\xff\xff\xff\xff\xff",
		"indefinite length":   "\x30\x80\x02\x01\x01\x00\x00",
		"huge message":        "\x30\x84\x7f\xff\xff\xff\x02\x01\x01",
		"message ID nought":   "\x30\x05\x02\x01\x00\x42\x00",
		"unknown operation":   "\x30\x05\x02\x01\x01\x5f\x00",
		"bind without a body": "\x30\x05\x02\x01\x01\x60\x00",
	} {
		c := dial(t, s)
		if _, err := c.conn.Write([]byte(bytes)); err != nil {
			t.Fatal(err)
		}
		r, err := c.receive()
		if err == nil {
			if r.id != 0 || r.code != ProtocolError {
				t.Errorf("%s: %+v", name, r)
			}
			_, err = c.receive()
		}
		if !closed(err) {
			t.Errorf("%s: the connection stays: %v", name, err)
		}
	}
	if f, err := dial(t, s).search(people); err != nil || len(f.dns) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestDeepFilter: nesting is bounded before it costs a stack.
func TestDeepFilter(t *testing.T) {
	c := dial(t, serve(t, crowd(t, 1), Options{}))
	filter := []byte("\x87\x0bobjectClass")
	for range maxFilterDepth + 10 {
		filter = append(appendLength([]byte{0xa2}, len(filter)), filter...)
	}
	c.send(opSearchRequest, func(e *encoder) {
		e.octets(tagOctets, lab)
		e.integer(tagEnumerated, scopeSub)
		e.integer(tagEnumerated, 0)
		e.integer(tagInteger, 0)
		e.integer(tagInteger, 0)
		e.boolean(false)
		e.buf = append(e.buf, filter...)
		e.close(e.open(tagSequence))
	}, nil)
	if r, err := c.receive(); err != nil || r.id != 0 || r.code != ProtocolError {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestClose: no goroutine stays, whatever the clients are doing (goleak sees
// to that in TestMain), and Close returns.
func TestClose(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	d := crowd(t, 3000)
	s, err := d.Serve(ctx, Options{AdminDN: "cn=admin," + lab, AdminPassword: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	idle, deaf, hung := dial(t, s), dial(t, s), asAdmin(t, s)
	_ = idle
	// One asks for more than the buffers hold and never reads.
	for range 50 {
		deaf.send(opSearchRequest, query{base: lab, scope: scopeSub, attrs: []string{"*", "+"}}.encode, nil)
	}
	s.Faults().Add(Fault{Op: OpModify, Do: Hang})
	hung.send(opModifyRequest, func(e *encoder) { e.octets(tagOctets, lab); e.close(e.open(tagSequence)) }, nil)
	// One never finishes its handshake.
	half, err := net.Dial("tcp", strings.TrimPrefix(s.TLSURL(), "ldaps://"))
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	time.Sleep(50 * time.Millisecond)
	done := make(chan struct{})
	go func() { defer close(done); cancel(); s.Close(); s.Close() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("Close does not return")
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "ldap://")); err == nil {
		t.Error("still listening")
	}
}

// TestConcurrently is for the race detector.
func TestConcurrently(t *testing.T) {
	d := crowd(t, 200)
	s := serve(t, d, Options{})
	var wg sync.WaitGroup
	for w := range 4 {
		c := asAdmin(t, s)
		wg.Go(func() {
			for i := range 20 {
				dn := fmt.Sprintf("uid=p%d,ou=people,%s", w*50+i, lab)
				if code, err := c.modify(dn, "title", fmt.Sprint(i)); code != 0 || err != nil {
					t.Errorf("modify: %d, %v", code, err)
					return
				}
				if f, _, err := c.searchAll(query{base: lab, scope: scopeSub, page: 33}); err != nil || len(f.dns) != 403 {
					t.Errorf("search: %d, %v", len(f.dns), err)
					return
				}
				s.Faults().HideAttribute("cn=admin,"+lab, "title")
				s.Faults().Clear()
			}
		})
	}
	wg.Go(func() {
		for i := range 50 {
			if err := d.Rename(fmt.Sprintf("ou=%s,%s", []string{"other", "moved"}[i%2], lab), []string{"ou=moved", "ou=other"}[i%2], true, ""); err != nil {
				t.Error(err)
				return
			}
		}
	})
	wg.Wait()
}

// TestGone: when the client is gone, what it asked for ends, and so does its
// session; nothing waits for the end of the server.
func TestGone(t *testing.T) {
	s := serve(t, crowd(t, 1), Options{})
	for _, fault := range []Fault{{Do: Hang}, {Do: Slow, Delay: time.Hour}} {
		c := asAdmin(t, s)
		s.Faults().Add(fault)
		c.send(opModifyRequest, func(e *encoder) { e.octets(tagOctets, lab); e.close(e.open(tagSequence)) }, nil)
		c.conn.Close()
		open := func() int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.conns)
		}
		for deadline := time.Now().Add(30 * time.Second); open() > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%v: the session is still there", fault.Do)
			}
		}
		s.Faults().Clear()
	}
}
