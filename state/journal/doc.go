// Package journal is the form of the audit journal: records in a chain of
// hashes, each with a public part and a personal one. A personal part can be
// taken away later, and the chain still verifies:
//
//	hash(i) = SHA-256(hash(i-1) ‖ public(i) ‖ SHA-256(personal(i)))
//
// It does no I/O; the state keeps the records.
package journal
