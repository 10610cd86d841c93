// Package ldapd is an LDAP server (RFC 4511) inside the process, over a tree
// in memory: the directory of the demo and of selftest, and the hostile one of
// the tests, which misbehaves on demand (Faults).
//
// It has real filters with three-valued logic, matching rules by attribute,
// paging (RFC 2696), StartTLS, ldapi with SASL EXTERNAL, and every operation
// that a synchroniser meets. It has no schema check, access control, password
// policy or replication, and is held to one table of operations with slapd.
//
// To who follows changes it can be one of three servers (NewAs): slapd with its
// sync provider, 389-ds with content synchronisation and retro changelog, or a
// domain controller of an Active Directory. Each tells a story step by step as
// the real one does, which tests hold it to: slapd in every run, Samba and
// 389-ds with -tags servers. What Samba does not do is as Microsoft documents it:
// caps of pages and values, DirSync in rounds, passwords over TLS only,
// references between naming contexts, the recycle bin. That is not verified.
package ldapd
