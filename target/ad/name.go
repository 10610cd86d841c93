package ad

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// nameLimit is how many characters a sAMAccountName of a user has at most
	// ([MS-ADTS], 3.1.1.6: the schema says 256, the domain takes no more than 20).
	nameLimit = 20
	// notInNames are the characters that it cannot have ([MS-SAMR], 3.1.1.8.4).
	notInNames = `"/\[]:|<>+=;,?*`
)

// nameError is a name that the domain would refuse, or change.
type nameError struct{ text, tip string }

func (e *nameError) Error() string { return e.text }

// Hint says what to do.
func (e *nameError) Hint() string { return e.tip }

// fitName says why the domain would not take a sAMAccountName.
func fitName(name string) error {
	const tip = "the name is sAMAccountName: give it an expression that fits, such as ${slug(person.uid)}"
	if n := utf8.RuneCountInString(name); n > nameLimit {
		return &nameError{fmt.Sprintf("%q has %d characters, and sAMAccountName takes %d", name, n, nameLimit), tip}
	}
	if i := strings.IndexAny(name, notInNames); i >= 0 {
		return &nameError{fmt.Sprintf("%q has a %q, which sAMAccountName does not take", name, name[i]), tip}
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return &nameError{fmt.Sprintf("%q has a control character, which sAMAccountName does not take", name), tip}
	}
	if strings.HasSuffix(name, ".") {
		return &nameError{fmt.Sprintf("%q ends in a full stop, which sAMAccountName must not", name), tip}
	}
	return nil
}
