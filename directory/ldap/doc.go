// Package ldap is a source that is an LDAP directory: OpenLDAP, and servers
// that keep to the same standards (RFC 4511, RFC 4530 entryUUID).
//
// It reads people and groups completely or not at all. What proves that is
// the listing of internal/ldapwire: every page, the last result success, no
// limit, no referral left unread. On top of that every base must be readable,
// every entry must have its ID, and every canary must have been seen.
package ldap
