// Package ledger holds what rosterd remembers of its own acts as plain values:
// links, marks, pins, holds, approvals, spend, parked work and denials. It does
// nothing; the state keeps them and the plan reads them.
package ledger
