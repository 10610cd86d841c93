package ldap

import (
	"encoding/binary"
	"slices"
	"testing"
)

// ace makes an access control entry for one identifier.
func ace(kind, flags byte, mask uint32, object string, sid []byte) []byte {
	body := binary.LittleEndian.AppendUint32(nil, mask)
	if kind >= aceAllowObject {
		has := uint32(0)
		if object != "" {
			has = aceHasObject
		}
		body = binary.LittleEndian.AppendUint32(body, has)
		if object != "" {
			octets, _ := guidOctets(normalID(object))
			body = append(body, octets[:]...)
		}
	}
	body = append(body, sid...)
	out := []byte{kind, flags}
	out = binary.LittleEndian.AppendUint16(out, uint16(len(body)+4))
	return append(out, body...)
}

func descriptor(aces ...[]byte) []byte {
	list := slices.Concat(aces...)
	out := make([]byte, 20, 28+len(list))
	out[0] = 1
	binary.LittleEndian.PutUint32(out[16:], 20)
	out = append(out, 4, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(8+len(list)))
	out = binary.LittleEndian.AppendUint16(out, uint16(len(aces)))
	return append(append(out, 0, 0), list...)
}

func TestWhatAnAccessListGives(t *testing.T) {
	us, other := []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0}, []byte{1, 1, 0, 0, 0, 0, 0, 5, 9, 0, 0, 0}
	sids := map[string]bool{"S-1-5-32-544": true}
	for name, c := range map[string]struct {
		aces [][]byte
		want bool
	}{
		"nothing":               {nil, false},
		"the right":             {[][]byte{ace(aceAllowObject, 0, maskControlAccess, rightGetChangesAll, us)}, true},
		"to somebody else":      {[][]byte{ace(aceAllowObject, 0, maskControlAccess, rightGetChangesAll, other)}, false},
		"another right":         {[][]byte{ace(aceAllowObject, 0, maskControlAccess, rightGetChanges, us)}, false},
		"every right":           {[][]byte{ace(aceAllowObject, 0, maskControlAccess, "", us)}, true},
		"every right, simply":   {[][]byte{ace(aceAllow, 0, maskControlAccess, "", us)}, true},
		"everything":            {[][]byte{ace(aceAllow, 0, maskGenericAll, "", us)}, true},
		"to read":               {[][]byte{ace(aceAllow, 0, 0x10, "", us)}, false},
		"only for who is below": {[][]byte{ace(aceAllow, aceInheritOnly, maskGenericAll, "", us)}, false},
		"denied first": {[][]byte{ace(aceDenyObject, 0, maskControlAccess, rightGetChangesAll, us),
			ace(aceAllow, 0, maskGenericAll, "", us)}, false},
		"an audit before": {[][]byte{ace(2, 0, maskGenericAll, "", other), ace(aceAllow, 0, maskGenericAll, "", us)}, true},
	} {
		b := descriptor(c.aces...)
		if got, err := granted(b, rightGetChangesAll, sids); err != nil || got != c.want {
			t.Errorf("%s: %t, %v", name, got, err)
		}
		for n := range b {
			if got, err := granted(b[:n], rightGetChangesAll, sids); err == nil || got {
				t.Errorf("%s, cut at %d: %t, %v", name, n, got, err)
			}
		}
	}
	if got, err := granted(append([]byte{1}, make([]byte, 19)...), rightGetChangesAll, nil); err != nil || !got {
		t.Errorf("without a list: %t, %v", got, err)
	}
}

func FuzzAccessList(f *testing.F) {
	f.Add(descriptor(ace(aceAllowObject, 0, maskControlAccess, rightGetChangesAll, []byte{1, 1, 0, 0, 0, 0, 0, 5, 9, 0, 0, 0})))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := granted(b, rightGetChangesAll, map[string]bool{"S-1-5-9": true}); err != nil && got {
			t.Error("an error, and granted")
		}
	})
}
