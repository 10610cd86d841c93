// Package identity holds the words of people: who somebody is in the
// authoritative directory, by which immutable ID they are known, what was read
// of them, and where they stand.
//
// It imports nothing of rosterd and does no I/O.
package identity
