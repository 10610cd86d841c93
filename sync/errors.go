package sync

import (
	"errors"
	"fmt"
)

// ErrStopped says that a signal ended a cycle before its plan was made.
var ErrStopped = errors.New("stopped by a signal before anything was written")

// ForeignError says that a target is another system than the one whose accounts
// the links name.
type ForeignError struct{ Target, Known, Found string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("connect to %s: it is %q, and the links are of %q", e.Target, e.Found, e.Known)
}

// Hint says what to do.
func (e *ForeignError) Hint() string {
	return "correct the address of [target." + e.Target + "], or give the new system a target of its own name"
}

// hint finds what an error wants to be done next.
func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
