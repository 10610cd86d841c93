package ldap

import (
	"encoding/binary"
	"errors"
)

// Rights of Active Directory that are named by a GUID ([MS-ADTS], 5.1.3.2.1).
const (
	rightGetChanges    = "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2"
	rightGetChangesAll = "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2"
)

// Parts of the mask of an access control entry ([MS-DTYP], 2.4.3), and kinds of
// entries (2.4.4).
const (
	maskControlAccess = 0x100
	maskGenericAll    = 0x10000000

	aceAllow       = 0
	aceDeny        = 1
	aceAllowObject = 5
	aceDenyObject  = 6

	aceInheritOnly    = 0x08
	aceHasObject      = 1
	aceHasInheritance = 2
)

var errAccessList = errors.New("it is no security descriptor that can be read")

// granted says whether a security descriptor ([MS-DTYP], 2.4.6) gives the right to
// one of the identifiers. The first entry that speaks of it decides; without an
// access list everybody may do everything.
func granted(b []byte, right string, sids map[string]bool) (bool, error) {
	if len(b) < 20 || b[0] != 1 {
		return false, errAccessList
	}
	at := int64(binary.LittleEndian.Uint32(b[16:]))
	if at == 0 {
		return true, nil
	}
	if at+8 > int64(len(b)) {
		return false, errAccessList
	}
	list := b[at:]
	size, count := int(binary.LittleEndian.Uint16(list[2:])), int(binary.LittleEndian.Uint16(list[4:]))
	if size < 8 || size > len(list) {
		return false, errAccessList
	}
	list = list[8:size]
	for range count {
		if len(list) < 8 {
			return false, errAccessList
		}
		n := int(binary.LittleEndian.Uint16(list[2:]))
		if n < 8 || n > len(list) {
			return false, errAccessList
		}
		speaks, allows, err := aceGives(list[:n], right, sids)
		if err != nil {
			return false, err
		}
		if speaks {
			return allows, nil
		}
		list = list[n:]
	}
	return false, nil
}

// aceGives says whether one entry speaks of the right, and whether it gives it.
func aceGives(ace []byte, right string, sids map[string]bool) (speaks, allows bool, err error) {
	kind, flags, mask := ace[0], ace[1], binary.LittleEndian.Uint32(ace[4:])
	if flags&aceInheritOnly != 0 || mask&(maskControlAccess|maskGenericAll) == 0 {
		return false, false, nil
	}
	rest := ace[8:]
	switch kind {
	case aceAllow, aceDeny:
	case aceAllowObject, aceDenyObject:
		if len(rest) < 4 {
			return false, false, errAccessList
		}
		has := binary.LittleEndian.Uint32(rest)
		rest = rest[4:]
		if has&aceHasObject != 0 {
			if len(rest) < 16 {
				return false, false, errAccessList
			}
			if object, err := parseGUID(rest[:16]); err != nil || string(object) != right {
				return false, false, err
			}
			rest = rest[16:]
		}
		if has&aceHasInheritance != 0 {
			if len(rest) < 16 {
				return false, false, errAccessList
			}
			rest = rest[16:]
		}
	default:
		return false, false, nil
	}
	// What stands behind the identifier is for conditions.
	if len(rest) < 8 || len(rest) < 8+4*int(rest[1]) {
		return false, false, errAccessList
	}
	who, err := parseSID(rest[:8+4*int(rest[1])])
	if err != nil {
		return false, false, errAccessList
	}
	return sids[who.text], kind == aceAllow || kind == aceAllowObject, nil
}
