package directory

import "github.com/rosterd/rosterd/identity"

// Foreseer is a source that can tell, without asking the server, how it would read
// those whom another source of the same name has read.
type Foreseer interface {
	// Foresee compares the two. What cannot be told is said: nothing is guessed.
	Foresee(was Source) Foresight
}

// Foresight is how another way of reading differs, as far as it can be told from
// what was read. The zero value tells that nothing differs.
type Foresight struct {
	// Wider say why people may be read whom nobody has read.
	Wider []string
	// Groups say why others may be in the groups.
	Groups []string
	// Everybody say why nothing can be told of anybody.
	Everybody []string
	// Keeps says whether somebody who was read would be read still; nil: everybody
	// would. For Maybe it says why that cannot be told.
	Keeps func(identity.Person) (Answer, string)
}

// Answer is yes or no, or that it cannot be told.
type Answer uint8

// The answers. The zero value is the harmless one.
const (
	Maybe Answer = iota
	No
	Yes
)

// And is Yes if both are, No if one is.
func (a Answer) And(b Answer) Answer {
	switch {
	case a == No || b == No:
		return No
	case a == Yes && b == Yes:
		return Yes
	}
	return Maybe
}

// Or is Yes if one is, No if both are.
func (a Answer) Or(b Answer) Answer { return a.Not().And(b.Not()).Not() }

// Not turns Yes and No round.
func (a Answer) Not() Answer {
	switch a {
	case Yes:
		return No
	case No:
		return Yes
	}
	return Maybe
}
