package proof

import (
	"time"

	"github.com/rosterd/rosterd/identity"
)

// Cursor is how far the changes of a source were followed. The zero value is
// none.
type Cursor struct {
	// Engine made it: "syncrepl", "dirsync", "usn", "timestamp".
	Engine string
	// Like is a digest text of what must not have changed: who answers, as whom it
	// is read, bases, filters, coverage, and what the engine itself depends on.
	Like string
	// Token is the engine's own.
	Token []byte
	// At is when it was taken: changes before that were read.
	At time.Time
	// Deletes says that the engine tells who was deleted. Where it does not, only a
	// listing of IDs does.
	Deletes bool
}

// IsZero says whether there is no cursor.
func (c Cursor) IsZero() bool { return c.Engine == "" }

// Followed is the proof that all changes since a cursor were told. The zero value
// is not valid.
type Followed struct {
	made  bool
	facts FollowedFacts
}

// FollowedFacts is what a Followed rests on.
type FollowedFacts struct {
	// Source is the name in the configuration, Server who answered, Bind the
	// identity it was read as, Scope a digest text of bases and filters.
	Source, Server, Bind, Scope string
	Coverage                    identity.Coverage
	// Cursor is from where to go on.
	Cursor Cursor
	// Nothing says that nothing changed: nothing was told.
	Nothing bool
	// Sweep says why a listing of IDs must come next: somebody is not there any
	// more, and nothing proves that they were deleted. Empty: it need not.
	Sweep string
	// Unseen are known entries of which a change was told, and that were not shown:
	// whoever shows them again before everything was read has to be read anew, since
	// that change is not told again.
	Unseen []identity.ID
	// Knowledge is what the server had seen before, Shown after.
	Knowledge, Shown Knowledge
	// At is when the following began.
	At time.Time
}

// NewFollowed makes a proof. Call it only where the engine came to its end; a
// test counts the callers.
func NewFollowed(f FollowedFacts) Followed {
	f.Shown = f.Knowledge.with(f.Shown)
	return Followed{made: true, facts: f}
}

// Valid says whether the proof was made by a source.
func (f Followed) Valid() bool { return f.made }

// Facts is what it rests on.
func (f Followed) Facts() FollowedFacts { return f.facts }
