package state

import (
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Stage takes one listing. It is used by one goroutine.
type Stage struct {
	s        *Store
	source   string
	coverage identity.Coverage
}

// SealRules are the limits by which a listing is judged.
type SealRules struct {
	// VanishAfter is how much later a second listing must be to confirm an
	// absence; 10 minutes if zero, 1 s at least.
	VanishAfter time.Duration
	// MinPeople is the share of the peak that a listing must show; 0.9 if zero.
	MinPeople float64
	// MaxRekey is how many IDs may be replaced in one listing; 5 if zero.
	MaxRekey int
	// Now is the instant of sealing.
	Now time.Time
}

// Sealed says what a listing brought.
type Sealed struct {
	People, Groups int
	// Changed were known and differ, New were not known, Missing were known and
	// not shown: people and groups.
	Changed, New, Missing int
}

// Drained says what came of a listing that was moved into the snapshot.
type Drained struct {
	// Source is empty where nothing was sealed.
	Source         string
	People, Groups int
	// Changed, New and Missing are as in Sealed.
	Changed, New, Missing int
	// Relinked came back under a new ID and keep their ordinal.
	Relinked int
	// Marked is how many people became dirty.
	Marked int
	// Blackout are the containers that showed nobody whom they held.
	Blackout []string
	// SecondLookAt is when another listing can confirm absences.
	SecondLookAt time.Time
	Rekeyed      int
	// Peak is the size against which a drop is measured; Drop says that this
	// listing is too small a share of it.
	Peak int
	Drop bool
	// Dangling is how many members of groups are nobody known.
	Dangling int
}

var errSoon = errors.New("not yet")

// Stage begins a listing of the source.
func (s *Store) Stage(source string, coverage identity.Coverage) (*Stage, error) { return nil, errSoon }

// Add takes a chunk of entries.
func (g *Stage) Add(entries []directory.Entry) error { return errSoon }

// Missing returns whom the listing did not show.
func (g *Stage) Missing() ([]directory.Known, error) { return nil, errSoon }

// Found takes the answers of the look-ups by ID.
func (g *Stage) Found(findings []directory.Finding) error { return errSoon }

// Seal ends the listing.
func (g *Stage) Seal(p directory.Proof, r SealRules) (Sealed, error) { return Sealed{}, errSoon }

// Discard throws the stage away.
func (g *Stage) Discard() error { return errSoon }

func sealed(tx *bolt.Tx) bool { return tx.Bucket(bStageMeta).Get(kSealed) != nil }

var kSealed = []byte("sealed")
