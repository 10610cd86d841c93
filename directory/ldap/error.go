package ldap

import (
	"errors"
	"fmt"
)

// What a caller may ask of an error with errors.Is.
var (
	// ErrBase: a base cannot be read.
	ErrBase = errors.New("the base cannot be read")
	// ErrCanary: an entry that is always there was not seen.
	ErrCanary = errors.New("the canary was not seen")
	// ErrID: an entry without its immutable ID, or two with the same.
	ErrID = errors.New("the ID is not fit")
	// ErrName: an entry is shown by a name that it cannot have.
	ErrName = errors.New("the name is not fit")
	// ErrLookup: a look-up by ID does not find what is there.
	ErrLookup = errors.New("look-ups by ID do not work")
)

// readError is an error of reading that is ours and not the server's.
type readError struct {
	kind error // one of those above
	text string
	hint string
	err  error // the cause; may be nil
}

func (e *readError) Error() string {
	if e.err != nil {
		return e.text + ": " + e.err.Error()
	}
	return e.text
}

func (e *readError) Is(target error) bool { return target == e.kind }
func (e *readError) Unwrap() error        { return e.err }

// Hint says what to do.
func (e *readError) Hint() string { return e.hint }

func fail(kind error, hint, format string, args ...any) *readError {
	return &readError{kind: kind, text: fmt.Sprintf(format, args...), hint: hint}
}

// hintOf returns the hint of an error, or "".
func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
