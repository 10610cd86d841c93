package ldapwire

import "encoding/binary"

// element encodes one BER element.
func element(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := appendHeader(make([]byte, 0, elementSize(n)), tag, n)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// appendHeader appends the tag and the length of an element.
func appendHeader(out []byte, tag byte, n int) []byte {
	switch {
	case n < 0x80:
		return append(out, tag, byte(n))
	case n <= 0xffff:
		return append(out, tag, 0x82, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(out, tag, 0x84), uint32(n))
}

// elementSize is the size of an element with a content of that size.
func elementSize(n int) int {
	switch {
	case n < 0x80:
		return n + 2
	case n <= 0xffff:
		return n + 4
	}
	return n + 6
}

// appendText appends an octet string.
func appendText(out []byte, text string) []byte {
	return append(appendHeader(out, tagOctetString, len(text)), text...)
}

// number encodes an INTEGER or ENUMERATED of 32 bits in as few octets as it
// needs: Active Directory refuses flags of five.
func number(tag byte, n int32) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(n))
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return element(tag, b)
}

// boolean encodes a BOOLEAN.
func boolean(v bool) []byte {
	if v {
		return []byte{tagBoolean, 1, 0xff}
	}
	return []byte{tagBoolean, 1, 0}
}
