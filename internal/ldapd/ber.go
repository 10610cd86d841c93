package ldapd

import "errors"

// Tags of BER (X.690) as LDAP uses them.
const (
	tagBoolean    = 0x01
	tagInteger    = 0x02
	tagOctets     = 0x04
	tagEnumerated = 0x0a
	tagSequence   = 0x30
	tagSet        = 0x31
)

var errBER = errors.New("decode BER: malformed element")

// element is one decoded tag with its contents, a view of the input.
type element struct {
	tag  byte
	body []byte
}

// next cuts the first element off b. Only single-octet tags and definite
// lengths of at most four octets occur in LDAP (RFC 4511, section 5.1).
func next(b []byte) (e element, rest []byte, err error) {
	head, n, ok := header(b)
	if !ok || n > len(b)-head {
		return element{}, nil, errBER
	}
	return element{tag: b[0], body: b[head : head+n]}, b[head+n:], nil
}

// header reads a tag and a length: how many octets they take and how many
// follow. ok is false when b is too short or malformed.
func header(b []byte) (head, n int, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, 0, false
	}
	if b[1] < 0x80 {
		return 2, int(b[1]), true
	}
	size := int(b[1] & 0x7f)
	if size == 0 || size > 4 || len(b) < 2+size {
		return 0, 0, false
	}
	var v uint32
	for _, c := range b[2 : 2+size] {
		v = v<<8 | uint32(c)
	}
	if v > 1<<31-1 {
		return 0, 0, false
	}
	return 2 + size, int(v), true
}

// decoder reads the elements of a body in order. After the first error every
// read gives zero values, and err stays.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail() { d.rest, d.err = nil, errBER }

func (d *decoder) more() bool { return d.err == nil && len(d.rest) > 0 }

// peek returns the tag of the next element, 0 when there is none.
func (d *decoder) peek() byte {
	if !d.more() {
		return 0
	}
	return d.rest[0]
}

func (d *decoder) any() element {
	if d.err != nil {
		return element{}
	}
	e, rest, err := next(d.rest)
	if err != nil {
		d.fail()
		return element{}
	}
	d.rest = rest
	return e
}

func (d *decoder) take(tag byte) []byte {
	if d.err == nil && d.peek() != tag {
		d.fail()
	}
	return d.any().body
}

func (d *decoder) text(tag byte) string { return string(d.take(tag)) }

func (d *decoder) sub(tag byte) decoder {
	b := d.take(tag)
	return decoder{rest: b, err: d.err}
}

func (d *decoder) integer(tag byte) int {
	b := d.take(tag)
	if d.err == nil && (len(b) == 0 || len(b) > 4) {
		d.fail()
	}
	if d.err != nil {
		return 0
	}
	v := int32(int8(b[0]))
	for _, c := range b[1:] {
		v = v<<8 | int32(c)
	}
	return int(v)
}

func (d *decoder) boolean(tag byte) bool {
	b := d.take(tag)
	if d.err == nil && len(b) != 1 {
		d.fail()
	}
	return d.err == nil && b[0] != 0
}

// end reports the first error; what is left over is one.
func (d *decoder) end() error {
	if d.err == nil && len(d.rest) > 0 {
		d.fail()
	}
	return d.err
}

// encoder appends BER elements to buf.
type encoder struct{ buf []byte }

// open begins a constructed element; close ends the one that open began at.
func (e *encoder) open(tag byte) int {
	e.buf = append(e.buf, tag, 0)
	return len(e.buf)
}

func (e *encoder) close(at int) {
	n := len(e.buf) - at
	if n < 0x80 {
		e.buf[at-1] = byte(n)
		return
	}
	var size [5]byte
	l := appendLength(size[:0], n)
	e.buf = append(e.buf, l[1:]...)
	copy(e.buf[at+len(l)-1:], e.buf[at:at+n])
	copy(e.buf[at-1:], l)
}

func appendLength(b []byte, n int) []byte {
	switch {
	case n < 0x80:
		return append(b, byte(n))
	case n < 1<<8:
		return append(b, 0x81, byte(n))
	case n < 1<<16:
		return append(b, 0x82, byte(n>>8), byte(n))
	case n < 1<<24:
		return append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func (e *encoder) octets(tag byte, s string) {
	e.buf = appendLength(append(e.buf, tag), len(s))
	e.buf = append(e.buf, s...)
}

func (e *encoder) integer(tag byte, v int) {
	var b [4]byte
	n := 4
	for i, x := 3, int32(v); i >= 0; i, x = i-1, x>>8 {
		b[i] = byte(x)
	}
	// The shortest two's complement: leave off octets that only repeat the sign.
	for n > 1 && (b[4-n] == 0 && b[5-n] < 0x80 || b[4-n] == 0xff && b[5-n] >= 0x80) {
		n--
	}
	e.buf = append(append(e.buf, tag, byte(n)), b[4-n:]...)
}

func (e *encoder) boolean(v bool) {
	c := byte(0)
	if v {
		c = 0xff
	}
	e.buf = append(e.buf, tagBoolean, 1, c)
}
