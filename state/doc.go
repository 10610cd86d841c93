// Package state keeps what rosterd remembers in one bbolt file: the snapshot of
// the directory, what is dirty or due, links, intents and their outcomes,
// holds, the policy in force and the journal.
//
// It offers operations, never buckets. Every method is one or a few short
// transactions, everything it returns is a copy, and no read transaction
// outlives a call. A Store may be used by several goroutines at once, a Stage
// by one.
//
// A process that is killed between any two transactions loses nothing: what a
// listing brought is staged, sealed in one transaction and drained in chunks
// that remember how far they came.
package state
