package target

import (
	"fmt"
	"slices"
)

// Value is an attribute with the values it has or is to have; no values: none.
type Value struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
	// How a write meets the values that are there.
	How How `json:"how,omitzero"`
	// Without are the values that a Merge takes away.
	Without []string `json:"without,omitempty"`
	// Kept are those of Values that were there before a Merge, by somebody else's
	// doing: they do not become ours. It is not part of the key of a change.
	Kept []string `json:"kept,omitempty"`
}

// How says what becomes of the values that an attribute has when it is written.
type How uint8

const (
	// Replace puts the values in the place of all.
	Replace How = iota
	// Fill writes them only where the attribute has none.
	Fill
	// Merge adds them, takes those in Without, and lets all others stay.
	Merge
)

var howNames = [...]string{"replace", "fill", "merge"}

func (h How) String() string {
	if int(h) < len(howNames) {
		return howNames[h]
	}
	return "?"
}

// MarshalText writes the word.
func (h How) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the word.
func (h *How) UnmarshalText(b []byte) error {
	i := slices.Index(howNames[:], string(b))
	if i < 0 {
		return fmt.Errorf("read how an attribute is written %q: no such word", b)
	}
	*h = How(i)
	return nil
}

// On is what an attribute has after the write, where it has these values now.
func (v Value) On(actual []string, rules Description) []string {
	switch v.How {
	case Fill:
		if len(actual) > 0 {
			return actual
		}
	case Merge:
		add, take := v.Steps(actual, rules)
		out := slices.DeleteFunc(slices.Clone(actual), func(x string) bool { return slices.Contains(take, x) })
		return append(out, add...)
	}
	return v.Values
}

// Steps are the values that a Merge has still to add, and those of the attribute
// that it has still to take, as they are spelled there. What is to be added and
// taken is added.
func (v Value) Steps(actual []string, rules Description) (add, take []string) {
	has := func(list []string, x string) bool {
		return slices.ContainsFunc(list, func(y string) bool { return rules.Equal(v.Name, []string{x}, []string{y}) })
	}
	for _, x := range v.Values {
		if !has(actual, x) && !has(add, x) {
			add = append(add, x)
		}
	}
	for _, x := range actual {
		if has(v.Without, x) && !has(v.Values, x) {
			take = append(take, x)
		}
	}
	return add, take
}

// Shown says whether an attribute with these values is as the write leaves it.
func (v Value) Shown(actual []string, rules Description) bool {
	return rules.Equal(v.Name, actual, v.On(actual, rules))
}
