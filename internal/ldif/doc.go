// Package ldif reads and writes LDIF content records (RFC 2849): what slapcat
// prints, slapadd loads and ldapsearch answers. Change records are refused.
package ldif
