package entries

import (
	"context"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
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
	// Name is the attribute that is the name of an account.
	Name string
	// RDN is the attribute that names its entry: the same, or another one, which is
	// the name where nothing else gives it a value.
	RDN string
	// ObjectClasses are those of a new account.
	ObjectClasses []string
	// IDAttribute is the immutable ID.
	IDAttribute string
	// IDText makes the ID of a value of that attribute, IDValue the value of the
	// ID, or "" if it cannot be one; nil: they are the same.
	IDText, IDValue func(string) string
	// Mark is the attribute that takes the ownership mark; empty: none.
	Mark string
	// Switch closes an account by its attributes; the zero one cannot.
	Switch Switch
	Groups Groups
	// MakeContainers: a container that a new or moved account needs, and that is not
	// there, is made. It is an organizational unit below the base.
	MakeContainers bool

	// Initial is what a new account begins with besides; nil: nothing. It is called
	// for each, since it may be made at random.
	Initial func() []ldapwire.Values
	// FitName says why a name cannot be one of an account; nil: any text can.
	FitName func(name string) error
	// Domain is where a name must be free, if that is more than the containers of
	// accounts, and the values of the attributes in Unique too.
	Domain identity.DN
	Unique []string
	// Guarded says whether the server itself guards an account, by these attributes.
	Guarded Test
	// Explain says what an answer of the server means, where the kind knows it
	// better; class 0: it does not.
	Explain func(*ldapwire.Error) (class target.Class, tip string)
	// Controls go with every search.
	Controls []ldapwire.RequestControl
	// SetPassword sets the password of an account; nil: it cannot be set.
	SetPassword func(ctx context.Context, c *ldapwire.Conn, account ldapwire.Record, password target.Password) error
	// MustChange: it can be one that has to be changed when it is first used.
	MustChange bool
	// Inspect says what more there is to say about a server; nil: nothing.
	Inspect func(context.Context, *ldapwire.Conn) ([]target.Note, error)
}

// Test is a question about an account; the zero one is answered with no.
type Test struct {
	// Attributes are read of every account for it.
	Attributes []string
	Is         func(ldapwire.Record) bool
}

// Switch is how attributes say that an account may be used. Its functions are
// pure.
type Switch struct {
	// Attributes are read of every account for it. With Always each has them: one that
	// is not shown is a right that is missing, and says nothing of the account.
	Attributes []string
	Always     bool
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
	// Linked: the server keeps the members of groups in step with the names of
	// entries, and takes out who is deleted.
	Linked bool
	// Long: the server may show a part of the members at a time.
	Long bool
	// Searched: whether somebody is a member is asked by a search. Samba reads what is
	// compared as a piece of a filter, with the signs that are in it.
	Searched bool
	// Already says of an error that the one member that was to be added, or taken
	// out, is so already, where the server has another word for it than the usual.
	Already func(err error, add bool) bool
	// Primary is the group that an account is in by an attribute of its own.
	Primary Primary
}

// Primary is the group that somebody is in without standing among its members;
// the zero one is none.
type Primary struct {
	// Attributes are read of every account for it.
	Attributes []string
	// Of is the value that the group has in the attribute Group; "" for none.
	Of    func(account ldapwire.Record) string
	Group string
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
