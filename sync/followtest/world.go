package followtest

import (
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
)

// World is a directory that the story changes. Names are DNs; what a person or a
// group is made of is the world's. Title is an attribute of people of which there
// may be no value, Many one of which there may be several; both are covered by the
// sources, with those that give login, mail, name and key.
type World interface {
	// Base holds people, and containers of people; Groups holds groups; Elsewhere is
	// in the same directory and not read.
	Base() string
	Groups() string
	Elsewhere() string
	// PersonRDN, GroupRDN and ContainerRDN are how entries of these names are called.
	PersonRDN(login string) string
	GroupRDN(name string) string
	ContainerRDN(name string) string

	// AddPerson makes a person with a login, mail, name and key of their own.
	AddPerson(dn, login string) error
	AddGroup(dn, name string, members ...string) error
	AddContainer(dn, name string) error
	// Set replaces the values of an attribute; none take it away.
	Set(dn, attribute string, values ...string) error
	// SetAll sets one value for many people, as fast as the server can.
	SetAll(dns []string, attribute, value string) error
	// Members changes who is in a group.
	Members(group string, gained, lost []string) error
	// Move renames an entry, to another container too.
	Move(dn, to string) error
	Delete(dn string) error
	// Close lets an administrator close an account, or open it again.
	Close(dn string, closed bool) error
	// Crowd are people who were there from the beginning, below a container of
	// their own in Base. Only RunBig needs them.
	Crowd() []string
	// Restart stops the server and starts it on the same data.
	Restart() error

	// Open makes a new source named "corp" that follows changes; rosterd as it is
	// after a start.
	Open() (directory.Source, error)
	// Listing makes a new source named "corp", of the same bases, filters and
	// attributes, that does nothing but list.
	Listing() (directory.Source, error)
	Title() string
	Many() string
}

// PrimaryGroups is a world in which everybody has a primary group beside those
// that name them.
type PrimaryGroups interface {
	// SetPrimary makes a group that names the person their primary one.
	SetPrimary(person, group string) error
}

// Traits say what may be expected of an engine.
type Traits struct {
	// Engine is its name in a cursor; empty where everything is read each time.
	Engine string
	// Deletes: it says that it tells who was deleted. Proves: it has evidence of
	// it; who is not there any more is else listed twice.
	Deletes, Proves bool
	// Restarts: a restart of the server loses the place.
	Restarts bool
	// RenamesOnce: a walk gives a container a new name once only, and none above or below
	// it. 389 DS may show people below the name before the last for ever after, and then
	// nothing is read any more until that is mended.
	RenamesOnce bool
	// Now is the clock of the cycles; it should be that of the source.
	Now func() time.Time
}

// Start makes a world, and ends it with the test.
type Start func(t *testing.T) World
