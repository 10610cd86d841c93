package ldapd

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// guidOf turns the text of a UUID into the octets of an objectGUID: its first
// three fields have the least octet first.
func guidOf(uuid string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(uuid, "-", ""))
	if err != nil || len(b) != 16 {
		return ""
	}
	return string(swapGUID(b))
}

// uuidOf is the opposite of guidOf.
func uuidOf(guid string) string {
	if len(guid) != 16 {
		return ""
	}
	b := swapGUID([]byte(guid))
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func swapGUID(b []byte) []byte {
	return []byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]}
}

// makeSID is a security identifier in binary, S-1-5-21 and what follows.
func makeSID(authority uint64, sub ...uint32) string {
	b := []byte{1, byte(len(sub))}
	b = append(b, byte(authority>>40), byte(authority>>32), byte(authority>>24), byte(authority>>16), byte(authority>>8), byte(authority))
	for _, x := range sub {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return string(b)
}

// parseSID reads the text form, S-1-….
func parseSID(s string) (string, bool) {
	parts := strings.Split(s, "-")
	if len(parts) < 4 || !strings.EqualFold(parts[0], "S") || parts[1] != "1" {
		return "", false
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return "", false
	}
	var sub []uint32
	for _, p := range parts[3:] {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return "", false
		}
		sub = append(sub, uint32(n))
	}
	return makeSID(authority, sub...), true
}

// resolve reads a name in one of the other forms of Active Directory:
// <GUID=…> and <SID=…>, as hex or as text, and <WKGUID=…,DN>. The lock is held.
func (d *Directory) resolve(name string) (identity.DN, *Error) {
	bad := refuse(InvalidDNSyntax, "0000208F: NameErr: DSID-03100229, problem 2006 (BAD_NAME), data 8350, best match of: '%s'", name)
	if !strings.HasPrefix(name, "<") {
		return parseName(name)
	}
	kind, value, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(name, "<"), ">"), "=")
	if !ok || !strings.HasSuffix(name, ">") {
		return identity.DN{}, bad
	}
	attr, raw := "", ""
	switch strings.ToUpper(kind) {
	case "GUID":
		attr = "objectguid"
		if raw = guidOf(value); !strings.Contains(value, "-") {
			b, _ := hex.DecodeString(value)
			raw = string(b)
		}
	case "SID":
		attr = "objectsid"
		if s, ok := parseSID(value); ok {
			raw = s
		} else {
			b, _ := hex.DecodeString(value)
			raw = string(b)
		}
	case "WKGUID":
		if id, base, _ := strings.Cut(value, ","); strings.EqualFold(id, deletedObjectsWKGUID) && identity.MustDN(base).Equal(d.domain.nc) {
			return d.domain.deleted.rec.dn, nil
		}
	}
	if raw == "" {
		return identity.DN{}, bad
	}
	if found := d.index[attr][raw]; len(found) == 1 {
		return found[0].rec.dn, nil
	}
	return identity.DN{}, refuse(NoSuchObject, "00002030: NameErr: problem 2001 (NO_OBJECT), data 0")
}

const deletedObjectsWKGUID = "18E2EA80684F11D2B9AA00C04F79F805"
