package memory

import (
	"context"
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Faults are what shall go wrong. The hooks are called without a lock, in the
// goroutine of the caller; a nil hook does nothing.
type Faults struct {
	// Read is called before each entry with the number already given, and once
	// more at the end. An error fails the read.
	Read func(ctx context.Context, given int) error
	// Find is called before a look-up is answered. An error fails it.
	Find func(ctx context.Context, known []directory.Known) error
	// Hide leaves an entry out of listings and look-ups, without an error: what
	// a server does with entries that the bind user may not see.
	Hide func(directory.Entry) bool
	// Follow is called before each entry that a follow tells of, with the number
	// already told, and once more at the end. An error fails it.
	Follow func(ctx context.Context, told int) error
	// Lost says that no cursor holds any more, and why.
	Lost string
	// Unproved: a follow cannot tell who was deleted this once.
	Unproved bool
	// Lose are attributes that no entry shows any more, without an error;
	// "member" and "memberUid" are those of groups.
	Lose []string
	// Server and Bind say that another server answered, or as somebody else.
	// Knowledge is what the server has seen before a read, Shown what it has
	// after it, if that is more.
	Knowledge, Shown directory.Knowledge
	Server, Bind     string
}

// SetFaults replaces the faults.
func (s *Source) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// FailRead fails every read once n entries were given.
func FailRead(n int) Faults {
	return Faults{Read: func(_ context.Context, given int) error {
		if given < n {
			return nil
		}
		return fmt.Errorf("cut off after %d entries as asked", given)
	}}
}

// Hang halts every read after n entries until its context ends.
func Hang(n int) Faults {
	return Faults{Read: func(ctx context.Context, given int) error {
		if given < n {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}}
}

// FailFind fails every look-up.
func FailFind() Faults {
	return Faults{Find: func(context.Context, []directory.Known) error { return fmt.Errorf("no look-up as asked") }}
}

// HideBelow hides a container and everything in it: rights that were lost.
func HideBelow(dn string) Faults {
	base := identity.MustDN(dn)
	return Faults{Hide: func(e directory.Entry) bool { return e.DN.Within(base) }}
}

// Lose hides attributes of every entry: rights that were lost.
func Lose(names ...string) Faults { return Faults{Lose: names} }
