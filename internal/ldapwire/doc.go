// Package ldapwire gives a source and a target what they need of LDAP: a
// connection, complete listings, small reads, writes, and errors that say what
// to do. It is the only importer of go-ldap, and knows no person or account.
//
// A listing is complete or it is an error: Search returns a Done only when the
// server said that it was done, page by page, without a limit, an unfollowed
// referral, a partial attribute or a doubt. What the sink was given before an
// error is to be thrown away.
//
// go-ldap dials nothing here. It is handed a net.Conn of ours (wire), above
// TLS, that cuts the stream at the borders of LDAPMessages, lets through only
// answers to the one operation that runs, keeps the deadlines, and in the fast
// lane decodes the entries of a search itself. The page loop on plain go-ldap
// stays as the reference; tests run both and compare.
package ldapwire

import ber "github.com/go-asn1-ber/asn1-ber"

// maxMessage bounds one LDAPMessage, in octets: a group of a million members
// is about 45 MB. A buffer grows only as octets arrive.
const maxMessage = 256 << 20

func init() {
	// go-asn1-ber's own limits are 2 GiB and 1000 levels.
	ber.MaxPacketLengthBytes = maxMessage
	ber.MaxNestingDepth = 64
}
