package target

import (
	"context"

	"github.com/rosterd/rosterd/internal/secret"
)

// Passworder is a target whose accounts can be given a password. Description.Passwords
// says whether this one can, under its configuration.
type Passworder interface {
	// SetPassword gives the account this password in the place of any other, and
	// changes nothing else of it; a disabled one stays so. One that the target's policy
	// does not take is an error of class Refused that says which rule, and one in doubt does
	// no harm: another is set later. No error holds any of its text.
	SetPassword(ctx context.Context, account Ref, password Password) error
}

// Password is one that was made for an account. It does not print.
type Password struct {
	Text secret.Text
	// MustChange: who logs in with it has to choose another. Asked for only where
	// Description.MustChange says that the target can.
	MustChange bool
}
