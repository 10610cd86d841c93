package ldapwire

import (
	"errors"
	"fmt"
)

// Tags of BER elements and of the operations of RFC 4511 that are used here.
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagEnumerated  = 0x0a
	tagSequence    = 0x30
	tagSet         = 0x31
	tagControls    = 0xa0
	tagReferral    = 0xa3

	opBindRequest     = 0x60
	opBindResponse    = 0x61
	opUnbind          = 0x42
	opSearch          = 0x63
	opEntry           = 0x64
	opSearchDone      = 0x65
	opReference       = 0x73
	opModify          = 0x66
	opModifyResult    = 0x67
	opAdd             = 0x68
	opAddResult       = 0x69
	opDelete          = 0x4a
	opDeleteResult    = 0x6b
	opModifyDN        = 0x6c
	opModifyDNResult  = 0x6d
	opCompare         = 0x6e
	opCompareResult   = 0x6f
	opExtended        = 0x77
	opExtendedResult  = 0x78
	opIntermediate    = 0x79
	extendedName      = 0x8a
	extendedValue     = 0x8b
	noticeOfDisconnID = "1.3.6.1.4.1.1466.20036"
)

// errShort: the header is not all there yet.
var errShort = errors.New("incomplete element")

// parseHeader reads the tag and the length of the element at the start of b:
// definite lengths of at most four octets, as RFC 4511 5.1 allows, minimal or
// not (Active Directory sends them padded).
func parseHeader(b []byte) (tag byte, start, length int, err error) {
	if len(b) < 2 {
		return 0, 0, 0, errShort
	}
	tag = b[0]
	if tag&0x1f == 0x1f {
		return 0, 0, 0, fmt.Errorf("malformed message: tag of more than one octet (0x%02x)", tag)
	}
	n := int(b[1])
	if n < 0x80 {
		return tag, 2, n, nil
	}
	n &= 0x7f
	if n == 0 {
		return 0, 0, 0, errors.New("malformed message: indefinite length")
	}
	if n > 4 {
		return 0, 0, 0, fmt.Errorf("malformed message: length of %d octets", n)
	}
	if len(b) < 2+n {
		return 0, 0, 0, errShort
	}
	v := uint64(0)
	for _, c := range b[2 : 2+n] {
		v = v<<8 | uint64(c)
	}
	if v > maxMessage {
		return 0, 0, 0, fmt.Errorf("message too long: %d octets, at most %d are read", v, maxMessage)
	}
	return tag, 2 + n, int(v), nil
}

// cursor walks over the elements inside one element. The first error stays.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) more() bool { return c.err == nil && len(c.b) > 0 }

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("malformed message: "+format, args...)
	}
}

// any takes the next element, whatever it is.
func (c *cursor) any() (tag byte, content []byte) {
	if c.err != nil {
		return 0, nil
	}
	tag, start, length, err := parseHeader(c.b)
	if err != nil {
		if err == errShort {
			err = errors.New("malformed message: an element is cut off")
		}
		c.err = err
		return 0, nil
	}
	if len(c.b)-start < length {
		c.fail("an element of %d octets in the space of %d", length, len(c.b)-start)
		return 0, nil
	}
	content, c.b = c.b[start:start+length:start+length], c.b[start+length:]
	return tag, content
}

// take takes the next element, which must have the tag.
func (c *cursor) take(want byte, what string) []byte {
	if c.err != nil {
		return nil
	}
	if len(c.b) == 0 {
		c.fail("%s is missing", what)
		return nil
	}
	tag, content := c.any()
	if c.err == nil && tag != want {
		c.fail("%s has the tag 0x%02x, not 0x%02x", what, tag, want)
	}
	if c.err != nil {
		return nil
	}
	return content
}

// end says that nothing may follow: children fill their parents exactly.
func (c *cursor) end(what string) {
	if c.err == nil && len(c.b) > 0 {
		c.fail("%d octets too many in %s", len(c.b), what)
	}
}

// parseInt reads the content of an INTEGER or ENUMERATED that is not negative
// and fits into 31 bits.
func parseInt(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 8 || b[0]&0x80 != 0 {
		return 0, false
	}
	v := uint64(0)
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return int(v), v <= 1<<31-1
}
