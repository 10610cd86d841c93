package ldapd

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// asking is a search of any kind, for a raw client.
type asking struct {
	base   string
	scope  int
	filter string // the little that encodeFilter knows
	attrs  []string
	ctls   []ctl
}

type ctl struct {
	oid   string
	value func(*encoder)
}

// told is one message of an answer.
type told struct {
	dn    string
	attrs map[string][]string // names in lower case
	names []string            // as they came
	state int                 // of Sync State
	id    string
	ctl   string // cookie of the control

	info    byte // choice of Sync Info
	deletes bool
	ids     []string
	cookie  string

	refs []string
}

// ending is the result of a search.
type ending struct {
	code    int
	diag    string
	cookie  string
	deletes bool
	more    bool
	control string // OID
}

// dialURL is a raw client of any server; ca is the path of its authority.
func dialURL(t testing.TB, address, ca string) *client {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	host := u.Host
	if u.Port() == "" {
		host += map[string]string{"ldap": ":389", "ldaps": ":636"}[u.Scheme]
	}
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme == "ldaps" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		c = tls.Client(c, &tls.Config{RootCAs: pool, ServerName: u.Hostname()})
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(60 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &client{t: t, conn: c, in: bufio.NewReader(c)}
}

func (c *client) mustBind(dn, password string) *client {
	c.t.Helper()
	if code, err := c.bind(dn, password); code != 0 || err != nil {
		c.t.Fatalf("bind as %s: %d, %v", dn, code, err)
	}
	return c
}

func (q asking) encode(e *encoder) {
	e.octets(tagOctets, q.base)
	e.integer(tagEnumerated, q.scope)
	e.integer(tagEnumerated, 0)
	e.integer(tagInteger, 0)
	e.integer(tagInteger, 0)
	e.boolean(false)
	f := q.filter
	if f == "" {
		f = "(objectClass=*)"
	}
	if rest := encodeFilter(e, f); rest != "" {
		panic("filter: " + rest)
	}
	list := e.open(tagSequence)
	for _, a := range q.attrs {
		e.octets(tagOctets, a)
	}
	e.close(list)
}

// encodeFilter knows and, or, not, equality, presence and >=, and octets as \xx.
func encodeFilter(e *encoder, s string) (rest string) {
	s = s[1:]
	if tag, ok := map[byte]byte{'&': 0xa0, '|': 0xa1, '!': 0xa2}[s[0]]; ok {
		at := e.open(tag)
		for s = s[1:]; s[0] == '('; {
			s = encodeFilter(e, s)
		}
		e.close(at)
		return s[1:]
	}
	body, rest, _ := strings.Cut(s, ")")
	attr, value, _ := strings.Cut(body, "=")
	if value == "*" {
		e.octets(0x87, attr)
		return rest
	}
	tag := byte(0xa3)
	if strings.HasSuffix(attr, ">") {
		tag, attr = 0xa5, strings.TrimSuffix(attr, ">")
	}
	at := e.open(tag)
	e.octets(tagOctets, attr)
	e.octets(tagOctets, unescape(value))
	e.close(at)
	return rest
}

func unescape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			hi, lo := strings.IndexByte("0123456789abcdef", s[i+1]), strings.IndexByte("0123456789abcdef", s[i+2])
			out.WriteByte(byte(hi<<4 | lo))
			i += 2
			continue
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

func escapeOctets(s string) string {
	var out strings.Builder
	for i := range len(s) {
		out.WriteByte('\\')
		out.WriteByte("0123456789abcdef"[s[i]>>4])
		out.WriteByte("0123456789abcdef"[s[i]&15])
	}
	return out.String()
}

// begin sends a search.
func (c *client) begin(q asking) int {
	return c.send(opSearchRequest, q.encode, func(e *encoder) {
		for _, x := range q.ctls {
			at := e.open(tagSequence)
			e.octets(tagOctets, x.oid)
			e.boolean(true)
			if x.value != nil {
				v := e.open(tagOctets)
				x.value(e)
				e.close(v)
			}
			e.close(at)
		}
	})
}

// next reads one message of an answer; end is set by the last.
func (c *client) next() (m told, end *ending, err error) {
	b, err := readMessage(c.in)
	if err != nil {
		return m, nil, err
	}
	d := decoder{rest: b}
	d.integer(tagInteger)
	op := d.any()
	in := decoder{rest: op.body}
	switch op.tag {
	case opSearchEntry:
		m.dn, m.attrs = in.text(tagOctets), map[string][]string{}
		list := in.sub(tagSequence)
		for list.more() {
			a := decodeAttribute(&list)
			m.names = append(m.names, a.Attr)
			m.attrs[strings.ToLower(a.Attr)] = append([]string{}, a.Values...)
		}
		controls(&d, func(oid string, v decoder) {
			if oid == oidSyncState {
				seq := v.sub(tagSequence)
				m.state, m.id = seq.integer(tagEnumerated), seq.text(tagOctets)
				if seq.more() {
					m.ctl = seq.text(tagOctets)
				}
			}
		})
	case opSearchReference:
		for in.more() {
			m.refs = append(m.refs, in.text(tagOctets))
		}
	case opIntermediate:
		in.text(0x80)
		v := decoder{rest: in.take(0x81)}
		x := v.any()
		m.info = x.tag
		seq := decoder{rest: x.body}
		if seq.peek() == tagOctets {
			m.cookie = seq.text(tagOctets)
		}
		if seq.peek() == tagBoolean {
			m.deletes = seq.boolean(tagBoolean)
		}
		if seq.peek() == tagSet {
			set := seq.sub(tagSet)
			for set.more() {
				m.ids = append(m.ids, set.text(tagOctets))
			}
		}
	default:
		end = &ending{code: in.integer(tagEnumerated)}
		in.text(tagOctets)
		end.diag = in.text(tagOctets)
		controls(&d, func(oid string, v decoder) {
			end.control = oid
			seq := v.sub(tagSequence)
			switch oid {
			case oidSyncDone:
				if seq.peek() == tagOctets {
					end.cookie = seq.text(tagOctets)
				}
				if seq.peek() == tagBoolean {
					end.deletes = seq.boolean(tagBoolean)
				}
			case oidDirSync:
				end.more = seq.integer(tagInteger) != 0
				seq.integer(tagInteger)
				end.cookie = seq.text(tagOctets)
			}
		})
	}
	return m, end, d.err
}

func controls(d *decoder, each func(string, decoder)) {
	if !d.more() {
		return
	}
	list := d.sub(0xa0)
	for list.more() {
		x := list.sub(tagSequence)
		oid := x.text(tagOctets)
		if x.peek() == tagBoolean {
			x.boolean(tagBoolean)
		}
		v := decoder{}
		if x.more() {
			v.rest = x.take(tagOctets)
		}
		each(oid, v)
	}
}

// all reads an answer to its end.
func (c *client) all(q asking) ([]told, ending) {
	c.t.Helper()
	c.begin(q)
	var out []told
	for {
		m, end, err := c.next()
		if err != nil {
			c.t.Fatal(err)
		}
		if end != nil {
			return out, *end
		}
		out = append(out, m)
	}
}

func dirSyncControl(flags int64, bytes int, cookie string) ctl {
	return ctl{oidDirSync, func(e *encoder) {
		seq := e.open(tagSequence)
		e.integer(tagInteger, int(int32(flags)))
		e.integer(tagInteger, bytes)
		e.octets(tagOctets, cookie)
		e.close(seq)
	}}
}

func syncControl(mode int, cookie string) ctl {
	return ctl{oidSync, func(e *encoder) {
		seq := e.open(tagSequence)
		e.integer(tagEnumerated, mode)
		if cookie != "" {
			e.octets(tagOctets, cookie)
		}
		e.close(seq)
	}}
}

// write is one line of a story: an add, a modify, a rename or a delete, over
// the wire.
func (c *client) write(tag byte, body func(*encoder), ctls ...ctl) int {
	c.t.Helper()
	var more func(*encoder)
	if len(ctls) > 0 {
		more = func(e *encoder) {
			for _, x := range ctls {
				at := e.open(tagSequence)
				e.octets(tagOctets, x.oid)
				e.close(at)
			}
		}
	}
	c.send(tag, body, more)
	r, err := c.receive()
	if err != nil {
		c.t.Fatal(err)
	}
	return r.code
}

func encodeAttr(e *encoder, name string, values []string) {
	at := e.open(tagSequence)
	e.octets(tagOctets, name)
	set := e.open(tagSet)
	for _, v := range values {
		e.octets(tagOctets, v)
	}
	e.close(set)
	e.close(at)
}

func (c *client) add(dn string, attrs ...[]string) int {
	return c.write(opAddRequest, func(e *encoder) {
		e.octets(tagOctets, dn)
		list := e.open(tagSequence)
		for _, a := range attrs {
			encodeAttr(e, a[0], a[1:])
		}
		e.close(list)
	})
}

func (c *client) change(dn string, op ChangeOp, attr string, values ...string) int {
	return c.write(opModifyRequest, func(e *encoder) {
		e.octets(tagOctets, dn)
		list := e.open(tagSequence)
		item := e.open(tagSequence)
		e.integer(tagEnumerated, int(op))
		encodeAttr(e, attr, values)
		e.close(item)
		e.close(list)
	})
}

func (c *client) rename(dn, rdn, superior string) int {
	return c.write(opRenameRequest, func(e *encoder) {
		e.octets(tagOctets, dn)
		e.octets(tagOctets, rdn)
		e.boolean(true)
		if superior != "" {
			e.octets(0x80, superior)
		}
	})
}

func (c *client) delete(dn string) int {
	c.t.Helper()
	c.id++
	e := &encoder{}
	msg := e.open(tagSequence)
	e.integer(tagInteger, c.id)
	e.octets(opDeleteRequest, dn)
	e.close(msg)
	if _, err := c.conn.Write(e.buf); err != nil {
		c.t.Fatal(err)
	}
	r, err := c.receive()
	if err != nil {
		c.t.Fatal(err)
	}
	return r.code
}
