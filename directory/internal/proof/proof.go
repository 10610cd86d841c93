// Package proof makes the proofs of completeness that only the kinds of source
// below directory can reach.
package proof

import (
	"maps"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// Complete is the proof that a listing was complete. The zero value is not
// valid.
type Complete struct {
	made           bool
	source, server string
	bind, scope    string
	coverage       identity.Coverage
	people, groups int
	at             time.Time
	knowledge      Knowledge
	shown          Knowledge
	cursor         Cursor
}

// Knowledge is how much a server had seen when it was read: for each place in
// which changes are made, the last one that it knows. The words grow with time
// and can be compared for one place. Nil where the server does not tell.
type Knowledge map[string]string

// Behind finds the first place of which later is known already, and what k says
// of it; empty if k has seen as much as known has.
func (k Knowledge) Behind(known Knowledge) (place, seen string) {
	for _, place := range slices.Sorted(maps.Keys(known)) {
		if k[place] < known[place] {
			return place, k[place]
		}
	}
	return "", ""
}

// with is the later of each: a server that does not answer the second time has
// still seen what it said the first time.
func (k Knowledge) with(later Knowledge) Knowledge {
	out := maps.Clone(k)
	for place, seen := range later {
		if out == nil {
			out = Knowledge{}
		}
		out[place] = max(out[place], seen)
	}
	return out
}

// Facts is what a proof rests on.
type Facts struct {
	// Source is the name in the configuration.
	Source string
	// Server names the server that answered, as stable as it can be told.
	Server string
	// Bind is the identity it was read as.
	Bind string
	// Scope is a digest text of bases and filters.
	Scope          string
	Coverage       identity.Coverage
	People, Groups int
	// Knowledge is what the server had seen before the first page: the listing
	// shows as much at least. Shown is from after the last: it shows no more.
	Knowledge, Shown Knowledge
	// At is when the read began.
	At time.Time
	// Cursor was taken before the first page; zero: changes cannot be followed.
	Cursor Cursor
}

// New makes a proof. Call it only where every page was read, the last result
// was success and nothing was left out; a test counts the callers.
func New(f Facts) Complete {
	return Complete{made: true, source: f.Source, server: f.Server, bind: f.Bind, scope: f.Scope, coverage: f.Coverage,
		people: f.People, groups: f.Groups, at: f.At, knowledge: f.Knowledge, shown: f.Knowledge.with(f.Shown), cursor: f.Cursor}
}

// Valid says whether the proof was made by a source.
func (c Complete) Valid() bool { return c.made }

// Source is the name in the configuration.
func (c Complete) Source() string { return c.source }

// Server names the server that answered.
func (c Complete) Server() string { return c.server }

// Bind is the identity the listing was read as.
func (c Complete) Bind() string { return c.bind }

// Scope is a digest text of bases and filters.
func (c Complete) Scope() string { return c.scope }

// Coverage is what was asked for.
func (c Complete) Coverage() identity.Coverage { return c.coverage }

// People is how many people the listing holds.
func (c Complete) People() int { return c.people }

// Groups is how many groups the listing holds.
func (c Complete) Groups() int { return c.groups }

// Knowledge is what the server had seen when the read began.
func (c Complete) Knowledge() Knowledge { return c.knowledge }

// Shown is what the server had seen when the read ended: nothing in the listing
// is later.
func (c Complete) Shown() Knowledge { return c.shown }

// At is when the read began.
func (c Complete) At() time.Time { return c.at }

// Cursor is from where changes can be followed; it was taken before the first
// page. Zero: they cannot.
func (c Complete) Cursor() Cursor { return c.cursor }
