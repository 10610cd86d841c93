package directory

import (
	"context"

	"github.com/rosterd/rosterd/directory/internal/proof"
	"github.com/rosterd/rosterd/identity"
)

// Proof says that a listing was complete: from which server, as whom, with
// which coverage, when. Only a source can make one that is Valid; the zero
// value proves nothing.
type Proof = proof.Complete

// Knowledge is how much a server had seen when it was read.
type Knowledge = proof.Knowledge

// Stage is where a source puts what it reads. The state implements it.
type Stage interface {
	// Add takes a chunk of entries of any kind and order. It may be called from
	// one goroutine at a time.
	Add(entries []Entry) error
}

// Source is one authoritative directory.
//
// A source is used by one cycle at a time.
type Source interface {
	// Name is the name in the configuration.
	Name() string
	// Coverage is what Read asks for.
	Coverage() identity.Coverage
	// Read lists every person and every group into the stage, in chunks, and
	// proves that it saw all of them, canaries included. Any doubt is an error:
	// what the stage then holds is worthless.
	Read(ctx context.Context, stage Stage) (Proof, error)
	// Find looks entries up by immutable ID, wherever in the source they are
	// now. It answers for every ID asked for, in the same order, or fails.
	Find(ctx context.Context, known []Known) ([]Finding, error)
	// Check connects and says what the source is, what may be read, and what
	// is wrong.
	Check(ctx context.Context) (Report, error)
}

// Sweeper is a source that can list IDs without all the rest.
type Sweeper interface {
	// Sweep lists those whom Read lists, as completely and with the same proof,
	// but of each entry only its kind, ID and DN.
	Sweep(ctx context.Context, stage Stage) (Proof, error)
}

// Placer is a source that knows by its name whether somebody could be among those whom
// it reads.
type Placer interface {
	// Places says whether people are read where the name stands. Where they are not,
	// that nobody of that name was read tells nothing.
	Places(dn identity.DN) bool
}

// Report is what a check found.
type Report struct {
	// Server is what was detected, for people: "OpenLDAP at ldaps://…".
	Server string
	Notes  []Note
}

// Note is one finding of a check.
type Note struct {
	Level Level
	Text  string
	// Hint is what to do or type next; may be empty.
	Hint string
}

// Level grades a note.
type Level uint8

const (
	// Fine: as it should be.
	Fine Level = iota
	// Warning: works, and somebody should know.
	Warning
	// Broken: a cycle would fail or lose sight of somebody.
	Broken
)
