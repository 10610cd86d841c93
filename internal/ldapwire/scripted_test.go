package ldapwire

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// tlv encodes one element.
func tlv(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	var out []byte
	switch {
	case n < 0x80:
		out = []byte{tag, byte(n)}
	case n < 0x100:
		out = []byte{tag, 0x81, byte(n)}
	case n < 0x10000:
		out = []byte{tag, 0x82, byte(n >> 8), byte(n)}
	default:
		out = append([]byte{tag, 0x84}, binary.BigEndian.AppendUint32(nil, uint32(n))...)
	}
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// wide encodes one element with a length of four octets, as Active Directory
// does.
func wide(tag byte, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	return append(append([]byte{tag, 0x84}, binary.BigEndian.AppendUint32(nil, uint32(len(body)))...), body...)
}

func str(s string) []byte { return tlv(tagOctetString, []byte(s)) }

func integer(tag byte, n int) []byte {
	return tlv(tag, binary.BigEndian.AppendUint32(nil, uint32(n)))
}

// envelope makes an LDAPMessage.
func envelope(id int, op []byte, controls ...[]byte) []byte {
	parts := [][]byte{integer(tagInteger, id), op}
	if len(controls) > 0 {
		parts = append(parts, tlv(tagControls, controls...))
	}
	return tlv(tagSequence, parts...)
}

func answer(op byte, code Code, diagnostic string, more ...[]byte) []byte {
	return tlv(op, append([][]byte{tlv(tagEnumerated, []byte{byte(code)}), str(""), str(diagnostic)}, more...)...)
}

// attribute makes a PartialAttribute.
func attribute(name string, values ...string) []byte {
	var set [][]byte
	for _, v := range values {
		set = append(set, str(v))
	}
	return tlv(tagSequence, str(name), tlv(tagSet, set...))
}

func entryOp(dn string, attributes ...[]byte) []byte {
	return tlv(opEntry, str(dn), tlv(tagSequence, attributes...))
}

func pagingValue(cookie string) []byte {
	return tlv(tagSequence, str(OIDPaging), str(string(tlv(tagSequence, integer(tagInteger, 0), str(cookie)))))
}

// scripted is a server that does as the test says. It answers binds, the root
// entry and who-am-I itself, unless raw is set.
type scripted struct {
	t        testing.TB
	listener net.Listener
	raw      func(*scriptedConn, message) bool // true: it was dealt with
	search   func(*query)

	wg    sync.WaitGroup
	mu    sync.Mutex
	conns []net.Conn
	seen  []string // the cookies that were asked with
	asked [][]byte // the search requests without their IDs
}

func newScripted(t testing.TB, search func(*query)) *scripted {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{t: t, listener: l, search: search}
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			s.wg.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(s.close)
	return s
}

func (s *scripted) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *scripted) config(r Reader) Config {
	return Config{
		URLs: []string{"ldap://" + s.listener.Addr().String()}, AllowPlaintext: true, Reader: r,
		DialTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second, TotalTimeout: time.Minute,
	}
}

func (s *scripted) cookies() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.seen...)
}

type scriptedConn struct {
	net.Conn
	*scripted
}

// send ignores errors: the client may have hung up, and is right to.
func (c *scriptedConn) send(b ...[]byte) {
	for _, m := range b {
		_, _ = c.Write(m)
	}
}

func (s *scripted) serve(nc net.Conn) {
	defer nc.Close()
	c := &scriptedConn{nc, s}
	in := bufio.NewReader(nc)
	for {
		m, err := readRequest(in)
		if err != nil {
			return
		}
		if s.raw != nil && s.raw(c, m) {
			continue
		}
		switch m.op {
		case opBindRequest:
			c.send(envelope(m.id, answer(opBindResponse, 0, "")))
		case opSearch:
			q := newQuery(c, m)
			if q.base == "" {
				q.entry("", attribute("supportedControl", OIDPaging), attribute("supportedExtension", "1.1"))
				q.done(0)
				continue
			}
			s.mu.Lock()
			s.seen = append(s.seen, q.cookie)
			s.asked = append(s.asked, append(append([]byte{}, m.body...), m.controls...))
			s.mu.Unlock()
			s.search(q)
		case opModify, opAdd, opDelete, opModifyDN:
			result := map[byte]byte{opModify: opModifyResult, opAdd: opAddResult, opDelete: opDeleteResult, opModifyDN: opModifyDNResult}
			c.send(envelope(m.id, answer(result[m.op], 0, "")))
		}
	}
}

func readRequest(in *bufio.Reader) (message, error) {
	for need := 2; ; need++ {
		head, err := in.Peek(need)
		if err != nil {
			return message{}, err
		}
		_, start, length, err := parseHeader(head)
		if err == errShort {
			continue
		}
		if err != nil {
			return message{}, err
		}
		b := make([]byte, start+length)
		if _, err := io.ReadFull(in, b); err != nil {
			return message{}, err
		}
		return parseMessage(b)
	}
}

// query is a search request, and how to answer it.
type query struct {
	*scriptedConn
	id     int
	base   string
	paged  bool
	size   int
	cookie string
}

func newQuery(c *scriptedConn, m message) *query {
	q := &query{scriptedConn: c, id: m.id}
	body := cursor{b: m.body}
	q.base = string(body.take(tagOctetString, "base"))
	controls, err := parseControls(nil, m.controls)
	if err != nil || body.err != nil {
		c.t.Errorf("request: %v, %v", body.err, err)
	}
	for _, ctl := range controls {
		if ctl.OID == OIDPaging {
			v := cursor{b: ctl.Value}
			in := cursor{b: v.take(tagSequence, "paging")}
			q.paged = true
			q.size, _ = parseInt(in.take(tagInteger, "size"))
			q.cookie = string(in.take(tagOctetString, "cookie"))
			if !ctl.Critical {
				c.t.Error("the paging control is not critical")
			}
		}
	}
	return q
}

func (q *query) entry(dn string, attributes ...[]byte) {
	q.send(envelope(q.id, entryOp(dn, attributes...)))
}

// entries sends n entries, numbered from the first.
func (q *query) entries(first, n int) {
	var b []byte
	for i := first; i < first+n; i++ {
		dn := "uid=" + strconv.Itoa(i) + ",dc=x"
		b = append(b, envelope(q.id, entryOp(dn, attribute("uid", strconv.Itoa(i)), attribute("cn", "Writer", "Autor")))...)
	}
	q.send(b)
}

// done ends the search, or its page; with a code that is the whole answer.
func (q *query) done(code Code, cookie ...string) {
	var controls [][]byte
	if q.paged && code == 0 {
		controls = append(controls, pagingValue(append(cookie, "")[0]))
	}
	q.send(envelope(q.id, answer(opSearchDone, code, "in the words of the server"), controls...))
}

// page number of a cookie that is one.
func (q *query) page() int {
	n, _ := strconv.Atoi(q.cookie)
	return n
}

// pages sends as many pages of as many entries.
func (q *query) pages(pages, entries int) {
	q.entries(q.page()*entries, entries)
	if q.page()+1 < pages {
		q.done(0, strconv.Itoa(q.page()+1))
	} else {
		q.done(0)
	}
}
