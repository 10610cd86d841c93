package plan

import (
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// Input is everything that a plan rests on. Make changes nothing in it, and its
// order does not matter.
type Input struct {
	Now time.Time
	// Full: a resync; everybody is looked at, and back-off times do not count.
	Full bool
	// Second: what else there is to do was done, and whoever is referred to has an
	// account by now, or has none.
	Second bool
	// Protected: the command said --protected.
	Protected bool
	// Assumed: no target is looked at; each account is taken to be as it was last
	// left. Such a plan says what a policy would do, and nothing is done by it.
	Assumed bool
	// Adoption is set where accounts that exist are to be taken over, and nothing else
	// is done.
	Adoption *Adoption
	Targets  []Target
	People   []Person
	Sources  []Source
}

// Target is one target as the plan must know it.
type Target struct {
	Name        string
	Rules       Rules
	Description target.Description
	// New: its first hold was not approved whole.
	New bool
	// Restored says why the state may be older than what was done in the target;
	// empty if it is not.
	Restored string
	// Linked is how many accounts we manage that are open.
	Linked int
	// Holders is how many of them hold each role.
	Holders map[string]int
	// Entitlements are those that observations of this target tell of, every
	// one that the policy can name. One that is not here was not read.
	Entitlements []string
	// Down says why the target cannot be read; empty if it can. Nothing is
	// planned there, and whoever needs it is parked.
	Down string
	// DownUntil is before when it is not tried; zero: by each cycle.
	DownUntil time.Time
	// Paused says why nothing is written there; empty if something may be.
	Paused string
	// Accounts are all in the managed scope, where they were listed.
	Accounts []target.Account
	// Listed: they were, if there are none.
	Listed bool
	// Names are what is known of names that an earlier plan asked for (Subject.Names).
	Names map[string]Name
	// Owners says whose the accounts are, as far as they were seen.
	Owners map[target.NativeID]identity.Ordinal
	// Marked are accounts that are nobody's and carry a mark, by ID.
	Marked []Marked
}

// Person is one person to plan for.
type Person struct {
	identity.Person
	Desired mapping.Desired
	// Denial is set while the person is offboarded by hand.
	Denial *ledger.Denial
	// Named: somebody named the person for this, by offboard or --person.
	// Their removal is thereby approved.
	Named bool
	// Seen is what is known of them in each target.
	Seen map[string]Seen
}

// Seen is what is known of one person in one target.
type Seen struct {
	Link *ledger.Link
	// Corrected: the link has other entitlements than in the state, or by other names.
	Corrected bool
	// Observed answers the Look that an earlier plan asked for; nil if nobody
	// looked.
	Observed *target.Observation
	// InDoubt: a write left and its outcome is not known.
	InDoubt bool
	// Parked is set while a failed change waits for its next attempt.
	Parked *ledger.Parked
	// Waits: a change of theirs there is in a hold. What the hold rests on may
	// be nowhere but in the target, so it is looked at.
	Waits bool
	// Released: enable the account that somebody else disabled.
	Released bool
}

// Source is one source as the plan must know it.
type Source struct {
	Name string
	// LastComplete is when the last complete read ended. Nothing is deleted
	// but after a complete read that follows the end of grace.
	LastComplete time.Time
	// Unread: the read of this cycle failed. Whoever is only presumed gone
	// keeps what they have until the next complete one.
	Unread       bool
	People, Peak int
	// MinPeople: fewer people than the limit allows; removals are held.
	MinPeople bool
	// Blackouts are the containers in which everybody vanished at once.
	Blackouts []string
}
