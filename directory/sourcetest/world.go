// Package sourcetest is the contract of a source as a suite: what every kind
// must do, tried on a directory that the kind brings along. Run it from the
// tests of the kind.
package sourcetest

import (
	"testing"

	"github.com/rosterd/rosterd/directory"
)

// The containers of every world. People and Groups are read; Elsewhere is not.
const (
	Suffix    = "dc=lab,dc=example"
	People    = "ou=people," + Suffix
	Groups    = "ou=groups," + Suffix
	Elsewhere = "ou=elsewhere," + Suffix
)

// World is a directory that a test may change, with the containers above and
// nothing else. Names are DNs. Attributes are LDAP's: a person is an
// inetOrgPerson, a group is a groupOfNames (member) or a posixGroup (memberUid).
type World interface {
	Add(dn string, attributes map[string][]string) error
	// Set replaces the values of one attribute; none take it away.
	Set(dn, attribute string, values ...string) error
	// Move renames an entry, to another container too.
	Move(dn, to string) error
	Delete(dn string) error
	// Open makes a source named "corp" that reads uid as login, mail, cn as
	// name, employeeNumber as key, and what the options say.
	Open(Options) (directory.Source, error)
}

// Options of a source.
type Options struct {
	// Attributes are read beside those of login, mail, name and key.
	Attributes []string
	// Canaries are the DNs of entries without which a read is not complete.
	Canaries []string
}

// Start makes a world and ends it with the test.
type Start func(t *testing.T) World

// Run tries the whole contract, each part in a world of its own.
func Run(t *testing.T, start Start) {
	for _, part := range []struct {
		name string
		try  func(*testing.T, World)
	}{
		{"ListsEverybodyOnceAndProvesIt", listsEverybodyOnce},
		{"EmptyContainersAreComplete", emptyIsComplete},
		{"TheSameTwice", theSameTwice},
		{"NotReadIsNotAbsent", notReadIsNotAbsent},
		{"ValuesAsTheyAre", valuesAsTheyAre},
		{"NamesOfEveryKind", namesOfEveryKind},
		{"AMoveKeepsTheID", moveKeepsTheID},
		{"ANewEntryHasANewID", newEntryNewID},
		{"GroupsAsWritten", groupsAsWritten},
		{"ChunksAreBoundedAndKept", chunks},
		{"FindAnswersInOrder", findInOrder},
		{"FindOfManyAndNone", findMany},
		{"CancelledIsNoListing", cancelled},
		{"StageErrorIsNoListing", stageError},
		{"WithoutCanaryNoListing", canary},
		{"ASweepListsTheIDsOfARead", sweeps},
		{"WithoutCanaryNoSweep", sweepWithoutCanary},
		{"NothingChangedOpensNothing", followsNothing},
		{"WhatChangedIsAsAListingShowsIt", followsWhatChanged},
		{"AForeignCursorIsLost", followsNoForeignCursor},
		{"AFollowThatFailsProvesNothing", followsOrFails},
		{"CheckSaysWhatIsWrong", check},
	} {
		t.Run(part.name, func(t *testing.T) { part.try(t, start(t)) })
	}
}
