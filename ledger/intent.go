package ledger

import (
	"time"

	"github.com/rosterd/rosterd/target"
)

// Order is a change that may go, with what the journal says of it. Orders
// become intents when the state has them on disk.
type Order struct {
	Change    target.Change
	Situation string
	// Because are the reasons, in words, sorted.
	Because []string
	// Roles are those that an entitlement is given for.
	Roles []string
	// Approval is the hold whose approval lets it go; empty if none was needed.
	Approval string
	// By is who approved it, or asked for it by name; empty if nobody had to.
	By string
	// Spends says against which limits it counts.
	Spends []Spend
	// Mark is the ownership mark that Create and Link put on the account.
	Mark string
	// Awaits are the attributes that an account is made or taken over without, since
	// whom they refer to has no account yet.
	Awaits []string
	// Nothing says that the look-up before a Create found no account: only
	// then may recovery claim what it finds.
	Nothing bool
	// Owed: once it is done, a password is to be set and handed over. Shut: Create
	// makes a closed account, or Link takes over one that is closed.
	Owed, Shut bool
}

// Outcome is what became of an intent.
type Outcome struct {
	// Done: the target said so. Verified: it was read back.
	Done, Verified bool
	// Account is what Create, Link and Rename returned.
	Account target.Ref
	// Way is how a password was handed over.
	Way string
	// Err is the error in words, if not done; Class is its class.
	Err, Hint string
	Class     target.Class
	// Next is when a failed change is tried again.
	Next     time.Time
	Attempts int
	Took     time.Duration
}
