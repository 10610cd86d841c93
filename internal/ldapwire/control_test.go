package ldapwire

import (
	"bytes"
	"testing"
)

// RFC 4511, section 5.1: TRUE is 0xFF and nothing else. Samba takes any other octet
// for FALSE, and a control that is not critical for one that it may leave out.
func TestCriticalIsWrittenAsItMust(t *testing.T) {
	critical := []byte{tagBoolean, 1, 0xff}
	for _, c := range []RequestControl{DomainScope(), pagingControl(500, nil), DirSyncRequest{}.control()} {
		if got := (libraryControl{c}).Encode().Bytes(); !bytes.Contains(got, critical) {
			t.Errorf("%s is sent as % x", c.OID(), got)
		}
		if got := (libraryControl{c.Optional()}).Encode().Bytes(); bytes.Contains(got, critical[:2]) {
			t.Errorf("%s, which is optional, is sent as % x", c.OID(), got)
		}
	}
}
