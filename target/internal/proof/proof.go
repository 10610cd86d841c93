// Package proof makes the proofs that only the kinds of target below target
// can reach.
package proof

// Look proves that a look at one account was answered by the target. The zero
// value is not valid.
type Look struct{ made bool }

// Looked makes a proof of a look. Call it only with the answer in hand.
func Looked() Look { return Look{made: true} }

// Valid says whether a target made the proof.
func (l Look) Valid() bool { return l.made }

// Listing proves that a listing of all accounts was complete. The zero value
// is not valid.
type Listing struct {
	made     bool
	accounts int
}

// Listed makes a proof of a listing. Call it only where every page was read.
func Listed(accounts int) Listing { return Listing{made: true, accounts: accounts} }

// Valid says whether a target made the proof.
func (l Listing) Valid() bool { return l.made }

// Accounts is how many accounts the listing holds.
func (l Listing) Accounts() int { return l.accounts }
