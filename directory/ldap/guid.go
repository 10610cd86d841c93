package ldap

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/guid"
)

// objectGUID is the immutable ID of Active Directory.
const objectGUID = "objectGUID"

// parseGUID writes the 16 octets of a GUID as text.
func parseGUID(b []byte) (identity.ID, error) {
	text, err := guid.Text(b)
	return identity.ID(text), err
}

// guidOctets is the other way round; false if the text is no GUID.
func guidOctets(id identity.ID) ([16]byte, bool) { return guid.Octets(string(id)) }

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
