package directory

import "github.com/rosterd/rosterd/identity"

// Kind tells what an entry is.
type Kind uint8

const (
	// Person is an entry of the people that a source is read for.
	Person Kind = iota + 1
	// Group is an entry whose members may get roles by it.
	Group
	// Container is an entry that others lie below. It has an ID and a DN, nothing
	// else is read of it: when it is renamed, everybody below it is, without a change
	// of their own.
	Container
)

func (k Kind) String() string {
	switch k {
	case Person:
		return "person"
	case Group:
		return "group"
	case Container:
		return "container"
	}
	return "entry"
}

// Entry is one entry as a source reads it. Its strings belong to the receiver.
type Entry struct {
	Kind Kind
	ID   identity.ID
	DN   identity.DN
	// Login, Mail, Name and RehireKey are of people; a group has its Name.
	Login, Mail, Name, RehireKey string
	Attributes                   identity.Attributes
	// Validity is what the server itself says of when the account may be used.
	// It is of people.
	Validity identity.Validity
	// Members are of groups, as written in the group.
	Members []Member
}

// Member is how a group refers to a member: by DN (member, uniqueMember) or by
// login (memberUid). Exactly one of the two is set.
type Member struct {
	DN    identity.DN
	Login string
}

// Known is an entry of the snapshot.
type Known struct {
	Kind Kind
	ID   identity.ID
	DN   identity.DN
	// Left says, where changes are told, that it is not known to be there: it is gone,
	// out of scope or was not seen.
	Left bool
}

// Finding is the answer of a look-up by ID for one entry.
type Finding struct {
	Kind Kind
	ID   identity.ID
	// Found says that an entry with this ID exists somewhere in the source.
	Found bool
	// DN is where it is now, if found.
	DN identity.DN
	// Listed says that a listing that is made now would show it: it lies in a base, and
	// the filter finds it there. A listing that did not show it was made while it was
	// hidden, or on its way.
	Listed bool
}
