// Package journal is the form of the audit journal: records in a chain of
// hashes, each with a public part and personal ones. A personal part can be
// taken away later, and the chain still verifies:
//
//	hash(i) = SHA-256(hash(i-1) ‖ public(i) ‖ person ‖ SHA-256(personal) ‖ …)
//
// A record is lines of text, so that it can be read, and verified, without this
// program. It does no I/O of its own; the state keeps the records.
package journal
