// Package guid reads and writes the GUIDs of Active Directory as its tools do.
package guid

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// Text writes the 16 octets of a GUID as the tools of Active Directory do, in lower
// case. The first three of its numbers have their lowest octet first ([MS-DTYP],
// 2.3.4.2): the octets as they come are another GUID.
func Text(b []byte) (string, error) {
	if len(b) != 16 {
		return "", fmt.Errorf("a GUID has 16 octets, not %d", len(b))
	}
	o := swapped([16]byte(b))
	return fmt.Sprintf("%x-%x-%x-%x-%x", o[:4], o[4:6], o[6:8], o[8:10], o[10:]), nil
}

// Octets is the other way round; false if the text is no GUID.
func Octets(s string) ([16]byte, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return [16]byte{}, false
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != 16 {
		return [16]byte{}, false
	}
	return swapped([16]byte(b)), true
}

func swapped(b [16]byte) [16]byte {
	binary.BigEndian.PutUint32(b[:], binary.LittleEndian.Uint32(b[:]))
	binary.BigEndian.PutUint16(b[4:], binary.LittleEndian.Uint16(b[4:]))
	binary.BigEndian.PutUint16(b[6:], binary.LittleEndian.Uint16(b[6:]))
	return b
}
