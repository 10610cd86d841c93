package identity

import "fmt"

// Ordinal is rosterd's own number for a person or a group. It never changes
// and is never given twice; everything in the state is keyed by it. Zero is no
// one.
type Ordinal uint64

// Valid says whether the ordinal names somebody.
func (o Ordinal) Valid() bool { return o != 0 }

func (o Ordinal) String() string { return fmt.Sprintf("#%d", uint64(o)) }

// ID is the immutable identifier of an entry in one source, as normalised text
// (entryUUID in lower case, RFC 4530). It is what tells a rename from a
// leaver: a DN is only an attribute.
type ID string

// Key names an entry across all sources.
type Key struct {
	Source string
	ID     ID
}

func (k Key) String() string { return k.Source + ":" + string(k.ID) }
