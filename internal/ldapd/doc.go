// Package ldapd is an LDAP server (RFC 4511) inside the process, over a tree
// in memory: the directory of the demo and of selftest, and the hostile one of
// the tests, which misbehaves on demand (Faults).
//
// It has real filters with three-valued logic, matching rules by attribute,
// paging (RFC 2696), StartTLS, ldapi with SASL EXTERNAL, and every operation
// that a synchroniser meets. It has no schema check, access control, password
// policy or replication, and is held to one table of operations with slapd.
package ldapd
