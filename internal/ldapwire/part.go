package ldapwire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Part says which of the values of an attribute came.
type Part uint8

const (
	// Whole: all of them.
	Whole Part = iota
	// Gained: those that were added since the cookie (DirSync).
	Gained
	// Lost: those that were removed since the cookie (DirSync).
	Lost
	// Partial: some of them. It is read to the end before anybody outside sees it.
	Partial
)

// span is the ";range=LOW-HIGH" of an attribute description (MS-ADTS 3.1.1.3.1.3.3).
type span struct {
	valid     bool
	low, high int
	last      bool // "LOW-*": there are no more
}

// parseSpan reads what follows "range=".
func parseSpan(s string) span {
	low, high, ok := strings.Cut(s, "-")
	if !ok {
		return span{}
	}
	out := span{valid: true, last: high == "*"}
	var err error
	if out.low, err = parseIndex(low); err != nil {
		return span{}
	}
	if !out.last {
		if out.high, err = parseIndex(high); err != nil {
			return span{}
		}
	}
	return out
}

func parseIndex(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err == nil && s[0] == '+' {
		err = strconv.ErrSyntax
	}
	return int(n), err
}

// ranges is what a ";range=" means. "member;range=1-1" is the second value in a
// listing and any number of new ones in an answer to DirSync: nothing in the
// entry tells which.
type ranges uint8

const (
	rangesRefused    ranges = iota // none is expected
	rangesOfListings               // a part of the values
	rangesOfChanges                // values that were gained or lost
)

// part is what the attribute is; Whole for a range that is not understood.
func (r ranges) part(name *attributeName) Part {
	s := name.part
	switch {
	case !s.valid:
	case r == rangesOfListings && (s.last || s.low <= s.high):
		return Partial
	case r == rangesOfChanges && !s.last && s.low == 1 && s.high == 1:
		return Gained
	case r == rangesOfChanges && !s.last && s.low == 0 && s.high == 0:
		return Lost
	}
	return Whole
}

// checkParts takes away the empty attribute that Active Directory sends beside
// its parts, which would look as if there were no values. An attribute that is
// there as a whole and in parts, or twice in the same kind of part, is refused.
func (e *Entry) checkParts() error {
	for i := 0; i < len(e.Attributes); i++ {
		a := &e.Attributes[i]
		for j := range e.Attributes {
			b := &e.Attributes[j]
			if j == i || b.Part == Whole || a.Name != b.Name || !slices.Equal(a.Options, b.Options) {
				continue
			}
			if a.Part == Whole && len(a.Values) == 0 {
				e.Attributes = slices.Delete(e.Attributes, i, i+1)
				i--
				break
			}
			if a.Part == Whole || a.Part == b.Part || a.Part == Partial || b.Part == Partial {
				return fmt.Errorf("%w: the values of %q of %q came in more than one way", ErrProtocol, a.Name, e.DN)
			}
		}
	}
	return nil
}

// RangeError is an attribute of which only a part came (";range=", Active
// Directory): never taken for the whole.
type RangeError struct{ DN, Attribute string }

func (e *RangeError) Error() string {
	return fmt.Sprintf("only a part of %q came for %q", e.Attribute, e.DN)
}
