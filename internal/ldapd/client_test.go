package ldapd

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// client speaks raw LDAP, so that a test sees what was sent and no more.
type client struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
	id   int
}

func dial(t testing.TB, s *Server) *client {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "ldap://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(60 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &client{t: t, conn: c, in: bufio.NewReader(c)}
}

// asAdmin is a client that has bound.
func asAdmin(t testing.TB, s *Server) *client {
	t.Helper()
	c := dial(t, s)
	if code, err := c.bind("cn=admin,"+lab, "secret"); code != 0 || err != nil {
		t.Fatalf("bind: %d, %v", code, err)
	}
	return c
}

// send sends a request and returns its message ID.
func (c *client) send(tag byte, body, controls func(*encoder)) int {
	c.t.Helper()
	c.id++
	e := &encoder{}
	msg := e.open(tagSequence)
	e.integer(tagInteger, c.id)
	op := e.open(tag)
	if body != nil {
		body(e)
	}
	e.close(op)
	if controls != nil {
		list := e.open(0xa0)
		controls(e)
		e.close(list)
	}
	e.close(msg)
	if _, err := c.conn.Write(e.buf); err != nil {
		c.t.Fatal(err)
	}
	return c.id
}

// reply is one message from the server.
type reply struct {
	id       int
	tag      byte
	code     int
	text     string // matched name, or the name of an entry
	diag     string
	attrs    map[string][]string
	refs     []string
	controls bool
	cookie   string
}

func (c *client) receive() (reply, error) {
	b, err := readMessage(c.in)
	if err != nil {
		return reply{}, err
	}
	d := decoder{rest: b}
	r := reply{id: d.integer(tagInteger)}
	op := d.any()
	r.tag = op.tag
	in := decoder{rest: op.body}
	switch op.tag {
	case opSearchEntry:
		r.text, r.attrs = in.text(tagOctets), map[string][]string{}
		list := in.sub(tagSequence)
		for list.more() {
			a := decodeAttribute(&list)
			r.attrs[a.Attr] = a.Values
		}
		in.err = list.err
	case opSearchReference:
		for in.more() {
			r.refs = append(r.refs, in.text(tagOctets))
		}
	default:
		r.code, r.text, r.diag = in.integer(tagEnumerated), in.text(tagOctets), in.text(tagOctets)
	}
	if in.err != nil {
		return r, in.err
	}
	if d.more() {
		r.controls = true
		list := d.sub(0xa0)
		ctl := list.sub(tagSequence)
		if ctl.text(tagOctets) == oidPaged {
			v := decoder{rest: ctl.take(tagOctets)}
			seq := v.sub(tagSequence)
			seq.integer(tagInteger)
			r.cookie = seq.text(tagOctets)
		}
	}
	return r, d.err
}

func (c *client) bind(dn, password string) (int, error) {
	c.send(opBindRequest, func(e *encoder) {
		e.integer(tagInteger, 3)
		e.octets(tagOctets, dn)
		e.octets(0x80, password)
	}, nil)
	r, err := c.receive()
	return r.code, err
}

// modify replaces one attribute.
func (c *client) modify(dn, attr string, values ...string) (int, error) {
	c.send(opModifyRequest, func(e *encoder) {
		e.octets(tagOctets, dn)
		list := e.open(tagSequence)
		item := e.open(tagSequence)
		e.integer(tagEnumerated, int(ReplaceValues))
		a := e.open(tagSequence)
		e.octets(tagOctets, attr)
		set := e.open(tagSet)
		for _, v := range values {
			e.octets(tagOctets, v)
		}
		e.close(set)
		e.close(a)
		e.close(item)
		e.close(list)
	}, nil)
	r, err := c.receive()
	return r.code, err
}

// query is a search for a raw client.
type query struct {
	base             string
	scope            int
	size, time       int
	page             int // page size; 0: not paged
	cookie           string
	attrs            []string
	equal            [2]string // filter; else any entry
	manage, critical bool
}

func (q query) encode(e *encoder) {
	e.octets(tagOctets, q.base)
	e.integer(tagEnumerated, q.scope)
	e.integer(tagEnumerated, 0)
	e.integer(tagInteger, q.size)
	e.integer(tagInteger, q.time)
	e.boolean(false)
	if q.equal[0] == "" {
		e.octets(0x87, "objectClass")
	} else {
		f := e.open(0xa3)
		e.octets(tagOctets, q.equal[0])
		e.octets(tagOctets, q.equal[1])
		e.close(f)
	}
	list := e.open(tagSequence)
	for _, a := range q.attrs {
		e.octets(tagOctets, a)
	}
	e.close(list)
}

// found is what a search gave: all of its pages unless page says one.
type found struct {
	dns      []string
	attrs    []map[string][]string
	refs     []string
	code     int
	cookie   string
	controls bool
}

// search asks once and reads to the result, or to the error that broke it off.
func (c *client) search(q query) (found, error) {
	c.t.Helper()
	var controls func(*encoder)
	if q.page > 0 {
		controls = func(e *encoder) {
			ctl := e.open(tagSequence)
			e.octets(tagOctets, oidPaged)
			e.boolean(true)
			v := e.open(tagOctets)
			seq := e.open(tagSequence)
			e.integer(tagInteger, q.page)
			e.octets(tagOctets, q.cookie)
			e.close(seq)
			e.close(v)
			e.close(ctl)
		}
	}
	id := c.send(opSearchRequest, q.encode, controls)
	var f found
	for {
		r, err := c.receive()
		if err != nil {
			return f, err
		}
		if r.id != id {
			return f, errors.New("a message with another ID")
		}
		switch r.tag {
		case opSearchEntry:
			f.dns, f.attrs = append(f.dns, r.text), append(f.attrs, r.attrs)
		case opSearchReference:
			f.refs = append(f.refs, r.refs...)
		default:
			f.code, f.cookie, f.controls = r.code, r.cookie, r.controls
			return f, nil
		}
	}
}

// searchAll reads page after page until there is no cookie.
func (c *client) searchAll(q query) (all found, pages int, err error) {
	c.t.Helper()
	for {
		f, err := c.search(q)
		pages++
		all.dns, all.refs, all.code = append(all.dns, f.dns...), append(all.refs, f.refs...), f.code
		if err != nil || f.code != 0 || f.cookie == "" {
			return all, pages, err
		}
		q.cookie = f.cookie
	}
}

// closed says whether the server has ended the connection.
func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isReset(err)
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}
