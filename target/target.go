package target

import "context"

// Target is one system with accounts. Its methods may be called from several
// goroutines at once, but never for the same account.
type Target interface {
	// Describe says what the target is and can do. It does no I/O.
	Describe() Description
	// Identity names the system behind the address (naming context, tenant,
	// file), so that another one at the same address is noticed.
	Identity(ctx context.Context) (string, error)
	// List calls yield for every account in the managed scope, and proves that
	// those were all. Without a valid proof nothing was listed. An error of
	// yield ends the listing and is returned.
	List(ctx context.Context, scope Scope, yield func(Account) error) (Complete, error)
	// Look answers each query, in order, or fails as a whole.
	Look(ctx context.Context, scope Scope, queries []Query) ([]Observation, error)
	Writer
}

// Writer is the half of a target that changes it. A method that returns nil has
// the target's word that the change was made; an error of class InDoubt means
// that nobody knows. None of them is called but by the apply stage.
type Writer interface {
	// Create makes an enabled account, or a disabled one where Description.PasswordFirst
	// says so, and returns its ID. The mark is put on
	// it where the target can hold one. An account of that name that exists is
	// an error of class Exists.
	Create(ctx context.Context, name string, set []Value, mark string) (Ref, error)
	// Link puts the mark on an existing account.
	Link(ctx context.Context, account Ref, mark string) error
	// Update gives the named attributes other values, in one request where the
	// target can; no values clears one. What How says of a value is judged by what
	// the account has when the write arrives, not by what the caller saw.
	Update(ctx context.Context, account Ref, set []Value) error
	// Rename returns the account under its new name; the ID may be new only
	// where the target's IDs are names.
	Rename(ctx context.Context, account Ref, name string) (Ref, error)
	Enable(ctx context.Context, account Ref) error
	Disable(ctx context.Context, account Ref) error
	// Delete removes the account; one that is not there is a success.
	Delete(ctx context.Context, account Ref) error
	// Grant and Revoke change one entitlement of many accounts, in as few
	// requests as the target allows. They return an error for each account
	// that failed, by position, or nil. What is so already is a success.
	Grant(ctx context.Context, entitlement string, accounts []Ref) []error
	Revoke(ctx context.Context, entitlement string, accounts []Ref) []error
}

// Checker is a target that can be asked what is wrong.
type Checker interface {
	// Check connects and says what the target is and what may be done there.
	Check(ctx context.Context, scope Scope) ([]Note, error)
}

// Closer is a target that holds connections.
type Closer interface{ Close() error }

// Note is one finding of a check.
type Note struct {
	// Broken: a cycle would fail. Else it is for information.
	Broken     bool
	Text, Hint string
}

// Description is what a target is and can do.
type Description struct {
	// Kind is the word in the configuration: ldap, file, memory.
	Kind string
	// NameAttribute is the attribute that is the account's name.
	NameAttribute                    string
	CanRename, CanDisable, CanDelete bool
	// Entitlements: the target has entitlements at all.
	Entitlements bool
	// ReadBack: what was written can be read again, so "revoked" can be said.
	ReadBack bool
	// Marks: accounts can carry an ownership mark.
	Marks bool
	// References: attributes of other accounts name an account by its Reference, such
	// as a DN, which can change; otherwise by its ID.
	References bool
	// Moves: disabling and enabling an account change its Reference.
	Moves bool
	// Passwords: rosterd can set the password of an account: the target is a Passworder.
	Passwords bool
	// MustChange: a password can be set that has to be changed when it is first used.
	MustChange bool
	// PasswordFirst: an account cannot be open before it has a password. Create makes a
	// disabled one there, and Enable follows, after SetPassword where one is asked for.
	PasswordFirst bool
	// Path is the attribute that is a DN of the target which a policy puts together, such
	// as where an account is; empty: none is.
	Path string
	// WhileOpen are attributes that only an account which may be used has, such as its
	// container where closed accounts have one of their own: of one that is closed, and
	// stays so, they are not compared.
	WhileOpen []string
	// Same compares values of an attribute under the target's rules; nil
	// compares sets of exact values. It is pure.
	Same func(attribute string, a, b []string) bool
	// SameName compares account names; nil compares exactly. It is pure.
	SameName func(a, b string) bool
}
