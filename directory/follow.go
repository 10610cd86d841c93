package directory

import (
	"context"
	"fmt"

	"github.com/rosterd/rosterd/directory/internal/proof"
	"github.com/rosterd/rosterd/identity"
)

// Cursor is how far the changes of a source were followed. It holds all that it
// depends on; whoever finds that any of this is another now reads everything.
type Cursor = proof.Cursor

// Followed says that all changes since a cursor were told: the new cursor, and
// from which server, as whom, with which coverage, when. Only a source can make
// one that is Valid.
type Followed = proof.Followed

// FollowedFacts is what a Followed rests on.
type FollowedFacts = proof.FollowedFacts

// Follower is a source that can say what changed since it was last read.
type Follower interface {
	// Follow tells what changed since the cursor, at the cost of the change. Open
	// is called when there is something to tell, and not before: a cycle in which
	// nothing changed writes nothing. Known is what the snapshot was taken from; a
	// server that has seen less is a *BehindError.
	//
	// A *LostError says that changes cannot be told from the cursor on: everything must
	// be read, and nothing of what was told counts. Any other error is one that Read
	// would give as well, as that nobody answers, that the server is behind, or that a
	// canary is not seen: it would come again each time, and nobody would leave until
	// everything is read. After any error nothing counts.
	Follow(ctx context.Context, since Cursor, known Knowledge, open func() (Changes, error)) (Followed, error)
}

// Changes is where a source puts what changed since a cursor. The state
// implements it. Nothing of it counts until it was sealed with a Followed. Calls
// apply in their order: of an entry that comes twice the later is believed. It is
// used by one goroutine.
type Changes interface {
	// Put takes entries that are in scope now, whole, as a listing would show them.
	Put(entries []Entry) error
	// Edit takes what members groups gained and lost, all else being as it is known.
	Edit(edits []Edit) error
	// Left takes entries that are still in the source, found by ID outside base or
	// filter. Those that the snapshot does not have are passed over.
	Left(found []Finding) error
	// Gone takes entries of which there is positive evidence that they were deleted.
	// Those that the snapshot does not have are passed over.
	Gone(gone []Gone) error

	// Lookup returns those of the IDs that the snapshot has, in any order.
	Lookup(ids []identity.ID) ([]Known, error)
	// Below returns who is known, and thought to be there, below the name.
	Below(container identity.DN) ([]Known, error)
	// Holding returns the groups that are known to have one of the names as a member.
	Holding(members []identity.DN) ([]Known, error)
	// Referring returns the people who are there and are known to name one of those in
	// an attribute by which the policy makes them refer to others.
	Referring(named []identity.DN) ([]Known, error)
	// Named returns the names below the container that groups are known to have as
	// members, and that nobody has whom Below returns.
	Named(container identity.DN) ([]identity.DN, error)
}

// Edit is what changed of the members of a group.
type Edit struct {
	Group        identity.ID
	Gained, Lost []Member
}

// Gone is an entry that was deleted, and what proves it.
type Gone struct {
	ID identity.ID
	// By is the evidence, for people: "a tombstone", "the delete phase".
	By string
}

// LostError: a cursor does not hold any more, or cannot be gone on from.
type LostError struct {
	// Why, for people: "the change log begins at 812, and 640 was read last". It names
	// nobody: it is kept.
	Why string
	// Err is the cause, and may name somebody; nil where Why says all.
	Err error
}

func (e *LostError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("changes cannot be followed any more: %s: %v", e.Why, e.Err)
	}
	return "changes cannot be followed any more: " + e.Why
}

func (e *LostError) Unwrap() error { return e.Err }

// Doubter is a place for changes that may want others looked at as well, before it
// believes what it was told.
type Doubter interface {
	// Witnesses are people and groups, thought to be there and not told of, that have
	// what those who were told of have lost. Whoever follows reads them and puts them
	// too: do they lack it as well, then a right was lost, and not data. Ask when all
	// else was told. If nobody asks, everything is read instead.
	Witnesses() ([]Known, error)
}

// WitnessesOf are whom the changes want looked at, if they doubt at all.
func WitnessesOf(c Changes) ([]Known, error) {
	if d, is := c.(Doubter); is {
		return d.Witnesses()
	}
	return nil, nil
}
