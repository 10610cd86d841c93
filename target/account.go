package target

import "github.com/rosterd/rosterd/target/internal/proof"

// NativeID is the target's own immutable identifier of an account.
type NativeID string

// Account is an account as it was read from a target.
type Account struct {
	ID      NativeID
	Name    string
	Enabled bool
	// Attributes are those of the scope that the account has, by the name
	// used in the configuration. A name that is in the scope and not here has
	// no value.
	Attributes map[string][]string
	// Entitlements are those of the scope that the account holds, sorted.
	Entitlements []string
	// Unseen are those of the scope of which the target shows nothing to anybody, though it
	// may have them: whether the account holds them is not known.
	Unseen []string
	// Mark is the ownership mark, where the target can hold one.
	Mark string
	// Protected says that the target itself guards the account.
	Protected bool
	// Reference is by what attributes of other accounts name this one, where the
	// target says so (Description.References).
	Reference string
}

// Ref names an account for a write.
type Ref struct {
	ID   NativeID
	Name string
}

// Scope is what a reader wants to know of accounts.
type Scope struct {
	// Attributes by their name in the configuration, sorted.
	Attributes []string
	// Entitlements by name, sorted: every one the policy can name here.
	Entitlements []string
}

// Match is one attribute value by which an account may be found.
type Match struct{ Attribute, Value string }

// Query asks for one account: by its native ID if that is set, else by the
// matches, of which the first that finds anything answers.
type Query struct {
	ID    NativeID
	Match []Match
	// Alike asks whether somebody has a name: one that differs in case or blanks alone is
	// found too, also where the target tells the two apart. The matches are of the name.
	Alike bool
}

// Observation is the complete answer to one query. None: there is no such
// account. More than one: the match is ambiguous.
type Observation struct {
	// Read is made only by a target that has read; the zero value is no
	// observation.
	Read     Read
	Accounts []Account
	// By is the match that found them; zero for a look by ID.
	By Match
}

// Read proves that a look was answered. Complete proves that a listing was.
type (
	Read     = proof.Look
	Complete = proof.Listing
)
