package ldapwire

import (
	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// OIDs of controls, to ask a server for.
const (
	OIDSync                = "1.3.6.1.4.1.4203.1.9.1.1"
	OIDDirSync             = "1.2.840.113556.1.4.841"
	OIDNotification        = "1.2.840.113556.1.4.528"
	OIDPersistentSearch    = "2.16.840.1.113730.3.4.3"
	OIDShowDeleted         = "1.2.840.113556.1.4.417"
	OIDShowRecycled        = "1.2.840.113556.1.4.2064"
	OIDShowDeactivatedLink = "1.2.840.113556.1.4.2065"
	OIDExtendedDN          = "1.2.840.113556.1.4.529"
	OIDDomainScope         = "1.2.840.113556.1.4.1339"
	OIDManageDsaIT         = "2.16.840.1.113730.3.4.2"
	OIDSecurityParts       = "1.2.840.113556.1.4.801"

	oidSyncState = "1.3.6.1.4.1.4203.1.9.1.2"
	oidSyncDone  = "1.3.6.1.4.1.4203.1.9.1.3"
	oidSyncInfo  = "1.3.6.1.4.1.4203.1.9.1.4"
)

// RequestControl goes with a request (RFC 4511, section 4.1.11). It is critical
// unless Optional was called: a server that does not know it refuses, and does
// not answer another question.
type RequestControl struct {
	oid      string
	optional bool
	value    []byte // nil: it has none
}

// OID is what kind of control it is.
func (r RequestControl) OID() string { return r.oid }

// Optional returns the control for a server that may leave it unheeded.
func (r RequestControl) Optional() RequestControl {
	r.optional = true
	return r
}

// ShowDeleted includes deleted objects (Active Directory).
func ShowDeleted() RequestControl { return RequestControl{oid: OIDShowDeleted} }

// ShowRecycled includes deleted objects, and those whose attributes are gone.
func ShowRecycled() RequestControl { return RequestControl{oid: OIDShowRecycled} }

// ShowDeactivatedLink includes the links of deleted objects.
func ShowDeactivatedLink() RequestControl { return RequestControl{oid: OIDShowDeactivatedLink} }

// DomainScope leaves out references to other domains.
func DomainScope() RequestControl { return RequestControl{oid: OIDDomainScope} }

// AccessList has of the security descriptor of an object the list alone that says
// who may do what: who lacks the right to see all of it sees nothing without that.
func AccessList() RequestControl {
	return RequestControl{oid: OIDSecurityParts, value: element(tagSequence, number(tagInteger, 4))}
}

// ManageDsaIT has a referral object come as the entry that it is (RFC 3296).
func ManageDsaIT() RequestControl { return RequestControl{oid: OIDManageDsaIT} }

// ExtendedDN has each DN begin with the GUID and SID of its object, as text:
// "<GUID=…>;<SID=…>;CN=…".
func ExtendedDN() RequestControl {
	return RequestControl{oid: OIDExtendedDN, value: element(tagSequence, number(tagInteger, 1))}
}

// pagingControl is that of RFC 2696, critical: a server that does not know it
// says so and does not send an unbounded answer.
func pagingControl(size int, cookie []byte) RequestControl {
	return RequestControl{oid: OIDPaging,
		value: element(tagSequence, number(tagInteger, int32(size)), element(tagOctetString, cookie))}
}

// libraryControl gives a RequestControl to go-ldap.
type libraryControl struct{ RequestControl }

func (c libraryControl) GetControlType() string { return c.oid }
func (c libraryControl) String() string         { return c.oid }

func (c libraryControl) Encode() *ber.Packet {
	out := ber.NewSequence("control")
	out.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, c.oid, "type"))
	if !c.optional {
		// 0xff (RFC 4511, section 5.1): Samba takes 1 for no.
		out.AppendChild(ber.NewLDAPBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, "critical"))
	}
	if c.value != nil {
		out.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(c.value), "value"))
	}
	return out
}

// libraryControls does so with many.
func libraryControls(controls []RequestControl) []ldap.Control {
	out := make([]ldap.Control, len(controls))
	for i, c := range controls {
		out[i] = libraryControl{c}
	}
	return out
}
