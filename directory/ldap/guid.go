package ldap

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// objectGUID is the immutable ID of Active Directory.
const objectGUID = "objectGUID"

// parseGUID writes the 16 octets of a GUID as the tools of Active Directory do, in
// lower case. The first three of its numbers have their lowest octet first
// ([MS-DTYP], 2.3.4.2): the octets as they come are another GUID.
func parseGUID(b []byte) (identity.ID, error) {
	if len(b) != 16 {
		return "", fmt.Errorf("a GUID has 16 octets, not %d", len(b))
	}
	o := swapped([16]byte(b))
	return identity.ID(fmt.Sprintf("%x-%x-%x-%x-%x", o[:4], o[4:6], o[6:8], o[8:10], o[10:])), nil
}

// guidOctets is the other way round; false if the text is no GUID.
func guidOctets(id identity.ID) ([16]byte, bool) {
	s := string(id)
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

// escapeOctets writes octets as the value of a filter (RFC 4515).
func escapeOctets(b []byte) string {
	var out strings.Builder
	for _, o := range b {
		fmt.Fprintf(&out, `\%02x`, o)
	}
	return out.String()
}

// sid is a security identifier ([MS-DTYP], 2.4.2.2): of a person or a group the
// domain, and a number in it.
type sid struct {
	text string // S-1-5-21-…
	rid  uint32 // the last number
}

// parseSID reads the octets of a security identifier.
func parseSID(b []byte) (sid, error) {
	if len(b) < 8 || b[0] != 1 || b[1] < 1 || b[1] > 15 || len(b) != 8+4*int(b[1]) {
		return sid{}, fmt.Errorf("%d octets are no security identifier", len(b))
	}
	authority := binary.BigEndian.Uint64(append([]byte{0, 0}, b[2:8]...))
	out := sid{text: "S-1-" + strconv.FormatUint(authority, 10)}
	for rest := b[8:]; len(rest) > 0; rest = rest[4:] {
		out.rid = binary.LittleEndian.Uint32(rest)
		out.text += "-" + strconv.FormatUint(uint64(out.rid), 10)
	}
	return out, nil
}

// inWords are attributes whose octets nobody can write into a rule, with the text
// that everybody knows them by.
var inWords = map[string]func([]byte) (string, error){
	"objectguid": func(b []byte) (string, error) { id, err := parseGUID(b); return string(id), err },
	"objectsid":  func(b []byte) (string, error) { s, err := parseSID(b); return s.text, err },
}

// worded are values in words; what is none stays as it is.
func worded(values [][]byte, text func([]byte) (string, error)) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		if s, err := text(v); err == nil {
			v = []byte(s)
		}
		out[i] = v
	}
	return out
}

// domain is the identifier without its last number.
func (s sid) domain() string { return s.text[:strings.LastIndexByte(s.text, '-')] }

// sibling is the identifier of another number in the same domain.
func (s sid) sibling(rid uint32) string {
	return s.domain() + "-" + strconv.FormatUint(uint64(rid), 10)
}
