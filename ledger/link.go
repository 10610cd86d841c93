package ledger

import (
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// Link is the stored result of correlation: which account in a target is whose.
type Link struct {
	Person  identity.Ordinal
	Target  string
	Account target.NativeID
	Name    string
	// Called is the name that we gave the account, or found when it was adopted,
	// whatever it is called by now; empty: Name.
	Called string
	// Reference is by what others refer to the account, where that is not its ID and
	// it was seen; empty: it was not.
	Reference string
	Owner     Owner
	// By is who adopted the account; empty where rosterd created it.
	By    string
	Phase Phase
	// Cause is the situation that closed the account: "gone", "unentitled" …
	Cause string
	// PhaseSince is when the phase began.
	PhaseSince time.Time
	// Written holds a digest of the values last written, by attribute.
	Written map[string]Digest
	// Added holds the values that we gave to attributes beside those of others,
	// sorted, by attribute.
	Added map[string][]string
	// Awaits are the attributes that were left out when the account was made or taken
	// over, since whom they refer to had no account.
	Awaits []string
	// Granted are the entitlements that we gave, sorted by name.
	Granted []Granted
	// Taken are those that the target said to have taken, sorted, until that is read back.
	Taken []string
	// Verified is when the target was last read to agree.
	Verified time.Time
	// Owed: we made or opened the account, and no password was handed over for it since.
	Owed bool
	// Handed is when one was last; zero: never.
	Handed time.Time
}

// Unopened is the cause of a phase Closed that the account was made in: it waits for
// its first password, or for being opened.
const Unopened = "new"

// ClosedThere and Released are causes of a phase ClosedElsewhere: it stays so, or it is
// to be enabled, since somebody said so.
const (
	ClosedThere = "disabled in the target"
	Released    = "released by hand"
)

// Release says whether somebody asked that the account be enabled.
func (l Link) Release() bool { return l.Phase == ClosedElsewhere && l.Cause == Released }

// GivenName is the name that the account is to keep.
func (l Link) GivenName() string {
	if l.Called != "" {
		return l.Called
	}
	return l.Name
}

// Digest is a truncated SHA-256 of an attribute's values as a set.
type Digest [16]byte

// Granted is one entitlement that we gave, for which roles, since when.
type Granted struct {
	Entitlement string
	Roles       []string
	Since       time.Time
}

// Owner says how the account became ours.
type Owner uint8

const (
	// Created by rosterd.
	Created Owner = iota + 1
	// Adopted: it existed, and was taken over on purpose.
	Adopted
)

func (o Owner) String() string {
	switch o {
	case Created:
		return "created"
	case Adopted:
		return "adopted"
	}
	return "?"
}

// Phase is what became of the account.
type Phase uint8

const (
	// Open: enabled, as far as we have to say.
	Open Phase = iota + 1
	// Closed: disabled by us.
	Closed
	// ClosedElsewhere: found disabled though we left it enabled; it stays so
	// until a release.
	ClosedElsewhere
	// Deleted by us. The link is kept as long as the person.
	Deleted
)

var phaseNames = [...]string{"?", "open", "closed", "closed-elsewhere", "deleted"}

func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return "?"
}
