package entries

import (
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// Settings are what differs between the kinds, and between two targets of one.
// They are complete: whoever makes them fills in what was left out.
type Settings struct {
	// Kind is the word in the configuration.
	Kind string
	Wire ldapwire.Config
	// Connections is how many are open at most.
	Connections int

	// Base is where accounts are made, and below which they are looked for.
	Base identity.DN
	// MoveTo is the container of closed accounts; zero: none is closed by a move.
	MoveTo identity.DN
	// Filter says which entries are accounts.
	Filter string
	// RDN is the attribute that names an account.
	RDN string
	// ObjectClasses are those of a new account.
	ObjectClasses []string
	// IDAttribute is the immutable ID.
	IDAttribute string
	// Mark is the attribute that takes the ownership mark; empty: none.
	Mark string
	// Switch closes an account by its attributes; the zero one cannot.
	Switch Switch
	Groups Groups
}

// Switch is how attributes say that an account may be used. Its functions are
// pure.
type Switch struct {
	// Attributes are read of every account for it.
	Attributes []string
	// On says whether the account may be used.
	On func(ldapwire.Record) bool
	// Turn is what to change so that it may be used, or not.
	Turn func(rec ldapwire.Record, on bool) []ldapwire.Change
	// Fresh are the values of a new account, where nothing else gives these
	// attributes any.
	Fresh []ldapwire.Values
}

// Groups says what the groups of the target look like. They are never made.
type Groups struct {
	// Base is below which they are; zero: there are none.
	Base identity.DN
	// Style is the attribute of members.
	Style string
	// Placeholder is a member that is nobody: it is put into a group whose
	// last member goes and that may not be empty; [PlaceholderSelf] is the group
	// itself, and empty means that none is needed.
	Placeholder string
	// Name is the attribute by which entitlements name a group.
	Name string
	// Filter says which entries are groups.
	Filter string
}

// The attributes that members stand in.
const (
	StyleMember       = "member"
	StyleUniqueMember = "uniqueMember"
	StyleMemberUID    = "memberUid"
)

const (
	// PlaceholderSelf stands for the DN of the group.
	PlaceholderSelf = "self"
	// EntryUUID is the immutable ID of RFC 4530.
	EntryUUID = "entryUUID"
)
