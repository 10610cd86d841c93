package target

import "errors"

// Class says what an error of a write or a look means for the change.
type Class uint8

const (
	// Refused: the target will not do this; the same request fails again.
	Refused Class = iota + 1
	// Transient: worth another try, later.
	Transient
	// Denied: our credentials or rights are at fault; the whole target stops.
	Denied
	// Missing: the account or entitlement is not there.
	Missing
	// Exists: an account of that name is there already.
	Exists
	// InDoubt: it may or may not have been done.
	InDoubt
)

var classNames = [...]string{"?", "refused", "transient", "denied", "missing", "exists", "in-doubt"}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "?"
}

// Error is an error of a target with its class and what to do about it.
type Error struct {
	Class Class
	Err   error
	Tip   string
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Hint is what to type or change next; may be empty.
func (e *Error) Hint() string { return e.Tip }

// ClassOf returns the class of an error. One without a class is in doubt:
// nothing is known of it.
func ClassOf(err error) Class {
	if err == nil {
		return 0
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return InDoubt
}
