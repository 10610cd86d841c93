package ldapwire

import "encoding/binary"

// element encodes one BER element.
func element(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	var out []byte
	switch {
	case n < 0x80:
		out = append(make([]byte, 0, n+2), tag, byte(n))
	case n <= 0xffff:
		out = append(make([]byte, 0, n+4), tag, 0x82, byte(n>>8), byte(n))
	default:
		out = binary.BigEndian.AppendUint32(append(make([]byte, 0, n+6), tag, 0x84), uint32(n))
	}
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
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
